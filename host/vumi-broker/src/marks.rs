//! Which messages had been handed out when the process died.
//!
//! A message that brings the process down must be counted as delivered although nothing could be written after it.
//! So the mark comes first; but waiting for the disk before each delivery would make every delivery slow. The way out:
//! what a process has written survives its own death without any flush to the disk, and a message does not bring the
//! power down. So marks go into a plain file beside the database, one unflushed write each.
//!
//! One number per queue is enough: messages are handed out for the first time in the order of their numbers, so all
//! up to the highest one handed out have been.
//!
//! The file: the number of the run (one opening of the broker), then one number for each queue, at the place of the
//! queue's row in the database; each 8 bytes, least significant first. A file of another run than the one that the
//! database expects is void, so the order in which the two are renewed does not matter.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of each number.
const WORD: usize = 8;

/// The file of marks of this run.
#[derive(Debug)]
pub(crate) struct Marks {
    file: File,
    failed: AtomicBool,
}

impl Marks {
    /// Opens the file, making it when missing, and reads what the run `run` has left: for each queue row, from 0 to
    /// `rows`, the highest number handed out. Empty when the file is of another run.
    pub(crate) fn open(path: &Path, run: u64, rows: u64) -> io::Result<(Self, Vec<u64>)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        let mut bytes = Vec::new();
        // A bound on what is read: the file may hold anything.
        (&mut file).take(place(rows.saturating_add(1))).read_to_end(&mut bytes)?;
        let mut words = bytes.as_chunks::<WORD>().0.iter().map(|word| u64::from_le_bytes(*word));
        let found = if words.next() == Some(run) { words.collect() } else { Vec::new() };
        Ok((Self { file, failed: AtomicBool::new(false) }, found))
    }

    /// Empties the file for a new run.
    pub(crate) fn begin(&self, run: u64) -> io::Result<()> {
        self.file.set_len(0)?;
        write_at(&self.file, &run.to_le_bytes(), 0)
    }

    /// Notes that the queue of this row has handed out everything up to the number `id`.
    pub(crate) fn set(&self, row: u64, id: u64) {
        if let Err(error) = write_at(&self.file, &id.to_le_bytes(), place(row))
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "deliveries cannot be noted; after a crash, attempts will be counted too low");
        }
    }
}

/// Where the number of a row stands, in bytes from the start.
fn place(row: u64) -> u64 {
    row.saturating_add(1).saturating_mul(WORD as u64)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_by_the_next_run_and_void_for_any_other() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("marks");
        let (marks, found) = Marks::open(&path, 0, 9).expect("opens");
        assert_eq!(found, [0; 0]);
        marks.begin(5).expect("writes");
        marks.set(2, 70);
        marks.set(1, 60);
        marks.set(2, 71);
        assert_eq!(Marks::open(&path, 5, 9).expect("opens").1, [0, 60, 71]);
        assert_eq!(Marks::open(&path, 5, 1).expect("opens").1, [0, 60], "no more than asked for");
        assert_eq!(Marks::open(&path, 6, 9).expect("opens").1, [0; 0]);
        marks.begin(6).expect("writes");
        assert_eq!(Marks::open(&path, 6, 9).expect("opens").1, [0; 0], "a new run begins empty");
    }

    #[test]
    fn a_damaged_file_is_void_or_short_but_never_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("marks");
        for (bytes, expected) in [
            (b"xyz".to_vec(), vec![]),
            ([7u64.to_le_bytes().as_slice(), &[1, 2, 3]].concat(), vec![]),
            (vec![], vec![]),
        ] {
            std::fs::write(&path, bytes).expect("writes");
            assert_eq!(Marks::open(&path, 7, 9).expect("opens").1, expected as Vec<u64>);
        }
    }
}
