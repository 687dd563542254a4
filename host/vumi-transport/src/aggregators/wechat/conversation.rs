//! A conversation: what users write and do becomes messages, and replies find the requests that wait for them.

use std::time::Duration;

use serde_json::{Value, json};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use super::WeChat;
use super::inbound::{Event, Text};
use super::outbound::{Outgoing, xml_reply};
use crate::http::{Answer, Finish, HttpLink, Refusal, Reply, Request};

/// How long one copy of a message may take to be published before WeChat's next one may try: its last one comes 10
/// seconds after the first.
const TAKING: Duration = Duration::from_secs(8);

/// The key of a user's mask: what stands behind the account's name in the address of the user's messages.
pub(super) fn mask_key(user: &str) -> String {
    format!("addr_mask@{user}")
}

/// The key of the mark that a message was here.
fn seen_key(msg_id: &str) -> String {
    format!("cached_reply@{msg_id}")
}

/// The key of a message's reply, for when it comes again.
fn reply_key(msg_id: &str) -> String {
    format!("cached_reply@{msg_id}@reply")
}

impl WeChat {
    /// A user wrote. The request stays open for the reply.
    pub(super) async fn text(&self, request: &Request, link: &HttpLink, text: Text) -> Result<Answer, Refusal> {
        let kv = &link.keys().kv;
        let seen = text.msg_id.as_deref().map(seen_key);
        if let (Some(seen), Some(msg_id)) = (&seen, &text.msg_id)
            && !kv.set_if_absent(seen, "taking", Some(TAKING)).await?
        {
            let reply = kv.get(&reply_key(msg_id)).await?;
            tracing::info!(transport = link.name(), msg_id, "WeChat posted a message again");
            return Ok(Answer::Now(reply.map_or_else(|| Reply::ok(""), xml_reply)));
        }
        let published = self.publish(request, link, text).await;
        if let Some(seen) = &seen {
            let marked = match &published {
                Ok(()) => kv.set(seen, "1", Some(Duration::from_secs(self.double_delivery_lifetime))).await,
                // WeChat's next copy is to be taken.
                Err(_) => kv.delete(seen).await.map(drop),
            };
            if let Err(error) = marked {
                tracing::warn!(transport = link.name(), "a message was not marked: {}", error.report());
            }
        }
        published.map(|()| Answer::Hold)
    }

    async fn publish(&self, request: &Request, link: &HttpLink, text: Text) -> Result<(), Refusal> {
        let mask = link.keys().kv.get(&mask_key(&text.head.from)).await?;
        let profile = if self.embed_user_profile {
            self.profile(link, &text.head.from).await
        } else {
            Value::Object(Payload::new())
        };
        let metadata = json!({
            "FromUserName": text.head.from,
            "ToUserName": text.head.to,
            "MsgType": "text",
            "MsgId": text.msg_id,
            "UserProfile": profile,
        });
        let message = text.head.message(Some(text.content), mask.as_deref(), metadata);
        link.publish(request, message).await
    }

    /// A user did something. The request is answered at once, so that a reply is pushed.
    pub(super) async fn event(&self, request: &Request, link: &HttpLink, event: Event) -> Result<Answer, Refusal> {
        let (kv, key) = (&link.keys().kv, mask_key(&event.head.from));
        let kind = event.kind.to_lowercase();
        if matches!(kind.as_str(), "view" | "unsubscribe") {
            tracing::info!(transport = link.name(), kind, "a user has left the conversation");
            kv.delete(&key).await?;
            return Ok(Answer::Now(Reply::ok("")));
        }
        let mask = match event.key.as_deref().filter(|key| !key.is_empty()) {
            Some(mask) => {
                kv.set(&key, mask, Some(Duration::from_secs(self.wechat_mask_lifetime))).await?;
                Some(mask.to_owned())
            }
            None => kv.get(&key).await?,
        };
        let metadata = json!({
            "FromUserName": event.head.from,
            "ToUserName": event.head.to,
            "MsgType": "event",
            "Event": event.kind,
            "EventKey": event.key,
        });
        let session_event = matches!(kind.as_str(), "subscribe" | "click").then_some(SessionEvent::New);
        let message = event.head.message(None, mask.as_deref(), metadata);
        link.publish(request, NewUserMessage { session_event, ..message }).await?;
        Ok(Answer::Now(Reply::ok("")))
    }

    /// Answers the request that a message replies to, if it is still open.
    pub(super) async fn answer(
        &self,
        message: &UserMessage,
        to_addr: &str,
        outgoing: &Outgoing<'_>,
        link: &HttpLink,
    ) -> bool {
        let Some(request) = message.in_reply_to().filter(|request| link.is_pending(request)) else { return false };
        let own = |name| message.transport_metadata().get("wechat").and_then(|own| own.get(name)?.as_str());
        let sender = own("ToUserName").or(message.from_addr()).unwrap_or_default();
        let xml = outgoing.xml(to_addr, sender, message.timestamp());
        let (kv, cached) = (&link.keys().kv, own("MsgId").map(reply_key));
        if let Some(key) = &cached {
            // First, so that WeChat's next copy finds it whenever it comes.
            let kept = kv.set(key, &xml, Some(Duration::from_secs(self.double_delivery_lifetime))).await;
            if let Err(error) = kept {
                tracing::warn!(transport = link.name(), "a reply was not kept: {}", error.report());
            }
        }
        let written = matches!(link.finish(request, xml_reply(xml)).await, Finish::Written(_));
        if let (false, Some(key)) = (written, &cached) {
            // It is pushed instead, and must not go out twice.
            let _ = kv.delete(key).await;
        }
        written
    }
}
