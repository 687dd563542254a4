//! SMSSync with any number of accounts: the last part of the path that a phone calls is its account.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{RedisManager, Result, Secret, Sent};
use vumi_message::{FailureCode, Payload, UserMessage};

use super::queue::{self, Turns};
use super::{Account, bare, half_a_second, receive, reply_delay};
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Refusal, Request, RpcKeys, outcome};

/// SMSSync: Android phones as gateways, each with an account, `<web_path>/<account>/`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultiSmsSync {
    /// Where messages wait for the phones; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// Seconds that a phone waits for its answer, so that the app's reply can go along with it; 0.5 unless given.
    #[serde(deserialize_with = "reply_delay")]
    #[schemars(range(min = 0, max = 60))]
    pub reply_delay: f64,
    /// Of each account, the country code of numbers that are written without one, e.g. `+27`.
    pub country_codes: BTreeMap<String, String>,
    /// No account has one.
    #[serde(skip)]
    pub(super) secret: Secret,
    /// Whose turn it is.
    #[serde(skip)]
    pub(super) turns: Turns,
}

impl Default for MultiSmsSync {
    fn default() -> Self {
        Self {
            redis_manager: RedisManager::default(),
            reply_delay: half_a_second(),
            country_codes: BTreeMap::new(),
            secret: Secret::default(),
            turns: Turns::default(),
        }
    }
}

#[async_trait]
impl Aggregator for MultiSmsSync {
    const CLASS: &'static str = "smssync-multi";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.smssync.MultiSmsSync", "vumi.transports.smssync.smssync.MultiSmsSync"];
    const EXAMPLE: &'static str = "\
class: smssync-multi
web_path: /smssync
web_port: 8080
country_codes: {phone-1: \"+27\", phone-2: \"+254\"}
";
    type Keys = RpcKeys;

    fn keeps(&self, _: &str) -> Keeps {
        Keeps::keys(&self.redis_manager, "")
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let account = account_id(request).map(|id| Account {
            country_code: self.country_codes.get(&id).map(|code| bare(code)).unwrap_or_default(),
            metadata: Payload::from_iter([("account_id".to_owned(), id.clone().into())]),
            secret: &self.secret,
            id,
        });
        receive(account, self.reply_delay, &self.turns, request, link).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        match message.transport_metadata().get("account_id").and_then(|id| id.as_str()) {
            Some(account) => queue::push(account, message, link).await,
            None => {
                let reason = "SmsSyncTransport couldn't determine secret for outbound message.";
                Ok(outcome::failed_and_refused(FailureCode::Permanent, reason, Some(message)))
            }
        }
    }
}

/// The last part of the path, be it one of `web_path` itself.
fn account_id(request: &Request) -> Option<String> {
    let below = request.rest.iter().rfind(|part| !part.is_empty()).cloned();
    below.or_else(|| request.path.rsplit('/').find(|part| !part.is_empty()).map(str::to_owned))
}
