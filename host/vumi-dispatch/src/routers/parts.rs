//! What several routers need.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use vumi_core::session::Sessions;
use vumi_core::{Channel, Context, Error, Keyspace, RedisManager, Result, Route, Target};
use vumi_message::{Message, Payload};

use crate::shared::{DispatcherShared, NameList};

/// How long routers remember the way back of a message unless told otherwise: a week, in seconds.
pub(super) const WEEK: u64 = 604_800;

/// Reads a map of lists. A single text counts as a list of one: Vumi's documentation writes it so.
pub(super) fn lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let read = BTreeMap::<String, NameList>::deserialize(deserializer)?;
    Ok(read.into_iter().map(|(name, list)| (name, list.0)).collect())
}

/// The schema of what [`lists`] reads.
pub(super) fn lists_schema(generator: &mut SchemaGenerator) -> Schema {
    let list = NameList::json_schema(generator);
    json_schema!({"type": "object", "additionalProperties": list})
}

/// The `transport_name` of a message; empty where it has none.
pub(super) fn transport_name(message: &Message) -> &str {
    message.payload().get("transport_name").and_then(Value::as_str).unwrap_or_default()
}

/// A copy of a message with another `transport_name`.
pub(super) fn renamed(message: &Message, transport_name: &str) -> Result<Message> {
    let mut copy = message.clone();
    let set = match &mut copy {
        Message::User(message) => message.set("transport_name", transport_name),
        Message::Event(event) => event.set("transport_name", transport_name),
        // Dispatchers do not carry these.
        Message::Status(_) | Message::Failure(_) => Ok(()),
    };
    set.map_err(|error| Error::permanent("transport_name could not be set").because(error))?;
    Ok(copy)
}

/// The exposed name of a router that allows only one.
pub(super) fn only_exposed<'a>(shared: &'a DispatcherShared, router: &str) -> Result<&'a str> {
    match shared.exposed_names.as_slice() {
        [one] => Ok(one),
        _ => Err(Error::permanent(format!("Only one exposed name allowed for {router}."))),
    }
}

/// The two maps of SimpleDispatchRouter, by which other routers send events and outbound messages too.
#[derive(Clone, Debug)]
pub(super) struct ByTransport {
    pub(super) route_mappings: BTreeMap<String, Vec<String>>,
    pub(super) transport_mappings: BTreeMap<String, String>,
    pub(super) transports: Vec<String>,
}

impl ByTransport {
    /// Checks the names in both maps.
    pub(super) fn check(
        route_mappings: &BTreeMap<String, Vec<String>>,
        transport_mappings: &BTreeMap<String, String>,
        shared: &DispatcherShared,
    ) -> Result<()> {
        for (transport, exposed) in route_mappings {
            shared.transport("route_mappings", transport)?;
            for name in exposed {
                shared.exposed("route_mappings", name)?;
            }
        }
        for target in transport_mappings.values() {
            shared.transport("transport_mappings", target)?;
        }
        Ok(())
    }

    /// Copies to all names that are mapped to the message's transport.
    pub(super) fn to_exposed(&self, channel: Channel, message: &Message) -> Route {
        let name = transport_name(message);
        let exposed = self.route_mappings.get(name).map(Vec::as_slice).unwrap_or_default();
        if exposed.is_empty() {
            return Route::Nowhere(format!("route_mappings has nothing for the transport '{name}'"));
        }
        let to = |connector: &String| Target { connector: connector.clone(), channel, message: message.clone() };
        Route::To(exposed.iter().map(to).collect())
    }

    /// To the transport that the message names, or to the one that stands in its place.
    pub(super) fn to_transport(&self, message: &Message) -> Route {
        let name = transport_name(message);
        let target = self.transport_mappings.get(name).map_or(name, String::as_str);
        match self.transports.iter().find(|known| *known == target) {
            Some(transport) => Route::one(transport, Channel::Outbound, message.clone()),
            None => Route::Nowhere(format!("Unknown transport_name: {target}, discarding {}", message.to_json())),
        }
    }
}

/// The keys of a dispatcher in the store: those of its `redis_manager`, under its name.
pub(super) fn keyspace(context: &Context, manager: &RedisManager, dispatcher_name: &str) -> Result<Keyspace> {
    Ok(context.keyspaces.open(manager)?.under(dispatcher_name))
}

/// Remembers which application sent an outbound message, so that its events find back: one session
/// `message:<message id>` with the field `name`.
#[derive(Clone, Debug)]
pub(super) struct WayBack(Sessions);

impl WayBack {
    /// Remembers each for `seconds`.
    pub(super) fn new(keyspace: Keyspace, context: &Context, seconds: u64) -> Self {
        Self(Sessions::new(keyspace, context.clock.clone(), Some(Duration::from_secs(seconds))))
    }

    pub(super) async fn remember(&self, message_id: &str, name: &str) -> Result<()> {
        let fields = Payload::from_iter([("name".to_owned(), Value::from(name))]);
        self.0.create(&format!("message:{message_id}"), &fields).await.map(drop)
    }

    /// Where an event goes, or why nowhere.
    pub(super) async fn route(&self, event: &Message, exposed: &[String]) -> Result<Route> {
        let about = match event {
            Message::Event(event) => event.user_message_id(),
            Message::User(_) | Message::Status(_) | Message::Failure(_) => None,
        };
        let name = match about {
            Some(id) => self.0.load(&format!("message:{id}")).await?.remove("name"),
            None => None,
        };
        let Some(name) = name else {
            return Ok(Route::Nowhere(format!(
                "No transport_name for return route found in Redis while dispatching transport event for message {}",
                about.unwrap_or("None")
            )));
        };
        if !exposed.contains(&name) {
            return Ok(Route::Nowhere(format!("No publishing route for {name}")));
        }
        Ok(Route::one(name, Channel::Event, event.clone()))
    }
}

/// Who sent a message, from the point of view of whoever gets it.
pub(super) fn from_addr(message: &Message) -> Option<&str> {
    match message {
        Message::User(message) => message.from_addr(),
        Message::Event(_) | Message::Status(_) | Message::Failure(_) => None,
    }
}
