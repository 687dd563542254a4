//! WhatsApp by Meta's Cloud API ("WhatsApp Business Platform: Cloud API" in Meta's documentation).
//!
//! Messages come by webhook, several to a post; Meta posts again until it gets a 200, and a message's id tells that it
//! was here before. Replies go to the Graph API. How far they got comes by webhook too: a first report says that Meta
//! sent the message on (`pending`), a second one that it arrived (`delivered`) or never will (`failed`). Meta leaves out
//! `delivered` where the user reads at once, so `read` counts as that, and is not reported where it is no news.
//!
//! A user is known by the phone number, or, where the user hides that behind a name, by an id like `US.1349…`; replies
//! go to either.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json as object};
use vumi_core::{RedisManager, Result, Secret, Sent};
use vumi_message::{DeliveryStatus, NewUserMessage, Payload, Timestamp, UserMessage, derived_id};

use super::meta::{self, Account, Turns};
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, Site, json, outcome};

/// WhatsApp (Meta's Cloud API).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatsappCloud {
    /// The id of the business phone number, as Meta's dashboard shows it (not the number itself).
    pub phone_number_id: String,
    /// The access token for sending; a permanent one of a system user, since others end after hours.
    #[schemars(with = "String")]
    pub access_token: Secret,
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
    /// Hours in which a report about a message is still recognised; 168 unless given.
    #[serde(default = "meta::report_hours", deserialize_with = "meta::hours")]
    #[schemars(range(min = 1))]
    pub report_hours: u32,
    #[serde(skip)]
    #[schemars(skip)]
    turns: Turns,
}

#[async_trait]
impl Aggregator for WhatsappCloud {
    const CLASS: &'static str = "whatsapp-cloud";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: whatsapp-cloud
web_path: /whatsapp
web_port: 8080
phone_number_id: \"106540352242922\"
access_token: EAAG-from-meta
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
        Keeps::keys(&RedisManager::default(), format!("whatsapp-cloud:{name}"))
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        if request.method != Method::POST {
            return self.account().handshake(request);
        }
        let posted = self.account().signed(request, "whatsapp_business_account")?;
        let changes = json::list(&posted, "/entry").iter().flat_map(|entry| json::list(entry, "/changes"));
        for value in changes.filter_map(|change| change.get("value")) {
            if json::text(value, "/metadata/phone_number_id") != Some(&self.phone_number_id) {
                tracing::info!(transport = link.name(), "a post was skipped: it is not about phone_number_id");
                continue;
            }
            for message in json::list(value, "/messages") {
                self.message(request, link, value, message).await?;
            }
            for status in json::list(value, "/statuses") {
                self.status(link, status).await?;
            }
            for error in json::list(value, "/errors") {
                let (code, title) = (json::whole(error, "/code"), json::text(error, "/title"));
                tracing::warn!(transport = link.name(), ?code, ?title, "WhatsApp reports an error");
            }
        }
        Ok(Answer::Now(Reply::ok("")))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = outcome::missing(message, &["to_addr", "content"]) {
            return Ok(missing);
        }
        let to_addr = message.to_addr().unwrap_or_default();
        let number = to_addr.strip_prefix('+').unwrap_or(to_addr);
        let (key, to) = if is_number(number) { ("to", number) } else { ("recipient", to_addr) };
        let body = object!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            key: to,
            "type": "text",
            "text": { "preview_url": false, "body": message.content() },
        });
        match self.account().send(link, &body, "/messages/0/id").await? {
            Ok(wamid) => {
                link.remember(&wamid, message.message_id(), self.known_for()).await;
                Ok(outcome::accepted_as(wamid))
            }
            Err(sent) => Ok(sent),
        }
    }
}

impl WhatsappCloud {
    fn account(&self) -> Account<'_> {
        Account {
            id_key: "phone_number_id",
            id: &self.phone_number_id,
            token_key: "access_token",
            access_token: &self.access_token,
            app_secret: &self.app_secret,
            verify_token: &self.verify_token,
            api_url: &self.api_url,
            api_version: &self.api_version,
        }
    }

    fn known_for(&self) -> Duration {
        Duration::from_secs(u64::from(self.report_hours) * 3600)
    }

    /// A message from a user, if it has a text.
    async fn message(&self, request: &Request, link: &HttpLink, value: &Value, message: &Value) -> Result<(), Refusal> {
        let (transport, kind) = (link.name(), json::text(message, "/type").unwrap_or("unknown"));
        let from = json::text(message, "/from").or_else(|| json::text(message, "/from_user_id"));
        let (Some(wamid), Some(from)) = (json::text(message, "/id"), from) else {
            tracing::warn!(transport, kind, "a message was skipped: it has no id or no sender");
            return Ok(());
        };
        let Some((content, title)) = content(message) else {
            tracing::info!(transport, wamid, kind, "a message was skipped: it has no text");
            return Ok(());
        };
        let mut metadata = Payload::new();
        let name = json::text(value, "/contacts/0/profile/name");
        for (key, given) in [("id", Some(wamid)), ("type", Some(kind)), ("title", title), ("name", name)] {
            metadata.extend(given.map(|given| (key.to_owned(), given.into())));
        }
        let of_number = |number: &str| if is_number(number) { format!("+{number}") } else { number.to_owned() };
        let number = json::text(value, "/metadata/display_phone_number").unwrap_or(&self.phone_number_id);
        let number: String = number.chars().filter(char::is_ascii_digit).collect();
        let new = NewUserMessage {
            message_id: Some(derived_id(wamid, transport, 0)),
            from_addr: Some(of_number(from)),
            from_addr_type: is_number(from).then(|| "msisdn".to_owned()),
            to_addr: Some(of_number(&number)),
            content: Some(content.to_owned()),
            timestamp: json::whole(message, "/timestamp").map(Timestamp::from_secs),
            transport_type: Some("whatsapp".to_owned()),
            transport_metadata: about(metadata),
            ..NewUserMessage::default()
        };
        link.publish_once(wamid, request, new).await.map(drop)
    }

    /// News of a message that went out.
    async fn status(&self, link: &HttpLink, status: &Value) -> Result<(), Refusal> {
        let word = json::text(status, "/status").unwrap_or_default();
        let delivery = match word {
            "sent" => DeliveryStatus::Pending,
            "delivered" | "read" => DeliveryStatus::Delivered,
            "failed" => DeliveryStatus::Failed,
            _ => {
                tracing::info!(transport = link.name(), word, "a status was skipped: it says nothing of delivery");
                return Ok(());
            }
        };
        let Some(wamid) = json::text(status, "/id") else {
            tracing::warn!(transport = link.name(), "a status was skipped: it has no id");
            return Ok(());
        };
        let message_id = link.recall(wamid).await?;
        // They come more than once and in any order: nothing follows on `delivered` or `failed`.
        let _turn = self.turns.of(wamid).await;
        let (kv, key) = (&link.keys().kv, format!("reported:{wamid}"));
        let before = kv.get(&key).await?;
        let over = before.as_deref().is_some_and(|before| before != DeliveryStatus::Pending.as_str());
        if over || before.as_deref() == Some(delivery.as_str()) {
            return Ok(());
        }
        if message_id.is_none() {
            tracing::warn!(transport = link.name(), wamid, "a status is about a message that is not known");
        }
        let mut metadata = Payload::from_iter([("id".to_owned(), wamid.into()), ("status".to_owned(), word.into())]);
        metadata.extend(status.get("errors").map(|errors| ("errors".to_owned(), errors.clone())));
        meta::report(link, message_id.as_deref(), delivery, about(metadata)).await?;
        if let Err(error) = kv.set(&key, delivery.as_str(), Some(self.known_for())).await {
            tracing::warn!(transport = link.name(), "a status was not remembered: {}", error.report());
        }
        Ok(())
    }
}

fn about(metadata: Payload) -> Payload {
    Payload::from_iter([("whatsapp".to_owned(), Value::Object(metadata))])
}

/// Whether an address is a phone number, without its plus.
fn is_number(address: &str) -> bool {
    !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a user says, and for buttons and lists what the user saw: the content is what the app gave to the choice.
fn content(message: &Value) -> Option<(&str, Option<&str>)> {
    let at = |place: &str| json::text(message, place);
    match at("/type")? {
        "text" => Some((at("/text/body")?, None)),
        "button" => Some((at("/button/payload").or_else(|| at("/button/text"))?, at("/button/text"))),
        "interactive" => match at("/interactive/type")? {
            "button_reply" => Some((at("/interactive/button_reply/id")?, at("/interactive/button_reply/title"))),
            "list_reply" => Some((at("/interactive/list_reply/id")?, at("/interactive/list_reply/title"))),
            "nfm_reply" => Some((at("/interactive/nfm_reply/response_json")?, at("/interactive/nfm_reply/body"))),
            _ => None,
        },
        kind @ ("image" | "video" | "document") => Some((at(&format!("/{kind}/caption"))?, None)),
        _ => None,
    }
}
