//! Dialogues that the network numbers: USSD gateways send a session's id with each of its requests.

use serde_json::Value;
use vumi_message::{NewUserMessage, Payload, UserMessage};

use super::link::HttpLink;
use super::reply::Refusal;
use super::request::Request;

impl HttpLink {
    /// Makes a session with these fields and publishes its first message. Where that fails there is no session either:
    /// a gateway that comes again begins again.
    ///
    /// # Errors
    /// 503 when the host is busy or kv is away.
    pub async fn publish_first(
        &self,
        request: &Request,
        session_id: &str,
        fields: &[(&str, &str)],
        message: NewUserMessage,
    ) -> Result<(), Refusal> {
        self.sessions().create(session_id, &payload(fields)).await?;
        let published = self.publish(request, message).await;
        if published.is_err() {
            self.undone(self.sessions().clear(session_id).await);
        }
        published
    }

    /// Sets fields of a session and publishes its next message. Where that fails the fields are as they were `before`.
    ///
    /// # Errors
    /// As [`HttpLink::publish_first`].
    pub async fn publish_next(
        &self,
        request: &Request,
        session_id: &str,
        fields: &[(&str, &str)],
        before: &[(&str, &str)],
        message: NewUserMessage,
    ) -> Result<(), Refusal> {
        self.sessions().save(session_id, &payload(fields)).await?;
        let published = self.publish(request, message).await;
        if published.is_err() {
            self.undone(self.sessions().save(session_id, &payload(before)).await);
        }
        published
    }

    fn undone(&self, outcome: vumi_core::Result<()>) {
        if let Err(error) = outcome {
            tracing::warn!(transport = self.name(), "a session could not be put back: {}", error.report());
        }
    }
}

/// The id of the session that a message belongs to: `transport_metadata.session_id`, where there is one.
pub fn session_id(message: &UserMessage) -> Option<&str> {
    message.transport_metadata().get("session_id").and_then(Value::as_str).filter(|id| !id.is_empty())
}

fn payload(fields: &[(&str, &str)]) -> Payload {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}
