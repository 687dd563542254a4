//! Spreads users over groups, and each user's messages always go to the group's application (specification: routers,
//! UserGroupingRouter).
//!
//! ```yaml
//! class: user_grouping
//! transport_names: [sms]
//! exposed_names: [quiz_a, quiz_b]
//! dispatcher_name: quiz
//! group_mappings: {a: quiz_a, b: quiz_b}
//! route_mappings: {sms: [quiz_a, quiz_b]}   # for events
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Change, Channel, Error, Guard, Keyspace, Op, RedisManager, Result, Route, Router};
use vumi_message::Message;

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{ByTransport, from_addr, keyspace, lists, lists_schema};
use crate::shared::DispatcherShared;

/// Counts the users that were given a group.
const COUNTER: &str = "round-robin";

/// How often a group is given anew while other dispatchers give the same user one; each time one of them has won, so
/// more than a few are a fault of the store.
const TRIES: usize = 10;

/// A user gets the next group in turn and keeps it; events and outbound messages go by their transport.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserGroupingConfig {
    /// Group → the exposed name of its application. New users get the groups in turn, in order of their names.
    pub group_mappings: BTreeMap<String, String>,
    /// What the keys of the users' groups begin with. Dispatchers with the same one share the groups.
    pub dispatcher_name: String,
    /// Where the groups are kept, if not in the system's own store.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// Transport → the exposed names that get its events.
    #[serde(default, deserialize_with = "lists")]
    #[schemars(schema_with = "lists_schema")]
    pub route_mappings: BTreeMap<String, Vec<String>>,
    /// Transport → the transport that is to send in its place.
    #[serde(default)]
    pub transport_mappings: BTreeMap<String, String>,
}

impl Component for UserGroupingConfig {
    const CLASS: &'static str = "user_grouping";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.UserGroupingRouter", "vumi.dispatchers.base.UserGroupingRouter"];
}

impl RouterComponent for UserGroupingConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        if self.group_mappings.is_empty() {
            return Err(Error::permanent("group_mappings is empty: name at least one group and its application"));
        }
        self.group_mappings.values().try_for_each(|name| shared.exposed("group_mappings", name))?;
        ByTransport::check(&self.route_mappings, &self.transport_mappings, shared)
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        Ok(Arc::new(UserGrouping::new(self, place)?))
    }
}

struct UserGrouping {
    keyspace: Keyspace,
    /// Group and application, in order of the groups' names.
    groups: Vec<(String, String)>,
    rest: ByTransport,
}

impl UserGrouping {
    fn new(config: UserGroupingConfig, place: Place<'_>) -> Result<Self> {
        Ok(Self {
            keyspace: keyspace(place.context, &config.redis_manager, &config.dispatcher_name)?,
            groups: config.group_mappings.into_iter().collect(),
            rest: ByTransport {
                route_mappings: config.route_mappings,
                transport_mappings: config.transport_mappings,
                transports: place.shared.transport_names.clone(),
            },
        })
    }

    /// The application of a user's group; gives the user one first, if need be.
    async fn application(&self, user: &str) -> Result<&str> {
        let key = format!("user:{user}");
        let mut next = None;
        for _ in 0..TRIES {
            let stored = self.keyspace.collections.text(&key).await?;
            if let Some((_, name)) = self.groups.iter().find(|(group, _)| Some(group) == stored.as_ref()) {
                return Ok(name);
            }
            let (group, name) = match next {
                Some(given) => given,
                None => *next.insert(self.next().await?),
            };
            if self.give(&key, stored, group).await? {
                return Ok(name);
            }
        }
        Err(Error::temporary("a user's group is being given by several dispatchers at once"))
    }

    /// Gives a user a group, if the key still holds what was read: nothing, or a group that is no more. Otherwise
    /// another dispatcher was faster, and its group counts.
    async fn give(&self, key: &str, read: Option<String>, group: &str) -> Result<bool> {
        let change = Change::new()
            .when(Guard::TextIs { key: key.to_owned(), value: read })
            .then(Op::SetText { key: key.to_owned(), value: group.to_owned() });
        Ok(self.keyspace.collections.apply(change).await?.is_some())
    }

    /// The next group in turn, and its application.
    async fn next(&self) -> Result<(&str, &str)> {
        let n = self.keyspace.kv.incr(COUNTER, 1).await?;
        let count = i64::try_from(self.groups.len()).unwrap_or(i64::MAX);
        let at = n.wrapping_sub(1).checked_rem_euclid(count).and_then(|at| usize::try_from(at).ok());
        let chosen = at.and_then(|at| self.groups.get(at));
        let (group, name) = chosen.ok_or_else(|| Error::permanent("group_mappings is empty"))?;
        Ok((group, name))
    }
}

#[async_trait]
impl Router for UserGrouping {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        match channel {
            Channel::Inbound => match from_addr(message) {
                Some(user) => Ok(Route::one(self.application(user).await?, channel, message.clone())),
                None => Ok(Route::Nowhere("the message has no from_addr".to_owned())),
            },
            Channel::Outbound => Ok(self.rest.to_transport(message)),
            Channel::Event | Channel::Failure | Channel::Status => Ok(self.rest.to_exposed(channel, message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{changed, message, names, place_of, reason, refusal};

    const GIVEN: &str = r#"{"group_mappings": {"b": "a2", "a": "a1"}, "dispatcher_name": "d"}"#;

    fn from(user: &str) -> Message {
        changed(&message("t1"), "from_addr", user.into())
    }

    #[tokio::test]
    async fn keys_are_those_of_vumi_and_lost_groups_are_given_anew() {
        let (shared, context) = place_of(&["t1"], &["a1", "a2"]);
        let place = Place { shared: &shared, context: &context };
        let build = || serde_json::from_str::<UserGroupingConfig>(GIVEN).unwrap().build(place).unwrap();
        let (one, other) = (build(), build());
        assert_eq!(names(&*one, Channel::Inbound, &from("u1")).await, ["a1"]);
        // Two dispatchers share the turn and the groups.
        assert_eq!(names(&*other, Channel::Inbound, &from("u2")).await, ["a2"]);
        assert_eq!(names(&*other, Channel::Inbound, &from("u1")).await, ["a1"]);
        let keyspace = context.keyspaces.open(&RedisManager::default()).unwrap();
        assert_eq!(keyspace.collections.text("d:user:u1").await.unwrap().as_deref(), Some("a"));
        assert_eq!(keyspace.kv.get("d:round-robin").await.unwrap().as_deref(), Some("2"));

        let lost = Op::SetText { key: "d:user:u1".into(), value: "gone".into() };
        keyspace.collections.apply(Change::new().then(lost)).await.unwrap();
        assert_eq!(names(&*one, Channel::Inbound, &from("u1")).await, ["a1"]);
        assert_eq!(keyspace.collections.text("d:user:u1").await.unwrap().as_deref(), Some("a"));
        assert_eq!(keyspace.kv.get("d:round-robin").await.unwrap().as_deref(), Some("3"));
    }

    #[tokio::test]
    async fn of_two_dispatchers_the_faster_one_gives_the_group() {
        let (shared, context) = place_of(&["t1"], &["a1", "a2"]);
        let config = serde_json::from_str(GIVEN).unwrap();
        let router = UserGrouping::new(config, Place { shared: &shared, context: &context }).unwrap();
        for read in [None, Some("gone".to_owned())] {
            // Both have read the same; then one is faster.
            assert!(router.give("user:u1", read.clone(), "b").await.unwrap());
            assert!(!router.give("user:u1", read, "a").await.unwrap());
            assert_eq!(router.application("u1").await.unwrap(), "a2");
            assert!(router.give("user:u1", Some("b".to_owned()), "gone").await.unwrap());
        }
    }

    #[tokio::test]
    async fn the_rest_goes_by_transport() {
        let json = r#"{"group_mappings": {"a": "a1"}, "dispatcher_name": "d", "route_mappings": {"t1": "a1"}}"#;
        let router = crate::testing::build::<UserGroupingConfig>(json, &["t1"], &["a1"]);
        assert_eq!(names(&*router, Channel::Event, &message("t1")).await, ["a1"]);
        assert_eq!(names(&*router, Channel::Outbound, &message("t1")).await, ["t1"]);
        let nobody = changed(&message("t1"), "from_addr", serde_json::Value::Null);
        assert_eq!(reason(&*router, "t1", Channel::Inbound, &nobody).await, "the message has no from_addr");
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            (r#"{"group_mappings": {}, "dispatcher_name": "d"}"#, "group_mappings is empty"),
            (r#"{"group_mappings": {"a": "a9"}, "dispatcher_name": "d"}"#, "group_mappings names `a9`"),
            (
                r#"{"group_mappings": {"a": "a1"}, "dispatcher_name": "d", "route_mappings": {"t9": "a1"}}"#,
                "route_mappings names `t9`",
            ),
            (r#"{"group_mappings": {"a": "a1"}}"#, "missing field `dispatcher_name`"),
        ] {
            let refusal = refusal::<UserGroupingConfig>(json, &["t1"], &["a1"]);
            assert!(refusal.starts_with(text), "{json}: {refusal}");
        }
    }
}
