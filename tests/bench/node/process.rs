//! The other side: Vumi's way, a Node.js process for each message and JSON lines between it and the host. This is the
//! host's end of the conversation (specification: sandbox, section 3), with kv in a map and nobody who keeps records.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use vumi_message::UserMessage;
use vumi_tests::guests::root;

/// What is started for each message, and what it is told.
pub struct Sandboxer {
    node: PathBuf,
    runner: PathBuf,
    kv: Mutex<HashMap<String, Value>>,
    app: NodeApp,
    message: Value,
}

/// An application and what its owner gives it.
#[derive(Default)]
pub struct NodeApp {
    /// Its text.
    pub javascript: String,
    /// An expression whose properties become globals.
    pub app_context: Option<String>,
    /// Where that expression's `require` looks.
    pub modules: Option<PathBuf>,
    /// What it finds under `config` of its configuration.
    pub config: Value,
}

/// The application that does what the guest does.
pub fn application() -> PathBuf {
    root().join("tests/bench/node/app.js")
}

fn runner() -> PathBuf {
    root().join("tests/bench/node/runner.js")
}

/// The program, if this machine has it.
pub fn node() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let programs = ["node", "nodejs"].into_iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs.into_iter().find(|program| program.is_file())
}

impl Sandboxer {
    /// For the application that does what the guest does.
    pub fn new(node: &Path, message: &UserMessage) -> Self {
        let javascript = std::fs::read_to_string(application()).expect("the application can be read");
        Self::of(node, NodeApp { javascript, ..NodeApp::default() }, message)
    }

    /// For this application.
    pub fn of(node: &Path, app: NodeApp, message: &UserMessage) -> Self {
        let message = serde_json::from_str(&message.to_json()).expect("a message is JSON");
        Self { node: node.to_owned(), runner: runner(), kv: Mutex::default(), app, message }
    }

    /// For an application of a captured conversation and its message.
    fn captured(node: &Path, conversation: &Value) -> Self {
        let javascript = conversation["app"].as_str().expect("the application").to_owned();
        let app = NodeApp { javascript, ..NodeApp::default() };
        let (node, message) = (node.to_owned(), conversation["sent"].clone());
        Self { node, runner: runner(), kv: Mutex::default(), app, message }
    }

    /// One message; what the process said.
    pub fn run(&self) -> Vec<Value> {
        let mut command = Command::new(&self.node);
        // An application of Vumi's saw no environment but the configured one, by default none.
        command.arg(&self.runner).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(modules) = &self.app.modules {
            command.env("NODE_PATH", modules);
        }
        let mut process = command.spawn().expect("node can be started");
        let mut stdin = process.stdin.take().expect("it is piped");
        let stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        let hello = json!({
            "cmd": "initialize", "cmd_id": "a", "reply": false,
            "javascript": self.app.javascript, "app_context": self.app.app_context,
        });
        say(&mut stdin, &hello);
        say(&mut stdin, &json!({"cmd": "inbound-message", "cmd_id": "b", "reply": false, "msg": self.message}));
        let mut said = Vec::new();
        for line in stdout.lines() {
            let request: Value = serde_json::from_str(&line.expect("text")).expect("a line is JSON");
            say(&mut stdin, &self.answer(&request));
            said.push(request);
        }
        let status = process.wait().expect("the process can be awaited");
        assert!(status.success(), "node ended badly: {status}");
        said
    }

    /// The host's answer to a request.
    fn answer(&self, request: &Value) -> Value {
        let mut answer = json!({"cmd": request["cmd"], "cmd_id": request["cmd_id"], "reply": true, "success": true});
        let key = || request["key"].as_str().expect("a key").to_owned();
        let mut kv = self.kv.lock().expect("no panic");
        match request["cmd"].as_str() {
            Some("log.debug") => {}
            Some("log.info") => assert!(request["msg"].is_string(), "{request}"),
            Some("outbound.reply_to") => assert_eq!(request["in_reply_to"], self.message["message_id"]),
            Some("kv.get") => answer["value"] = kv.get(&key()).cloned().unwrap_or_default(),
            Some("config.get") if request["key"] == "config" => answer["value"] = self.app.config.to_string().into(),
            Some("config.get") => answer["value"] = Value::Null,
            Some("kv.set") => drop(kv.insert(key(), request["value"].clone())),
            _ => panic!("an unknown request: {request}"),
        }
        answer
    }
}

fn say(stdin: &mut ChildStdin, command: &Value) {
    stdin.write_all(format!("{command}\n").as_bytes()).expect("node listens");
}

/// Whether our runner speaks as Vumi's did: the captured application must say the captured lines.
///
/// # Panics
/// When it does not.
pub fn check_against_capture(node: &Path) {
    let path = root().join("tests/fixtures/vumi-wire/sandbox/echo-kv.json");
    let text = std::fs::read_to_string(path).expect("the capture can be read");
    let conversation: Value = serde_json::from_str(&text).expect("the capture is JSON");
    let transcript = conversation["transcript"].as_array().expect("a list");
    let captured: Vec<Value> =
        transcript.iter().filter(|line| line[0] == "sandbox->host").map(|line| line[1].clone()).collect();
    assert!(!captured.is_empty(), "the capture holds lines of the sandbox");
    assert_eq!(Sandboxer::captured(node, &conversation).run(), captured, "the runner differs from Vumi's");
}
