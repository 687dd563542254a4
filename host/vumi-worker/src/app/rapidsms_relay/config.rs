//! The RapidSMS relay's configuration (specification: rapidsms_relay, section 1).

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::component::Component;
use vumi_core::{Application, Error, RedisManager, Result, names};
use vumi_message::DEFAULT_ENDPOINT;

use super::{Door, RapidSms, Relay};
use crate::app::base::{Endpoints, NativeApp, Sender, check_send_to};
use crate::app::client::{self, Client, HttpUrl};
use crate::registry::AppComponent;
use crate::shared::{AppPlace, ApplicationShared};
use vumi_core::secret::Secret;

/// The path at which the server says that it is there.
pub(super) const HEALTH: &str = "health";

/// A bridge to a RapidSMS server: messages from users are posted to it, and it posts messages to users to the relay's
/// own web server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RapidSmsRelayConfig {
    /// The path at which RapidSMS posts messages, e.g. `/send`. `/health` is taken.
    pub web_path: String,
    /// The port of the web server; 0 for any that is free.
    pub web_port: u16,
    /// The address at which the web server listens. Only this machine reaches it unless another one is given
    /// (`0.0.0.0` for all, as in Vumi); give `vumi_username` and `vumi_password` then.
    #[serde(default = "loopback")]
    pub web_host: String,
    /// Where inbound messages are remembered. Needed only for replies.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// RapidSMS may reply to a message, naming it as `in_reply_to`.
    #[serde(default = "yes")]
    pub allow_replies: bool,
    /// Who may post to the web server. Without it everybody who reaches it.
    #[serde(default)]
    pub vumi_username: Option<String>,
    /// The password that goes with it.
    #[serde(default)]
    pub vumi_password: Option<Secret>,
    /// How callers of the web server say who they are: only `basic` exists, and nothing else is looked at.
    #[serde(default = "basic")]
    pub vumi_auth_method: String,
    /// For how long inbound messages are remembered, so that they can be replied to, in seconds.
    #[serde(default = "ten_minutes")]
    #[schemars(range(min = 1))]
    pub vumi_reply_timeout: u64,
    /// Endpoints to which RapidSMS may send messages that are no replies.
    #[serde(default = "default_only")]
    pub allowed_endpoints: Vec<String>,
    /// Where messages from users are posted.
    #[serde(default)]
    pub rapidsms_url: Option<HttpUrl>,
    /// User name at the RapidSMS server. Without it the relay does not say who it is.
    #[serde(default)]
    pub rapidsms_username: Option<String>,
    /// Password at the RapidSMS server.
    #[serde(default)]
    pub rapidsms_password: Option<Secret>,
    /// How the relay says who it is: only `basic` exists.
    #[serde(default = "basic")]
    pub rapidsms_auth_method: String,
    /// The method of requests to RapidSMS.
    #[serde(default = "post")]
    pub rapidsms_http_method: String,
    /// Time for one request to RapidSMS, in seconds.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1))]
    pub timeout: u64,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

fn yes() -> bool {
    true
}

fn basic() -> String {
    "basic".to_owned()
}

fn ten_minutes() -> u64 {
    600
}

fn default_only() -> Vec<String> {
    vec![DEFAULT_ENDPOINT.to_owned()]
}

fn post() -> String {
    "POST".to_owned()
}

fn thirty() -> u64 {
    30
}

impl Component for RapidSmsRelayConfig {
    const CLASS: &'static str = "rapidsms_relay";
    const ALIASES: &'static [&'static str] =
        &["vumi.application.RapidSMSRelay", "vumi.application.rapidsms_relay.RapidSMSRelay"];
}

impl RapidSmsRelayConfig {
    fn path(&self) -> &str {
        self.web_path.trim_matches('/')
    }

    pub(super) fn relay(self, place: AppPlace) -> Result<Relay> {
        let path = self.path().to_owned();
        let method = client::method("rapidsms_http_method", &self.rapidsms_http_method)?;
        let password = self.rapidsms_password.as_ref().map(Secret::expose).unwrap_or_default();
        let authorization = self.rapidsms_username.map(|name| client::basic(&name, password)).transpose()?;
        if let Some(url) = &self.rapidsms_url {
            url.warn_if_odd(&place.name, "rapidsms_url");
        }
        let originals = match self.allow_replies {
            true => Some(place.context.keyspaces.open(&self.redis_manager)?.kv),
            false => None,
        };
        Ok(Relay {
            // The application's own check lets every endpoint pass: allowed_endpoints bounds what RapidSMS may send.
            sender: Arc::new(Sender::new(&place, Endpoints::Any)),
            app: place.name,
            rapidsms: RapidSms {
                url: self.rapidsms_url,
                method,
                authorization,
                client: Client::new(Duration::from_secs(self.timeout.max(1)), 0),
            },
            originals,
            remembered: Duration::from_secs(self.vumi_reply_timeout.max(1)),
            door: Door {
                host: self.web_host,
                port: self.web_port,
                path,
                credentials: self.vumi_username.zip(self.vumi_password),
            },
            allowed: Endpoints::Only(self.allowed_endpoints),
            feed: place.context.feed,
            outbound: names::outbound(&place.connector),
            broker: place.context.broker,
        })
    }
}

impl AppComponent for RapidSmsRelayConfig {
    fn check(&self, shared: &ApplicationShared) -> Result<()> {
        client::check_auth_method(&self.rapidsms_auth_method)?;
        client::method("rapidsms_http_method", &self.rapidsms_http_method)?;
        if self.path() == HEALTH {
            return Err(Error::permanent("web_path: `/health` is taken, where the server says that it is there"));
        }
        if self.vumi_username.is_some() && self.vumi_password.is_none() {
            return Err(Error::permanent(
                "vumi_username needs a vumi_password: without one nobody could post to the web server",
            ));
        }
        check_send_to(shared)
    }

    fn build(self, place: AppPlace) -> Result<Arc<dyn Application>> {
        self.check(&place.shared)?;
        let relay = self.relay(place)?;
        let sender = Arc::clone(&relay.sender);
        Ok(Arc::new(NativeApp::new(relay, sender)))
    }
}
