//! Africa's Talking's SMS: short codes and sender names in many countries of Africa.
//!
//! The service posts each message to `web_path`, and what became of ours to `<web_path>/reports`; both are registered in
//! its dashboard as callback URLs. It does not sign them: let only its addresses through to the port, or give the path
//! a part that nobody guesses. Messages to users are requests of ours.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{DeliveryStatus, NewUserMessage, UserMessage};

use super::africastalking::{NAME, notes};
use crate::base::values;
use crate::http::keys::ServerKeys;
use crate::http::outcome::{accepted_as, missing, not_taken, refused_bare};
use crate::http::{
    Aggregator, Answer, Answered, Call, HttpLink, Refusal, Reply, Report, Request, RpcKeys, Site, check_url,
};

/// Africa's Talking SMS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AfricasTalkingSms {
    /// The name of the app at Africa's Talking; `sandbox` for its sandbox.
    pub username: String,
    /// The app's API key.
    #[schemars(with = "String")]
    pub api_key: Secret,
    /// The keyword of a premium service, sent with each message.
    #[serde(default)]
    pub keyword: Option<String>,
    /// Who pays for a message from a short code: true is the sender, false is the user. Not sent unless given.
    #[serde(default)]
    pub bulk_sms_mode: Option<bool>,
    /// Where the API is; `https://api.africastalking.com` unless given. The sandbox is at
    /// `https://api.sandbox.africastalking.com`.
    #[serde(default = "api_url")]
    pub api_url: String,
    /// Seconds in which the service may report about a message; 604800 (a week) unless given.
    #[serde(default = "values::week", deserialize_with = "values::id_lifetime")]
    #[schemars(range(min = 1))]
    pub message_id_lifetime: u64,
}

fn api_url() -> String {
    "https://api.africastalking.com".to_owned()
}

#[async_trait]
impl Aggregator for AfricasTalkingSms {
    const CLASS: &'static str = "africastalking-sms";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: africastalking-sms
web_path: /africastalking/4b825dc6
web_port: 8080
username: clinic
api_key: secret
";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        check_url("api_url", &self.api_url)?;
        if self.username.is_empty() || self.api_key.expose().is_empty() {
            return Err(Error::permanent("`username` and `api_key` must not be empty"));
        }
        Ok(())
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        match request.below().as_str() {
            "" => {
                let (id, message) = message(request)?;
                link.publish_once(&id, request, message).await?;
            }
            "reports" => link.report(vec![report(request)?]).await?,
            _ => return Err(Refusal::not_found()),
        }
        Ok(Answer::Now(Reply::ok("")))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = missing(message, &["to_addr", "content"]) {
            return Ok(missing);
        }
        let mut form = vec![
            ("username", self.username.as_str()),
            ("to", message.to_addr().unwrap_or_default()),
            ("message", message.content().unwrap_or_default()),
        ];
        let from = message.from_addr().filter(|from| !from.is_empty());
        form.extend(from.map(|from| ("from", from)));
        form.extend(self.keyword.as_deref().map(|keyword| ("keyword", keyword)));
        form.extend(self.bulk_sms_mode.map(|sender_pays| ("bulkSMSMode", if sender_pays { "1" } else { "0" })));
        form.extend(link_id(message).map(|id| ("linkId", id)));
        let url = format!("{}/version1/messaging", self.api_url.trim_end_matches('/'));
        let call = Call::post(url).secret_header("apikey", self.api_key.expose());
        let answered = link.client().send(call.header("accept", "application/json").form(&form)).await?;
        if !answered.is_success() {
            return not_taken("Africa's Talking", &answered, None);
        }
        let Some(taken) = outcome(&answered) else {
            return Err(link.client().unsure("Africa's Talking", &answered).into());
        };
        match taken {
            Outcome::Taken(id) => {
                link.remember(&id, message.message_id(), Duration::from_secs(self.message_id_lifetime)).await;
                Ok(accepted_as(id))
            }
            Outcome::Later(why) => Err(Error::temporary(format!("Africa's Talking could not send: {why}"))),
            Outcome::Refused(why) => Ok(refused_bare(why)),
        }
    }
}

/// What the service says about the one recipient of a message.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// It has the message, under this id.
    Taken(String),
    /// It has a fault of its own.
    Later(String),
    /// It does not send the message.
    Refused(String),
}

/// Reads `{"SMSMessageData": {"Message": "…", "Recipients": [{"statusCode": 101, "status": "Success", "messageId": "…"}]}}`.
/// `None` for what is something else.
fn outcome(answered: &Answered) -> Option<Outcome> {
    let json = answered.json()?;
    let data = json.get("SMSMessageData")?;
    let Some(recipient) = data.get("Recipients").and_then(|recipients| recipients.get(0)) else {
        // Without recipients the text says why there are none, e.g. `InvalidSenderId`.
        return Some(Outcome::Refused(data.get("Message")?.as_str()?.to_owned()));
    };
    let status = recipient.get("status").and_then(Value::as_str).unwrap_or("no status");
    let code = recipient.get("statusCode").and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let said = || code.map_or_else(|| status.to_owned(), |code| format!("{code}: {status}"));
    match code {
        Some(100..=102) => {}
        None if status == "Success" => {}
        Some(500 | 501) => return Some(Outcome::Later(said())),
        _ => return Some(Outcome::Refused(said())),
    }
    let id = recipient.get("messageId").and_then(Value::as_str).filter(|id| !id.is_empty() && *id != "None")?;
    Some(Outcome::Taken(id.to_owned()))
}

/// The `linkId` of the message that this one answers: premium services charge by it.
fn link_id(message: &UserMessage) -> Option<&str> {
    message.in_reply_to()?;
    message.transport_metadata().get(NAME)?.get("link_id")?.as_str()
}

/// A message from a user, with the service's id of it.
fn message(request: &Request) -> Result<(String, NewUserMessage), Refusal> {
    let mut fields = request.filled(&["id", "from", "to"])?;
    let mut take = |name| fields.remove(name).unwrap_or_default();
    let (id, from_addr, to_addr) = (take("id"), take("from"), take("to"));
    let Some(content) = request.text("text")? else {
        return Err(Refusal::json(&json!({ "missing_parameter": ["text"] })));
    };
    let names = [("id", "id"), ("linkId", "link_id"), ("date", "date"), ("networkCode", "network_code")];
    let message = NewUserMessage {
        from_addr: Some(from_addr),
        to_addr: Some(to_addr),
        content: Some(content),
        provider: Some(NAME.to_owned()),
        transport_type: Some("sms".to_owned()),
        transport_metadata: notes(request, &names)?,
        ..NewUserMessage::default()
    };
    Ok((id, message))
}

/// What became of a message of ours.
fn report(request: &Request) -> Result<Report, Refusal> {
    let mut fields = request.filled(&["id", "status"])?;
    let mut take = |name| fields.remove(name).unwrap_or_default();
    let (id, state) = (take("id"), take("status"));
    let status = match state.as_str() {
        "Sent" | "Submitted" | "Buffered" | "Queued" => DeliveryStatus::Pending,
        "Success" => DeliveryStatus::Delivered,
        "Rejected" | "Failed" | "AbsentSubscriber" | "Expired" => DeliveryStatus::Failed,
        _ => return Err(Refusal::json(&json!({ "invalid_parameter": ["status"] }))),
    };
    let names =
        [("id", "id"), ("status", "status"), ("failureReason", "failure_reason"), ("networkCode", "network_code")];
    Ok(Report { remote_id: id, status, metadata: notes(request, &names)? })
}
