//! A host for the built engine: what it is asked is written down, what it answers is chosen by the test. Each run has
//! a fresh instance.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

wasmtime::component::bindgen!({ path: "../../wit", world: "script-engine" });

use exports::vumi::app::legacy::CommandError;
use exports::vumi::app::script::{Dialect, Source};
use vumi::app::types::{Error, Message, SessionEvent};
use vumi::app::{config, http, kv, legacy_host, log, metrics, outbound, types};

/// As large as the host's own.
const GUEST_STACK: usize = 512 << 10;

/// What a run did.
pub(crate) struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    out: MemoryOutputPipe,
    err: MemoryOutputPipe,
    /// The log: level and text.
    pub(crate) log: Vec<(String, String)>,
    pub(crate) kv: BTreeMap<String, String>,
    /// Replies and sent messages, as one line each.
    pub(crate) sent: Vec<String>,
    pub(crate) requests: Vec<http::HttpRequest>,
    pub(crate) metrics: Vec<(String, f64)>,
    /// The commands of an old script.
    pub(crate) commands: Vec<Value>,
}

impl Host {
    fn new() -> Self {
        let (out, err) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
        Self {
            wasi: WasiCtxBuilder::new().stdout(out.clone()).stderr(err.clone()).build(),
            table: ResourceTable::new(),
            out,
            err,
            log: Vec::new(),
            kv: BTreeMap::new(),
            sent: Vec::new(),
            requests: Vec::new(),
            metrics: Vec::new(),
            commands: Vec::new(),
        }
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.out.contents().to_vec()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.err.contents().to_vec()).unwrap()
    }

    /// The log's texts.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.log.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The commands as `cmd_id cmd`, in order.
    pub(crate) fn order(&self) -> Vec<String> {
        let text = |command: &Value, key: &str| command[key].as_str().unwrap().to_owned();
        self.commands.iter().map(|command| format!("{} {}", text(command, "cmd_id"), text(command, "cmd"))).collect()
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl types::Host for Host {}

impl log::Host for Host {
    fn log(&mut self, level: log::Level, text: String) {
        self.log.push((format!("{level:?}"), text));
    }
}

impl kv::Host for Host {
    fn get(&mut self, key: String) -> Result<Option<String>, Error> {
        Ok(self.kv.get(&key).cloned())
    }

    fn set(&mut self, key: String, value: String, _ttl: Option<u32>) -> Result<(), Error> {
        if key == "full" {
            return Err(Error::Quota("Too many keys".into()));
        }
        self.kv.insert(key, value);
        Ok(())
    }

    fn delete(&mut self, key: String) -> Result<bool, Error> {
        Ok(self.kv.remove(&key).is_some())
    }

    fn incr(&mut self, key: String, amount: i64) -> Result<i64, Error> {
        let sum = self.kv.get(&key).map_or(0, |value| value.parse().unwrap()) + amount;
        self.kv.insert(key, sum.to_string());
        Ok(sum)
    }
}

impl outbound::Host for Host {
    fn reply(&mut self, content: Option<String>, options: outbound::ReplyOptions) -> Result<String, Error> {
        let close = if options.close_session { " and close" } else { "" };
        let metadata = options.helper_metadata.unwrap_or_default();
        self.sent.push(format!("reply {content:?}{close}{metadata}"));
        Ok("id-of-reply".into())
    }

    fn reply_to_group(&mut self, content: Option<String>, _: outbound::ReplyOptions) -> Result<String, Error> {
        self.sent.push(format!("group {content:?}"));
        Ok("id-of-group".into())
    }

    fn send_to(
        &mut self,
        to: String,
        content: Option<String>,
        options: outbound::SendOptions,
    ) -> Result<String, Error> {
        match options.endpoint.as_deref() {
            Some("nope") => Err(Error::Denied("Endpoint 'nope' not configured".into())),
            endpoint => {
                self.sent.push(format!("to {to} {content:?} by {endpoint:?}"));
                Ok("id-of-send".into())
            }
        }
    }
}

impl http::Host for Host {
    fn request(&mut self, request: http::HttpRequest) -> Result<http::HttpResponse, Error> {
        let body = request.body.clone().unwrap_or_default();
        self.requests.push(request);
        Ok(http::HttpResponse { status: 201, headers: vec![("x-seen".into(), "yes".into())], body })
    }
}

impl config::Host for Host {
    fn get(&mut self, key: String) -> Option<String> {
        (key == "greeting").then(|| "hello".into())
    }
}

impl metrics::Host for Host {
    fn fire(&mut self, name: String, value: f64, _: metrics::Aggregator) -> Result<(), Error> {
        self.metrics.push((name, value));
        Ok(())
    }
}

impl legacy_host::Host for Host {
    fn request(&mut self, command: String) -> Option<String> {
        let command: Value = serde_json::from_str(&command).unwrap();
        let (name, id) = (command["cmd"].as_str().unwrap().to_owned(), command["cmd_id"].clone());
        let key = command["key"].as_str().unwrap_or_default().to_owned();
        let stored = command["value"].to_string();
        self.commands.push(command);
        let value = match name.as_str() {
            "config.get" => Value::from("{\"name\": \"test_app\"}"),
            "kv.get" => self.kv.get(&key).map_or(Value::Null, |text| serde_json::from_str(text).unwrap()),
            "kv.set" => {
                self.kv.insert(key, stored);
                Value::Null
            }
            "nosuch.get" => return None,
            _ => Value::Null,
        };
        Some(json!({"cmd": name, "cmd_id": id, "reply": true, "success": true, "value": value}).to_string())
    }
}

struct Built {
    engine: Engine,
    pre: ScriptEnginePre<Host>,
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut config = Config::new();
        config.max_wasm_stack(GUEST_STACK);
        let engine = Engine::new(&config).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/script-engine.wasm");
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask engine` builds it", path.display()));
        let component = Component::new(&engine, bytes).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        ScriptEngine::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host).unwrap();
        let pre = ScriptEnginePre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        Built { engine, pre }
    })
}

fn fresh() -> (Store<Host>, ScriptEngine) {
    let mut store = Store::new(&built().engine, Host::new());
    let instance = built().pre.instantiate(&mut store).unwrap();
    (store, instance)
}

fn compile(code: &str, dialect: Dialect, name: &str, context: Option<&str>) -> Result<Vec<u8>, String> {
    let (mut store, instance) = fresh();
    let source = Source { name: name.into(), code: code.into(), dialect, app_context: context.map(str::to_owned) };
    instance.vumi_app_script().call_compile(&mut store, &source).unwrap()
}

/// Compiles a module.
pub(crate) fn module(code: &str) -> Result<Vec<u8>, String> {
    compile(code, Dialect::Module, "app.mjs", None)
}

/// Compiles an old script.
pub(crate) fn old(code: &str, context: Option<&str>) -> Result<Vec<u8>, String> {
    compile(code, Dialect::Legacy, "app.js", context)
}

/// A message with this content.
pub(crate) fn message(content: &str) -> Message {
    Message {
        message_id: "m1".into(),
        timestamp: 1_700_000_000_123_456,
        to_addr: Some("*120#".into()),
        from_addr: Some("+27710000001".into()),
        to_addr_type: None,
        from_addr_type: Some("msisdn".into()),
        content: Some(content.into()),
        session_event: Some(SessionEvent::Resume),
        in_reply_to: None,
        transport_name: Some("ussd".into()),
        transport_type: Some("ussd".into()),
        group: None,
        provider: None,
        endpoint: "default".into(),
        transport_metadata: "{}".into(),
        helper_metadata: r#"{"tag":1}"#.into(),
    }
}

/// Compiles a module, loads it in a fresh instance and gives it a message.
pub(crate) fn run(code: &str) -> (Result<(), String>, Host) {
    let bytes = module(code).unwrap();
    let (mut store, instance) = fresh();
    let result = match instance.vumi_app_script().call_load(&mut store, &bytes).unwrap() {
        Ok(()) => instance.vumi_app_handler().call_on_message(&mut store, &message("hi")).unwrap(),
        Err(text) => Err(format!("load: {text}")),
    };
    (result, store.into_data())
}

/// The log of a module that must not fail.
pub(crate) fn logged(code: &str) -> Vec<String> {
    let (result, host) = run(code);
    assert_eq!(result, Ok(()));
    host.log.into_iter().map(|(_, text)| text).collect()
}

/// What became of an old script's run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Stalled,
    Thrown(String),
    /// While it was loaded.
    Refused(String),
}

/// Compiles an old script, loads it in a fresh instance and gives it an inbound message.
pub(crate) fn run_old(code: &str, context: Option<&str>) -> (Outcome, Host) {
    let bytes = old(code, context).unwrap();
    let (mut store, instance) = fresh();
    let outcome = match instance.vumi_app_script().call_load(&mut store, &bytes).unwrap() {
        Err(text) => Outcome::Refused(text),
        Ok(()) => {
            let command = json!({
                "cmd": "inbound-message", "cmd_id": "c1", "reply": false,
                "msg": {"message_id": "m1", "from_addr": "+27710000001", "content": "h\u{e9}llo \u{2603}"},
            });
            match instance.vumi_app_legacy().call_on_command(&mut store, &command.to_string()).unwrap() {
                Ok(()) => Outcome::Done,
                Err(CommandError::Stalled) => Outcome::Stalled,
                Err(CommandError::Thrown(text)) => Outcome::Thrown(text),
            }
        }
    };
    (outcome, store.into_data())
}

/// What a module says of its dialogue.
pub(crate) fn graph(code: &str) -> Option<String> {
    let bytes = module(code).unwrap();
    let (mut store, instance) = fresh();
    instance.vumi_app_script().call_load(&mut store, &bytes).unwrap().unwrap();
    instance.vumi_app_dialogue().call_graph(&mut store).unwrap()
}
