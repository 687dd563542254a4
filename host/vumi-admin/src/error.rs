//! What can keep the admin server from working.

use std::io;
use std::net::SocketAddr;

/// Why the admin server could not be started or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Other machines could reach the server and nothing would ask them who they are.
    #[error("admin.listen is {0}, which other machines can reach: set admin.token, or listen on 127.0.0.1")]
    TokenRequired(SocketAddr),
    /// The token is too short or has characters that cannot stand in an `Authorization` header.
    #[error("admin.token must have at least 16 characters, all of them letters, digits or one of - . _ ~ + / =")]
    TokenUnusable,
    /// The address could not be taken.
    #[error("the admin server cannot listen on {listen} (admin.listen): {source}")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The listener or the server failed while it ran.
    #[error("the admin server stopped: {0}")]
    Serve(#[from] io::Error),
}
