//! What becomes of a message that the app sent.

use vumi_message::{DeliveryStatus, Payload};
use vumi_yaml::{Fault, Node};

use super::fields::{Fields, expected, text};
use super::said::object;

/// The reason of a nack when none is given.
const REASON: &str = "the network did not take it";

/// The words for events.
const WORDS: &str = "one of ack, nack, delivered, pending, failed";

/// An event as the test tells it.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) kind: HappenedKind,
    /// Which message it is about: counted from 1, or from the last one with -1.
    pub(crate) of: i64,
    pub(crate) transport_name: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) transport_metadata: Payload,
    pub(crate) helper_metadata: Payload,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HappenedKind {
    /// The network took it.
    Ack,
    /// It did not, for this reason.
    Nack(String),
    /// It reports.
    Report(DeliveryStatus),
}

impl Happened {
    /// A word, or a map.
    pub(crate) fn read(node: &Node) -> Result<Self, Fault> {
        let mut happened = Self {
            kind: HappenedKind::Ack,
            of: -1,
            transport_name: None,
            endpoint: None,
            transport_metadata: Payload::new(),
            helper_metadata: Payload::new(),
        };
        if !node.is_map() {
            happened.kind = kind(node)?;
            return Ok(happened);
        }
        let fields = Fields::of(
            node,
            &["kind", "of", "reason", "transport_name", "endpoint", "transport_metadata", "helper_metadata"],
        )?;
        happened.kind = fields.must("kind", kind)?;
        if let Some(reason) = fields.with("reason", text)? {
            let HappenedKind::Nack(given) = &mut happened.kind else {
                let place = fields.entry("reason").map_or(node.mark, |entry| entry.mark);
                return Err(Fault::says("only a `nack` has a `reason`").at(place));
            };
            *given = reason;
        }
        if let Some(of) = fields.read("of")? {
            if of == 0 {
                let place = fields.entry("of").map_or(node.mark, |entry| entry.value.mark);
                return Err(Fault::says("messages are counted from 1; -1 is the last one").at(place).under("of"));
            }
            happened.of = of;
        }
        happened.transport_name = fields.with("transport_name", text)?;
        happened.endpoint = fields.with("endpoint", text)?;
        happened.transport_metadata = fields.with("transport_metadata", object)?.unwrap_or_default();
        happened.helper_metadata = fields.with("helper_metadata", object)?.unwrap_or_default();
        Ok(happened)
    }

    /// In a word.
    pub(crate) fn word(&self) -> &str {
        match &self.kind {
            HappenedKind::Ack => "ack",
            HappenedKind::Nack(_) => "nack",
            HappenedKind::Report(status) => status.as_str(),
        }
    }
}

fn kind(node: &Node) -> Result<HappenedKind, Fault> {
    match text(node).map_err(|_| expected(WORDS, node))?.as_str() {
        "ack" => Ok(HappenedKind::Ack),
        "nack" => Ok(HappenedKind::Nack(REASON.to_owned())),
        word => word.parse().map(HappenedKind::Report).map_err(|_| expected(WORDS, node)),
    }
}
