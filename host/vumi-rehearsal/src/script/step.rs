//! A step of a conversation: what happens, and what is expected of the app then.

use vumi_core::{LogLevel, Outcome};
use vumi_yaml::{Fault, Node, Value};

use super::error::Place;
use super::event::Happened;
use super::expect::ExpectedMessage;
use super::fields::{Fields, expected, list, map, text};
use super::places::Places;
use super::rule::{TextRule, ValueRule};
use super::said::Said;
use super::stub::Stub;
use super::time::{Shift, shift};
use super::users::Users;

/// See the module's text.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) place: Place,
    pub(crate) shift: Option<Shift>,
    pub(crate) act: Option<Act>,
    pub(crate) http: Vec<Stub>,
    pub(crate) app: Option<Vec<ExpectedMessage>>,
    pub(crate) kv: Vec<KeyRule>,
    pub(crate) metrics: Vec<(String, Option<f64>)>,
    pub(crate) log: Vec<LogRule>,
    pub(crate) fails: Option<FailRule>,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A user sends a message.
    Says(Box<Said>),
    /// Something became of a message of the app.
    Event(Box<Happened>),
}

/// What a key is expected to hold.
#[derive(Clone, Debug)]
pub(crate) struct KeyRule {
    pub(crate) place: Place,
    /// The key; `None` stands for all that are not named.
    pub(crate) key: Option<String>,
    pub(crate) rule: ValueRule,
}

/// A line that is expected in the log.
#[derive(Clone, Debug)]
pub(crate) struct LogRule {
    pub(crate) text: TextRule,
    pub(crate) level: Option<LogLevel>,
}

/// How the app is expected to fail.
#[derive(Clone, Debug)]
pub(crate) struct FailRule {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) reason: TextRule,
}

/// The outcomes of a run that failed.
const OUTCOMES: [Outcome; 11] = [
    Outcome::HandlerError,
    Outcome::Trap,
    Outcome::StackOverflow,
    Outcome::CpuLimit,
    Outcome::Deadline,
    Outcome::MemoryLimit,
    Outcome::TableLimit,
    Outcome::HostCallLimit,
    Outcome::LogLimit,
    Outcome::TransferLimit,
    Outcome::Instantiate,
];

const LEVELS: [LogLevel; 5] = [LogLevel::Debug, LogLevel::Info, LogLevel::Warning, LogLevel::Error, LogLevel::Critical];

impl Step {
    /// Reads one. `message` has the fields that all messages of users begin with.
    pub(crate) fn read(node: &Node, message: &Said, users: &Users, places: &Places) -> Result<Self, Fault> {
        let fields =
            Fields::of(node, &["user", "from", "event", "clock", "app", "kv", "metrics", "log", "fails", "http"])?;
        let said = fields.with("user", |node| Said::read(node, users))?;
        let event = fields.with("event", Happened::read)?;
        let from = fields.with("from", text)?.map(|name| users.address(&name));
        let act = match (said, event) {
            (Some(_), Some(_)) => {
                return Err(Fault::says("`user` and `event` stand in one step")
                    .at(node.mark)
                    .help("make two steps of it"));
            }
            (Some(said), None) => {
                let said = Said { from: said.from.clone().or(from), ..said }.over(message);
                Some(Act::Says(Box::new(said)))
            }
            (None, Some(event)) => Some(Act::Event(Box::new(event))),
            (None, None) => None,
        };
        let step = Self {
            place: places.of(node.mark),
            shift: fields.with("clock", shift)?,
            act,
            http: fields.with("http", |node| Stub::all(node, places))?.unwrap_or_default(),
            app: fields.with("app", |node| ExpectedMessage::all(node, users, places))?,
            kv: fields.with("kv", |node| keys(node, places))?.unwrap_or_default(),
            metrics: fields.with("metrics", |node| map(node, |_, node| metric(node)))?.unwrap_or_default(),
            log: fields.with("log", log)?.unwrap_or_default(),
            fails: fields.with("fails", fails)?.flatten(),
        };
        if step.act.is_none() {
            for key in ["from", "app", "metrics", "log", "fails", "http"] {
                if let Some(entry) = fields.entry(key) {
                    let fault = Fault::says(format!("`{key}` stands in a step in which nothing happens"));
                    return Err(fault.at(entry.mark).help("add `user: …` or `event: …`"));
                }
            }
            if step.shift.is_none() && fields.entry("kv").is_none() {
                return Err(Fault::says("this step says nothing").at(node.mark).help("add `user: …` or `event: …`"));
            }
        }
        Ok(step)
    }
}

/// Keys of the app and what they hold.
pub(crate) fn keys(node: &Node, places: &Places) -> Result<Vec<KeyRule>, Fault> {
    let rules = map(node, |key, node| {
        let rule = ValueRule::read(node)?;
        if key == "*" && !matches!(rule, ValueRule::Absent) {
            return Err(Fault::says("`*` stands for all keys that are not named, and can only be null").at(node.mark));
        }
        Ok((places.of(node.mark), rule))
    })?;
    let rule =
        |(key, (place, rule)): (String, (Place, ValueRule))| KeyRule { place, key: (key != "*").then_some(key), rule };
    Ok(rules.into_iter().map(rule).collect())
}

fn metric(node: &Node) -> Result<Option<f64>, Fault> {
    if node.is_nothing() {
        return Ok(None);
    }
    let number = node.text().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    number.map(Some).ok_or_else(|| expected("a number, or null", node))
}

fn log(node: &Node) -> Result<Vec<LogRule>, Fault> {
    if matches!(node.value, Value::List(_)) { list(node, log_line) } else { Ok(vec![log_line(node)?]) }
}

fn log_line(node: &Node) -> Result<LogRule, Fault> {
    if !node.is_map() {
        return Ok(LogRule { text: TextRule::Contains(vec![text(node)?]), level: None });
    }
    let fields = Fields::of(node, &["contains", "matches", "level"])?;
    let level = fields.with("level", |node| {
        let word = text(node)?;
        let found = LEVELS.into_iter().find(|level| level.as_str() == word);
        found.ok_or_else(|| expected(&format!("one of {}", LEVELS.map(LogLevel::as_str).join(", ")), node))
    })?;
    Ok(LogRule { text: TextRule::of_keys(&fields)?.unwrap_or(TextRule::Any), level })
}

/// `true`, or a map; `false` expects nothing.
fn fails(node: &Node) -> Result<Option<FailRule>, Fault> {
    match node.text() {
        Some("true") => return Ok(Some(FailRule { outcome: None, reason: TextRule::Any })),
        Some("false") => return Ok(None),
        _ if !node.is_map() => return Err(expected("true, or a map", node)),
        _ => {}
    }
    let fields = Fields::of(node, &["outcome", "contains", "matches"])?;
    let outcome = fields.with("outcome", |node| {
        let word = text(node)?;
        let found = OUTCOMES.into_iter().find(|outcome| outcome.code() == word);
        found.ok_or_else(|| expected(&format!("one of {}", OUTCOMES.map(Outcome::code).join(", ")), node))
    })?;
    Ok(Some(FailRule { outcome, reason: TextRule::of_keys(&fields)?.unwrap_or(TextRule::Any) }))
}
