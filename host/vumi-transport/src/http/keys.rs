//! The configuration keys about being served, which HTTP transports share: [`WebKeys`] all of them, [`RpcKeys`] those
//! of Vumi's HTTP RPC family (transport specification "httprpc"), [`EndpointKeys`] those that Vumi configured by an
//! endpoint.
//!
//! They stand in the same map as a transport's own keys, so each set takes its keys out of the map while it is read.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess};
use vumi_core::component::SharedKeys;
use vumi_core::{ByteSize, Error, Result, Secret};

use super::reply::Reply;
use super::site::{BasicAuth, Limits, Site};
use crate::base::endpoint::{LOOPBACK, Listen};
use crate::base::values::{Decimal, Flag, Positive, Whole};

/// Keys of one family, and where a transport with them is served.
pub trait ServerKeys: SharedKeys + Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Where and how to serve; `interface` is the key `web_interface`.
    ///
    /// # Errors
    /// One sentence for keys that make no sense.
    fn site(&self, interface: Option<&str>) -> Result<Site>;
}

/// Keys of every transport that speaks HTTP.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct WebKeys {
    /// The address to listen on, for transports with a port. Only this machine can connect unless it is given;
    /// `0.0.0.0` is every address.
    pub web_interface: Option<String>,
    /// The largest body of a request. A larger one is refused with 413.
    pub max_body: ByteSize,
    /// Requests that wait for their reply at a time. Further ones are refused with 503.
    #[schemars(range(min = 1))]
    pub max_pending_requests: usize,
    /// Seconds in which a request must have arrived as a whole. A slower one is refused with 408.
    #[schemars(range(min = 1))]
    pub request_read_timeout_s: u64,
    /// Milliseconds that an outgoing request may take, its answer included.
    #[schemars(range(min = 1))]
    pub outbound_timeout_ms: u64,
    /// How often an outgoing request is tried while nobody takes the connection. A request that may have arrived is
    /// never repeated here.
    #[schemars(range(min = 1))]
    pub outbound_tries: u32,
    /// Outgoing requests per second; 0 sets no limit.
    #[schemars(range(min = 0))]
    pub outbound_per_second: f64,
}

impl Default for WebKeys {
    fn default() -> Self {
        Self {
            web_interface: None,
            max_body: ByteSize::kib(1024),
            max_pending_requests: 10_000,
            request_read_timeout_s: 30,
            outbound_timeout_ms: 30_000,
            outbound_tries: 3,
            outbound_per_second: 0.0,
        }
    }
}

impl WebKeys {
    /// The bounds for requests from the network.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            body: self.max_body.as_usize(),
            pending: self.max_pending_requests,
            read: Duration::from_secs(self.request_read_timeout_s),
        }
    }
}

impl SharedKeys for WebKeys {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let default = Self::default();
        match key {
            "web_interface" => self.web_interface = map.next_value()?,
            "max_body" => self.max_body = map.next_value::<Option<ByteSize>>()?.unwrap_or(default.max_body),
            "max_pending_requests" => {
                self.max_pending_requests = positive(map)?.unwrap_or(default.max_pending_requests)
            }
            "request_read_timeout_s" => {
                self.request_read_timeout_s = positive(map)?.unwrap_or(default.request_read_timeout_s);
            }
            "outbound_timeout_ms" => self.outbound_timeout_ms = positive(map)?.unwrap_or(default.outbound_timeout_ms),
            "outbound_tries" => self.outbound_tries = positive(map)?.unwrap_or(default.outbound_tries),
            "outbound_per_second" => self.outbound_per_second = seconds(map)?.unwrap_or_default(),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// How parameters that nobody expects are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValidationMode {
    /// They are mistakes.
    #[default]
    Strict,
    /// They are skipped.
    Permissive,
}

/// Keys of the HTTP RPC family: a request becomes a message and stays open until its reply.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(default)]
pub struct RpcKeys {
    /// The path that the network calls, and everything below it.
    pub web_path: Option<String>,
    /// The port to listen on. With 0 the system chooses one. Transports with the same port share it, each with its
    /// own path.
    pub web_port: u16,
    /// The user name that the network must give (HTTP Basic). With `web_password`, or neither.
    pub web_username: Option<String>,
    /// The password that the network must give.
    #[schemars(with = "Option<String>")]
    pub web_password: Option<Secret>,
    /// The realm that a caller without credentials is told.
    pub web_auth_domain: String,
    /// The path of the health page, which says how many requests are open.
    pub health_path: String,
    /// Below 1, requests are never timed out. Otherwise without effect: each request is timed out at its own time.
    pub request_cleanup_interval: i64,
    /// Seconds after which a request without a reply is closed.
    pub request_timeout: u64,
    /// The status code that it is closed with.
    #[schemars(range(min = 200, max = 599))]
    pub request_timeout_status_code: u16,
    /// The body that it is closed with.
    pub request_timeout_body: String,
    /// Logs every request and answer.
    pub noisy: bool,
    /// How parameters that nobody expects are taken.
    pub validation_mode: ValidationMode,
    /// Seconds after which an answer counts as far too late.
    pub response_time_down: f64,
    /// Seconds after which an answer counts as late.
    pub response_time_degraded: f64,
}

impl Default for RpcKeys {
    fn default() -> Self {
        Self {
            web_path: None,
            web_port: 0,
            web_username: None,
            web_password: None,
            web_auth_domain: "Vumi HTTP RPC transport".to_owned(),
            health_path: "health".to_owned(),
            request_cleanup_interval: 5,
            request_timeout: 240,
            request_timeout_status_code: 504,
            request_timeout_body: String::new(),
            noisy: false,
            validation_mode: ValidationMode::Strict,
            response_time_down: 10.0,
            response_time_degraded: 1.0,
        }
    }
}

impl SharedKeys for RpcKeys {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let default = Self::default();
        match key {
            "web_path" => self.web_path = map.next_value()?,
            "web_port" => self.web_port = whole(map)?.unwrap_or_default(),
            "web_username" => self.web_username = map.next_value()?,
            "web_password" => self.web_password = map.next_value()?,
            "web_auth_domain" => self.web_auth_domain = text(map)?.unwrap_or(default.web_auth_domain),
            "health_path" => self.health_path = text(map)?.unwrap_or(default.health_path),
            "request_cleanup_interval" => {
                self.request_cleanup_interval = whole(map)?.unwrap_or(default.request_cleanup_interval);
            }
            "request_timeout" => self.request_timeout = whole(map)?.unwrap_or(default.request_timeout),
            "request_timeout_status_code" => {
                let code = whole::<u16, A>(map)?.unwrap_or(default.request_timeout_status_code);
                if !(200..600).contains(&code) {
                    return Err(A::Error::custom(format!("{code} is no status code of an answer (200 to 599)")));
                }
                self.request_timeout_status_code = code;
            }
            "request_timeout_body" => self.request_timeout_body = text(map)?.unwrap_or_default(),
            "noisy" => self.noisy = map.next_value::<Flag>()?.0.unwrap_or_default(),
            "validation_mode" => {
                self.validation_mode = match text(map)?.as_deref() {
                    None | Some("strict") => ValidationMode::Strict,
                    Some("permissive") => ValidationMode::Permissive,
                    Some(other) => {
                        let text = format!("Invalid validation mode: {other}; write strict or permissive");
                        return Err(A::Error::custom(text));
                    }
                };
            }
            "response_time_down" => self.response_time_down = seconds(map)?.unwrap_or(default.response_time_down),
            "response_time_degraded" => {
                self.response_time_degraded = seconds(map)?.unwrap_or(default.response_time_degraded);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ServerKeys for RpcKeys {
    fn site(&self, interface: Option<&str>) -> Result<Site> {
        let path = self.web_path.as_deref().ok_or_else(|| {
            Error::permanent("Missing required config field 'web_path': say which path the network calls")
        })?;
        let mut site = Site::new("web_port", Listen::at(interface, self.web_port), &[path]);
        site.health = Some(self.health_path.clone());
        site.auth = BasicAuth::of(self.web_username.as_deref(), self.web_password.clone(), &self.web_auth_domain)?;
        site.timeout = (self.request_cleanup_interval >= 1).then(|| Duration::from_secs(self.request_timeout));
        site.timeout_reply = Reply::status(self.request_timeout_status_code).body(self.request_timeout_body.clone());
        site.permissive = self.validation_mode == ValidationMode::Permissive;
        site.slow = self.response_time_degraded;
        site.very_slow = self.response_time_down;
        site.noisy = self.noisy;
        Ok(site)
    }
}

/// Keys of transports that Vumi gave an endpoint to listen at.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default)]
pub struct EndpointKeys {
    /// Where to listen: `tcp:PORT` or `tcp:port=PORT:interface=ADDRESS`. Without an interface, only this machine can
    /// connect. This or `port` is required.
    pub twisted_endpoint: Option<String>,
    /// The port to listen on, where there is no `twisted_endpoint`.
    pub port: Option<u16>,
    /// The address to listen on, with `port`.
    pub host: Option<String>,
    /// The path that the network calls.
    pub web_path: Option<String>,
    /// The path of the health page, `/health/` unless given.
    pub health_path: Option<String>,
}

impl SharedKeys for EndpointKeys {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "twisted_endpoint" => self.twisted_endpoint = map.next_value()?,
            "port" => self.port = whole(map)?,
            "host" => self.host = map.next_value()?,
            "web_path" => self.web_path = map.next_value()?,
            "health_path" => self.health_path = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl EndpointKeys {
    /// As [`ServerKeys::site`], for a transport whose path has a default.
    ///
    /// # Errors
    /// As [`ServerKeys::site`].
    pub fn site_at(&self, interface: Option<&str>, default_path: Option<&str>) -> Result<Site> {
        let (key, listen) = match (&self.twisted_endpoint, self.port) {
            (Some(endpoint), _) => ("twisted_endpoint", Listen::parse(endpoint)?),
            (None, Some(port)) => ("port", Listen::at(self.host.as_deref().or(interface), port)),
            (None, None) => {
                return Err(Error::permanent(
                    "Missing required config field 'twisted_endpoint': say where to listen, e.g. `tcp:port=8080`",
                ));
            }
        };
        let path = self.web_path.as_deref().or(default_path).ok_or_else(|| {
            Error::permanent("Missing required config field 'web_path': say which path the network calls")
        })?;
        let mut site = Site::new(key, listen, &[path]);
        site.health = Some(self.health_path.clone().unwrap_or_else(|| "/health/".to_owned()));
        Ok(site)
    }
}

impl ServerKeys for EndpointKeys {
    fn site(&self, interface: Option<&str>) -> Result<Site> {
        self.site_at(interface, None)
    }
}

/// No keys: the transport has names of its own for them, and makes its [`Site`] itself.
#[derive(Clone, Copy, Debug, Default, JsonSchema)]
pub struct OwnKeys {}

impl SharedKeys for OwnKeys {
    fn take<'de, A: MapAccess<'de>>(&mut self, _: &str, _: &mut A) -> Result<bool, A::Error> {
        Ok(false)
    }
}

impl ServerKeys for OwnKeys {
    fn site(&self, interface: Option<&str>) -> Result<Site> {
        Ok(Site::new("web_port", Listen::at(interface.or(Some(LOOPBACK)), 0), &[]))
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    map.next_value()
}

fn whole<'de, T: TryFrom<i128>, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    map.next_value::<Whole<T>>().map(|number| number.0)
}

fn positive<'de, T: TryFrom<i128>, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    whole::<Positive<T>, A>(map).map(|number| number.map(|number| number.0))
}

fn seconds<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<f64>, A::Error> {
    map.next_value::<Decimal>().map(|number| number.0)
}
