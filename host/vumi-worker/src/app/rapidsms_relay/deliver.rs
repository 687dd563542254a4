//! What becomes of a request from RapidSMS: replies and sends (specification: rapidsms_relay, section 3).

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use vumi_core::{Error, Result};
use vumi_message::{Payload, UserMessage};

use super::Relay;
use super::request::Order;
use crate::app::base::Posted;

/// How long a request waits for room in the outbound queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a request is not answered with 200; the texts are the answers.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request is wrong.
    Bad(String),
    /// The outbound queue is full.
    Busy,
    /// The relay could not do its part.
    Failed(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Relay {
    /// Carries out a request. The answer is the payloads of the messages that were sent, all of them safe.
    pub(super) async fn carry_out(&self, body: &[u8]) -> Result<Vec<Value>, Refusal> {
        let order = Order::read(body).map_err(Refusal::Bad)?;
        match &order.in_reply_to {
            Some(id) => self.reply(id, &order).await,
            None => self.send(&order).await,
        }
    }

    async fn reply(&self, id: &str, order: &Order) -> Result<Vec<Value>, Refusal> {
        let Some(originals) = &self.originals else {
            return Err(Refusal::Bad("Support for `in_reply_to` not configured.".to_owned()));
        };
        let Some(text) = originals.get(&Self::key(id)).await? else {
            return Err(Refusal::Bad(format!("Original message '{id}' not found.")));
        };
        let original = UserMessage::from_json(text.as_bytes())
            .map_err(|error| Refusal::Failed(format!("the original message cannot be read: {error}")))?;
        let matches = match order.to_addr.as_slice() {
            [] => true,
            [only] => original.from_addr() == Some(only),
            _ => false,
        };
        if !matches {
            return Err(Refusal::Bad(format!(
                "Supplied `to_addrs` don't match `from_addr` of original message '{id}'"
            )));
        }
        if !self.has_room(Instant::now() + PATIENCE).await {
            return Err(Refusal::Busy);
        }
        let posted = self.sender.reply_to(&original, Some(&order.content), true, Payload::new()).await?;
        Ok(vec![Value::Object(posted.safe().await?.into_payload())])
    }

    async fn send(&self, order: &Order) -> Result<Vec<Value>, Refusal> {
        let endpoint = order.endpoint.as_deref();
        let endpoint = self.allowed.check(endpoint).map_err(|error| Refusal::Bad(error.to_string()))?;
        let until = Instant::now() + PATIENCE;
        let mut posted: Vec<Posted> = Vec::new();
        for to_addr in &order.to_addr {
            if !self.has_room(until).await {
                if posted.is_empty() {
                    return Err(Refusal::Busy);
                }
                self.left_out("the outbound queue is full");
                break;
            }
            match self.sender.send_to(to_addr, Some(&order.content), Some(endpoint), Payload::new()).await {
                Ok(message) => posted.push(message),
                Err(error) => self.left_out(&error.report()),
            }
        }
        let mut sent = Vec::with_capacity(posted.len());
        for message in posted {
            match message.safe().await {
                Ok(message) => sent.push(Value::Object(message.into_payload())),
                Err(error) => self.left_out(&error.report()),
            }
        }
        Ok(sent)
    }

    /// A send that fails is left out of the answer.
    fn left_out(&self, reason: &str) {
        tracing::error!(app = self.app, "a message of RapidSMS was not sent: {reason}");
        metrics::counter!("vumi_app_errors_total", "app" => self.app.clone()).increment(1);
    }

    /// Messages from outside wait while the outbound queue is full.
    async fn has_room(&self, until: Instant) -> bool {
        self.broker.has_room(&self.outbound) || timeout_at(until, self.broker.room(&self.outbound)).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vumi_broker::{BrokerOptions, EmbeddedBroker};
    use vumi_core::{
        Broker, Context, Feed, Keyspace, Keyspaces, NoGuests, QueueOutbox, RedisManager, Stack, SystemClock,
    };

    use super::*;
    use crate::app::RapidSmsRelayConfig;
    use crate::shared::{AppPlace, ApplicationShared};

    struct OneKeyspace(Keyspace);

    impl Keyspaces for OneKeyspace {
        fn open(&self, _: &RedisManager) -> Result<Keyspace> {
            Ok(self.0.clone())
        }
    }

    /// A relay whose outbound queue has room for two messages.
    fn relay() -> Relay {
        let clock = Arc::new(SystemClock);
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions { bound: 2, ..BrokerOptions::default() });
        let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), clock.clone());
        let keyspace = Keyspace::new(kv, vumi_store::collections_in_memory(clock.clone()));
        let context = Context {
            name: "app".to_owned(),
            system_id: "global".to_owned(),
            broker: Arc::clone(&broker),
            keyspaces: Arc::new(OneKeyspace(keyspace)),
            store: vumi_store::store_in_memory().unwrap(),
            feed: Feed::default(),
            clock,
            guests: Arc::new(NoGuests),
            bindings: vumi_core::bindings::no_bindings(),
        };
        let place = AppPlace {
            name: "app".to_owned(),
            connector: "app".to_owned(),
            shared: ApplicationShared::default(),
            outbox: Arc::new(QueueOutbox::new(broker, "app", Stack::default())),
            context,
        };
        let config: RapidSmsRelayConfig = serde_json::from_str(r#"{"web_path": "send", "web_port": 0}"#).unwrap();
        config.relay(place).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_stays_full_is_told() {
        let relay = relay();
        let original = UserMessage::new(vumi_message::NewUserMessage {
            from_addr: Some("+5".to_owned()),
            message_id: Some("m1".to_owned()),
            ..Default::default()
        });
        relay.remember(&original).await.unwrap();
        let sent = relay.carry_out(br#"{"to_addr": ["+1", "+2", "+3"], "content": "x"}"#).await.unwrap();
        let to_addrs: Vec<_> = sent.iter().map(|sent| sent["to_addr"].as_str().unwrap()).collect();
        assert_eq!(to_addrs, ["+1", "+2"], "what finds no room is left out");
        let bodies: [&[u8]; 2] =
            [br#"{"to_addr": ["+4"], "content": "x"}"#, br#"{"to_addr": [], "content": "x", "in_reply_to": "m1"}"#];
        for body in bodies {
            let began = Instant::now();
            assert!(matches!(relay.carry_out(body).await, Err(Refusal::Busy)));
            assert!(began.elapsed() >= PATIENCE);
        }
    }
}
