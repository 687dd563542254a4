//! Tests of the whole way from a text to a configuration.

mod fuzz;
mod good;
mod manual;
mod mistakes;
mod secrets;

use std::path::Path;

use tempfile::TempDir;

use super::{ConfigError, SystemConfig};

/// A folder with the components that the tests name.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["echo.wasm", "audit.wasm"] {
        std::fs::write(folder.path().join(name), b"\0asm").unwrap();
    }
    folder
}

/// The environment of the tests.
fn env(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("9011".to_owned()),
        "EMPTY" => Some(String::new()),
        "SECRET" => Some("hunter2hunter2hunter2".to_owned()),
        "SHORT" => Some("k9".to_owned()),
        _ => None,
    }
}

fn read_in(folder: &Path, yaml: &str) -> Result<SystemConfig, ConfigError> {
    super::from_text(yaml, &folder.join("vumi.yaml").to_string_lossy(), &env)
}

fn read(yaml: &str) -> Result<SystemConfig, ConfigError> {
    read_in(folder().path(), yaml)
}

/// What the user sees, with file names as if the folder were the current one.
fn shown(yaml: &str) -> String {
    let folder = folder();
    let error = match read_in(folder.path(), yaml) {
        Ok(config) => format!("no mistake; warnings: {:?}", config.warnings),
        Err(error) => error.to_string(),
    };
    error.replace(&format!("{}/", folder.path().display()), "")
}
