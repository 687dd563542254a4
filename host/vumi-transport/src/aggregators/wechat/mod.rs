//! WeChat's official accounts (transport specification "wechat").
//!
//! WeChat posts what users write and do, and keeps the request open for a reply for five seconds; after that it tries
//! again, twice. A reply that comes in time is the answer to the request, and any later one is pushed.
//! - `inbound`: the documents that WeChat posts,
//! - `outbound`: what it is answered, and what is pushed,
//! - `conversation`: how the two belong together,
//! - `api`: the requests to WeChat: access token, push, profile, menu.

mod api;
mod conversation;
mod inbound;
mod outbound;

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use vumi_core::secret::same;
use vumi_core::{Error, RedisManager, Result, Secret, Sent};
use vumi_message::{FailureCode, Payload, SessionEvent, Status, StatusLevel, UserMessage};

use self::conversation::mask_key;
use self::inbound::Incoming;
use self::outbound::Outgoing;
use crate::base::values::{self, Positive, optional_whole};
use crate::http::signature::{hex, sha1};
use crate::http::{
    Aggregator, Answer, EndpointKeys, HttpLink, Keeps, Refusal, Reply, Request, Site, Tokens, check_url, outcome,
};

/// How long a request may wait for its reply. WeChat itself gives up long before; this is for connections that nobody
/// closes.
const REQUEST: Duration = Duration::from_secs(240);

/// WeChat official accounts, served at `/api/v1/wechat/` unless `web_path` is given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeChat {
    /// Where WeChat's API is; `https://api.wechat.com/cgi-bin/` unless given.
    #[serde(default = "api_url", deserialize_with = "api_url_given")]
    pub api_url: String,
    /// The token that was entered at WeChat beside the address, with which it signs its requests.
    #[schemars(with = "String")]
    pub auth_token: Secret,
    /// The account's app id.
    pub wechat_appid: String,
    /// The account's app secret.
    #[schemars(with = "String")]
    pub wechat_secret: Secret,
    /// Where the access token, masks and profiles are kept; the system's `kv` unless given. Transports of one account
    /// share what they keep by the same `key_prefix`.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// The account's menu, in WeChat's form, set at each start.
    #[serde(default)]
    pub wechat_menu: Option<Payload>,
    /// Seconds in which a user's messages go to the address of the menu item that was clicked last; 3600 unless given.
    #[serde(default = "hour", deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub wechat_mask_lifetime: u64,
    /// Whether each message from a user carries the user's profile. Must be given.
    #[serde(deserialize_with = "values::flag")]
    pub embed_user_profile: bool,
    /// The language of names of places in profiles; `en` unless given.
    #[serde(default = "english", deserialize_with = "language")]
    pub embed_user_profile_lang: String,
    /// Seconds in which a profile is not asked for again; 3600 unless given.
    #[serde(default = "hour", deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub embed_user_profile_lifetime: u64,
    /// Seconds in which a message that WeChat posts again is recognised; 3600 unless given.
    #[serde(default = "hour", deserialize_with = "seconds")]
    #[schemars(range(min = 1))]
    pub double_delivery_lifetime: u64,
    #[serde(skip)]
    #[schemars(skip)]
    tokens: Tokens,
}

fn api_url() -> String {
    "https://api.wechat.com/cgi-bin/".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

fn hour() -> u64 {
    3600
}

// Null counts as not set, as everywhere in Vumi.

fn api_url_given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(|given| given.unwrap_or_else(api_url))
}

fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(|given| given.unwrap_or_else(english))
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given: Option<Positive<u64>> = optional_whole(deserializer)?;
    Ok(given.map_or_else(hour, |given| given.0))
}

#[async_trait]
impl Aggregator for WeChat {
    const CLASS: &'static str = "wechat";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.wechat.WeChatTransport", "vumi.transports.wechat.wechat.WeChatTransport"];
    const EXAMPLE: &'static str = "\
class: wechat
twisted_endpoint: tcp:port=8080
auth_token: chosen-by-you
wechat_appid: wx0123456789abcdef
wechat_secret: secret
embed_user_profile: false
";
    type Keys = EndpointKeys;

    fn site(&self, keys: &EndpointKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site_at(interface, Some("/api/v1/wechat/"))?;
        site.methods = vec![Method::GET, Method::POST];
        site.timeout = Some(REQUEST);
        site.timeout_reply = Reply::ok("");
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        if self.auth_token.expose().is_empty() {
            return Err(Error::permanent("auth_token: it must not be empty, since anybody could sign then"));
        }
        check_url("api_url", &self.api_url)
    }

    fn keeps(&self, _: &str) -> Keeps {
        Keeps::keys(&self.redis_manager, "")
    }

    async fn start(&self, link: &HttpLink) -> Result<()> {
        if let Some(menu) = self.wechat_menu.clone() {
            let (own, link) = (self.clone(), link.clone());
            tokio::spawn(async move {
                if let Err(error) = own.create_menu(&link, Value::Object(menu)).await {
                    tracing::error!(transport = link.name(), "{}", error.report());
                }
            });
        }
        Ok(())
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let signed = self.is_signed(request);
        if request.method != Method::POST {
            let echo = || Answer::Now(Reply::ok(request.first("echostr").unwrap_or_default().to_vec()));
            let refusal = || Refusal::new(Reply::status(400), "wrong or missing signature");
            return signed.then(echo).ok_or_else(refusal);
        }
        let incoming =
            if signed { Incoming::read(&request.body) } else { Err(Refusal::bad("Bad request for incoming message")) };
        let status = |level, kind, text| Status::new("inbound", level, kind, text);
        match incoming {
            Ok(incoming) => {
                link.status(status(StatusLevel::Ok, "good_request", "Good request received")).await;
                match incoming {
                    Incoming::Text(text) => self.text(request, link, text).await,
                    Incoming::Event(event) => self.event(request, link, event).await,
                }
            }
            Err(refusal) => {
                link.status(status(StatusLevel::Down, "bad_request", "Bad request received")).await;
                Err(refusal)
            }
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let (Some(content), Some(to_addr)) = (message.content(), message.to_addr()) else {
            return Ok(outcome::failed(FailureCode::Unspecified, "a message to WeChat needs a content and a to_addr"));
        };
        let outgoing = Outgoing::of(content);
        let sent = match self.answer(message, to_addr, &outgoing, link).await {
            true => outcome::accepted(message),
            false => self.push(message, to_addr, &outgoing, link).await?,
        };
        if message.session_event() == Some(SessionEvent::Close)
            && let Err(error) = link.keys().kv.delete(&mask_key(to_addr)).await
        {
            tracing::warn!(transport = link.name(), "a mask was not cleared: {}", error.report());
        }
        Ok(sent)
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

impl WeChat {
    /// Whether a request has the signature of somebody who knows `auth_token`.
    fn is_signed(&self, request: &Request) -> bool {
        let (Some(timestamp), Some(nonce), Some(signature)) =
            (request.first("timestamp"), request.first("nonce"), request.first("signature"))
        else {
            return false;
        };
        let mut parts = [timestamp, nonce, self.auth_token.expose().as_bytes()];
        parts.sort_unstable();
        same(hex(&sha1(&parts.concat())).as_bytes(), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_counts_as_not_set() {
        let own: WeChat = serde_saphyr::from_str(concat!(
            "{auth_token: a, wechat_appid: b, wechat_secret: c, embed_user_profile: \"no\", api_url: null,",
            " embed_user_profile_lang: null, wechat_menu: null, wechat_mask_lifetime: null,",
            " double_delivery_lifetime: \"60\"}",
        ))
        .unwrap();
        assert_eq!((own.api_url, own.embed_user_profile_lang), (api_url(), english()));
        assert_eq!((own.wechat_mask_lifetime, own.double_delivery_lifetime), (3600, 60));
        assert!(own.embed_user_profile && own.wechat_menu.is_none());
    }
}
