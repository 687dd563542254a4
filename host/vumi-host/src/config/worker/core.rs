//! The options that all of Vumi's workers had: the broker and the system's id (specification: workers, section 1).

use vumi_core::RedisManager;

use super::WorkerOptions;
use crate::config::Document;
use crate::config::error::ConfigError;
use crate::config::yaml::Node;

/// The options, from the command line, the file of `--vumi-config` and the defaults, in this order.
pub(super) struct Core {
    /// The broker, with its password.
    pub(super) url: String,
    pub(super) system_id: String,
    /// Seconds; only the file has it.
    pub(super) heartbeat: Option<u16>,
}

/// Keys of the file that mean something here or to Vumi alone.
const KNOWN: [&str; 10] =
    ["hostname", "port", "username", "password", "vhost", "specfile", "sentry", "system-id", "system_id", "heartbeat"];

impl Core {
    pub(super) fn read(
        options: &WorkerOptions,
        env: &dyn Fn(&str) -> Option<String>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let file = match &options.vumi_config {
            Some(path) => {
                Some((path.display().to_string(), Document::open(path, "the file of --vumi-config")?.tree(env)?))
            }
            None => None,
        };
        let from_file =
            |key: &str| file.as_ref().and_then(|(_, tree)| tree.get(key)).and_then(|entry| entry.value.text());
        if let Some((name, tree)) = &file {
            for entry in tree.entries().iter().filter(|entry| !KNOWN.contains(&entry.key.as_str())) {
                warnings.push(format!(
                    "{name}:{}: the key `{}` means nothing here and is ignored",
                    entry.mark.line, entry.key
                ));
            }
            for key in ["specfile", "sentry"].iter().filter(|key| tree.get(key).is_some()) {
                warnings.push(format!("{name}: `{key}` means nothing here and is ignored"));
            }
        }
        let wrong = |key: &str, value: &str| {
            let name = file.as_ref().map_or("", |(name, _)| name.as_str());
            ConfigError::file(
                name,
                format!("Field '{key}' could not be converted to int: `{value}`"),
                "write a whole number",
            )
        };
        let number = |key: &'static str| match from_file(key) {
            Some(value) => value.trim().parse::<u16>().map(Some).map_err(|_| wrong(key, value)),
            None => Ok(None),
        };
        let choose = |given: Option<&str>, key: &str, default: &str| {
            given.or_else(|| from_file(key)).unwrap_or(default).to_owned()
        };
        let host = choose(options.hostname.as_deref(), "hostname", "127.0.0.1");
        let username = choose(options.username.as_deref(), "username", "vumi");
        let password = choose(options.password.as_ref().map(|secret| secret.reveal()), "password", "vumi");
        let vhost = choose(options.vhost.as_deref(), "vhost", "/develop");
        let port = options.port.map_or_else(|| number("port"), |port| Ok(Some(port)))?.unwrap_or(5672);
        let system_id = options
            .system_id
            .clone()
            .or_else(|| from_file("system-id").or_else(|| from_file("system_id")).map(str::to_owned));
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        Ok(Self {
            url: format!("amqp://{}:{}@{host}:{port}/{}", encoded(&username), encoded(&password), encoded(&vhost)),
            system_id: system_id.unwrap_or_else(|| "global".to_owned()),
            heartbeat: number("heartbeat")?,
        })
    }
}

/// The Redis that a worker's `redis_manager` means, with Vumi's defaults, and its key prefix.
pub(super) fn redis(manager: &Node) -> (String, Option<String>) {
    let of = |key: &str| manager.get(key).and_then(|entry| entry.value.text()).map(str::to_owned);
    let manager = RedisManager {
        host: of("host"),
        port: of("port").and_then(|port| port.trim().parse().ok()),
        db: of("db").and_then(|db| db.trim().parse().ok()),
        password: of("password"),
        username: of("username"),
        key_prefix: of("key_prefix"),
        key_separator: of("key_separator"),
    };
    (redis_url(&manager), manager.key_prefix)
}

/// The URL of the server that a `redis_manager` names.
pub(crate) fn redis_url(manager: &RedisManager) -> String {
    let host = manager.host.as_deref().unwrap_or("127.0.0.1");
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let user = manager.username.as_deref().map(encoded).unwrap_or_default();
    let login =
        manager.password.as_deref().map(|password| format!("{user}:{}@", encoded(password))).unwrap_or_default();
    format!("redis://{login}{host}:{}/{}", manager.port.unwrap_or(6379), manager.db.unwrap_or(0))
}

/// Text as a part of a URL.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_for_urls() {
        assert_eq!(encoded("/develop"), "%2Fdevelop");
        assert_eq!(encoded("p@ss:wörd"), "p%40ss%3Aw%C3%B6rd");
    }
}
