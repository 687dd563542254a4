//! Vas2Nets' SMS, Nigeria (transport specification "vas2nets").
//!
//! The network hands over each SMS on one path and each delivery report on another one (`inbound`); every message to
//! a user goes out by a request (`outbound`). The network knows a message by the id of the SMS that it answers, where
//! it answers one, and so its report is about that id.

mod inbound;
mod outbound;

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Error, RedisManager, Result, Secret, Sent};
use vumi_message::UserMessage;

use crate::base::endpoint::Listen;
use crate::base::values;
use crate::http::{Aggregator, Answer, HttpLink, Keeps, OwnKeys, Refusal, Reply, Request, Site};

/// How long a delivery report may take. Networks try to deliver for some days.
const REPORTED_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Vas2Nets SMS, Nigeria.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vas2Nets {
    /// Where messages to users go.
    pub url: String,
    /// The user name that the network is given.
    pub username: String,
    /// The password that the network is given.
    #[schemars(with = "String")]
    pub password: Secret,
    /// The owner that the network is given.
    pub owner: String,
    /// The service that the network is given.
    pub service: String,
    /// The sub-service that the network is given; the keyword of the SMS that is answered unless given.
    pub subservice: Option<String>,
    /// The header in which the network answers with its id of a message.
    #[serde(default = "sms_id")]
    pub header: String,
    /// The path where the network hands over SMSes.
    pub web_receive_path: String,
    /// The path where the network hands over delivery reports.
    pub web_receipt_path: String,
    /// The port to listen on. With 0 the system chooses one. Transports with the same port share it, each with its own
    /// paths.
    #[serde(deserialize_with = "values::whole")]
    pub web_port: u16,
    /// The path of the health page.
    #[serde(default = "health")]
    pub web_health_path: String,
}

fn sms_id() -> String {
    "X-Nth-Smsid".to_owned()
}

fn health() -> String {
    "health".to_owned()
}

#[async_trait]
impl Aggregator for Vas2Nets {
    const CLASS: &'static str = "vas2nets";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.vas2nets.Vas2NetsTransport", "vumi.transports.vas2nets.vas2nets.Vas2NetsTransport"];
    const EXAMPLE: &'static str = "\
class: vas2nets
url: http://v2n.example/mt
username: acme
password: secret
owner: acme
service: polls
web_receive_path: /receive
web_receipt_path: /receipt
web_port: 8080
";
    type Keys = OwnKeys;

    fn site(&self, _: &OwnKeys, interface: Option<&str>) -> Result<Site> {
        let paths = [self.web_receive_path.as_str(), &self.web_receipt_path];
        let mut site = Site::new("web_port", Listen::at(interface, self.web_port), &paths);
        site.health = Some(self.web_health_path.clone());
        site.methods = vec![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        if self.web_receive_path.trim_matches('/') == self.web_receipt_path.trim_matches('/') {
            return Err(Error::permanent("web_receive_path and web_receipt_path must differ"));
        }
        Ok(())
    }

    /// What is kept are ids for delivery reports, and no such thing was kept by Vumi.
    fn keeps(&self, name: &str) -> Keeps {
        Keeps::keys(&RedisManager::default(), format!("vas2nets:{name}"))
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        match request.route {
            0 => inbound::message(request, link).await,
            _ => inbound::receipt(request, link).await,
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        outbound::send(self, message, link).await
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

/// The key under which an id is known that a message went out under, and that is no id of the network.
fn own_id(id: &str) -> String {
    format!("own:{id}")
}
