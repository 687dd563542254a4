//! Who sent a request, as the guard found out. Handlers take it as `axum::Extension<Caller>`: every request of a route
//! that needs a scope has one.

use std::sync::Arc;

use crate::access_store::KeptToken;
use crate::model::Scope;

/// Who sent a request and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token that was shown; `admin` for the configured one, `local` on this machine without one.
    pub(crate) name: Arc<str>,
    /// What the caller may do.
    pub(crate) scope: Scope,
    /// The kept token that was shown, if it was one: it can be removed or expire while the caller is still served.
    pub(crate) kept: Option<Arc<KeptToken>>,
}

impl Caller {
    /// The names that no kept token may have: they would be mistaken for these callers.
    pub(crate) const OWN_NAMES: [&str; 2] = ["admin", "local"];

    /// Whoever shows the configured token.
    pub(crate) fn admin() -> Self {
        Self { name: "admin".into(), scope: Scope::Admin, kept: None }
    }

    /// Whoever is on this machine, when no token is configured.
    pub(crate) fn local() -> Self {
        Self { name: "local".into(), scope: Scope::Admin, kept: None }
    }

    /// Whoever shows a kept token.
    pub(crate) fn with(token: KeptToken) -> Self {
        Self { name: token.info.name.as_str().into(), scope: token.info.scope, kept: Some(Arc::new(token)) }
    }
}
