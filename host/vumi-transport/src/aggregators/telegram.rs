//! Telegram bots by the Bot API (<https://core.telegram.org/bots/api>).
//!
//! Updates come by webhook, with a secret in a header; Telegram sends one again until it gets a 200, and its number
//! tells that it was here before. Replies go out as `sendMessage`. In a group, the group's chat is the message's `group`
//! and its sender the user; a reply goes to the group and names the message that it answers.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json as object};
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{NewUserMessage, Payload, Status, StatusLevel, Timestamp, UserMessage, derived_id};

use crate::http::keys::ServerKeys;
use crate::http::{
    Aggregator, Answer, Call, HttpLink, Refusal, Reply, Request, RpcKeys, Site, check_url, json, outcome,
};

/// The updates that are of use here.
const UPDATES: [&str; 2] = ["message", "callback_query"];

/// A Telegram bot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    /// The bot's token, as BotFather gave it: `<number>:<letters>`.
    #[schemars(with = "String")]
    pub bot_token: Secret,
    /// What Telegram must send along in the header `X-Telegram-Bot-Api-Secret-Token`: 1 to 256 letters, digits, `_` and
    /// `-`, chosen by you.
    #[schemars(with = "String")]
    pub secret_token: Secret,
    /// The address under which Telegram reaches `web_path` from outside, with https. If it is given, Telegram is told so
    /// at each start; otherwise set the webhook yourself.
    #[serde(default)]
    pub webhook_url: Option<String>,
    /// The address that messages are for, e.g. `@shop_bot`; the bot's number unless given.
    #[serde(default)]
    pub to_addr: Option<String>,
    /// Where the Bot API is; `https://api.telegram.org` unless given.
    #[serde(default = "api_url")]
    pub api_url: String,
}

fn api_url() -> String {
    "https://api.telegram.org".to_owned()
}

#[async_trait]
impl Aggregator for Telegram {
    const CLASS: &'static str = "telegram";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: telegram
web_path: /telegram
web_port: 8080
bot_token: 123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11
secret_token: chosen-by-you
webhook_url: https://bot.example.com/telegram
outbound_per_second: 25
";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        let fits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let token = self.bot_token.expose().split_once(':');
        if !token.is_some_and(|(id, rest)| id.parse::<u64>().is_ok() && !rest.is_empty() && fits(rest)) {
            return Err(Error::permanent("bot_token: it must look like <number>:<letters>, as BotFather gave it"));
        }
        let secret = self.secret_token.expose();
        if !(1..=256).contains(&secret.len()) || !fits(secret) {
            return Err(Error::permanent("secret_token: it must be 1 to 256 letters, digits, `_` and `-`"));
        }
        if let Some(url) = &self.webhook_url
            && !url.starts_with("https://")
        {
            return Err(Error::permanent("webhook_url: it must begin with https://, Telegram takes nothing else"));
        }
        check_url("api_url", &self.api_url)
    }

    async fn start(&self, link: &HttpLink) -> Result<()> {
        let Some(url) = &self.webhook_url else { return Ok(()) };
        let body = object!({ "url": url, "secret_token": self.secret_token.expose(), "allowed_updates": UPDATES });
        match self.call(link, "setWebhook", &body).await? {
            Ok(_) => Ok(()),
            Err(refusal) => Err(Error::temporary(format!("Telegram did not take the webhook_url: {}", refusal.why))),
        }
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let given = request.headers.get("x-telegram-bot-api-secret-token");
        if !given.is_some_and(|given| self.secret_token.matches(given.as_bytes())) {
            return Err(Refusal::new(Reply::status(403).body("Forbidden"), "it came without the secret_token"));
        }
        let update = request.json()?;
        let Some(number) = json::whole(&update, "/update_id") else {
            return Err(Refusal::bad("The update has no update_id"));
        };
        let Some(message) = self.message(link, number, &update) else {
            tracing::info!(transport = link.name(), number, "an update was skipped: it is no message with a text");
            return Ok(Answer::Now(Reply::ok("")));
        };
        link.publish_once(&number.to_string(), request, message).await?;
        // Until it is answered, the button that was pressed shows that it is busy.
        let answer = json::text(&update, "/callback_query/id")
            .map(|id| Reply::json(&object!({ "method": "answerCallbackQuery", "callback_query_id": id })));
        Ok(Answer::Now(answer.map_or_else(|| Reply::ok(""), |answer| answer.content_type("application/json"))))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let group = message.group().filter(|group| !group.is_empty());
        let needed: &[&str] = if group.is_some() { &["content"] } else { &["to_addr", "content"] };
        if let Some(missing) = outcome::missing(message, needed) {
            return Ok(missing);
        }
        let chat = group.or(message.to_addr()).unwrap_or_default();
        let chat = chat.parse::<i64>().map_or_else(|_| Value::from(chat), Value::from);
        let mut body = object!({ "chat_id": chat, "text": message.content() });
        let answered = message.transport_metadata().get("telegram").and_then(|own| own.get("message_id"));
        if let (Some(_), Some(_), Some(id), Some(body)) = (group, message.in_reply_to(), answered, body.as_object_mut())
        {
            let reply = object!({ "message_id": id, "allow_sending_without_reply": true });
            body.insert("reply_parameters".to_owned(), reply);
        }
        let refusal = match self.call(link, "sendMessage", &body).await? {
            Ok(result) => {
                link.status(Status::new("outbound", StatusLevel::Ok, "accepted", "Telegram takes messages.")).await;
                // Numbers of messages begin again in each chat.
                return match json::whole(&result, "/message_id") {
                    Some(id) => Ok(outcome::accepted_as(id.to_string())),
                    None => Err(Error::permanent("Telegram took the message, but its answer does not give its number")),
                };
            }
            Err(refusal) => refusal,
        };
        let busy = format!("Telegram cannot take the message now: {}", refusal.why);
        match refusal.status {
            401 | 404 => {
                let text = "Telegram does not know the bot: look at bot_token and api_url.";
                link.status(Status::new("outbound", StatusLevel::Down, "bad_token", text)).await;
                Err(Error::temporary(format!("{text} It says: {}", refusal.why)))
            }
            429 => Err(Error::after(refusal.after.unwrap_or(Duration::from_secs(1)), busy)),
            500.. => Err(Error::temporary(busy)),
            _ => Ok(outcome::refused_bare(refusal.why)),
        }
    }
}

/// Why Telegram refuses a call.
struct Refused {
    status: u16,
    why: String,
    /// When to try again.
    after: Option<Duration>,
}

impl Telegram {
    /// Calls a method: its result, or why it was refused.
    async fn call(&self, link: &HttpLink, method: &str, body: &Value) -> Result<Result<Value, Refused>> {
        let url = format!("{}/bot{}/{method}", self.api_url.trim_end_matches('/'), self.bot_token.expose());
        let answered = link.client().send(Call::post(url).json(body)).await?;
        let mut answer = answered.json().unwrap_or_default();
        if answered.is_success() {
            return match answer.get_mut("result").map(Value::take) {
                Some(result) if answer.get("ok") == Some(&Value::Bool(true)) => Ok(Ok(result)),
                _ => Err(Error::permanent(format!("Telegram's answer to {method} is not understood"))),
            };
        }
        let seconds = json::whole(&answer, "/parameters/retry_after").and_then(|seconds| u64::try_from(seconds).ok());
        let why = match json::text(&answer, "/description") {
            Some(text) => text.chars().take(300).collect(),
            None => format!("HTTP status {}", answered.status),
        };
        Ok(Err(Refused { status: answered.status, why, after: seconds.map(Duration::from_secs) }))
    }

    /// The message that an update is, if it is one with a text. Edited messages are other updates and no news here.
    fn message(&self, link: &HttpLink, number: i64, update: &Value) -> Option<NewUserMessage> {
        let (user, message, content) = if let Some(query) = update.get("callback_query") {
            (query.get("from")?, query.get("message"), json::text(query, "/data")?)
        } else {
            let message = update.get("message")?;
            let content = json::text(message, "/text").or_else(|| json::text(message, "/caption"))?;
            (message.get("from")?, Some(message), content)
        };
        let nothing = Value::Null;
        let message = message.unwrap_or(&nothing);
        let (from, chat) = (json::whole(user, "/id")?, json::whole(message, "/chat/id"));
        let kind = json::text(message, "/chat/type").unwrap_or("private");
        let mut metadata = Payload::new();
        let (query, username) = (json::text(update, "/callback_query/id"), json::text(user, "/username"));
        metadata.extend(json::whole(message, "/message_id").map(|id| ("message_id".to_owned(), id.into())));
        for (key, given) in [
            ("chat_type", Some(kind)),
            ("username", username),
            ("first_name", json::text(user, "/first_name")),
            ("language_code", json::text(user, "/language_code")),
            ("callback_query_id", query),
        ] {
            metadata.extend(given.map(|given| (key.to_owned(), given.into())));
        }
        let bot = self.bot_token.expose().split_once(':').map(|(id, _)| id.to_owned());
        // Numbers of updates begin somewhere else after a quiet week; these ids never come again.
        let own = match (query, chat, json::whole(message, "/message_id")) {
            (Some(query), _, _) => format!("query:{query}"),
            (None, Some(chat), Some(id)) => format!("message:{chat}:{id}"),
            _ => format!("update:{number}"),
        };
        Some(NewUserMessage {
            message_id: Some(derived_id(&own, link.name(), 0)),
            from_addr: Some(from.to_string()),
            to_addr: self.to_addr.clone().or(bot),
            group: chat.filter(|_| kind != "private").map(|chat| chat.to_string()),
            content: Some(content.to_owned()),
            // A button that is pressed has no date of its own.
            timestamp: json::whole(update, "/message/date").map(Timestamp::from_secs),
            transport_type: Some("telegram".to_owned()),
            transport_metadata: Payload::from_iter([("telegram".to_owned(), Value::Object(metadata))]),
            ..NewUserMessage::default()
        })
    }
}
