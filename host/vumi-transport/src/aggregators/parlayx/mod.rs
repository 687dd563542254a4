//! SMS by ParlayX 2: SOAP in both directions (transport specification "parlayx").
//!
//! Messages go out by `sendSms`. The network brings messages and delivery receipts by SOAP calls of its own, which it
//! can be asked for at the start (`startSmsNotification`) and must be asked to end at the stop. What goes out stands in
//! `calls`, what comes in in `notifications`.

mod calls;
mod notifications;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Error, Nack, Result, Secret, Sent};
use vumi_message::{FailureCode, UserMessage, new_id};

use self::calls::{Kind, Trouble};
use crate::base::endpoint::Listen;
use crate::base::values;
use crate::http::outcome::{accepted_as, failed, failed_and_refused};
use crate::http::soap;
use crate::http::{Aggregator, Answer, HttpLink, OwnKeys, Refusal, Request, Site};

/// How long the network may take to end its notifications while the transport stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// SMS by ParlayX 2 (SOAP).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParlayX {
    /// The path to which the network brings messages and delivery receipts.
    pub web_notification_path: Option<String>,
    /// The port to listen on. With 0 the system chooses one.
    #[serde(deserialize_with = "values::whole")]
    pub web_notification_port: u16,
    /// The URL of the path as the network reaches it. The network is told.
    pub notification_endpoint_uri: Option<String>,
    /// The number that users write to. Notifications are asked for by it.
    pub short_code: Option<String>,
    /// Where the network takes messages (`SendSms`).
    pub remote_send_uri: Option<String>,
    /// Where the network is asked for notifications (`SmsNotificationManager`).
    pub remote_notification_uri: Option<String>,
    /// Whether the network is asked for notifications at the start, and asked to end them at the stop.
    #[serde(deserialize_with = "values::flag")]
    pub start_notifications: bool,
    /// The id of the service that the network gave you.
    pub service_provider_service_id: Option<String>,
    /// The id that the network gave you.
    pub service_provider_id: Option<String>,
    /// The password that the network gave you. Only a hash of it and the time goes out.
    #[schemars(with = "Option<String>")]
    pub service_provider_password: Option<Secret>,
    /// Names the notifications that were asked for.
    #[serde(skip)]
    #[schemars(skip)]
    notifications: Arc<Mutex<Option<String>>>,
}

#[async_trait]
impl Aggregator for ParlayX {
    const CLASS: &'static str = "parlayx";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.parlayx.ParlayXTransport", "vumi.transports.parlayx.parlayx.ParlayXTransport"];
    const EXAMPLE: &'static str = "\
class: parlayx
web_notification_path: /parlayx
web_notification_port: 8080
notification_endpoint_uri: https://vumi.example/parlayx
short_code: \"54321\"
remote_send_uri: https://gateway.example/SendSmsService/services/SendSms
remote_notification_uri: https://gateway.example/SmsNotificationManagerService/services/SmsNotificationManager
start_notifications: true
service_provider_service_id: my-service
service_provider_id: my-id
service_provider_password: secret
";
    const CONTENT_TYPE: &'static str = soap::CONTENT_TYPE;
    type Keys = OwnKeys;

    fn site(&self, _: &OwnKeys, interface: Option<&str>) -> Result<Site> {
        let path = self.web_notification_path.as_deref().unwrap_or_default();
        let listen = Listen::at(interface, self.web_notification_port);
        let mut site = Site::new("web_notification_port", listen, &[path]);
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        let mut needed = vec![("web_notification_path", self.web_notification_path.is_some())];
        if self.start_notifications {
            needed.push(("remote_notification_uri", self.remote_notification_uri.is_some()));
            needed.push(("notification_endpoint_uri", self.notification_endpoint_uri.is_some()));
            needed.push(("short_code", self.short_code.is_some()));
        }
        if self.start_notifications || self.remote_send_uri.is_some() {
            needed.push(("service_provider_service_id", self.service_provider_service_id.is_some()));
            needed.push(("service_provider_id", self.service_provider_id.is_some()));
            needed.push(("service_provider_password", self.service_provider_password.is_some()));
        }
        match needed.iter().find(|(_, given)| !given) {
            Some((key, _)) => Err(Error::permanent(format!(
                "Missing required config field '{key}': see `vumi-host config explain parlayx`"
            ))),
            None => Ok(()),
        }
    }

    async fn start(&self, link: &HttpLink) -> Result<()> {
        if self.start_notifications {
            let correlator = new_id();
            let started = self.start_notifications(&correlator, link).await;
            started.map_err(|trouble| Error::temporary(format!("startSmsNotification failed: {trouble}")))?;
            *self.notifications.lock() = Some(correlator);
        }
        Ok(())
    }

    async fn stop(&self, link: &HttpLink) {
        let Some(correlator) = self.notifications.lock().take() else { return };
        let goodbye = tokio::time::timeout(GOODBYE, self.stop_notifications(&correlator, link)).await;
        let failed = match goodbye {
            Ok(Ok(())) => return,
            Ok(Err(trouble)) => trouble.to_string(),
            Err(_) => format!("no answer within {} s", GOODBYE.as_secs()),
        };
        tracing::warn!(transport = link.name(), "stopSmsNotification failed: {failed}");
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let asked_for = self.notifications.lock().clone();
        notifications::take(request, asked_for.as_deref(), link).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let Some(content) = message.content() else {
            return Ok(failed(FailureCode::Unspecified, "the message has no content"));
        };
        let Some(number) = message.to_addr().and_then(|to_addr| to_addr.strip_prefix('+')) else {
            let reason = "Only international format addresses are supported";
            return Ok(failed_and_refused(FailureCode::Unspecified, reason, None));
        };
        let trouble = match self.send_sms(message, number, content, link).await {
            Ok(reference) => return Ok(accepted_as(reference)),
            Err(trouble) => trouble,
        };
        let (kind, fault) = match trouble {
            Trouble::Fault(kind, fault) => (kind, fault),
            other => return Ok(failed_and_refused(FailureCode::Unspecified, other.to_string(), None)),
        };
        if kind == Kind::Plain && fault.code.ends_with("Server") {
            return Err(Error::temporary(fault.to_string()));
        }
        let nack = Some(Nack { reason: fault.text.clone(), sent_message_id: None });
        Ok(Sent::Failed { code: FailureCode::Permanent, reason: calls::described(kind, &fault), nack })
    }
}
