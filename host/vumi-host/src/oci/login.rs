//! Who somebody is at a registry: `VUMI_REGISTRY_USER` and `VUMI_REGISTRY_PASSWORD`, or else what `docker login` and
//! its relatives wrote into `~/.docker/config.json`.
//!
//! Credential helpers, which keep passwords outside of that file, are programs; they are not run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use vumi_admin::Secret;
use vumi_core::{Error, Result};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret,
}

/// The part of the file that matters here.
#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

/// The login for a registry, if there is one.
///
/// # Errors
/// When only half of it is given, or the file cannot be read.
pub(super) fn find(registry: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Login>> {
    let given = |name: &str| env(name).filter(|value| !value.is_empty());
    match (given("VUMI_REGISTRY_USER"), given("VUMI_REGISTRY_PASSWORD")) {
        (Some(user), Some(password)) => return Ok(Some(Login { user, password: Secret::new(password) })),
        (None, None) => {}
        _ => {
            return Err(Error::permanent(
                "only one of VUMI_REGISTRY_USER and VUMI_REGISTRY_PASSWORD is set: set both, or neither",
            ));
        }
    }
    let folder = given("DOCKER_CONFIG").map(PathBuf::from);
    let Some(folder) = folder.or_else(|| given("HOME").map(|home| Path::new(&home).join(".docker"))) else {
        return Ok(None);
    };
    let path = folder.join("config.json");
    match read(&path) {
        Ok(text) => in_config(&text, registry).map_err(|why| Error::permanent(format!("{}: {why}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::permanent(format!("{} cannot be read", path.display())).because(error)),
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// What the file says of a registry. The reason of a failure repeats nothing of the file.
fn in_config(text: &str, registry: &str) -> Result<Option<Login>, String> {
    let config: DockerConfig = serde_json::from_str(text).map_err(|error| {
        format!("is not what `docker login` writes (line {}, column {})", error.line(), error.column())
    })?;
    let Some((_, auth)) = config.auths.into_iter().find(|(name, _)| is_same(name, registry)) else { return Ok(None) };
    if let (Some(user), Some(password)) = (auth.username, auth.password) {
        return Ok(Some(Login { user, password: Secret::new(password) }));
    }
    let Some(encoded) = auth.auth.filter(|encoded| !encoded.is_empty()) else { return Ok(None) };
    let wrong = || format!("the `auth` of {registry} is not USER:PASSWORD in base64");
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (user, password) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Some(Login { user: user.to_owned(), password: Secret::new(password) }))
}

/// Whether a key of the file, which may be an address, means the registry.
fn is_same(key: &str, registry: &str) -> bool {
    let name = key.split_once("://").map_or(key, |(_, rest)| rest);
    let name = name.split_once('/').map_or(name, |(name, _)| name);
    let hub = |name: &str| matches!(name, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    name == registry || (hub(name) && hub(registry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str, password: &str) -> Option<Login> {
        Some(Login { user: user.into(), password: Secret::new(password) })
    }

    #[test]
    fn the_file_of_docker_login_is_read() {
        // ann:p:w and bob:x
        let text = r#"{"auths": {"https://reg.example/v1/": {"auth": "YW5uOnA6dw=="}, "reg.example:5000": {"auth": "Ym9iOng="},
            "https://index.docker.io/v1/": {"username": "hub", "password": "h"}, "helper.example": {}}, "credsStore": "x"}"#;
        for (registry, expected) in [
            ("reg.example", login("ann", "p:w")),
            ("reg.example:5000", login("bob", "x")),
            ("docker.io", login("hub", "h")),
            ("helper.example", None),
            ("other.example", None),
        ] {
            assert_eq!(in_config(text, registry).unwrap(), expected, "{registry}");
        }
        assert_eq!(in_config("{}", "reg.example").unwrap(), None);
        for (wrong, part) in [
            ("{\n\"auths\": 1}", "line 2"),
            (r#"{"auths": {"reg.example": {"auth": "aHVudGVyMg=="}}}"#, "USER:PASSWORD"),
            (r#"{"auths": {"reg.example": {"auth": "hunter2!"}}}"#, "USER:PASSWORD"),
        ] {
            let error = in_config(wrong, "reg.example").unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2") && !error.contains("aHVu"), "{error}");
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_string_lossy().into_owned();
        let env = |pairs: &'static [(&'static str, &'static str)]| {
            let home = home.clone();
            move |name: &str| match name {
                "HOME" => Some(home.clone()),
                _ => pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
            }
        };
        assert_eq!(find("reg.example", &env(&[])).unwrap(), None, "there is no file");
        std::fs::create_dir(folder.path().join(".docker")).unwrap();
        std::fs::write(
            folder.path().join(".docker/config.json"),
            r#"{"auths": {"reg.example": {"auth": "Ym9iOng="}}}"#,
        )
        .unwrap();
        assert_eq!(find("reg.example", &env(&[])).unwrap(), login("bob", "x"));
        let both = &[("VUMI_REGISTRY_USER", "ann"), ("VUMI_REGISTRY_PASSWORD", "pw")];
        assert_eq!(find("reg.example", &env(both)).unwrap(), login("ann", "pw"));
        let half = find("reg.example", &env(&[("VUMI_REGISTRY_PASSWORD", "hunter2")])).unwrap_err().to_string();
        assert!(half.contains("set both") && !half.contains("hunter2"), "{half}");
        std::fs::write(folder.path().join(".docker/config.json"), "{").unwrap();
        assert!(find("reg.example", &env(&[])).unwrap_err().to_string().contains("config.json: is not what"));
    }
}
