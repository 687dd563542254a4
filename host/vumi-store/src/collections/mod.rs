//! The embedded collections: in this process, and in one file.

mod entries;
mod journal;
mod memory;
mod model;
mod sqlite;
mod steps;
mod value;

pub use memory::MemoryCollections;
pub use sqlite::SqliteCollections;
