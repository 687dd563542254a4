//! What the networks of Meta share: WhatsApp's Cloud API and the Messenger Platform.
//!
//! Both tell what happens by webhook: Meta asks once, by GET, whether an address is the right one, and from then on posts
//! JSON that it signs with the app's secret. Both take messages at the Graph API, which says in codes of its own why it
//! refuses one. (Meta's documentation: "Graph API: Webhooks, Error handling", "WhatsApp: Error codes".)

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use serde::Deserializer;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{DeliveryStatus, Event, Payload, Status, StatusLevel, derived_id};

use crate::base::values::{Positive, optional_whole};
use crate::http::keys::ServerKeys;
use crate::http::signature::{Hash, unhex};
use crate::http::{Answer, Answered, Call, HttpLink, Refusal, Reply, Request, RpcKeys, Site, check_url, json, outcome};

/// Error codes of the moment: the service is down or busy, or a limit of messages per time was met.
const OF_THE_MOMENT: &[i64] =
    &[1, 2, 4, 17, 32, 341, 613, 80007, 130_429, 131_000, 131_016, 131_048, 131_056, 131_057, 133_004];

/// The error code of an access token that is not valid (any more).
const BAD_TOKEN: i64 = 190;

/// Characters of an error's text that are repeated.
const SHOWN: usize = 300;

/// Where the Graph API is, unless the configuration says otherwise.
pub(super) fn api_url() -> String {
    "https://graph.facebook.com".to_owned()
}

/// The version that is spoken, unless the configuration says otherwise. Meta keeps each for about two years.
pub(super) fn api_version() -> String {
    "v25.0".to_owned()
}

/// How long reports are recognised, unless the configuration says otherwise. Meta repeats a post for as long.
pub(super) fn report_hours() -> u32 {
    168
}

/// The configuration key `report_hours`.
///
/// # Errors
/// Those of the format, and one for less than an hour.
pub(super) fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let given: Option<Positive<u32>> = optional_whole(deserializer)?;
    Ok(given.map_or_else(report_hours, |given| given.0))
}

/// Where a webhook of Meta is served.
///
/// # Errors
/// One sentence for keys that make no sense.
pub(super) fn site(keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
    let mut site = keys.site(interface)?;
    site.methods = vec![Method::GET, Method::POST];
    Ok(site)
}

/// One number or page at Meta, as its transport's configuration has it.
pub(super) struct Account<'a> {
    /// The configuration key of the id.
    pub(super) id_key: &'static str,
    /// The id of the phone number or page.
    pub(super) id: &'a str,
    /// The configuration key of the access token.
    pub(super) token_key: &'static str,
    pub(super) access_token: &'a Secret,
    pub(super) app_secret: &'a Secret,
    pub(super) verify_token: &'a Secret,
    pub(super) api_url: &'a str,
    pub(super) api_version: &'a str,
}

impl Account<'_> {
    /// Looks for mistakes in the configuration.
    ///
    /// # Errors
    /// One sentence.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, why: &str| Err(Error::permanent(format!("{key}: {why}")));
        // Anybody can sign with an empty secret.
        for (key, secret) in
            [("app_secret", self.app_secret), ("verify_token", self.verify_token), (self.token_key, self.access_token)]
        {
            if secret.expose().is_empty() {
                return wrong(key, "it must not be empty");
            }
        }
        if self.id.is_empty() || !self.id.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong(self.id_key, "it must be the id that Meta shows, which is digits only");
        }
        let parts = self.api_version.strip_prefix('v').and_then(|version| version.split_once('.'));
        if !parts.is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok()) {
            return wrong("api_version", "it must be a version of the Graph API, e.g. v25.0");
        }
        check_url("api_url", self.api_url)
    }

    /// The answer to Meta's question whether this is the right address: what it wants to have repeated.
    ///
    /// # Errors
    /// 403 when it is not asked with the verify token.
    pub(super) fn handshake(&self, request: &Request) -> Result<Answer, Refusal> {
        let known = request.first("hub.verify_token").is_some_and(|given| self.verify_token.matches(given));
        match request.first("hub.challenge") {
            Some(challenge) if known && request.first("hub.mode") == Some(b"subscribe") => {
                Ok(Answer::Now(Reply::ok(challenge.to_vec())))
            }
            _ => Err(Refusal::new(Reply::status(403).body("Forbidden"), "no handshake with the right verify_token")),
        }
    }

    /// What Meta has posted about this kind of object.
    ///
    /// # Errors
    /// 403 without the signature of the app's secret, 400 for what is no JSON or about something else.
    pub(super) fn signed(&self, request: &Request, object: &str) -> Result<Value, Refusal> {
        let signature = request.header("x-hub-signature-256").and_then(|value| value.strip_prefix("sha256="));
        let signature = signature.and_then(unhex).unwrap_or_default();
        if !Hash::Sha256.verify(self.app_secret.expose().as_bytes(), &request.body, &signature) {
            return Err(Refusal::new(Reply::status(403).body("Forbidden"), "it is not signed with the app_secret"));
        }
        let posted = request.json()?;
        match json::text(&posted, "/object") {
            Some(given) if given == object => Ok(posted),
            _ => {
                Err(Refusal::bad(format!("The object is not {object}: another webhook of Meta comes to this address")))
            }
        }
    }

    /// Gives a message to the Graph API: the network's id, which stands in the answer at `id_at`; or what became of the
    /// message.
    ///
    /// # Errors
    /// Those of the moment, and an answer that is not understood.
    pub(super) async fn send(&self, link: &HttpLink, body: &Value, id_at: &str) -> Result<Result<String, Sent>> {
        let url = format!("{}/{}/{}/messages", self.api_url.trim_end_matches('/'), self.api_version, self.id);
        let call = Call::post(url).bearer(self.access_token.expose()).json(body);
        let answered = link.client().send(call).await?;
        let answer = answered.json().unwrap_or_default();
        if !answered.is_success() {
            return self.refused(link, &answered, &answer).await.map(Err);
        }
        link.status(Status::new("outbound", StatusLevel::Ok, "accepted", "Meta takes messages.")).await;
        let unnamed =
            || Error::permanent("Meta took the message, but its answer names no id: nothing more is known of it");
        json::text(&answer, id_at).map(|id| Ok(id.to_owned())).ok_or_else(unnamed)
    }

    /// What an answer without success means for the message.
    async fn refused(&self, link: &HttpLink, answered: &Answered, answer: &Value) -> Result<Sent> {
        let code = json::whole(answer, "/error/code").unwrap_or_default();
        let why = self.why(answered.status, answer);
        if answered.status == 401 || code == BAD_TOKEN {
            let text = format!("Meta does not accept the access token: renew {}.", self.token_key);
            link.status(Status::new("outbound", StatusLevel::Down, "bad_token", &text)).await;
            return Err(Error::temporary(format!("{text} It says: {why}")));
        }
        if answered.status == 429 || answered.status >= 500 || OF_THE_MOMENT.contains(&code) {
            let delay = answered.header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
            let text = format!("Meta cannot take the message now: {why}");
            return Err(match delay {
                Some(seconds) => Error::after(Duration::from_secs(seconds), text),
                None => Error::temporary(text),
            });
        }
        Ok(outcome::refused_bare(why))
    }

    /// An error in Meta's words, without the access token, which some of them repeat.
    fn why(&self, status: u16, answer: &Value) -> String {
        let Some(text) = json::text(answer, "/error/message") else { return format!("HTTP status {status}") };
        let mut why = text.to_owned();
        if let Some(details) = json::text(answer, "/error/error_data/details") {
            why = format!("{why}: {details}");
        }
        why.replace(self.access_token.expose(), "[secret]").chars().take(SHOWN).collect()
    }
}

/// Lets reports about the same message or user wait for each other: Meta tells `delivered` and `read` at the same moment,
/// in two posts. A field of the aggregator with `#[serde(skip)]` and `#[schemars(skip)]`; clones share the turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<[Mutex<()>; 32]>);

impl Turns {
    /// Waits for the turn of an id; others may have to wait with it.
    pub(super) async fn of(&self, id: &str) -> Option<MutexGuard<'_, ()>> {
        let sum = id.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        match self.0.get(sum % self.0.len()) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }
}

/// Publishes a delivery report. One that is published again has the same id.
///
/// # Errors
/// Those of the broker.
pub(super) async fn report(
    link: &HttpLink,
    message_id: Option<&str>,
    status: DeliveryStatus,
    metadata: Payload,
) -> Result<()> {
    let mut event = Event::delivery_report(message_id, status).with_transport(link.name(), metadata);
    if let Some(message_id) = message_id {
        // Those of a message's ack and nack have the numbers before.
        let number = match status {
            DeliveryStatus::Pending => 2,
            DeliveryStatus::Delivered => 3,
            DeliveryStatus::Failed => 4,
        };
        let named = event.set("event_id", derived_id(message_id, link.name(), number));
        named.map_err(|error| Error::permanent("a delivery report is not valid").because(error))?;
    }
    link.event(event).await
}
