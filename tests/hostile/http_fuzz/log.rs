//! The log of a transport under fire: everything is written as the host writes it, down to the last field, and nobody
//! reads it. (That an entry stays one line is the host's part, see `tests/hostile/http/bad.rs`.)

use tracing::Level;
use tracing::subscriber::DefaultGuard;

/// Logs what happens on this thread until the guard is dropped.
pub(super) fn write() -> DefaultGuard {
    let format = tracing_subscriber::fmt().with_ansi(false).with_max_level(Level::DEBUG);
    tracing::subscriber::set_default(format.with_writer(std::io::sink).finish())
}
