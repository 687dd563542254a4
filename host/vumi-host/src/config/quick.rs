//! What `vumi-host --app echo.wasm` (or `.mjs`, `.js`) means: one app, reachable by telnet and from the simulator page.
//!
//! It is written as a configuration file and read like any other, so that the short form can do nothing that a file
//! cannot, and so that the file can be shown to whoever wants to go on from there.
//!
//! An app that writes to users unasked reaches the simulator's phones.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::ConfigError;
use super::system::SystemConfig;

/// Names that the short form's own parts have.
const TAKEN: [&str; 2] = ["telnet", "simulator"];

/// What the command line may change of the short form.
#[derive(Clone, Debug)]
pub struct Quick {
    /// Port of the telnet transport, on 127.0.0.1; 0 lets the system choose.
    pub telnet_port: u16,
    /// Where dashboard and simulator page are.
    pub listen: SocketAddr,
    /// Folder for what is to outlive the process.
    pub data_dir: Option<PathBuf>,
}

impl Default for Quick {
    fn default() -> Self {
        Self { telnet_port: 9010, listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), data_dir: None }
    }
}

/// The configuration of the short form.
///
/// # Errors
/// When the component does not exist, or an address makes no sense.
pub fn for_app(component: &Path, quick: &Quick) -> Result<SystemConfig, ConfigError> {
    if !component.exists() {
        let sentence = format!("the component {} does not exist", component.display());
        return Err(ConfigError::file("--app", sentence, "give a .wasm, .mjs or .js file or a guest project's folder"));
    }
    super::from_text(&file_for_app(component, quick), "--app", &|_| None)
}

/// The short form as a file.
pub fn file_for_app(component: &Path, quick: &Quick) -> String {
    let name = safe_name(component);
    // JSON's quoted text is YAML's as well; `${` would be read as a variable.
    let quoted = |path: &Path| json!(path.to_string_lossy()).to_string().replace("${", "$${");
    let data_dir = quick.data_dir.as_deref().map(|path| format!("data_dir: {}\n", quoted(path))).unwrap_or_default();
    format!(
        "{data_dir}admin:
  listen: \"{listen}\"
transports:
  telnet: {{ class: telnet, telnet_host: 127.0.0.1, telnet_port: {port} }}
  simulator: {{ class: simulator }}
dispatchers:
  main:
    class: simple
    transport_names: [telnet, simulator]
    exposed_names: [\"{name}\"]
    route_mappings: {{ telnet: [\"{name}\"], simulator: [\"{name}\"] }}
apps:
  \"{name}\":
    component: {component}
    send_to: {{ default: {{ transport_name: simulator }} }}
",
        listen = quick.listen,
        port = quick.telnet_port,
        component = quoted(component),
    )
}

/// The app's name: the file's name without its ending, in lower case, with `-` for whatever a queue's name should not
/// hold.
fn safe_name(component: &Path) -> String {
    let stem = component.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let letters = stem.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' });
    let name: String = letters.take(100).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "app".to_owned()
    } else if TAKEN.contains(&name) {
        format!("{name}-app")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_free() {
        for (path, name) in [
            ("echo.wasm", "echo"),
            ("target/wasm32-wasip2/release/My App_2.wasm", "my-app_2"),
            ("telnet.wasm", "telnet-app"),
            ("Simulator", "simulator-app"),
            ("ünï.wasm", "n"),
            ("*120#.wasm", "120"),
            ("...", "app"),
            ("/", "app"),
        ] {
            assert_eq!(safe_name(Path::new(path)), name, "{path}");
            vumi_core::names::check(&safe_name(Path::new(path))).unwrap();
        }
    }
}
