//! The lock file: one process at a time owns a database file.
//!
//! SQLite's own exclusive mode would shut out our reader connections as well, and its ordinary locks let a second host
//! on the same data directory run, and deliver every message twice. So a file `<file>.lock` is held by an advisory lock
//! of the operating system (`flock` on Unix), which ends with the process however it ends. The file stays behind when the
//! lock is released: removing it would let two processes hold "the" lock, one on the removed file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// The held lock; released when dropped.
#[derive(Debug)]
pub(crate) struct LockFile {
    /// Held open: closing it releases the lock.
    _file: File,
}

impl LockFile {
    /// Takes the lock for the database file `database`, without waiting.
    pub(crate) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let not_writable = |cause: io::Error| OpenError::NotWritable { path: path.clone(), cause };
        let mut file = private(&path).map_err(not_writable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: database.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(not_writable(cause)),
        }
        // Only for the sentence that a second host will show; the lock holds without it.
        if file.set_len(0).is_ok() {
            let _ = writeln!(file, "{}", std::process::id());
        }
        Ok(Self { _file: file })
    }
}

/// Opens a file for reading and writing, making it when missing, for its owner only: it will hold people's messages.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // A bound on what is read: the file may hold anything.
    match file.take(20).read_to_string(&mut text) {
        Ok(_) => match text.trim().parse::<u32>() {
            Ok(id) => format!("process {id}"),
            Err(_) => "another process".to_owned(),
        },
        Err(_) => "another process".to_owned(),
    }
}
