//! Vumi's JavaScript sandbox as classes of apps: the worker's keys become those of a guest.
//!
//! A script runs in this process, on the host's script engine, so what described Node's process (`executable`, `rlimits`
//! and their like) is taken and has no meaning. What a resource of the map `sandbox` is called, and what its options say,
//! is kept (specification: sandbox, sections 1 and 5 to 8).

mod resources;
mod rlimits;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use vumi_core::ByteSize;
use vumi_core::component::Kind;
use vumi_sandbox::{AppConfig, HttpConfig, Instances, LegacyOptions, Limits, RecordRule};
use vumi_worker::NativeAppConfig;

pub(crate) use resources::files;

/// The classes.
pub(crate) const KINDS: [Kind; 2] = [
    Kind {
        class: "js-sandbox",
        aliases: &[
            "vumi.application.sandbox.JsSandbox",
            "vumi.application.sandbox.sandbox.JsSandbox",
            "vumi.application.JsSandbox",
            "vxsandbox.JsSandbox",
            "vxsandbox.worker.JsSandbox",
        ],
        example: "",
        schema: || schemars::schema_for!(JsSandbox),
    },
    Kind {
        class: "js-file-sandbox",
        aliases: &[
            "vumi.application.sandbox.JsFileSandbox",
            "vumi.application.sandbox.sandbox.JsFileSandbox",
            "vumi.application.JsFileSandbox",
            "vxsandbox.JsFileSandbox",
            "vxsandbox.StandaloneJsFileSandbox",
            "vxsandbox.worker.JsFileSandbox",
            "vxsandbox.worker.StandaloneJsFileSandbox",
        ],
        example: "",
        schema: || schemars::schema_for!(JsFileSandbox),
    },
];

/// Keys that described the process of a sandbox.
pub(crate) const WITHOUT_MEANING: [&str; 5] = ["executable", "args", "path", "env", "rlimits"];

/// The classes of apps: those of the host itself, and these.
pub(crate) fn app_kinds() -> &'static [Kind] {
    static ALL: OnceLock<Vec<Kind>> = OnceLock::new();
    ALL.get_or_init(|| NativeAppConfig::KINDS.iter().chain(&KINDS).copied().collect())
}

/// Whether a class is one of these.
pub(crate) fn is_js(class: &str) -> bool {
    KINDS.iter().any(|kind| kind.is_called(class))
}

/// The keys that both classes have; `$own` is the script.
macro_rules! keys {
    ($(#[$doc:meta])* $name:ident { $(#[$own_doc:meta])* $own:ident }) => {
        $(#[$doc])*
        #[derive(Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $(#[$own_doc])*
            $own: String,
            /// A JavaScript expression of yours whose properties the script finds as globals, e.g.
            /// `{moment: require("moment")}`.
            #[serde(default)]
            app_context: Option<String>,
            /// The resources that the script may use: a map of names, each with its class `cls` and that class's options.
            /// `js` and `log` are there in any case.
            #[serde(default)]
            sandbox: BTreeMap<String, Map<String, Value>>,
            /// The connector: the app consumes `<transport_name>.inbound` and `.event` and publishes
            /// `<transport_name>.outbound`. The app's name unless given.
            #[serde(default)]
            transport_name: Option<String>,
            /// Namespace of the app's kv and log, for messages that bring none in their own field `sandbox_id`. The
            /// app's name unless given.
            #[serde(default)]
            sandbox_id: Option<String>,
            /// Wall-clock time for one message, host calls included, in seconds.
            #[serde(default = "default_timeout")]
            #[schemars(range(min = 1))]
            timeout: u64,
            /// Bytes that one run may write to its log, standard output and standard error; `limits.log_bytes` unless
            /// given.
            #[serde(default)]
            recv_limit: Option<ByteSize>,
            /// Which resource was told of errors of the sandbox. They always stand in the app's log here.
            #[serde(default)]
            #[allow(dead_code)]
            logging_resource: Option<String>,
            /// Has no meaning here: no process is started.
            #[serde(default)]
            #[allow(dead_code)]
            executable: Option<String>,
            /// Has no meaning here: no process is started.
            #[serde(default)]
            #[allow(dead_code)]
            args: Option<Vec<Value>>,
            /// Has no meaning here: no process is started.
            #[serde(default)]
            #[allow(dead_code)]
            path: Option<String>,
            /// Has no meaning here: a script sees no environment.
            #[serde(default)]
            #[allow(dead_code)]
            env: Option<Map<String, Value>>,
            /// Has no meaning here: see `limits`.
            #[serde(default, deserialize_with = "rlimits::read")]
            #[schemars(with = "Option<Map<String, Value>>")]
            #[allow(dead_code)]
            rlimits: (),
            /// What one run may use.
            #[serde(default)]
            limits: Limits,
            /// What the app may reach on the web. Vumi's resource allowed everything: with such a resource in `sandbox`
            /// and no allow-list here, all public places are allowed, and no private ones.
            #[serde(default)]
            http: HttpConfig,
            /// Texts for `config.get`, beside those of a `config` resource.
            #[serde(default)]
            config: BTreeMap<String, String>,
            /// Which runs are recorded, so that they can be looked at and run again; none unless asked for.
            #[serde(default)]
            record: RecordRule,
            /// Per endpoint, fields for messages that are no replies, e.g. `{default: {transport_name: sms}}`. The app may
            /// send to `default` and to each endpoint named here.
            #[serde(default)]
            send_to: BTreeMap<String, BTreeMap<String, Value>>,
            /// Endpoints from which the app takes messages; all unless given. Vumi's sandbox had `[default]`.
            #[serde(default)]
            inbound_endpoints: Option<Vec<String>>,
            /// Whether the app is told what became of its messages.
            #[serde(default = "default_events")]
            events: bool,
            /// Messages taken from each queue ahead of their turn.
            #[serde(default = "default_prefetch")]
            #[schemars(range(min = 1))]
            amqp_prefetch_count: u16,
            /// Conversations handled side by side. Messages of one conversation always keep their order.
            #[serde(default = "default_parallel")]
            #[schemars(range(min = 1))]
            parallel: usize,
        }

        impl $name {
            fn lowered(self) -> Result<AppConfig, String> {
                let mut app = AppConfig {
                    transport_name: self.transport_name,
                    sandbox_id: self.sandbox_id,
                    timeout: self.timeout,
                    limits: self.limits,
                    http: self.http,
                    config: self.config,
                    record: self.record,
                    send_to: self.send_to,
                    inbound_endpoints: self.inbound_endpoints,
                    events: self.events,
                    instances: Instances::Fresh,
                    amqp_prefetch_count: self.amqp_prefetch_count,
                    parallel: self.parallel,
                    app_context: self.app_context,
                    legacy: LegacyOptions { sandbox_id_of_message: true, ..LegacyOptions::default() },
                    ..AppConfig::of("")
                };
                if let Some(limit) = self.recv_limit {
                    app.limits.log_bytes = limit;
                }
                resources::apply(&self.sandbox, &mut app)?;
                Ok(app)
            }
        }
    };
}

keys! {
    /// An app for Vumi's JavaScript sandbox, its code in this file.
    JsSandbox {
        /// The code.
        javascript
    }
}

keys! {
    /// An app for Vumi's JavaScript sandbox, its code in a file of its own. When that file changes, the next message gets
    /// the new code.
    JsFileSandbox {
        /// The file with the code. Relative to the configuration file.
        javascript_file
    }
}

fn default_timeout() -> u64 {
    AppConfig::of("").timeout
}

fn default_events() -> bool {
    AppConfig::of("").events
}

fn default_prefetch() -> u16 {
    AppConfig::of("").amqp_prefetch_count
}

fn default_parallel() -> usize {
    AppConfig::of("").parallel
}

/// Reads the keys of a class.
pub(super) fn read<'de, D: Deserializer<'de>>(class: &str, deserializer: D) -> Result<AppConfig, D::Error> {
    // The last of the two.
    let is_file = KINDS.last().is_some_and(|kind| kind.is_called(class));
    if is_file {
        let keys = JsFileSandbox::deserialize(deserializer)?;
        let file = keys.javascript_file.clone();
        return Ok(AppConfig { component: file, ..keys.lowered().map_err(D::Error::custom)? });
    }
    let keys = JsSandbox::deserialize(deserializer)?;
    let code = keys.javascript.clone();
    Ok(AppConfig { javascript: Some(code), ..keys.lowered().map_err(D::Error::custom)? })
}
