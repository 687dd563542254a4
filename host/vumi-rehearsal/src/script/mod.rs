//! Test files: conversations written in YAML (`docs/testing-apps.md` is their manual).
//!
//! A file is read whole before anything is played; every mistake in it is found then, with its place.

mod error;
mod event;
mod expect;
mod fields;
mod places;
mod rule;
mod said;
mod step;
mod stub;
#[cfg(test)]
mod tests;
mod time;
mod users;

use std::io::Read;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use vumi_message::Timestamp;
use vumi_sandbox::AppConfig;
use vumi_sandbox::web::WebPolicy;
use vumi_yaml::{Entry, Fault, Files, MAX_BYTES, Node, Reader, Value as Part};

pub use error::{Mistake, Place, ScriptError};
pub(crate) use event::{Happened, HappenedKind};
pub(crate) use expect::ExpectedMessage;
pub(crate) use rule::TextRule;
pub(crate) use said::{Said, SessionChoice};
pub(crate) use step::{Act, FailRule, KeyRule, LogRule, Step};
pub(crate) use stub::{Answer, METHODS, RequestRule, Stub};
pub(crate) use time::Shift;
pub(crate) use users::Users;

use fields::{Fields, expected, list, map, overlay};
use places::Places;

/// When a conversation begins that does not say: 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600;

/// What conversations may share, each with or without the file's help.
const SHARED: [&str; 8] = ["app", "message", "users", "kv", "clock", "seed", "http", "longest"];

/// A test file.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its name, as given.
    pub name: Arc<str>,
    pub(crate) conversations: Vec<Arc<Conversation>>,
}

/// One conversation.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) app: AppConfig,
    pub(crate) users: Users,
    pub(crate) kv: Vec<(String, Value)>,
    pub(crate) clock: Timestamp,
    pub(crate) seed: u64,
    pub(crate) http: Vec<Stub>,
    pub(crate) longest: Option<usize>,
    pub(crate) steps: Vec<Step>,
    pub(crate) kv_after: Vec<KeyRule>,
    pub(crate) skip: Option<String>,
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn open(path: &Path) -> Result<Self, ScriptError> {
        let name = path.display().to_string();
        let unreadable =
            |reason: std::io::Error| ScriptError::Unreadable { file: name.clone(), reason: reason.to_string() };
        let mut text = String::new();
        let bound = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(bound).read_to_string(&mut text).map_err(unreadable)?;
        Self::read(&name, &text)
    }

    /// Reads a text; `name` is its path.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn read(name: &str, text: &str) -> Result<Self, ScriptError> {
        let mut files = Files::new(name, text);
        let tree = vumi_yaml::load(&mut files);
        let read = tree.and_then(|tree| conversations(&tree, &Places::new(&files)));
        match read {
            Ok(conversations) => Ok(Self { name: name.into(), conversations }),
            Err(fault) => Err(ScriptError::Mistake(Box::new(Mistake::of(&fault, &files)))),
        }
    }

    /// How many conversations it has.
    pub fn len(&self) -> usize {
        self.conversations.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.conversations.is_empty()
    }

    /// Keeps the conversations with these names.
    pub fn keep(&mut self, names: &[String]) {
        self.conversations.retain(|conversation| names.contains(&conversation.name));
    }

    /// Keeps the conversations with this text in their name, or all if it is in the file's.
    pub fn retain(&mut self, part: &str) {
        if !self.name.contains(part) {
            self.conversations.retain(|conversation| conversation.name.contains(part));
        }
    }
}

fn conversations(tree: &Node, places: &Places) -> Result<Vec<Arc<Conversation>>, Fault> {
    let read = |shared: Option<Fields<'_>>, node: &Node| Conversation::read(node, shared, places).map(Arc::new);
    let all = match &tree.value {
        Part::List(_) => list(tree, |node| read(None, node))?,
        Part::Map(_) => {
            let file = Fields::of(
                tree,
                &["app", "message", "users", "kv", "clock", "seed", "http", "longest", "conversations"],
            )?;
            file.must("conversations", |node| list(node, |node| read(Some(file), node)))?
        }
        _ => return Err(expected("a list of conversations, or a map with `conversations`", tree)),
    };
    for (index, one) in all.iter().enumerate() {
        if let Some(first) = all.iter().take(index).find(|other| other.name == one.name) {
            let sentence =
                format!("two conversations are called `{}`, the first in line {}", one.name, first.place.line);
            let mark = vumi_yaml::Mark { file: 0, line: one.place.line, column: one.place.column };
            return Err(Fault::says(sentence).at(mark).help("give each its own name"));
        }
    }
    Ok(all)
}

impl Conversation {
    fn read(node: &Node, shared: Option<Fields<'_>>, places: &Places) -> Result<Self, Fault> {
        let own = Fields::of(
            node,
            &[
                "conversation",
                "app",
                "message",
                "users",
                "kv",
                "clock",
                "seed",
                "http",
                "longest",
                "steps",
                "kv_after",
                "skip",
            ],
        )?;
        let name = own.must("conversation", fields::text)?;
        // What both have is laid together as trees, so that each value keeps its place.
        let joined = joined(&own, shared.as_ref(), node);
        let joined = Fields::of(&joined, &SHARED)?;
        let users = joined.with("users", Users::read)?.unwrap_or_default();
        let message = joined.with("message", |node| Said::fields(node, &users))?.unwrap_or_default();
        let mut http = own.with("http", |node| Stub::all(node, places))?.unwrap_or_default();
        if let Some(shared) = &shared {
            // What several conversations share, not each of them uses.
            let below = shared.with("http", |node| Stub::all(node, places))?.unwrap_or_default();
            http.extend(below.into_iter().map(|stub| Stub { needed: false, ..stub }));
        }
        let steps = own.must("steps", |node| list(node, |node| Step::read(node, &message, &users, places)))?;
        let settings =
            joined.node("app").cloned().unwrap_or_else(|| Rc::new(Node::branch(node.mark, Part::Map(Vec::new()))));
        let mut config = app(&settings).map_err(|fault| fault.under("app"))?;
        if settings.get("http").and_then(|http| http.value.get("allow")).is_none() {
            // Every place is open, so that a request nobody expected is seen as that.
            config.http.allow = open(http.iter().chain(steps.iter().flat_map(|step| &step.http)));
        }
        Ok(Self {
            name,
            place: places.of(node.mark),
            app: config,
            kv: joined.with("kv", |node| map(node, |_, node| rule::value(node)))?.unwrap_or_default(),
            clock: joined.with("clock", time::moment)?.unwrap_or_else(|| Timestamp::from_secs(BEGINNING)),
            seed: joined.read("seed")?.unwrap_or(0),
            http,
            longest: joined.read("longest")?,
            steps,
            kv_after: own.with("kv_after", |node| step::keys(node, places))?.unwrap_or_default(),
            skip: own.with("skip", fields::text)?,
            users,
        })
    }
}

/// What a conversation has, laid over what its file has.
fn joined(own: &Fields<'_>, shared: Option<&Fields<'_>>, node: &Node) -> Node {
    let join = |key: &str| -> Option<Entry> {
        let (above, below) = (own.entry(key), shared.and_then(|shared| shared.entry(key)));
        let entry = above.or(below)?;
        let value = match key {
            "app" | "message" => overlay(below.map(|entry| &entry.value), above.map(|entry| &entry.value), true),
            "users" | "kv" => overlay(below.map(|entry| &entry.value), above.map(|entry| &entry.value), false),
            _ => None,
        };
        Some(Entry { value: value.unwrap_or_else(|| Rc::clone(&entry.value)), ..entry.clone() })
    };
    let entries = SHARED.into_iter().filter(|key| *key != "http").filter_map(join).collect();
    Node::branch(node.mark, Part::Map(entries))
}

/// The app's settings. Which component it is, is said on the command line.
fn app(node: &Node) -> Result<AppConfig, Fault> {
    if !node.is_map() && !node.is_nothing() {
        return Err(expected("a map", node));
    }
    if let Some(entry) = node.get("component") {
        let fault = Fault::says("the app that is tested is named on the command line, not in its tests");
        return Err(fault.at(entry.mark).help("remove `component`"));
    }
    let mut entries: Vec<Entry> = node.entries().to_vec();
    let component = Rc::new(Node::scalar(node.mark, "app".to_owned(), false));
    entries.push(Entry { key: "component".to_owned(), mark: node.mark, value: component });
    AppConfig::deserialize(Reader::new(&Node::branch(node.mark, Part::Map(entries))))
}

/// An allow-list that opens every public place, and those that the answers name: they may be on this machine.
fn open<'a>(stubs: impl Iterator<Item = &'a Stub>) -> Vec<String> {
    let mut allow = ["https://*:*", "http://*:*"].map(str::to_owned).to_vec();
    for stub in stubs {
        let TextRule::Exactly(url) = &stub.request.url else { continue };
        let Some((scheme, rest)) = url.split_once("://") else { continue };
        let origin = format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap_or_default());
        if !allow.contains(&origin) && WebPolicy::parse(std::slice::from_ref(&origin)).is_ok() {
            allow.push(origin);
        }
    }
    allow
}
