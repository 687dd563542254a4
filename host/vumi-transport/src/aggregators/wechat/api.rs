//! Requests to WeChat: the access token that all others need, messages that are pushed, profiles of users, the menu.

use std::time::Duration;

use serde_json::Value;
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{FailureCode, Payload, UserMessage};

use super::WeChat;
use super::outbound::Outgoing;
use crate::http::{Answered, Call, HttpLink, Token, json, outcome};

/// The key of the access token.
const TOKEN: &str = "access_token";

/// The part of its life, in hundredths, in which the access token is used.
const USED: u64 = 90;

/// How long a user's profile may take: WeChat waits five seconds for the answer to the message that it is for.
const PROFILE: Duration = Duration::from_secs(3);

/// Error codes that speak of an access token that is not valid (any more).
const BAD_TOKEN: [i64; 3] = [40001, 40014, 42001];

impl WeChat {
    fn url(&self, method: &str) -> String {
        format!("{}/{method}", self.api_url.trim_end_matches('/'))
    }

    /// The access token: the kept one, or a new one.
    async fn token(&self, link: &HttpLink) -> Result<Secret> {
        let ask = Call::get(self.url("token")).query(&[
            ("grant_type", "client_credential"),
            ("appid", &self.wechat_appid),
            ("secret", self.wechat_secret.expose()),
        ]);
        self.tokens.get(link, TOKEN, ask, read_token).await
    }

    /// Makes a request with an access token, and drops that where WeChat does not accept it.
    async fn call(&self, link: &HttpLink, token: &Secret, call: Call) -> Result<Answered> {
        let answered = link.client().send(call.query(&[("access_token", token.expose())])).await?;
        if errcode(&answered).is_some_and(|code| BAD_TOKEN.contains(&code)) {
            self.tokens.forget(link, TOKEN, token).await;
        }
        Ok(answered)
    }

    /// Sends a message without a request that waits for it.
    ///
    /// # Errors
    /// Those of the moment.
    pub(super) async fn push(
        &self,
        message: &UserMessage,
        to_addr: &str,
        outgoing: &Outgoing<'_>,
        link: &HttpLink,
    ) -> Result<Sent> {
        let token = match self.token(link).await {
            Ok(token) => token,
            Err(error) if error.is_temporary() => return Err(error),
            // What WeChat says against giving one is no error of the moment.
            Err(error) => return Ok(outcome::failed(FailureCode::Unspecified, error.report())),
        };
        let call = Call::post(self.url("message/custom/send")).json(&outgoing.json(to_addr));
        let answered = self.call(link, &token, call).await?;
        if !answered.is_success() {
            return Ok(outcome::refused_bare(format!("Received status code: {}", answered.status)));
        }
        // Acknowledged all the same, as in Vumi.
        if let Some(code) = errcode(&answered).filter(|code| *code != 0) {
            let (transport, message_id) = (link.name(), message.message_id());
            tracing::warn!(
                transport,
                message_id,
                code,
                "WeChat took a message with an error code: {}",
                errmsg(&answered)
            );
        }
        Ok(outcome::accepted(message))
    }

    /// A user's profile; empty where WeChat does not give it: a message is worth more than that.
    pub(super) async fn profile(&self, link: &HttpLink, user: &str) -> Value {
        let found = tokio::time::timeout(PROFILE, self.find_profile(link, user)).await;
        let found = found.unwrap_or_else(|_| Err(Error::temporary("it did not come in time")));
        found.unwrap_or_else(|error| {
            tracing::warn!(transport = link.name(), "a message goes without the user's profile: {}", error.report());
            Value::Object(Payload::new())
        })
    }

    async fn find_profile(&self, link: &HttpLink, user: &str) -> Result<Value> {
        let (kv, key) = (&link.keys().kv, format!("user_profile@{user}"));
        let kept = kv.get(&key).await?;
        if let Some(profile) = kept.and_then(|text| serde_json::from_str(&text).ok()) {
            return Ok(profile);
        }
        let asked = [("openid", user), ("lang", self.embed_user_profile_lang.as_str())];
        let token = self.token(link).await?;
        let answered = self.call(link, &token, Call::get(self.url("user/info")).query(&asked)).await?;
        let profile = answered.json().filter(|profile| profile.is_object() && answered.is_success());
        let Some(profile) = profile.filter(|profile| json::whole(profile, "/errcode").unwrap_or_default() == 0) else {
            let (status, why) = (answered.status, errmsg(&answered));
            return Err(Error::temporary(format!("WeChat gave no profile (HTTP status {status}) {why}")));
        };
        kv.set(&key, &profile.to_string(), Some(Duration::from_secs(self.embed_user_profile_lifetime))).await?;
        Ok(profile)
    }

    /// Sets the account's menu.
    ///
    /// # Errors
    /// Those of the token, and what WeChat has against the menu.
    pub(super) async fn create_menu(&self, link: &HttpLink, menu: Value) -> Result<()> {
        let token = self.token(link).await?;
        let answered = self.call(link, &token, Call::post(self.url("menu/create")).json(&menu)).await?;
        if !answered.is_success() {
            let status = answered.status;
            return Err(Error::permanent(format!("Received HTTP status code {status} when creating WeChat Menu.")));
        }
        match errcode(&answered) {
            None | Some(0) => Ok(()),
            Some(code) => {
                let text = errmsg(&answered);
                Err(Error::permanent(format!("Received errcode: {code}, errmsg: {text} when creating WeChat Menu.")))
            }
        }
    }
}

/// The access token in WeChat's answer.
fn read_token(answered: &Answered) -> Result<Token> {
    if !answered.is_success() {
        let status = answered.status;
        return Err(Error::permanent(format!("Received HTTP status code {status} when requesting access token.")));
    }
    let answer = answered.json().unwrap_or_default();
    if let Some(code) = answer.get("errcode") {
        let text = errmsg(answered);
        let told = format!("Error when requesting access token. Errcode: {code}, Errmsg: {text}.");
        return Err(Error::permanent(told));
    }
    match json::text(&answer, "/access_token") {
        Some(token) => Token::new(token, answer.get("expires_in"), USED),
        None => Err(Error::permanent("WeChat's answer to the request for an access token holds none")),
    }
}

fn errcode(answered: &Answered) -> Option<i64> {
    json::whole(&answered.json()?, "/errcode")
}

fn errmsg(answered: &Answered) -> String {
    let answer = answered.json().unwrap_or_default();
    json::text(&answer, "/errmsg").unwrap_or_default().chars().take(200).collect()
}
