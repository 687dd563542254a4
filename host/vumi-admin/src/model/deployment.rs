//! Apps that were deployed to the running host, and their versions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One deployed app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentInfo {
    /// The app's name.
    pub name: String,
    /// Rises by one with every change; give it back with a change to be sure that nobody else came first.
    pub generation: u64,
    /// The version that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<u32>,
    /// The version that answered before: what a roll-back brings back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u32>,
    /// A version that answers a share of the conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryInfo>,
    /// A version that runs beside the live one and sends nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<u32>,
    /// The owner's settings; the keys of an app in the configuration file, and `bindings`.
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// The names of the secrets; their values are never shown.
    pub secrets: Vec<SecretInfo>,
    /// The versions, newest first.
    pub versions: Vec<VersionInfo>,
    /// What its owner should know of how it is reached, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// When it was first deployed, microseconds since the epoch.
    pub created_at: u64,
    /// When it last changed, microseconds since the epoch.
    pub updated_at: u64,
}

/// A version that answers a share of the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CanaryInfo {
    /// The version.
    pub version: u32,
    /// How many of a hundred conversations it answers: above 0, up to 100; two decimals count.
    pub percent: f64,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionInfo {
    /// From 1; never given twice.
    pub number: u32,
    /// SHA-256 of the component's bytes, 64 lower-case hex digits.
    pub hash: String,
    /// Size of the component in bytes.
    pub bytes: u64,
    /// When it was uploaded, microseconds since the epoch.
    pub created_at: u64,
    /// Who uploaded it: the name of a token, or `local`.
    pub created_by: String,
    /// What the uploader had to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it came from: `upload`, or an OCI reference.
    pub source: String,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// When it was set, microseconds since the epoch.
    pub updated_at: u64,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Uploaded {
    /// The version.
    pub version: VersionInfo,
    /// False when the app had this very component already.
    pub new: bool,
    /// Whether the version answers messages now.
    pub active: bool,
}

/// An order to switch versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The version.
    pub version: u32,
    /// Only if the app's generation is still this one.
    #[serde(default)]
    pub generation: Option<u64>,
}

/// An order to run a version in the shadow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetShadow {
    /// The version.
    pub version: u32,
}

/// A secret's new value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecret {
    /// The text; never shown again.
    pub value: String,
}

impl std::fmt::Debug for SetSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetSecret")
    }
}

/// A difference between the live version and the shadow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceView {
    /// Rises with each difference; the cursor of lists.
    pub seq: u64,
    /// When, microseconds since the epoch.
    pub at: u64,
    /// The version that answered.
    pub live_version: u32,
    /// The version in the shadow.
    pub shadow_version: u32,
    /// The message or event.
    pub message_id: String,
    /// The user whom it concerned, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `replies`, `outcome` or `time`.
    pub kind: String,
    /// What the live version did.
    pub live: String,
    /// What the shadow did.
    pub shadow: String,
}
