//! Crashes in earnest: a process that is killed, and a disk that is full. Each needs a process of its own, so the
//! parent starts this test program again and runs one of the ignored tests in it.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use kit::{insert, numbers, open_with};
use vumi_sqlite::{Database, Durability, Options};

const PATH: &str = "VUMI_SQLITE_TEST_PATH";
const DURABILITY: &str = "VUMI_SQLITE_TEST_DURABILITY";

/// Starts the test `name` of this program in a process of its own, through a shell that first runs `setup`.
fn start(name: &str, setup: &str, path: &std::path::Path, durability: &str) -> Child {
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

fn options() -> Options {
    let path = PathBuf::from(std::env::var_os(PATH).expect("set by the parent"));
    let durability = match std::env::var(DURABILITY).expect("set by the parent").as_str() {
        "process" => Durability::Process,
        _ => Durability::Power,
    };
    Options { durability, ..Options::file(path) }
}

fn say(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("the parent reads");
}

/// The numbers `n` of the lines `confirmed n`.
fn confirmed(line: &str) -> Option<i64> {
    line.strip_prefix("confirmed ")?.parse().ok()
}

#[test]
#[ignore = "runs as the child process of nothing_confirmed_is_lost_when_the_process_is_killed"]
fn child_writes_until_killed() {
    let database = open_with(options());
    let mut n = 0;
    // A limit, should nobody kill it.
    while n < 1_000_000 {
        let pending: Vec<_> = (n..n + 10).map(|n| (n, database.submit(insert(n)))).collect();
        for (n, one) in pending {
            one.wait().expect("writes");
            say(format_args!("confirmed {n}"));
        }
        n += 10;
    }
}

#[test]
fn nothing_confirmed_is_lost_when_the_process_is_killed() {
    for durability in ["power", "process"] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("d.db");
        let mut child = start("child_writes_until_killed", ":", &path, durability);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut last = None;
        // Some way into the stream, and in the middle of a group of ten.
        while last < Some(333) {
            let line = lines.next().expect("the child goes on").expect("text");
            last = confirmed(&line).or(last);
        }
        let second = Database::open(Options::file(&path), kit::SCHEMA).expect_err("held");
        let holder = format!("process {}", child.id());
        assert!(second.to_string().contains(&holder), "{second}");
        child.kill().expect("kills");
        child.wait().expect("ends");
        // What was confirmed but not yet read from the pipe counts as well.
        for line in lines {
            last = confirmed(&line.expect("text")).or(last);
        }
        let last = last.expect("something was confirmed");

        // The lock died with the process, and the log is replayed.
        let database = open_with(Options::file(&path));
        let found = database.read_blocking(numbers).expect("reads");
        assert!(found.len() as i64 > last, "{durability}: {} of {last}", found.len());
        assert_eq!(found, (0..found.len() as i64).collect::<Vec<_>>());
    }
}

fn fill(connection: &rusqlite::Connection, n: i64) -> rusqlite::Result<usize> {
    insert(n)(connection)?;
    connection.execute("INSERT INTO ballast VALUES (?1, zeroblob(20000))", [n])
}

#[test]
#[ignore = "runs as the child process of a_full_disk_loses_nothing_confirmed"]
fn child_writes_until_full() {
    let database = open_with(options());
    database
        .write_blocking(|connection| connection.execute_batch("CREATE TABLE ballast (n, body)"))
        .expect("there is room for this");
    let mut n = 0;
    let failed = 'full: loop {
        let pending: Vec<_> = (n..n + 5).map(|n| (n, database.submit(move |connection| fill(connection, n)))).collect();
        for (n, one) in pending {
            match one.wait() {
                Ok(_) => say(format_args!("confirmed {n}")),
                Err(error) => break 'full error,
            }
        }
        n += 5;
        assert!(n < 1_000, "20 MB were written where 1 MiB fits");
    };
    assert!(failed.is_temporary(), "{failed:?}");
    assert!(database.stats().failed_commits > 0);
    // More than the log has left: it fits because the writer has freed the log, whose content fits into the file.
    let more = |connection: &rusqlite::Connection| {
        insert(1_000_000)(connection)?;
        connection.execute("INSERT INTO ballast VALUES (0, zeroblob(110000))", [])
    };
    database.write_blocking(more).expect("the writer goes on");
    say(format_args!("confirmed 1000000"));
    database.close_blocking();
}

/// The full disk is a limit on the size of the files (1 MiB), with the signal ignored that would end the process.
#[test]
fn a_full_disk_loses_nothing_confirmed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    let setup = "trap '' XFSZ; ulimit -f 2048";
    let child = start("child_writes_until_full", setup, &path, "power");
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    let told: Vec<i64> = text.lines().filter_map(confirmed).collect();
    assert!(told.len() > 10, "{text}");
    assert_eq!(told.last(), Some(&1_000_000), "{text}");

    let database = open_with(Options::file(&path));
    let found = database.read_blocking(numbers).expect("reads");
    for n in told {
        assert!(found.contains(&n), "{n} was confirmed and is lost");
    }
}
