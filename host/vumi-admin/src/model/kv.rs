//! An app's kv values, for display.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvEntry {
    /// The key as the app knows it, without the sandbox's prefix.
    pub key: String,
    /// The value: JSON text, as the app stored it.
    pub value: String,
    /// In how many seconds it goes; absent when it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
}

/// The first keys of an app in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KvListing {
    /// Keys and values, sorted by key.
    pub items: Vec<KvEntry>,
    /// Whether there are more keys than the limit let through.
    pub more: bool,
}
