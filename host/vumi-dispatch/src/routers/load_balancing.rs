//! Spreads outbound messages over transports (specification: routers, LoadBalancingRouter).
//!
//! ```yaml
//! class: load_balancing
//! transport_names: [modem_1, modem_2]
//! exposed_names: [sms]
//! ```
//!
//! With reply affinity a reply leaves through the transport that its original came through. The names of those
//! transports travel in the message itself, under `helper_metadata.load_balancer.transport_names`: a list, so that
//! load balancers may stand one behind the other. It works because replies carry the `helper_metadata` of their
//! original.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vumi_core::component::Component;
use vumi_core::{Channel, Error, Result, Route, Router};
use vumi_message::{Message, UserMessage};

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{only_exposed, renamed, transport_name};
use crate::shared::DispatcherShared;

/// Everything from the transports goes to the one exposed name; outbound messages go to the transports in turn, a
/// reply to the transport of its original.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoadBalancingConfig {
    /// Sends a reply through the transport that its original came through.
    pub reply_affinity: bool,
    /// Sets a message's `transport_name` to the name of where it goes. Vumi's documentation calls this key
    /// `rewrite_transport_name`; both names are taken.
    #[serde(alias = "rewrite_transport_name")]
    pub rewrite_transport_names: bool,
}

impl Default for LoadBalancingConfig {
    fn default() -> Self {
        Self { reply_affinity: true, rewrite_transport_names: true }
    }
}

impl Component for LoadBalancingConfig {
    const CLASS: &'static str = "load_balancing";
    const ALIASES: &'static [&'static str] = &[
        "vumi.dispatchers.LoadBalancingRouter",
        "vumi.dispatchers.load_balancer.LoadBalancingRouter",
        "vumi.dispatchers.base.LoadBalancingRouter",
    ];
}

impl RouterComponent for LoadBalancingConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        if shared.transport_names.is_empty() {
            return Err(Error::permanent("At least one transport name is needed for LoadBalancingRouter"));
        }
        only_exposed(shared, "LoadBalancingRouter").map(drop)
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        Ok(Arc::new(LoadBalancing {
            config: self,
            dispatcher: place.context.name.clone(),
            exposed: only_exposed(place.shared, "LoadBalancingRouter")?.to_owned(),
            transports: place.shared.transport_names.clone(),
            sent: AtomicUsize::new(0),
        }))
    }
}

struct LoadBalancing {
    config: LoadBalancingConfig,
    dispatcher: String,
    exposed: String,
    transports: Vec<String>,
    /// Messages sent in turn. It starts anew with the dispatcher: a turn more or less is no loss.
    sent: AtomicUsize,
}

impl LoadBalancing {
    /// The next transport in turn.
    fn next(&self) -> Result<&str> {
        let n = self.sent.fetch_add(1, Ordering::Relaxed);
        let at = n.checked_rem(self.transports.len()).and_then(|at| self.transports.get(at));
        at.map(String::as_str).ok_or_else(|| Error::permanent("the load balancer has no transport"))
    }

    /// The copy as it goes to `target`.
    fn copy(&self, message: &Message, target: &str) -> Result<Message> {
        if self.config.rewrite_transport_names { renamed(message, target) } else { Ok(message.clone()) }
    }

    fn inbound(&self, message: &Message) -> Result<Route> {
        let mut copy = self.copy(message, &self.exposed)?;
        if let (true, Message::User(copy)) = (self.config.reply_affinity, &mut copy) {
            let mut names = came_through(copy);
            names.push(transport_name(message).into());
            set_came_through(copy, names);
        }
        Ok(Route::one(&self.exposed, Channel::Inbound, copy))
    }

    fn outbound(&self, message: &UserMessage) -> Result<Route> {
        let mut message = message.clone();
        let mut chosen = None;
        if self.config.reply_affinity && message.in_reply_to().is_some_and(|original| !original.is_empty()) {
            let mut names = came_through(&message);
            let last = names.pop();
            if last.is_some() {
                set_came_through(&mut message, names);
            }
            let last = last.as_ref().and_then(Value::as_str);
            chosen = self.transports.iter().find(|known| Some(known.as_str()) == last).map(String::as_str);
            if chosen.is_none() {
                tracing::warn!(
                    dispatcher = self.dispatcher,
                    message_id = message.message_id(),
                    "a reply does not say through which of the transports its original came ({}): it takes its turn",
                    last.unwrap_or("nothing")
                );
            }
        }
        let target = match chosen {
            Some(transport) => transport,
            None => self.next()?,
        };
        Ok(Route::one(target, Channel::Outbound, self.copy(&Message::User(message), target)?))
    }
}

/// The transports that a message came through, the last one last.
fn came_through(message: &UserMessage) -> Vec<Value> {
    let names = message.helper_metadata().get("load_balancer").and_then(|noted| noted.get("transport_names"));
    names.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn set_came_through(message: &mut UserMessage, names: Vec<Value>) {
    let noted = message.helper_metadata().get("load_balancer").and_then(Value::as_object);
    let mut noted = noted.cloned().unwrap_or_default();
    noted.insert("transport_names".to_owned(), names.into());
    message.put_helper_metadata("load_balancer", noted);
}

#[async_trait]
impl Router for LoadBalancing {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        match (channel, message) {
            (Channel::Outbound, Message::User(message)) => self.outbound(message),
            (Channel::Inbound, _) => self.inbound(message),
            _ => Ok(Route::one(&self.exposed, channel, self.copy(message, &self.exposed)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Logged, build, changed, message, names, refusal};

    async fn sent(router: &dyn Router, channel: Channel, message: &Message) -> (String, Message) {
        match router.route("x", channel, message).await.unwrap() {
            Route::To(mut targets) => {
                let target = targets.pop().unwrap();
                (target.connector, target.message)
            }
            other => panic!("{other:?}"),
        }
    }

    fn noted(message: &Message) -> Value {
        message.payload()["helper_metadata"].get("load_balancer").cloned().unwrap_or_default()
    }

    #[tokio::test]
    async fn balancers_may_stand_one_behind_the_other() {
        let inner = build::<LoadBalancingConfig>("{}", &["t1", "t2"], &["b"]);
        let outer = build::<LoadBalancingConfig>("{}", &["b", "c"], &["app"]);
        let (_, message) = sent(&*inner, Channel::Inbound, &message("t2")).await;
        let (to, message) = sent(&*outer, Channel::Inbound, &message).await;
        assert_eq!((to.as_str(), noted(&message)), ("app", json!({"transport_names": ["t2", "b"]})));
        let reply = changed(&message, "in_reply_to", "m1".into());
        let (to, reply) = sent(&*outer, Channel::Outbound, &reply).await;
        assert_eq!((to.as_str(), noted(&reply)), ("b", json!({"transport_names": ["t2"]})));
        let (to, reply) = sent(&*inner, Channel::Outbound, &reply).await;
        assert_eq!((to.as_str(), noted(&reply)), ("t2", json!({"transport_names": []})));
    }

    #[tokio::test]
    async fn a_reply_that_does_not_know_its_way_takes_its_turn_with_a_warning() {
        let router = build::<LoadBalancingConfig>("{}", &["t1", "t2"], &["a"]);
        let reply = changed(&message("a"), "in_reply_to", "m1".into());
        let log = Logged::start();
        for (metadata, expected) in [
            (json!({}), "t1"),
            (json!({"load_balancer": {"transport_names": []}}), "t2"),
            (json!({"load_balancer": {"transport_names": ["tz"]}}), "t1"),
            (json!({"load_balancer": {"transport_names": [5]}}), "t2"),
            (json!({"load_balancer": {"transport_names": "t2"}}), "t1"),
            (json!({"load_balancer": 5}), "t2"),
            (Value::Null, "t1"),
        ] {
            let reply = changed(&reply, "helper_metadata", metadata);
            assert_eq!(names(&*router, Channel::Outbound, &reply).await, [expected]);
        }
        assert_eq!(log.lines().iter().filter(|line| line.contains("WARN a reply does not say")).count(), 7);
        // What is no reply takes its turn as a matter of course.
        assert_eq!(names(&*router, Channel::Outbound, &message("a")).await, ["t2"]);
        assert_eq!(log.lines().len(), 7);
    }

    #[test]
    fn the_documented_key_is_taken_too() {
        let config: LoadBalancingConfig = serde_json::from_str(r#"{"rewrite_transport_name": false}"#).unwrap();
        assert!(!config.rewrite_transport_names && config.reply_affinity);
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        let text = refusal::<LoadBalancingConfig>("{}", &[], &["a"]);
        assert_eq!(text, "At least one transport name is needed for LoadBalancingRouter");
        for exposed in [&["a", "b"][..], &[]] {
            let text = refusal::<LoadBalancingConfig>("{}", &["t"], exposed);
            assert_eq!(text, "Only one exposed name allowed for LoadBalancingRouter.");
        }
    }
}
