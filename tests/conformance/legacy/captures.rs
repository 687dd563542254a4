//! The captured conversations, replayed: the same app and the same message; commands, replies, log lines, messages, keys
//! and the end of the run are compared with what was recorded.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use vumi_core::Outcome;
use vumi_message::{Event, UserMessage};
use vumi_sandbox::AppConfig;
use vumi_tests::guests::root;

use super::exceptions::{EXCEPTIONS, Part};
use super::rig::app;
use crate::sandbox::kit::{Answer, Rig, bytes};

/// The address of the captures' web server.
const WEB: &str = "127.0.0.1:18080";

/// Writes each request and its reply to the log. Put behind an app's own code, so that its requests pass through here.
const WATCH: &str = r"
;(function () {
    var request = api.request;
    api.request = function (cmd, fields, callback, reply) {
        var sent = JSON.stringify(Object.assign({}, fields, {cmd: cmd}));
        return request.call(api, cmd, fields, function (reply) {
            // Log lines are cut.
            if (sent.length < 10000) {
                request.call(api, 'log.debug', {msg: 'WATCHED ' + JSON.stringify([JSON.parse(sent), reply])});
            }
            if (callback) return callback.call(api, reply);
        });
    };
})();
";

struct Capture {
    name: String,
    folder: String,
    content: Value,
}

impl Capture {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for folder in ["sandbox", "sandbox-vxsandbox"] {
            let path = root().join("tests/fixtures/vumi-wire").join(folder);
            let mut files: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            all.extend(files.iter().map(|file| Self::read(folder, file)));
        }
        all
    }

    fn read(folder: &str, file: &Path) -> Self {
        let content = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        Self { name, folder: folder.to_owned(), content }
    }

    fn config(&self, key: &str) -> Option<&str> {
        self.content["config"][key].as_str()
    }

    fn configure(&self, app: &mut AppConfig) {
        let number = |key: &str| self.config(key).map(|text| text.parse::<u64>().unwrap());
        app.http.allow = vec!["http://127.0.0.1:*".to_owned()];
        app.timeout = number("timeout").unwrap_or(60);
        app.limits.cpu_ms = app.timeout.min(3) * 1_000;
        app.limits.kv_keys = number("hard").unwrap_or(100);
        app.limits.kv_keys_soft = number("soft");
        app.limits.kv_value = bytes(1 << 20);
        app.http.timeout = number("http_timeout").unwrap_or(30);
        if let Some(limit) = number("http_limit") {
            app.http.data_limit = bytes(limit);
        }
        if let Some(limit) = number("recv_limit") {
            app.limits.log_bytes = bytes(limit);
        }
        if let Some(text) = self.config("send_to") {
            app.send_to = serde_json::from_str(text).unwrap();
        }
        if self.name == "vx-outbound" {
            app.send_to.insert("sms".to_owned(), BTreeMap::new());
        }
    }

    /// Requests and their replies as they were recorded, without ids. Those that were too long are left out.
    fn exchanges(&self) -> Vec<(Value, Option<Value>)> {
        let lines = self.content["transcript"].as_array().unwrap();
        let of = |way: &'static str| lines.iter().filter(move |line| line[0] == way).map(|line| &line[1]);
        let replies: BTreeMap<String, Value> = of("host->sandbox")
            .filter(|line| line["reply"] == true)
            .map(|line| (line["cmd_id"].to_string(), bare(line)))
            .collect();
        // A case that was run with two messages tells the same twice.
        let mut seen = Vec::new();
        let mut exchanges = Vec::new();
        for line in of("sandbox->host").filter(|line| line.is_object()) {
            let id = line["cmd_id"].to_string();
            let own = matches!(line["msg"].as_str(), Some("Starting sandbox ..." | "Loading sandboxed code ..."));
            if own || seen.contains(&id) {
                continue;
            }
            exchanges.push((bare(line), replies.get(&id).cloned()));
            seen.push(id);
        }
        exchanges
    }

    fn ended_well(&self) -> bool {
        let lines = self.content["transcript"].as_array().unwrap();
        lines.iter().any(|line| line[0] == "exit" && line[1].as_str().unwrap_or_default().contains("exit code 0"))
    }

    /// What the app and its resources wrote to the log.
    fn log(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for (request, reply) in self.exchanges() {
            let logged = request["cmd"].as_str().is_some_and(|cmd| cmd.starts_with("log."));
            if logged && reply.is_none_or(|reply| reply["success"] == true) {
                texts.push(request["msg"].as_str().map_or_else(|| request["msg"].to_string(), str::to_owned));
            }
        }
        let lines = self.content["worker_log"].as_array().unwrap();
        let lines = lines.iter().filter_map(Value::as_str);
        texts.extend(
            lines.filter_map(|line| line.strip_prefix("[VumiRedis,client] Redis ")).map(|text| format!("Redis {text}")),
        );
        texts.sort();
        texts
    }
}

/// A line without what differs from run to run.
fn bare(line: &Value) -> Value {
    let mut map = line.as_object().unwrap().clone();
    map.shift_remove("cmd_id");
    map.shift_remove("reply");
    Value::Object(map.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), sorted(value)))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The web server that the captures asked.
async fn web() -> SocketAddr {
    use axum::Json;
    use axum::extract::Request;
    use axum::http::{StatusCode, header};
    use axum::routing::{any, get};
    async fn echo(request: Request) -> Json<Value> {
        let method = request.method().to_string();
        let mut headers: Vec<[String; 2]> = request
            .headers()
            .iter()
            .map(|(name, value)| [name.to_string(), value.to_str().unwrap_or_default().to_owned()])
            .collect();
        headers.sort();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
        // The captures' server took bytes for characters.
        let latin1: String = body.iter().copied().map(char::from).collect();
        Json(json!({ "method": method, "headers": headers, "body": latin1 }))
    }
    let pages = axum::Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/missing", get(|| async { (StatusCode::NOT_FOUND, "nope") }))
        .route("/echo", any(echo))
        .route("/big", get(|| async { "x".repeat(2_000) }))
        .route("/redirect", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/hello")]) }))
        .route("/latin1", get(|| async { b"caf\xe9".to_vec() }))
        .route("/slow", get(|| async { std::future::pending::<String>().await }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, pages).await });
    address
}

/// What is compared of a body that repeats the request: headers differ between libraries.
fn essence(reply: &Value) -> Value {
    let mut reply = sorted(reply);
    let repeated = reply["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    if let Some(repeated) = repeated.filter(Value::is_object) {
        let headers = repeated["headers"].as_array().cloned().unwrap_or_default();
        let wanted = |name: &str| name == "x-a" || name == "content-type";
        let mut kept: Vec<Value> = headers
            .iter()
            .map(|pair| json!([pair[0].as_str().unwrap().to_lowercase(), pair[1]]))
            .filter(|pair| wanted(pair[0].as_str().unwrap()))
            .map(|pair| {
                let multipart = pair[1].as_str().unwrap().starts_with("multipart/form-data");
                if multipart { json!([pair[0], "multipart/form-data"]) } else { pair }
            })
            .collect();
        kept.sort_by_key(Value::to_string);
        // The parts of a form are looked at in check 16.
        let body = if repeated["body"].as_str().is_some_and(|body| body.contains("form-data; name=")) {
            json!("a form")
        } else {
            repeated["body"].clone()
        };
        reply["body"] = json!([repeated["method"], kept, body]);
    }
    reply
}

/// What differs between a capture and a run.
struct Differences(Vec<(Part, String)>);

impl Differences {
    fn compare(&mut self, part: Part, recorded: &Value, now: &Value) {
        if recorded != now {
            self.0.push((part, format!("recorded {recorded}\n      now {now}")));
        }
    }
}

async fn run(capture: &Capture, web: SocketAddr) -> Vec<(Part, String)> {
    let mut found = Differences(Vec::new());
    let sent = &capture.content["sent"];
    let text = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
    let is_event = capture.content["sent_to"] == "sbx.event";
    let (message, event) = (UserMessage::from_json(text.as_bytes()), Event::from_json(text.as_bytes()));
    if !is_event && let Err(error) = &message {
        found.0.push((Part::Input, error.to_string()));
        return found.0;
    }
    let code = capture.content["app"].as_str().unwrap().replace(WEB, &web.to_string());
    let code = code.replace("(x repeated 70000 times)", &"x".repeat(70_000));
    // Being watched takes room in the log.
    let is_watched = capture.name != "recv-limit";
    let code = if is_watched { format!("{code}{WATCH}") } else { code };
    let mut rig = match app(&code, capture.config("app_context"), |config| capture.configure(config)) {
        Ok(rig) => rig,
        Err(error) => {
            assert!(error.contains("app.js:"), "it is not said where: {error}");
            found.0.push((Part::Load, error));
            return found.0;
        }
    };
    let answer = if is_event { rig.tell(event.unwrap()).await } else { rig.give(message.unwrap()).await };
    if is_watched {
        requests(capture, &answer, web, &mut found);
    }
    logs(capture, &answer, &mut found);
    letters(capture, &answer, &mut found);
    keys(capture, &rig, &mut found).await;
    let well = answer.outcome() == Outcome::Ok;
    found.compare(Part::End, &capture.ended_well().into(), &well.into());
    if !well {
        answer.ended(answer.outcome());
    }
    found.0
}

fn requests(capture: &Capture, answer: &Answer, web: SocketAddr, found: &mut Differences) {
    let now: Vec<Value> = answer
        .logs
        .iter()
        .filter_map(|line| line.text.strip_prefix("WATCHED "))
        .map(|text| serde_json::from_str(&text.replace(&web.to_string(), WEB)).unwrap())
        .collect();
    // What had no reply cannot be watched, and nor can what comes when the app is done; both are seen in the log, in what
    // was sent and in how the run ended. A request that is too long is not recorded in one line.
    let is_before_the_end = |(request, _): &(Value, Option<Value>)| request["msg"] != "Done.";
    let recorded = capture.exchanges().into_iter().take_while(is_before_the_end);
    let recorded: Vec<_> = recorded.filter(|(_, reply)| reply.is_some()).collect();
    let now: Vec<_> = now.iter().map(|pair| (bare(&pair[0]), bare(&pair[1]))).collect();
    let names = |requests: Vec<&Value>| requests.into_iter().map(sorted).collect::<Value>();
    let (before, after) =
        (names(recorded.iter().map(|pair| &pair.0).collect()), names(now.iter().map(|pair| &pair.0).collect()));
    found.compare(Part::Requests, &before, &after);
    if before != after {
        return;
    }
    for ((request, recorded), (_, now)) in recorded.iter().zip(&now) {
        let (mut recorded, mut now) = (essence(recorded.as_ref().unwrap()), essence(now));
        let reasons = (recorded["reason"].take(), now["reason"].take());
        if reasons.0.is_string() && reasons.1.is_string() {
            found.compare(Part::Reason, &reasons.0, &reasons.1);
        } else {
            (recorded["reason"], now["reason"]) = reasons;
        }
        // Where they differ, it must be told of which request.
        if recorded != now {
            found.compare(Part::Reply, &json!([request, recorded]), &json!([request, now]));
        }
    }
}

fn logs(capture: &Capture, answer: &Answer, found: &mut Differences) {
    let is_own = |text: &str| matches!(text, "Starting sandbox ..." | "Loading sandboxed code ...");
    let started: Vec<&str> = answer.logs.iter().map(|line| line.text.as_str()).filter(|text| is_own(text)).collect();
    assert_eq!(started, ["Starting sandbox ...", "Loading sandboxed code ..."], "{}", capture.name);
    let is_theirs = |source: &str, text: &str| {
        (source == "guest" || source == "stdout" || text.starts_with("Redis ")) && !text.starts_with("WATCHED ")
    };
    let lines = answer.logs.iter().filter(|line| is_theirs(&line.source, &line.text) && !is_own(&line.text));
    let mut now: Vec<String> = lines.map(|line| shortened(&line.text)).collect();
    // A line that went over the limit is a request that was recorded, but was never logged.
    let mut recorded = capture.log();
    if answer.outcome() == Outcome::LogLimit {
        recorded.truncate(now.len());
    }
    now.sort();
    found.compare(Part::Log, &json!(recorded), &json!(now));
}

/// As captures have it: many an `x` is only counted.
fn shortened(text: &str) -> String {
    let is_long = text.len() > 200 && text.chars().all(|c| c == 'x');
    if is_long { format!("(x repeated {} times)", text.len()) } else { text.to_owned() }
}

fn letters(capture: &Capture, answer: &Answer, found: &mut Differences) {
    let essential = |message: &Map<String, Value>| -> Value {
        let left_out = ["message_id", "timestamp"];
        let kept = message.iter().filter(|(key, _)| !left_out.contains(&key.as_str()));
        sorted(&kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    let recorded = capture.content["outbound"].as_array().unwrap();
    let mut recorded: Vec<Value> = recorded.iter().map(|message| essential(message.as_object().unwrap())).collect();
    let mut now: Vec<Value> = answer.sent.iter().map(|message| essential(message.payload())).collect();
    if capture.folder == "sandbox-vxsandbox" {
        // vxsandbox left the original's helper metadata out of replies; the rule here is Vumi's.
        for message in recorded.iter_mut().chain(&mut now) {
            message["helper_metadata"].take();
        }
    }
    for message in recorded.iter_mut().chain(&mut now) {
        // Fields that say nothing.
        message.as_object_mut().unwrap().retain(|_, value| !value.is_null() && *value != json!({}));
    }
    found.compare(Part::Sent, &recorded.into(), &now.into());
}

async fn keys(capture: &Capture, rig: &Rig, found: &mut Differences) {
    for (name, value) in capture.content["redis_after"].as_object().into_iter().flatten() {
        let key = name.strip_prefix("peer:").unwrap();
        let recorded = value["raw_value"].as_str().unwrap();
        let now = rig.kv.get(key).await.unwrap();
        let ttl = rig.kv.ttl(key).await.unwrap();
        // What was too long is shortened in the capture.
        if recorded.contains("(x repeated") {
            found.compare(Part::Kv, &json!([name, true]), &json!([name, now.is_some()]));
            continue;
        }
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
        let recorded = json!([name, sorted(&parsed(recorded)), value["ttl"].as_i64().is_some_and(|ttl| ttl > 0)]);
        let now = json!([name, now.map(|text| sorted(&parsed(&text))), ttl.is_some()]);
        found.compare(Part::Kv, &recorded, &now);
    }
}

#[tokio::test]
async fn apps_do_what_they_were_recorded_to_do() {
    let web = web().await;
    let (mut wrong, mut used) = (Vec::new(), Vec::new());
    for capture in Capture::all() {
        for (part, what) in run(&capture, web).await {
            match EXCEPTIONS.iter().find(|(name, of, _)| *name == capture.name && *of == part) {
                Some(exception) => used.push((exception.0, exception.1)),
                None => wrong.push(format!("{}/{}: {part:?}\n {what}", capture.folder, capture.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    let unused: Vec<_> = EXCEPTIONS.iter().filter(|(name, part, _)| !used.contains(&(name, *part))).collect();
    assert!(unused.is_empty(), "these have come to agree: {unused:?}");
}
