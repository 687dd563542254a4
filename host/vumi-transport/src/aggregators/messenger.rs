//! Facebook Messenger ("Messenger Platform" in Meta's documentation): a page's conversations.
//!
//! Events come by webhook, several to a post, each with an id by which it is recognised when Meta posts it again.
//! Replies go to the Send API. Later Meta says that all messages up to a moment have arrived or were read, and sometimes
//! names them as well; so each user's messages are kept in order until then, and `delivered` is reported once for each.

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json as object};
use vumi_core::{Change, Op, RedisManager, Result, Scores, Secret, Sent};
use vumi_message::{DeliveryStatus, NewUserMessage, Payload, Timestamp, UserMessage, derived_id};

use super::meta::{self, Account, Turns};
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, Site, json, outcome};

/// How many messages to one user may wait for their report.
const WAITING: u64 = 1000;

/// Facebook Messenger (Meta's Messenger Platform).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Messenger {
    /// The id of the page.
    pub page_id: String,
    /// The page's access token, for sending.
    #[schemars(with = "String")]
    pub page_access_token: Secret,
    /// The secret of the app at Meta, with which it signs what it posts.
    #[schemars(with = "String")]
    pub app_secret: Secret,
    /// The verify token that was entered at Meta beside the address of the webhook.
    #[schemars(with = "String")]
    pub verify_token: Secret,
    /// Where the Graph API is; `https://graph.facebook.com` unless given.
    #[serde(default = "meta::api_url")]
    pub api_url: String,
    /// The version of the Graph API; `v25.0` unless given.
    #[serde(default = "meta::api_version")]
    pub api_version: String,
    /// Hours in which a report about a message is still recognised, from the last message to its user on; 168 unless
    /// given.
    #[serde(default = "meta::report_hours", deserialize_with = "meta::hours")]
    #[schemars(range(min = 1))]
    pub report_hours: u32,
    #[serde(skip)]
    #[schemars(skip)]
    turns: Turns,
}

#[async_trait]
impl Aggregator for Messenger {
    const CLASS: &'static str = "messenger";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: messenger
web_path: /messenger
web_port: 8080
page_id: \"1906385232743451\"
page_access_token: EAAG-from-meta
app_secret: 1f0a-from-meta
verify_token: chosen-by-you
";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        meta::site(keys, interface)
    }

    fn check(&self) -> Result<()> {
        self.account().check()
    }

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::keys(&RedisManager::default(), format!("messenger:{name}"))
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        if request.method != Method::POST {
            return self.account().handshake(request);
        }
        let posted = self.account().signed(request, "page")?;
        for event in json::list(&posted, "/entry").iter().flat_map(|entry| json::list(entry, "/messaging")) {
            if event.pointer("/message/is_echo").is_some_and(|echo| *echo == true) {
                continue;
            }
            if json::text(event, "/recipient/id") == Some(&self.page_id) {
                self.event(request, link, event).await?;
            } else {
                tracing::info!(transport = link.name(), "an event was skipped: it is not for page_id");
            }
        }
        Ok(Answer::Now(Reply::ok("EVENT_RECEIVED")))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = outcome::missing(message, &["to_addr", "content"]) {
            return Ok(missing);
        }
        let to_addr = message.to_addr().unwrap_or_default();
        let body = object!({
            "recipient": { "id": to_addr },
            "messaging_type": if message.in_reply_to().is_some() { "RESPONSE" } else { "UPDATE" },
            "message": { "text": message.content() },
        });
        // Not the moment of the answer: Meta dates the message before that, and counts by its own date.
        let began = link.now();
        match self.account().send(link, &body, "/message_id").await? {
            Ok(mid) => {
                if let Err(error) = self.await_report(link, to_addr, &mid, message.message_id(), began).await {
                    let (transport, message_id) = (link.name(), message.message_id());
                    tracing::warn!(transport, message_id, "its delivery will not be reported: {}", error.report());
                }
                Ok(outcome::accepted_as(mid))
            }
            Err(sent) => Ok(sent),
        }
    }
}

impl Messenger {
    fn account(&self) -> Account<'_> {
        Account {
            id_key: "page_id",
            id: &self.page_id,
            token_key: "page_access_token",
            access_token: &self.page_access_token,
            app_secret: &self.app_secret,
            verify_token: &self.verify_token,
            api_url: &self.api_url,
            api_version: &self.api_version,
        }
    }

    /// One event of a conversation. Those of no use here are skipped.
    async fn event(&self, request: &Request, link: &HttpLink, event: &Value) -> Result<(), Refusal> {
        let Some(user) = json::text(event, "/sender/id") else {
            tracing::info!(transport = link.name(), "an event was skipped: its sender has no id");
            return Ok(());
        };
        if let Some(delivery) = event.get("delivery") {
            return self.arrived(link, user, delivery, "delivered").await;
        }
        if let Some(read) = event.get("read") {
            return self.arrived(link, user, read, "read").await;
        }
        let at = json::whole(event, "/timestamp");
        let Some(said) = Said::read(event) else {
            tracing::debug!(transport = link.name(), "an event was skipped: it has no text");
            return Ok(());
        };
        let id = said.mid.map_or_else(|| format!("{user}:{}:{}", at.unwrap_or_default(), said.kind), str::to_owned);
        let mut metadata = Payload::new();
        for (key, given) in [("mid", said.mid), ("type", Some(said.kind)), ("title", said.title)] {
            metadata.extend(given.map(|given| (key.to_owned(), given.into())));
        }
        let new = NewUserMessage {
            message_id: Some(derived_id(&id, link.name(), 0)),
            from_addr: Some(user.to_owned()),
            to_addr: Some(self.page_id.clone()),
            content: Some(said.content.to_owned()),
            timestamp: at.map(|millis| Timestamp::from_micros(millis.saturating_mul(1000))),
            transport_type: Some("messenger".to_owned()),
            transport_metadata: about(metadata),
            ..NewUserMessage::default()
        };
        link.publish_once(&id, request, new).await.map(drop)
    }

    /// Keeps a message in mind until its user has it.
    async fn await_report(
        &self,
        link: &HttpLink,
        user: &str,
        mid: &str,
        message_id: &str,
        began: Timestamp,
    ) -> Result<()> {
        let (key, member) = (sent_to(user), format!("{mid} {message_id}"));
        let ttl_ms = u64::from(self.report_hours) * 3_600_000;
        let change = Change::new()
            .then(Op::SortedAdd { key: key.clone(), member, score: millis(began.micros() / 1000) })
            .then(Op::Expire { key, ttl_ms });
        link.keys().collections.apply(change).await.map(drop)
    }

    /// All messages to a user up to a moment have arrived, and those that are named.
    async fn arrived(&self, link: &HttpLink, user: &str, what: &Value, word: &str) -> Result<(), Refusal> {
        let (key, collections) = (sent_to(user), &link.keys().collections);
        let until = json::whole(what, "/watermark").map_or(f64::MIN, millis);
        let _turn = self.turns.of(user).await;
        let named: Vec<&str> = json::list(what, "/mids").iter().filter_map(Value::as_str).collect();
        for (member, at) in collections.sorted(&key, Scores::default(), WAITING).await? {
            let (mid, message_id) = member.split_once(' ').unwrap_or((&member, ""));
            if at > until && !named.contains(&mid) {
                continue;
            }
            let metadata = Payload::from_iter([("mid".to_owned(), mid.into()), ("status".to_owned(), word.into())]);
            meta::report(link, Some(message_id), DeliveryStatus::Delivered, about(metadata)).await?;
            let change = Change::new().then(Op::SortedRemove { key: key.clone(), members: vec![member] });
            collections.apply(change).await?;
        }
        Ok(())
    }
}

fn sent_to(user: &str) -> String {
    format!("sent_to:{user}")
}

/// A moment as it is kept: milliseconds since 1970, which 64 bits hold exactly for ages.
#[allow(clippy::cast_precision_loss)]
fn millis(millis: i64) -> f64 {
    millis as f64
}

fn about(metadata: Payload) -> Payload {
    Payload::from_iter([("messenger".to_owned(), Value::Object(metadata))])
}

/// What a user said or pressed. For buttons the content is what the app gave to them, the title what the user saw.
struct Said<'a> {
    mid: Option<&'a str>,
    kind: &'static str,
    content: &'a str,
    title: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn read(event: &'a Value) -> Option<Self> {
        let at = |place: &str| json::text(event, place);
        if event.get("postback").is_some() {
            let (content, title) = (at("/postback/payload").or_else(|| at("/postback/title"))?, at("/postback/title"));
            return Some(Self { mid: at("/postback/mid"), kind: "postback", content, title });
        }
        let (mid, text) = (at("/message/mid"), at("/message/text"));
        match at("/message/quick_reply/payload") {
            Some(content) => Some(Self { mid, kind: "quick_reply", content, title: text }),
            None => Some(Self { mid, kind: "text", content: text?, title: None }),
        }
    }
}
