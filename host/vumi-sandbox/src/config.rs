//! An app's configuration: which component, which queues, which limits, what it may reach.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::ByteSize;

use crate::limits::Limits;
use crate::script::LegacyOptions;
use crate::tape::RecordRule;

/// One app. Keys that Vumi's sandbox application had keep their names.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// The app: a component (`.wasm`), a script (`.mjs` of the JavaScript SDK, `.js` of Vumi's sandbox), or a guest
    /// project's folder. Relative to the configuration file.
    pub component: String,
    /// The connector: the app consumes `<transport_name>.inbound` and `.event` and publishes `<transport_name>.outbound`.
    /// The app's name unless given.
    #[serde(default)]
    pub transport_name: Option<String>,
    /// Namespace of the app's kv. The app's name unless given. Two apps with the same one share their keys.
    #[serde(default)]
    pub sandbox_id: Option<String>,
    /// Wall-clock time for one message, host calls included, in seconds. Beyond it: `deadline`.
    #[serde(default = "default_timeout")]
    #[schemars(range(min = 1))]
    pub timeout: u64,
    /// What one run may use.
    #[serde(default)]
    pub limits: Limits,
    /// What the app may reach on the web. Without an allow-list: nothing.
    #[serde(default)]
    pub http: HttpConfig,
    /// Texts for the guest's `config.get`.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// First part of the names of the app's metrics; the app's name unless given.
    #[serde(default)]
    pub metrics_prefix: Option<String>,
    /// Which runs are recorded, so that they can be looked at and run again; none unless asked for.
    #[serde(default)]
    pub record: RecordRule,
    /// Keys of helper metadata that the app may set on what it sends.
    #[serde(default)]
    pub allowed_helper_metadata: Vec<String>,
    /// Per endpoint, fields for messages that are no replies, e.g. `{default: {transport_name: sms}}`. The app may
    /// send to `default` and to each endpoint named here.
    #[serde(default)]
    pub send_to: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Endpoints from which the app takes messages; all unless given.
    #[serde(default)]
    pub inbound_endpoints: Option<Vec<String>>,
    /// Whether the app is told what became of its messages (acks, nacks, delivery reports). For an app that does not
    /// look at them, `false` saves a run per message: its events are acknowledged as they come.
    #[serde(default = "default_events")]
    pub events: bool,
    /// Whether each message gets a fresh instance of the guest, or an instance goes from one message to the next. With
    /// `reuse` whatever the guest leaves in its memory is there again for later messages, those of other users
    /// included: only for guests that are written for it.
    #[serde(default)]
    pub instances: Instances,
    /// With `instances: reuse`, messages and events that one instance handles at most.
    #[serde(default = "default_reuse_messages")]
    #[schemars(range(min = 1))]
    pub reuse_messages: u64,
    /// Messages taken from each queue ahead of their turn.
    #[serde(default = "default_prefetch")]
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: u16,
    /// Conversations handled side by side. Messages of one conversation always keep their order.
    #[serde(default = "default_parallel")]
    #[schemars(range(min = 1))]
    pub parallel: usize,
    /// The text of a script for Vumi's sandbox, in place of a file. Set by the classes of that sandbox alone.
    #[serde(skip)]
    pub javascript: Option<String>,
    /// A JavaScript expression whose properties are globals of such a script. Set likewise.
    #[serde(skip)]
    pub app_context: Option<String>,
    /// What such a script is given. Set likewise.
    #[serde(skip)]
    pub legacy: LegacyOptions,
}

/// How long an instance of a guest lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Instances {
    /// For one message or event: nothing survives in memory.
    #[default]
    Fresh,
    /// For up to `reuse_messages` messages, one at a time, until it fails, passes a limit, or has had nothing to do for
    /// 60 s. Messages of one conversation may meet different instances.
    Reuse,
}

/// What an app may reach on the web.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Places that may be reached: `https://api.example.org`, `https://*.example.org`, `https://api.example.org/v1`,
    /// `https://*` (any public host). Addresses of this machine and of private networks only when they are named:
    /// `http://127.0.0.1:8000`, `http://localhost:8000`, `10.1.0.0/16`.
    pub allow: Vec<String>,
    /// Time for one exchange, redirects and body included, in seconds.
    #[schemars(range(min = 1))]
    pub timeout: u64,
    /// Largest response body.
    pub data_limit: ByteSize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { allow: Vec::new(), timeout: 30, data_limit: ByteSize(131_072) }
    }
}

fn default_timeout() -> u64 {
    60
}

fn default_events() -> bool {
    true
}

fn default_reuse_messages() -> u64 {
    1_000
}

fn default_prefetch() -> u16 {
    128
}

fn default_parallel() -> usize {
    64
}

impl AppConfig {
    /// Whether it came from a class of Vumi's sandbox: its file is a script of that sandbox whatever it is called.
    pub fn is_of_vumi(&self) -> bool {
        self.legacy.resources.is_some()
    }

    /// The defaults, for a component.
    pub fn of(component: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            transport_name: None,
            sandbox_id: None,
            timeout: default_timeout(),
            limits: Limits::default(),
            http: HttpConfig::default(),
            config: BTreeMap::new(),
            metrics_prefix: None,
            record: RecordRule::default(),
            allowed_helper_metadata: Vec::new(),
            send_to: BTreeMap::new(),
            inbound_endpoints: None,
            events: default_events(),
            instances: Instances::default(),
            reuse_messages: default_reuse_messages(),
            amqp_prefetch_count: default_prefetch(),
            parallel: default_parallel(),
            javascript: None,
            app_context: None,
            legacy: LegacyOptions::default(),
        }
    }
}
