//! Who sent a request, as the guard found out. Handlers take it as `axum::Extension<Caller>`: every request that
//! reaches a handler has one.

use std::sync::Arc;

use crate::model::Scope;

/// Who sent a request and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token that was shown; `admin` for the configured one, `local` on this machine without one.
    pub(crate) name: Arc<str>,
    /// What the caller may do.
    pub(crate) scope: Scope,
}

impl Caller {
    /// Whoever shows the configured token.
    pub(crate) fn admin() -> Self {
        Self { name: "admin".into(), scope: Scope::Admin }
    }

    /// Whoever is on this machine, when no token is configured.
    pub(crate) fn local() -> Self {
        Self { name: "local".into(), scope: Scope::Admin }
    }
}
