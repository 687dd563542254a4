//! What a network that speaks HTTP is to the host, and how its configuration is read.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::json;
use vumi_core::component::{Component, Split};
use vumi_core::{Result, Sent, Sessions};
use vumi_message::{Status, UserMessage};

use super::client::Client;
use super::keys::{ServerKeys, WebKeys};
use super::link::{Done, HttpLink, Keeps};
use super::reply::{Answer, Refusal, Reply};
use super::request::Request;
use super::site::Site;
use super::transport::HttpTransport;
use crate::base::Once;
use crate::registry::{Built, Listening, TransportComponent, TransportPlace};

/// A network that speaks HTTP. What implements this is its configuration: its fields' comments are the manual, and
/// what it must remember is kept in kv.
#[async_trait]
pub trait Aggregator: DeserializeOwned + JsonSchema + Clone + fmt::Debug + Send + Sync + 'static {
    /// Short name, e.g. `airtel`.
    const CLASS: &'static str;
    /// Vumi's full class paths.
    const ALIASES: &'static [&'static str];
    /// A configuration that works, with the keys that most users set, as it stands below the transport's name. It is in
    /// the manual, and tested.
    const EXAMPLE: &'static str;
    /// The content type of answers, unless an answer has its own.
    const CONTENT_TYPE: &'static str = "text/plain";
    /// The keys about being served.
    type Keys: ServerKeys;

    /// Where and how it is served.
    ///
    /// # Errors
    /// One sentence for keys that make no sense.
    fn site(&self, keys: &Self::Keys, interface: Option<&str>) -> Result<Site> {
        keys.site(interface)
    }

    /// Looks for mistakes that the types cannot see.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Takes what it needs later on of the keys about being served.
    fn learn(&mut self, keys: &Self::Keys) {
        let _ = keys;
    }

    /// Where its sessions and keys are; `name` is the transport's.
    fn keeps(&self, name: &str) -> Keeps {
        let _ = name;
        Keeps::default()
    }

    /// Before the first request.
    ///
    /// # Errors
    /// Those that must keep the transport from starting; it is tried again.
    async fn start(&self, link: &HttpLink) -> Result<()> {
        let _ = link;
        Ok(())
    }

    /// After the last request.
    async fn stop(&self, link: &HttpLink) {
        let _ = link;
    }

    /// A request to one of the site's paths.
    ///
    /// # Errors
    /// A request that is not taken.
    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal>;

    /// Carries a message to the network. By default its content is the answer to the request that it replies to
    /// (specification "httprpc", Base outbound handler).
    ///
    /// # Errors
    /// As [`vumi_core::Transport::send`].
    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        link.answer(message).await
    }

    /// The health page, while `pending` requests are open.
    fn health(&self, pending: usize) -> Reply {
        Reply::json(&json!({ "pending_requests": pending }))
    }

    /// A request was answered: the state to report, if it is news.
    fn finished(&self, done: &Done) -> Option<Status> {
        let _ = done;
        None
    }
}

/// The configuration of an HTTP transport: one map with the keys of every HTTP transport, those about being served,
/// and the network's own.
#[derive(Clone, Debug)]
pub struct Http<T: Aggregator> {
    web: WebKeys,
    keys: T::Keys,
    own: T,
}

impl<'de, T: Aggregator> Deserialize<'de> for Http<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<T>(PhantomData<T>);

        impl<'de, T: Aggregator> Visitor<'de> for Keys<T> {
            type Value = Http<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the keys of a transport")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Http<T>, A::Error> {
                let (mut web, mut keys) = (WebKeys::default(), T::Keys::default());
                let split = Split::new(Split::new(map, &mut web), &mut keys);
                let mut own = T::deserialize(MapAccessDeserializer::new(split))?;
                own.learn(&keys);
                Ok(Http { web, keys, own })
            }
        }

        deserializer.deserialize_map(Keys(PhantomData))
    }
}

impl<T: Aggregator> JsonSchema for Http<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        for shared in [T::Keys::json_schema(generator), WebKeys::json_schema(generator)] {
            let more = shared.get("properties").and_then(|value| value.as_object()).cloned().unwrap_or_default();
            let properties = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
            if let Some(properties) = properties.as_object_mut() {
                for (key, property) in more {
                    properties.entry(key).or_insert(property);
                }
            }
        }
        schema
    }
}

impl<T: Aggregator> Component for Http<T> {
    const CLASS: &'static str = T::CLASS;
    const ALIASES: &'static [&'static str] = T::ALIASES;
    const EXAMPLE: &'static str = T::EXAMPLE;
}

impl<T: Aggregator> Http<T> {
    fn site(&self) -> Result<Site> {
        self.own.site(&self.keys, self.web.web_interface.as_deref())
    }
}

impl<T: Aggregator> TransportComponent for Http<T> {
    fn check(&self, _: &str) -> Result<Vec<Listening>> {
        self.own.check()?;
        Ok(vec![self.site()?.listening()])
    }

    fn build(self, place: TransportPlace<'_>) -> Result<Built> {
        self.own.check()?;
        let site = self.site()?;
        let keeps = self.own.keeps(place.name);
        let keys = place.context.keyspaces.open(&keeps.manager)?.under(&keeps.prefix);
        let length = keeps.session_length.map(Duration::from_secs);
        let transport = HttpTransport {
            _promise: place.sites.promise(&site),
            site,
            limits: self.web.limits(),
            sites: place.sites.clone(),
            clock: Arc::clone(&place.context.clock),
            sessions: Sessions::new(keys.clone(), Arc::clone(&place.context.clock), length),
            keys,
            client: Arc::new(Client::new(&self.web, place.shared.when_unsure)),
            own: Arc::new(self.own),
            link: RwLock::new(None),
        };
        Ok(Built { transport: Arc::new(transport), once: Once::Record, simulator: None })
    }
}
