//! MXit: pages of its Mobi Portal for dialogues, its REST API for other messages (transport specification "mxit").
//!
//! The portal asks for a page by a request whose headers say who asks; the app's reply is shown as a page, with links
//! where it has the form of a menu (`page`). Who asks stands in headers (`person`). A message that is no reply goes to
//! the REST API, with a token that OAuth gives for a while.

mod page;
mod person;
mod unescape;

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use vumi_core::{Error, RedisManager, Result, Secret, Sent};
use vumi_message::{FailureCode, NewUserMessage, Payload, UserMessage};

use crate::base::values::{self, Positive};
use crate::http::form::unquote_plus;
use crate::http::outcome::{accepted, failed, missing, refused_bare};
use crate::http::{
    Aggregator, Answer, Answered, Call, Finish, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, Token, Tokens,
};

/// The key of the token.
const TOKEN: &str = "access_token";
/// Hundredths of a token's life for which it is used.
const TOKEN_USE: u64 = 95;

/// MXit: dialogues by pages of its Mobi Portal, other messages by its REST API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mxit {
    /// The id of the app at MXit.
    pub client_id: String,
    /// The secret of the app at MXit.
    #[schemars(with = "String")]
    pub client_secret: Secret,
    /// Where the token is kept; `{}` is the system's `kv`, where it is below the transport's name unless `key_prefix`
    /// says otherwise.
    pub redis_manager: RedisManager,
    /// Seconds that MXit may take to accept a message; 30 unless given.
    #[serde(default = "half_a_minute", deserialize_with = "timeout")]
    #[schemars(range(min = 1))]
    pub timeout: u64,
    /// Where MXit takes messages.
    #[serde(default = "api_send_url")]
    pub api_send_url: String,
    /// Where MXit gives tokens; `/token` is added.
    #[serde(default = "api_auth_url")]
    pub api_auth_url: String,
    /// What tokens are for.
    #[serde(default = "api_auth_scopes")]
    pub api_auth_scopes: Vec<String>,
    #[serde(skip)]
    #[schemars(skip)]
    tokens: Tokens,
}

#[async_trait]
impl Aggregator for Mxit {
    const CLASS: &'static str = "mxit";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.mxit.MxitTransport", "vumi.transports.mxit.mxit.MxitTransport"];
    const EXAMPLE: &'static str = "\
class: mxit
web_path: /mxit
web_port: 8080
client_id: my-app
client_secret: secret
redis_manager: {}
";
    const CONTENT_TYPE: &'static str = "text/html; charset=utf-8";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::bare(&self.redis_manager, name)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let contact = person::header(request, "X-Mxit-Contact")?;
        let Some(to_addr) = contact else {
            return Err(Refusal::new(Reply::status(400).body("Bad Request"), "it has no X-Mxit-Contact"));
        };
        let from_addr = person::header(request, "X-Mxit-USERID-R")?;
        let from_addr = from_addr.ok_or_else(|| Refusal::bad("Missing header: X-Mxit-USERID-R"))?;
        let content = match person::header(request, "X-Mxit-User-Input")?.filter(|input| !input.is_empty()) {
            Some(input) => {
                let input = String::from_utf8(unquote_plus(input.as_bytes()));
                Some(input.map_err(|_| Refusal::bad("X-Mxit-User-Input is not UTF-8"))?)
            }
            None => request.text("input")?,
        };
        let message = NewUserMessage {
            to_addr: Some(to_addr),
            from_addr: Some(from_addr),
            content,
            provider: Some("mxit".to_owned()),
            transport_type: Some("mxit".to_owned()),
            helper_metadata: Payload::from_iter([("mxit_info".to_owned(), person::info(request)?.into())]),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let Some(request_id) = message.in_reply_to() else { return self.push(message, link).await };
        if let Some(missing) = missing(message, &["in_reply_to"]) {
            return Ok(missing);
        }
        let page = page::write(message.content().unwrap_or_default());
        let finish = link.finish(request_id, Reply::ok(page)).await;
        if !matches!(finish, Finish::Written(_)) {
            let message_id = message.message_id();
            tracing::info!(transport = link.name(), message_id, "the user's request is not open any more: {finish:?}");
        }
        Ok(accepted(message))
    }
}

impl Mxit {
    /// A message that nobody waits for: by the REST API.
    async fn push(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let token = match self.tokens.get(link, TOKEN, self.ask_for_token(), read_token).await {
            Ok(token) => token,
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => return Ok(failed(FailureCode::Unspecified, error.report())),
        };
        let body = json!({
            "Body": message.content(),
            "ContainsMarkup": "true",
            "From": message.from_addr(),
            "To": message.to_addr(),
            "Spool": "true",
        });
        let call = Call::post(&self.api_send_url)
            .bearer(token.expose())
            .json(&body)
            .timeout(Duration::from_secs(self.timeout));
        let answered = link.client().send(call).await?;
        if answered.is_success() {
            return Ok(accepted(message));
        }
        if answered.status == 401 {
            // Taken back before its time. The next message gets a new one.
            self.tokens.forget(link, TOKEN, &token).await;
        }
        Ok(refused_bare(format!("Unexpected status code: {}", answered.status)))
    }

    fn ask_for_token(&self) -> Call {
        let scopes = self.api_auth_scopes.join(" ");
        Call::post(format!("{}/token", self.api_auth_url.trim_end_matches('/')))
            .basic(&self.client_id, self.client_secret.expose())
            .form(&[("grant_type", "client_credentials"), ("scope", &scopes)])
    }
}

/// The token in MXit's answer.
fn read_token(answered: &Answered) -> Result<Token> {
    let answer = answered.json().unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    if let Some(error) = text("error") {
        let description = text("error_description").unwrap_or_default();
        return Err(Error::permanent(format!("{error}: {description}.")));
    }
    let token = text("access_token").ok_or_else(|| {
        Error::permanent(format!("MXit answered the request for a token with status {} and none", answered.status))
    })?;
    Token::new(token, answer.get("expires_in"), TOKEN_USE)
}

fn api_send_url() -> String {
    "https://api.mxit.com/message/send/".to_owned()
}

fn api_auth_url() -> String {
    "https://auth.mxit.com".to_owned()
}

fn api_auth_scopes() -> Vec<String> {
    vec!["message/send".to_owned()]
}

fn half_a_minute() -> u64 {
    30
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given: Option<Positive<u64>> = values::optional_whole(deserializer)?;
    Ok(given.map_or_else(half_a_minute, |given| given.0))
}
