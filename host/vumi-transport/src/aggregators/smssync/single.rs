//! SMSSync with one account: one phone, or several that share what is to be sent.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{RedisManager, Result, Secret, Sent};
use vumi_message::{Payload, UserMessage};

use super::queue::{self, Turns};
use super::{Account, bare, half_a_second, receive, reply_delay};
use crate::base::values;
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Refusal, Request, RpcKeys};

/// SMSSync: an Android phone as a gateway.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SingleSmsSync {
    /// Where messages wait for the phone; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// Seconds that the phone waits for its answer, so that the app's reply can go along with it; 0.5 unless given.
    #[serde(deserialize_with = "reply_delay")]
    #[schemars(range(min = 0, max = 60))]
    pub reply_delay: f64,
    /// The secret that is set in the app on the phone. Without one, anybody may hand over messages. SMSSync does not ask
    /// for it when the phone fetches what it is to send: only `web_username` and `web_password` protect that.
    #[schemars(with = "String")]
    pub smssync_secret: Secret,
    /// The account's id; the secret unless given. Transports with the same account and the same `redis_manager` have one
    /// queue.
    pub account_id: Option<String>,
    /// The country code of numbers that are written without one, e.g. `+27`.
    #[serde(deserialize_with = "values::text")]
    pub country_code: String,
    /// Whose turn it is.
    #[serde(skip)]
    pub(super) turns: Turns,
}

impl Default for SingleSmsSync {
    fn default() -> Self {
        Self {
            redis_manager: RedisManager::default(),
            reply_delay: half_a_second(),
            smssync_secret: Secret::default(),
            account_id: None,
            country_code: String::new(),
            turns: Turns::default(),
        }
    }
}

#[async_trait]
impl Aggregator for SingleSmsSync {
    const CLASS: &'static str = "smssync-single";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.smssync.SingleSmsSync", "vumi.transports.smssync.smssync.SingleSmsSync"];
    const EXAMPLE: &'static str = "\
class: smssync-single
web_path: /smssync
web_port: 8080
smssync_secret: secret
account_id: phone-1
country_code: \"+27\"
";
    type Keys = RpcKeys;

    fn keeps(&self, _: &str) -> Keeps {
        Keeps::keys(&self.redis_manager, "")
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let account = Account {
            id: self.account_id().to_owned(),
            secret: &self.smssync_secret,
            country_code: bare(&self.country_code),
            metadata: Payload::new(),
        };
        receive(Some(account), self.reply_delay, &self.turns, request, link).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        queue::push(self.account_id(), message, link).await
    }
}

impl SingleSmsSync {
    fn account_id(&self) -> &str {
        self.account_id.as_deref().unwrap_or(self.smssync_secret.expose())
    }
}
