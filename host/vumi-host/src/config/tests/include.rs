//! `!include`: other files in place of values (specification: workers, section 2).

use std::path::Path;

use super::super::{ConfigError, SystemConfig, load};

fn files(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn read(folder: &Path, confined: bool) -> Result<SystemConfig, ConfigError> {
    load(&folder.join("conf/w.yaml"), confined, &|_| None)
}

#[test]
fn paths_are_relative_to_the_including_file() {
    let folder = tempfile::tempdir().unwrap();
    files(
        folder.path(),
        &[
            ("conf/w.yaml", "transports: !include sub/p.yaml\n"),
            ("conf/sub/p.yaml", "t: !include q.yaml\n"),
            ("conf/sub/q.yaml", "class: telnet\ntelnet_port: 9010\n"),
        ],
    );
    let config = read(folder.path(), true).unwrap();
    assert_eq!(config.transports[0].0, "t");
}

#[test]
fn a_circle_names_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path(), &[("conf/w.yaml", "transports: !include b.yaml\n"), ("conf/b.yaml", "a: !include w.yaml\n")]);
    let error = read(folder.path(), false).unwrap_err().to_string().replace(&folder.path().display().to_string(), "");
    assert!(error.contains("/conf/w.yaml includes /conf/b.yaml includes /conf/w.yaml"), "{error}");
}

#[test]
fn a_mistake_is_shown_in_the_file_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    files(
        folder.path(),
        &[
            ("conf/w.yaml", "# one\n# two\ntransports: !include t.yaml\n"),
            ("conf/t.yaml", "t:\n  class: telnet\n  telnet_prot: 1\n"),
        ],
    );
    let error = read(folder.path(), false).unwrap_err().to_string();
    assert!(error.contains("conf/t.yaml:3:3: transports.t: unknown key `telnet_prot`"), "{error}");
    assert!(error.contains("3 |   telnet_prot: 1"), "{error}");
}

#[test]
fn includes_can_be_kept_within_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    files(
        folder.path(),
        &[
            ("conf/w.yaml", "transports: !include ../elsewhere/t.yaml\n"),
            ("elsewhere/t.yaml", "t: {class: telnet, telnet_port: 9010}\n"),
        ],
    );
    assert!(read(folder.path(), false).is_ok());
    let error = read(folder.path(), true).unwrap_err().to_string();
    assert!(error.contains("lies outside of the folder") && error.contains("--confine-includes"), "{error}");
}

#[test]
fn chains_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![("conf/w.yaml".to_owned(), "transports: !include 0.yaml\n".to_owned())];
    all.extend((0..40).map(|n| (format!("conf/{n}.yaml"), format!("t: !include {}.yaml\n", n + 1))));
    for (name, text) in &all {
        files(folder.path(), &[(name, text)]);
    }
    let error = read(folder.path(), false).unwrap_err().to_string();
    assert!(error.contains("more than 16 files in a chain"), "{error}");
}
