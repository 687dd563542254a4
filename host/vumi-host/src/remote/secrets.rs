//! Secrets on their way to an app. A value never stands on the command line, where every user of the machine sees it
//! and the shell writes it down; it comes from a file, standard input, the environment or the prompt.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use vumi_admin::Secret;
use vumi_core::Error;

use super::ask;
use crate::commands::Failure;

/// The longest secret in bytes.
const LONGEST: u64 = 32 << 10;

/// Where a secret's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
    /// In the environment, or else whoever sits at the terminal knows it.
    Environment,
}

/// A secret that an option names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) key: String,
    pub(crate) from: From,
}

impl From {
    /// `@FILE` or `-`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('@') {
            Some("") => None,
            Some(file) => Some(Self::File(file.into())),
            None if text == "-" => Some(Self::Stdin),
            None => None,
        }
    }

    /// The value. One line break at its end is not a part of it: editors and `echo` put it there.
    pub(crate) fn read(&self, key: &str) -> Result<Secret, Failure> {
        match self {
            Self::File(path) => value(key, &path.display().to_string(), open(path)?),
            Self::Stdin if ask::somebody() => ask::secret(key),
            Self::Stdin => value(key, "standard input", std::io::stdin().lock()),
            Self::Environment => match std::env::var(key) {
                Ok(text) => value(key, "the environment", text.as_bytes()),
                Err(_) if ask::somebody() => ask::secret(key),
                Err(_) => Err(Failure::Usage(format!(
                    "the secret {key} is not in the environment, and there is nobody to ask: write {key}=@FILE, or {key}=- for standard input"
                ))),
            },
        }
    }
}

/// The secrets that the options name, not yet read.
pub(crate) fn parse(options: &[String]) -> Result<Vec<Named>, Failure> {
    let mut all: Vec<Named> = Vec::new();
    for option in options {
        let (key, from) = match option.split_once('=') {
            None => (option.as_str(), Some(From::Environment)),
            Some((key, from)) => (key, From::parse(from)),
        };
        let Some(from) = from else {
            // What was given may be the value itself: it is not repeated.
            return Err(Failure::Usage(format!(
                "--secret {key}=… must not hold the value itself, which others could see: write {key}=@FILE, {key}=- for standard input, or {key} alone"
            )));
        };
        if key.is_empty() {
            return Err(Failure::Usage("--secret names no key: write KEY=@FILE".into()));
        }
        if all.iter().any(|other| other.key == key) {
            return Err(Failure::Usage(format!("--secret {key} is given twice")));
        }
        if from == From::Stdin && all.iter().any(|other| other.from == From::Stdin) {
            return Err(Failure::Usage("only one secret can come from standard input".into()));
        }
        all.push(Named { key: key.to_owned(), from });
    }
    Ok(all)
}

/// All of them with their values.
pub(crate) fn read(named: Vec<Named>) -> Result<Vec<(String, Secret)>, Failure> {
    named.into_iter().map(|one| one.from.read(&one.key).map(|value| (one.key, value))).collect()
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path)
        .map_err(|error| Failure::Work(Error::permanent(format!("{} cannot be read", path.display())).because(error)))
}

fn value(key: &str, place: &str, from: impl Read) -> Result<Secret, Failure> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 2)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::permanent(format!("{place} cannot be read")).because(error))?;
    let wrong = |why: &str| Failure::Usage(format!("the secret {key} from {place} {why}"));
    let text = String::from_utf8(bytes).map_err(|_| wrong("is no text"))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    match text.len() as u64 {
        0 => Err(wrong("is empty")),
        1..=LONGEST => Ok(Secret::new(text)),
        _ => Err(wrong(&format!("has more than {LONGEST} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(options: &[&str]) -> Result<Vec<Named>, String> {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        parse(&options).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_value_never_stands_on_the_command_line() {
        let all = given(&["a=@dir/a=b.txt", "b=-", "c"]).unwrap();
        let from: Vec<&From> = all.iter().map(|one| &one.from).collect();
        assert_eq!(from, [&From::File("dir/a=b.txt".into()), &From::Stdin, &From::Environment]);
        assert_eq!(all.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let refused = given(&["a=hunter2"]).unwrap_err();
        assert!(refused.contains("a=@FILE") && !refused.contains("hunter2"), "{refused}");
        for (wrong, part) in [
            (&["a="][..], "must not hold the value"),
            (&["a=@"], "must not hold the value"),
            (&["=-"], "names no key"),
            (&["a=-", "a"], "given twice"),
            (&["a=-", "b=-"], "only one secret"),
        ] {
            assert!(given(wrong).unwrap_err().contains(part), "{wrong:?}");
        }
    }

    #[test]
    fn one_line_break_at_the_end_is_not_a_part_of_it() {
        let read = |bytes: &[u8]| value("k", "x", bytes).map(|secret| secret.reveal().to_owned());
        for (bytes, expected) in
            [("v", "v"), ("v\n", "v"), ("v\r\n", "v"), ("v\n\n", "v\n"), (" v ", " v "), ("v\r", "v\r")]
        {
            assert_eq!(read(bytes.as_bytes()).unwrap(), expected, "{bytes:?}");
        }
        for (wrong, part) in [(&b""[..], "is empty"), (b"\n", "is empty"), (b"\xff", "is no text")] {
            assert!(read(wrong).unwrap_err().to_string().contains(part));
        }
        assert!(read(&vec![b'a'; 32_768]).is_ok());
        assert!(read(&vec![b'a'; 32_769]).unwrap_err().to_string().contains("more than 32768 bytes"));
    }

    #[test]
    fn a_file_is_read_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.txt");
        let from = From::parse(&format!("@{}", path.display())).unwrap();
        assert!(from.read("k").unwrap_err().to_string().contains("key.txt cannot be read"));
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(from.read("k").unwrap().reveal(), "hunter2");
    }
}
