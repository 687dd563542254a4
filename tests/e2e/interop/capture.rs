//! What Vumi was recorded to do: one folder of tests/fixtures/vumi-wire.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// One message as a consumer sees it.
#[derive(Clone, Debug)]
pub(crate) struct Publish {
    /// Where it stands: folder and file, or the queue that it was taken from.
    pub(crate) step: String,
    /// Number of the connection that published it, each of Vumi's workers having one; 0 for the host's.
    pub(crate) by: u64,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    /// The properties that were present, by name.
    pub(crate) properties: Value,
    pub(crate) body: String,
}

/// A declaration as it was on the wire: method and arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) method: String,
    pub(crate) args: Value,
}

/// One recorded conversation.
pub(crate) struct Capture {
    pub(crate) name: String,
    /// All publishes, in order.
    pub(crate) publishes: Vec<Publish>,
    /// What the recorded workers declared, each once, in order; and what the consumers of their messages must have
    /// declared, where those were not recorded.
    pub(crate) declarations: Vec<Declaration>,
    /// Queue and bytes of each message that the broker delivered, in order; also of those whose publisher was not
    /// recorded.
    pub(crate) delivered: Vec<(String, u64)>,
}

impl Publish {
    /// The body as JSON, numbers as they were written.
    pub(crate) fn payload(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.step, self.body))
    }

    /// The same with another body.
    pub(crate) fn with_payload(&self, payload: &Value) -> Self {
        Self { body: payload.to_string(), ..self.clone() }
    }

    /// A field of the payload that is a text.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        self.payload()[field].as_str().map(str::to_owned)
    }

    /// What kind of queue it went to: the last part of the key.
    pub(crate) fn kind(&self) -> &str {
        self.routing_key.rsplit('.').next().unwrap_or_default()
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vumi-wire").join(name)
}

/// A JSON file of a recorded conversation.
pub(crate) fn file(capture: &str, name: &str) -> Value {
    let path = folder(capture).join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Capture {
    /// What a client asked over HTTP and was answered, in order.
    pub(crate) fn client(&self) -> Vec<Value> {
        let path = folder(&self.name).join("client.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn read(name: &str) -> Self {
        let frames = std::fs::read_to_string(folder(name).join("amqp.jsonl")).expect("the conversation was recorded");
        let frames: Vec<Value> = frames.lines().map(|line| serde_json::from_str(line).expect("a frame")).collect();
        let mut capture =
            Self { name: name.to_owned(), publishes: publishes(name), declarations: Vec::new(), delivered: Vec::new() };
        let (mut published, mut delivered) = (Vec::new(), None);
        for frame in &frames {
            let (method, args) = (frame["method"].as_str().unwrap_or_default(), &frame["args"]);
            match (frame["from"].as_str().unwrap(), method) {
                ("client", "exchange.declare" | "queue.declare" | "queue.bind") => {
                    capture.declare(declaration(method, args.clone()));
                }
                ("client", "basic.publish") => published.push((frame["conn"].as_u64().unwrap(), args)),
                ("broker", "basic.deliver") => delivered = args["routing_key"].as_str(),
                ("broker", "") if frame["frame"] == "header" => {
                    let queue = delivered.take().expect("a header follows its delivery").to_owned();
                    capture.delivered.push((queue, frame["body_size"].as_u64().unwrap()));
                }
                _ => {}
            }
        }
        assert_eq!(published.len(), capture.publishes.len(), "{name}: one file for each publish");
        for (publish, (by, args)) in capture.publishes.iter_mut().zip(published) {
            let place = (args["exchange"].as_str().unwrap(), args["routing_key"].as_str().unwrap());
            assert_eq!((&*publish.exchange, &*publish.routing_key), place, "{}", publish.step);
            publish.by = by;
        }
        capture.declare_for_consumers();
        capture
    }

    /// The publish of a number, as in the name of its file.
    pub(crate) fn step(&self, number: usize) -> &Publish {
        self.publishes.get(number - 1).unwrap_or_else(|| panic!("{} has no step {number}", self.name))
    }

    /// All queues that were declared, sorted.
    pub(crate) fn queues(&self) -> BTreeSet<String> {
        self.declared("queue")
    }

    /// All exchanges that were declared, sorted.
    pub(crate) fn exchanges(&self) -> BTreeSet<String> {
        self.declared("exchange")
    }

    fn declared(&self, what: &str) -> BTreeSet<String> {
        let declared = self.declarations.iter().filter(|declared| declared.method == format!("{what}.declare"));
        declared.map(|declared| declared.args[what].as_str().unwrap().to_owned()).collect()
    }

    fn declare(&mut self, declaration: Declaration) {
        if !self.declarations.contains(&declaration) {
            self.declarations.push(declaration);
        }
    }

    /// Queues that published messages went to and that no recorded worker consumed.
    fn declare_for_consumers(&mut self) {
        for publish in self.publishes.clone() {
            if !self.queues().contains(&publish.routing_key) {
                for declaration in consumed(&publish.exchange, &publish.routing_key) {
                    self.declare(declaration);
                }
            }
        }
    }
}

/// What a consumer of Vumi's declares for a queue, as all the recorded ones do.
pub(crate) fn consumed(exchange: &str, queue: &str) -> [Declaration; 3] {
    [
        declaration("exchange.declare", json!({"exchange": exchange, "type": "direct", "durable": 1})),
        declaration("queue.declare", json!({"queue": queue, "durable": 1})),
        declaration("queue.bind", json!({"queue": queue, "exchange": exchange, "routing_key": queue})),
    ]
}

/// A declaration. What does not stand in `args` is 0.
pub(crate) fn declaration(method: &str, args: Value) -> Declaration {
    Declaration { method: method.to_owned(), args }
}

fn publishes(name: &str) -> Vec<Publish> {
    let mut files: Vec<String> = std::fs::read_dir(folder(name))
        .expect("the folder of a capture")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"))
        .filter(|file| file.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    files.sort();
    let publish = |name_of_file: &String| {
        let record = file(name, name_of_file);
        let text = |field: &str| record[field].as_str().unwrap().to_owned();
        Publish {
            step: format!("{name}/{name_of_file}"),
            by: 0,
            exchange: text("exchange"),
            routing_key: text("routing_key"),
            properties: record["properties"].clone(),
            body: text("body_text"),
        }
    };
    files.iter().map(publish).collect()
}
