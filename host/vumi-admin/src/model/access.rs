//! Tokens of the API and the log of what was done with them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a token may do; each one includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at everything; secrets are shown to nobody.
    Read,
    /// Deploy apps: upload, activate, roll back, settings and secrets; and send from simulated phones.
    Deploy,
    /// Everything else: tokens, the audit log, dead letters.
    Admin,
}

impl Scope {
    /// The scope as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }

    /// The scope that a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Read, Self::Deploy, Self::Admin].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenInfo {
    /// Names the token; no secret.
    pub id: String,
    /// Who or what uses it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made, microseconds since the epoch.
    pub created_at: u64,
    /// From when on it is refused, microseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

/// An order to make a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Who or what is going to use it; stands in the audit log.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// After how many seconds it is refused; never unless given.
    #[serde(default)]
    pub expires_in_seconds: Option<u64>,
}

/// A new token. This answer is the only time that its secret is seen.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The token's facts.
    #[serde(flatten)]
    pub info: TokenInfo,
    /// What callers send as `Authorization: Bearer …`.
    pub token: String,
}

impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedToken").field("info", &self.info).finish_non_exhaustive()
    }
}

/// One change that somebody made, or tried to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Rises with each entry; the cursor of lists.
    pub seq: u64,
    /// When, microseconds since the epoch.
    pub at: u64,
    /// Who: the name of a token, or `local`.
    pub who: String,
    /// What, e.g. `app.activate`.
    pub action: String,
    /// To what, e.g. `shop`.
    pub subject: String,
    /// More about it, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether it was carried out.
    pub done: bool,
}
