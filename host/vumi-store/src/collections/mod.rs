//! The embedded collections: in this process.

mod memory;
mod model;

pub use memory::MemoryCollections;
