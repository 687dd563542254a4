//! What a caller chooses when opening a database: where it lives, what a confirmation means, and the bounds.

use std::path::PathBuf;

/// What "confirmed" means for a write to a file. In memory there is nothing to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A confirmed write survives a power loss: `synchronous=FULL`, one disk flush per commit before anything of it is
    /// confirmed.
    #[default]
    Power,
    /// A confirmed write survives a killed process, but not always a power loss or a crash of the operating system:
    /// `synchronous=NORMAL`, no disk flush per commit. What may be missing then are the last moments (what the kernel
    /// had not yet written by itself, usually under a minute); the file itself stays sound.
    Process,
}

/// Where a database lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In this file. It is made when missing, readable for its owner only; its directory must exist. Beside it appear
    /// `<file>-wal` and `<file>-shm` (SQLite's) and `<file>.lock` (ours).
    File(PathBuf),
    /// In memory: gone when the database is closed. Reads run on the writer thread.
    Memory,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the data lives.
    pub location: Location,
    /// What a confirmed write survives; default [`Durability::Power`].
    pub durability: Durability,
    /// Reader threads, each with a connection of its own; default 2, at least 1. Not used in memory.
    pub readers: usize,
    /// Jobs that may wait, for the writer and for the readers each; default 10 000, at least 1.
    pub queue_bound: usize,
    /// Jobs in one transaction at most; default 1 000, at least 1.
    pub batch_max: usize,
}

impl Options {
    /// A file with the default bounds and [`Durability::Power`].
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(Location::File(path.into()))
    }

    /// A database in memory with the default bounds.
    pub fn memory() -> Self {
        Self::at(Location::Memory)
    }

    fn at(location: Location) -> Self {
        Self { location, durability: Durability::default(), readers: 2, queue_bound: 10_000, batch_max: 1_000 }
    }
}
