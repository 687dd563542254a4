//! The section `deploy`: what deployed apps share.

use schemars::JsonSchema;
use vumi_core::ByteSize;

/// Apps that are deployed to the running host, through its API or `vumi-host deploy`.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Deploy {
    /// Memory that the components of deployed apps may take. Beyond it those are dropped that were not used for
    /// longest, and brought back by their next message.
    pub memory: ByteSize,
    /// Processor time that compiling one component may take, in seconds.
    #[schemars(range(min = 1))]
    pub compile_cpu: u64,
    /// Memory that compiling one component may take.
    pub compile_memory: ByteSize,
    /// Time from start to end that compiling one component may take, in seconds.
    #[schemars(range(min = 1))]
    pub compile_timeout: u64,
    /// File with the key that secrets are sealed with; made when it is not there. Relative to this file; `secrets.key`
    /// in `data_dir` unless given. Without it, the secrets in the catalog are lost: keep a copy.
    pub secrets_key: Option<String>,
    /// Recorded runs that are kept.
    #[schemars(range(min = 1))]
    pub recordings: u64,
    /// Bytes that all recorded runs together may take.
    pub recordings_bytes: ByteSize,
    /// Days after which a recorded run is forgotten.
    #[schemars(range(min = 1))]
    pub recordings_days: u64,
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            memory: ByteSize::mib(512),
            compile_cpu: 60,
            compile_memory: ByteSize::mib(2_048),
            compile_timeout: 180,
            secrets_key: None,
            recordings: 100_000,
            recordings_bytes: ByteSize::mib(256),
            recordings_days: 7,
        }
    }
}
