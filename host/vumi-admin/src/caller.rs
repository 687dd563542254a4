//! Who sent a request, as the guard found out.

#![allow(dead_code, reason = "the guard makes it and the scope is its business")]

use std::sync::Arc;

use crate::model::Scope;

/// The sender of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) name: Arc<str>,
    pub(crate) scope: Scope,
}
