//! Requests that say how far a message to a user has got.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use vumi_message::{DeliveryStatus, Event, Payload};

use super::condition::Condition;
use super::context::{Context, Wrong};
use super::page::Page;
use super::route::{Pointer, items};
use super::secrets::Named;
use super::source::Asked;
use super::value::Find;
use crate::http::{Answer, HttpLink, Refusal, Report, Request};

/// Requests that are delivery reports: those to `path` for which everything in `when` holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    /// The path, below `web_path`; `web_path` itself unless given.
    #[serde(default)]
    pub(super) path: String,
    /// What must hold for a request to be one of this route.
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    /// What must hold for a request of this route to be let in.
    #[serde(default)]
    pub(super) require: Vec<Condition>,
    /// Parameters that a request may have besides those that are read somewhere.
    #[serde(default)]
    pub(super) ignore: Vec<String>,
    /// A list in a body of JSON, each item of which is a report: a pointer to it.
    #[serde(default)]
    pub(super) each: Option<Pointer>,
    /// The network's id of the message, as `outbound.id` found it. This or `message_id` is required.
    #[serde(default)]
    pub(super) network_id: Option<Find>,
    /// Our own id of the message, where the network gives back the `message_id` that it was sent.
    #[serde(default)]
    pub(super) message_id: Option<Find>,
    /// How far the message has got: a value whose `map` (and `default`) leads to `pending`, `failed` or `delivered`. A
    /// report with any other word is answered, logged and dropped.
    pub(super) status: Find,
    /// The `transport_metadata` of the event.
    #[serde(default)]
    pub(super) transport_metadata: BTreeMap<String, Find>,
    /// What the request is answered; an empty 200 unless given.
    #[serde(default)]
    pub(super) answer: Page,
}

/// Which message a report is about.
enum Whose {
    Network(Report),
    Own(Event),
}

impl Reports {
    /// Everything that reads a request of this route.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        let conditions = self.when.iter().chain(&self.require).map(|condition| &condition.of);
        let ids = self.network_id.iter().chain(&self.message_id);
        conditions.chain(ids).chain([&self.status]).chain(self.transport_metadata.values())
    }

    /// Takes a request that was let in.
    pub(super) async fn receive(
        &self,
        request: &Request,
        named: Named<'_>,
        link: &HttpLink,
    ) -> Result<Answer, Refusal> {
        let asked = Asked::new(request);
        let (mut reports, mut events) = (Vec::new(), Vec::new());
        for item in items(self.each.as_ref(), &asked)? {
            let asked = Asked::of(request, item);
            match self.read(&Context::of(named, &asked), link).map_err(|wrong| Refusal::bad(wrong.0))? {
                Some(Whose::Network(report)) => reports.push(report),
                Some(Whose::Own(event)) => events.push(event),
                None => {}
            }
        }
        // Before anything is published, so that whoever is refused may come again.
        let answer = Answer::Now(self.answer.answer(&Context::of(named, &asked), 200)?);
        link.report(reports).await?;
        for event in events {
            link.event(event).await?;
        }
        Ok(answer)
    }

    fn read(&self, context: &Context<'_>, link: &HttpLink) -> Result<Option<Whose>, Wrong> {
        let id = match self.network_id.as_ref().or(self.message_id.as_ref()) {
            Some(find) => find.find(context)?.filter(|id| !id.is_empty()),
            None => None,
        };
        let Some(id) = id else {
            let label = self.network_id.as_ref().or(self.message_id.as_ref()).map(Find::label).unwrap_or_default();
            return Err(Wrong(format!("missing: {label}")));
        };
        let Some(status) = self.status.find(context)?.and_then(|text| text.parse::<DeliveryStatus>().ok()) else {
            let id: String = id.chars().take(100).collect();
            tracing::warn!(transport = link.name(), id, "a delivery report has a status that `map` does not know");
            return Ok(None);
        };
        let mut metadata = Payload::new();
        for (name, find) in &self.transport_metadata {
            if let Some(text) = find.find(context)? {
                metadata.insert(name.clone(), text.into());
            }
        }
        Ok(Some(match self.network_id {
            Some(_) => Whose::Network(Report { remote_id: id, status, metadata }),
            None => Whose::Own(Event::delivery_report(id.as_str(), status).with_transport(link.name(), metadata)),
        }))
    }
}
