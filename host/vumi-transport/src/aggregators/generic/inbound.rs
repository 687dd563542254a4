//! Requests that are messages from users.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage, new_id};

use super::condition::Condition;
use super::context::{Context, Wrong};
use super::fields::{Fields, Found};
use super::page::{Answering, Page};
use super::route::{Pointer, items};
use super::secrets::Named;
use super::session::{Session, Step};
use super::source::Asked;
use super::value::Find;
use crate::http::{Answer, HttpLink, Refusal, Reply, Request};

/// Requests that are messages from users: those to `path` for which everything in `when` holds. Routes are tried in
/// their order, `inbound` before `delivery_reports`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    /// The path, below `web_path`; `web_path` itself unless given. It stands for everything below it as well.
    #[serde(default)]
    pub(super) path: String,
    /// What must hold for a request to be one of this route.
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    /// What must hold for a request of this route to be let in: shared secrets, signatures, words.
    #[serde(default)]
    pub(super) require: Vec<Condition>,
    /// Parameters that a request may have besides those that are read somewhere. With `validation_mode: strict` all
    /// others are refused.
    #[serde(default)]
    pub(super) ignore: Vec<String>,
    /// A list in a body of JSON, each item of which is a message: a pointer to it. Pointers in `message` and
    /// `network_id` lead into the item then.
    #[serde(default)]
    pub(super) each: Option<Pointer>,
    /// The fields of the message.
    pub(super) message: Fields,
    /// The network's id of the message: one that comes again within a day is answered, and not published again.
    #[serde(default)]
    pub(super) network_id: Option<Find>,
    /// The session that the message belongs to, which is remembered.
    #[serde(default)]
    pub(super) session: Option<Session>,
    /// What the request is answered; an empty 200 unless given. `hold` keeps it open for the app's reply, which is
    /// answered as `reply` says.
    #[serde(default)]
    pub(super) answer: Answering,
}

/// A message, ready to be published.
struct Ready {
    message: NewUserMessage,
    network_id: Option<String>,
    /// The session that it begins, with what that keeps.
    begins: Option<(String, Payload)>,
    /// The session that it ends.
    ends: Option<String>,
}

impl Inbound {
    /// Whether replies are the answers.
    pub(super) fn holds(&self) -> bool {
        matches!(self.answer, Answering::Hold(()))
    }

    /// What an answer at once is made of.
    pub(super) fn page(&self) -> Option<&Page> {
        match &self.answer {
            Answering::Now(page) => Some(page),
            Answering::Hold(()) => None,
        }
    }

    /// Everything that reads a request of this route.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        let conditions = self.when.iter().chain(&self.require).map(|condition| &condition.of);
        let session = self.session.iter().flat_map(Session::finds);
        conditions.chain(self.message.finds()).chain(&self.network_id).chain(session)
    }

    /// Takes a request that was let in.
    pub(super) async fn receive(
        &self,
        request: &Request,
        transport_type: &str,
        named: Named<'_>,
        link: &HttpLink,
        opened: impl Fn(&str),
    ) -> Result<Answer, Refusal> {
        let asked = Asked::new(request);
        let items = items(self.each.as_ref(), &asked)?;
        let mut ready = Vec::with_capacity(items.len());
        for item in items {
            match self.read(request, item, transport_type, named, link).await? {
                Ok(message) => ready.push(message),
                Err(reply) => return Ok(Answer::Now(reply)),
            }
        }
        // The first one has the request's own id, so that a held request is found by its reply.
        for (number, ready) in ready.iter_mut().enumerate() {
            ready.message.message_id = Some(if number == 0 { request.id.clone() } else { new_id() });
            ready.message.transport_name = Some(link.name().to_owned());
        }
        // Before anything is published, so that whoever is refused may come again.
        let context = Context::of(named, &asked);
        let answer = match &self.answer {
            Answering::Hold(()) => {
                if let Some(session) = &self.session {
                    opened(&session.id(&context)?);
                }
                Answer::Hold
            }
            Answering::Now(page) => {
                let first = ready.first().map(|ready| UserMessage::new(ready.message.clone()));
                let message = first.as_ref().map(UserMessage::payload);
                Answer::Now(page.answer(&Context { message, ..context }, 200)?)
            }
        };
        for ready in ready {
            ready.publish(request, link).await?;
        }
        Ok(answer)
    }

    /// One message of a request; or the answer to a request that is about a session that is not known.
    async fn read(
        &self,
        request: &Request,
        item: Option<&Value>,
        transport_type: &str,
        named: Named<'_>,
        link: &HttpLink,
    ) -> Result<Result<Ready, Reply>, Refusal> {
        let asked = Asked::of(request, item);
        let context = Context::of(named, &asked);
        let wrong = |wrong: Wrong| Refusal::bad(wrong.0);
        let mut found = Found::default();
        let (mut event, mut begins, mut ends) = (None, None, None);
        match &self.session {
            None => self.message.find(&context, &mut found, &[]).map_err(wrong)?,
            Some(session) => {
                let id = session.id(&context)?;
                let known = link.sessions().load(&id).await?;
                let step = session.step(!known.is_empty());
                match step {
                    Step::Start => {
                        let elsewhere: Vec<&str> = session.first.named().map(|(name, ..)| name).collect();
                        self.message.find(&context, &mut found, &elsewhere).map_err(wrong)?;
                        session.first.find(&context, &mut found, &[]).map_err(wrong)?;
                        (event, begins) = (Some(SessionEvent::New), Some(id));
                    }
                    _ if known.is_empty() => {
                        tracing::warn!(transport = link.name(), "a request is about a session that is not known");
                        let unknown = session.unknown.as_ref().map(|page| page.answer(&context, 400));
                        return Ok(Err(unknown.transpose()?.unwrap_or_else(|| Reply::status(400))));
                    }
                    _ => {
                        let kept: Vec<&str> = session.keep.iter().map(String::as_str).collect();
                        self.message.find(&context, &mut found, &kept).map_err(wrong)?;
                        session.restore(&known, &mut found);
                        event = Some(SessionEvent::Resume);
                        if step == Step::End {
                            (event, ends) = (Some(SessionEvent::Close), Some(id));
                        }
                    }
                }
            }
        }
        let network_id = self.network_id.as_ref().map(|find| (find, find.find(&context)));
        let network_id = match network_id {
            Some((find, id)) => match id.map_err(wrong)?.filter(|id| !id.is_empty()) {
                Some(id) => Some(id),
                None => {
                    found.missing.push(find.label());
                    None
                }
            },
            None => None,
        };
        found.complete()?;
        let begins = self.session.as_ref().and_then(|session| Some((begins?, session.kept(&found))));
        let message = message(found, event, transport_type)?;
        Ok(Ok(Ready { message, network_id, begins, ends }))
    }
}

impl Ready {
    /// Publishes it. Its session is changed so that whoever sends the request again finds what they would have found.
    async fn publish(self, request: &Request, link: &HttpLink) -> Result<(), Refusal> {
        if let Some((session, kept)) = &self.begins {
            link.sessions().create(session, kept).await?;
        }
        let published = match &self.network_id {
            Some(id) => link.publish_once(id, request, self.message).await.map(drop),
            None => link.publish(request, self.message).await,
        };
        let ended = match (&published, &self.begins, &self.ends) {
            (Ok(()), _, Some(session)) | (Err(_), Some((session, _)), _) => Some(session),
            _ => None,
        };
        if let Some(session) = ended {
            link.sessions().clear(session).await?;
        }
        published
    }
}

fn message(found: Found, event: Option<SessionEvent>, transport_type: &str) -> Result<NewUserMessage, Refusal> {
    let Found { mut fields, metadata, .. } = found;
    let mut take = |name| fields.remove(name);
    let session_event = match take("session_event").filter(|text| !text.is_empty()) {
        Some(text) => {
            let event = text.parse::<SessionEvent>();
            Some(event.map_err(|_| Refusal::bad(format!("{text:?} is no step of a session")))?)
        }
        None => event,
    };
    Ok(NewUserMessage {
        from_addr: take("from_addr"),
        to_addr: take("to_addr"),
        content: take("content"),
        provider: take("provider"),
        group: take("group"),
        from_addr_type: take("from_addr_type"),
        to_addr_type: take("to_addr_type"),
        transport_type: Some(take("transport_type").unwrap_or_else(|| transport_type.to_owned())),
        session_event,
        transport_metadata: metadata,
        ..NewUserMessage::default()
    })
}
