//! A legacy app in the sandbox of this process.

use std::sync::Arc;

use vumi_core::{KvStore, SystemClock};
use vumi_sandbox::{AppConfig, Dialect, ScriptSource};
use vumi_store::MemoryBounds;

use crate::sandbox::kit::{Answer, Rig, cache, config, sandbox};

/// Runs the requests of its message one after the other and answers with each reply; then it is done.
pub const REQUESTS: &str = r#"
api.on_inbound_message = function (command) {
    var self = this, requests = JSON.parse(command.msg.content), i = 0;
    function next() {
        if (i >= requests.length) return self.done();
        var request = requests[i++];
        self.request(request[0], request[1], function (reply) {
            delete reply.cmd_id;
            // Log lines are cut.
            if (reply.body && reply.body.length > 10000) reply.body = reply.body.length;
            self.log_info('REPLY ' + JSON.stringify(reply), next);
        });
    }
    next();
};
"#;

/// An app with this code.
pub fn app(code: &str, app_context: Option<&str>, change: impl FnOnce(&mut AppConfig)) -> Result<Rig, String> {
    app_on(code, app_context, vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)), change)
}

/// An app with this code, on this key-value store.
pub fn app_on(
    code: &str,
    app_context: Option<&str>,
    kv: Arc<dyn KvStore>,
    change: impl FnOnce(&mut AppConfig),
) -> Result<Rig, String> {
    let source = ScriptSource {
        name: "app.js".to_owned(),
        code: code.to_owned(),
        dialect: Dialect::Legacy,
        app_context: app_context.map(str::to_owned),
        source_map: None,
    };
    let component = sandbox().load_script(&cache(), &source, "app.js").map_err(|error| error.to_string())?;
    let mut config = config();
    config.sandbox_id = Some("peer".to_owned());
    change(&mut config);
    Rig::try_of("sbx", &component, kv, &config).map_err(|error| error.to_string())
}

/// The replies that an app of [`REQUESTS`] got, in order.
pub fn replies(answer: &Answer) -> Vec<serde_json::Value> {
    let texts = answer.logs.iter().filter_map(|line| line.text.strip_prefix("REPLY "));
    texts.map(|text| serde_json::from_str(text).unwrap()).collect()
}
