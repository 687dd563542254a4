//! Where tokens and the audit log are kept: implemented by the binary, faked by the tests. What a token is, how it is
//! checked and what it may do is decided in this crate; the store only keeps.

use async_trait::async_trait;

use crate::control::ControlError;
use crate::model::{AuditView, TokenInfo};

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// Its facts.
    pub info: TokenInfo,
    /// SHA-256 of the token, in lower-case hexadecimal.
    pub hash: String,
}

/// See the module's text.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Keeps a token.
    async fn put_token(&self, token: KeptToken) -> Result<(), ControlError>;

    /// One token.
    async fn token(&self, id: &str) -> Result<Option<KeptToken>, ControlError>;

    /// All tokens, the oldest first.
    async fn tokens(&self) -> Result<Vec<KeptToken>, ControlError>;

    /// Removes a token; false when there was none.
    async fn remove_token(&self, id: &str) -> Result<bool, ControlError>;

    /// Keeps an entry of the audit log, whose `seq` the store gives.
    async fn audit(&self, entry: AuditView) -> Result<(), ControlError>;

    /// The audit log, newest first, only before a `seq`.
    async fn audit_log(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditView>, ControlError>;
}
