//! Crash tests need a process of their own, which is killed or runs out of disk: the test program starts itself again and
//! runs one of its ignored tests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use vumi_store::Durability;

const PATH: &str = "VUMI_STORE_TEST_PATH";
const DURABILITY: &str = "VUMI_STORE_TEST_DURABILITY";

/// Starts the test `name` of this program in a process of its own, through a shell that first runs `setup`.
pub(crate) fn start(name: &str, setup: &str, path: &Path, durability: &str) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{setup}; exec \"$@\""))
        .arg("sh")
        .arg(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env(PATH, path)
        .env(DURABILITY, durability)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts")
}

/// In the child: what the parent gave to `start`.
pub(crate) fn given() -> (PathBuf, Durability) {
    let path = PathBuf::from(std::env::var_os(PATH).expect("set by the parent"));
    let durability = match std::env::var(DURABILITY).expect("set by the parent").as_str() {
        "process" => Durability::Process,
        _ => Durability::Power,
    };
    (path, durability)
}

/// In the child: writes a line that the parent reads.
pub(crate) fn say(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("the parent reads");
}
