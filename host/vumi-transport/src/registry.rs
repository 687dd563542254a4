//! The list of transports. Adding one is a file and a line here.

use std::sync::Arc;

use vumi_core::component::Component;
use vumi_core::{Context, Result, Transport};

use crate::base::{Once, TransportShared};
use crate::http::{Http, Sites};
use crate::simulator::SimulatorHandle;
use crate::{aggregators, devnull, simulator, telnet};

/// A transport that is built but not running.
pub struct Built {
    /// The transport.
    pub transport: Arc<dyn Transport>,
    /// How its worker must recognise a message that comes again.
    pub once: Once,
    /// The way in for simulated phones, where it is the phone simulator.
    pub simulator: Option<SimulatorHandle>,
}

/// The transport that a configuration is built for.
#[derive(Clone, Copy)]
pub struct TransportPlace<'a> {
    /// The transport's name.
    pub name: &'a str,
    /// The keys that all transports share.
    pub shared: &'a TransportShared,
    /// What it may reach.
    pub context: &'a Context,
    /// Where the HTTP transports of this process listen.
    pub sites: &'a Sites,
}

/// Where a transport will listen, as its configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The key that says so.
    pub key: &'static str,
    /// An address of this machine or a name for one.
    pub host: String,
    /// The port; with 0 the system chooses one.
    pub port: u16,
    /// The paths that it serves there, where others may serve other ones; `None` where it needs the port for itself.
    pub paths: Option<Vec<String>>,
}

/// A transport's configuration becomes the transport.
pub trait TransportComponent: Component {
    /// Looks for mistakes, without opening anything. Says where the transport will listen.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn check(&self, name: &str) -> Result<Vec<Listening>>;

    /// Builds it. Nothing is opened before it runs.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, place: TransportPlace<'_>) -> Result<Built>;
}

vumi_core::registry! {
    /// Every transport.
    pub enum TransportConfig("transport"), shared TransportShared, checked by (&str) -> Vec<Listening>, built by TransportComponent(TransportPlace<'_>) -> Built {
        /// A telnet server; each connection is a session.
        Telnet => telnet::TelnetConfig,
        /// A telnet server that asks for the addresses first.
        AddressedTelnet => telnet::AddressedTelnetConfig,
        /// Simulated phones in the browser.
        Simulator => simulator::SimulatorConfig,
        /// HTTP: requests become messages, replies their answers.
        HttpApi => Http<aggregators::http_api::HttpApi>,
        /// HTTP, the older interface: one text to any number of recipients.
        OldSimpleHttp => Http<aggregators::old_simple_http::OldSimpleHttp>,
        /// HTTP, the older interface: a text with places that each recipient has values for.
        OldTemplateHttp => Http<aggregators::old_template_http::OldTemplateHttp>,
        /// Any network that speaks HTTP, by configuration alone.
        HttpGeneric => Http<aggregators::generic::HttpGeneric>,
        /// Nowhere: pretends to send, and to be answered.
        DevNull => devnull::DevNullConfig,
        /// Africa's Talking SMS.
        AfricasTalkingSms => Http<aggregators::africastalking_sms::AfricasTalkingSms>,
        /// Africa's Talking USSD.
        AfricasTalkingUssd => Http<aggregators::africastalking_ussd::AfricasTalkingUssd>,
        /// Airtel USSD.
        Airtel => Http<aggregators::airtel::Airtel>,
        /// Apposit SMS, Ethiopia.
        Apposit => Http<aggregators::apposit::Apposit>,
        /// Cellulant USSD.
        Cellulant => Http<aggregators::cellulant::Cellulant>,
        /// Cellulant SMS.
        CellulantSms => Http<aggregators::cellulant::CellulantSms>,
        /// Dmark USSD.
        Dmark => Http<aggregators::dmark::Dmark>,
        /// IMImobile USSD.
        Imimobile => Http<aggregators::imimobile::Imimobile>,
        /// Infobip USSD.
        Infobip => Http<aggregators::infobip::Infobip>,
        /// Integrat (Higate) USSD.
        Integrat => Http<aggregators::integrat::Integrat>,
        /// A channel of a Junebug.
        Junebug => Http<aggregators::junebug::Junebug>,
        /// MediaEdgeGSM SMS, Ghana.
        MediaEdgeGsm => Http<aggregators::mediaedgegsm::MediaEdgeGsm>,
        /// Mediafone SMS, Cameroon.
        MediafoneMc => Http<aggregators::mediafonemc::MediafoneMc>,
        /// Facebook Messenger (Meta's Messenger Platform).
        Messenger => Http<aggregators::messenger::Messenger>,
        /// MTech SMS, Kenya; messages to users go out with their parameters in the query.
        MtechKenya => Http<aggregators::mtech_kenya::MtechKenya>,
        /// MTech SMS, Kenya; messages to users go out as forms.
        MtechKenyaV2 => Http<aggregators::mtech_kenya::MtechKenyaV2>,
        /// MTECH USSD.
        MtechUssd => Http<aggregators::mtech_ussd::MtechUssd>,
        /// MTN Rwanda USSD.
        MtnRwanda => Http<aggregators::mtn_rwanda::MtnRwanda>,
        /// SMSSync: Android phones as gateways, each with an account.
        MultiSmsSync => Http<aggregators::smssync::MultiSmsSync>,
        /// MXit.
        Mxit => Http<aggregators::mxit::Mxit>,
        /// Netcore SMS, India; from users only.
        Netcore => Http<aggregators::netcore::Netcore>,
        /// Opera SMS (XML-RPC).
        Opera => Http<aggregators::opera::Opera>,
        /// SMS by ParlayX 2 (SOAP).
        ParlayX => Http<aggregators::parlayx::ParlayX>,
        /// Safaricom USSD.
        Safaricom => Http<aggregators::safaricom::Safaricom>,
        /// SMSSync: an Android phone as a gateway.
        SingleSmsSync => Http<aggregators::smssync::SingleSmsSync>,
        /// A Telegram bot.
        Telegram => Http<aggregators::telegram::Telegram>,
        /// TrueAfrican USSD.
        TrueAfrican => Http<aggregators::trueafrican::TrueAfrican>,
        /// Turn.io: WhatsApp.
        Turn => Http<aggregators::turn::Turn>,
        /// Twilio: SMS, MMS, WhatsApp.
        Twilio => Http<aggregators::twilio::Twilio>,
        /// Vas2Nets SMS, Nigeria.
        Vas2Nets => Http<aggregators::vas2nets::Vas2Nets>,
        /// Vodacom Messaging USSD.
        VodacomMessaging => Http<aggregators::vodacom_messaging::VodacomMessaging>,
        /// A conversation of Vumi Go.
        VumiBridge => Http<aggregators::vumi_bridge::VumiBridge>,
        /// WeChat official accounts, served at `/api/v1/wechat/` unless `web_path` is given.
        WeChat => Http<aggregators::wechat::WeChat>,
        /// WhatsApp (Meta's Cloud API).
        WhatsappCloud => Http<aggregators::whatsapp_cloud::WhatsappCloud>,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use vumi_core::component::Configured;

    /// As in a configuration file: below the transport's name.
    struct Named(Configured<TransportShared, TransportConfig>);

    impl<'de> serde::Deserialize<'de> for Named {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            TransportConfig::read(deserializer).map(Named)
        }
    }

    fn read(yaml: &str) -> Result<Configured<TransportShared, TransportConfig>, String> {
        let indented: String = yaml.lines().map(|line| format!("  {line}\n")).collect();
        serde_saphyr::from_str::<HashMap<String, Named>>(&format!("t:\n{indented}"))
            .map(|mut named| named.remove("t").unwrap().0)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn classes_have_names_of_their_own() {
        let mut names: Vec<&str> = Vec::new();
        for kind in TransportConfig::KINDS {
            names.push(kind.class);
            names.extend(kind.aliases);
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn own_and_shared_keys_in_one_map() {
        let configured = read(concat!(
            "class: vumi.transports.telnet.TelnetServerTransport\n",
            "amqp_prefetch_count: \"5\"\n",
            "telnet_port: 9010\n",
            "publish_status: \"False \"\n",
            "when_unsure: fail\n",
            "sent_record_hours: null\n",
            "middleware:\n  - log: {class: logging, consume_priority: \"2\"}\n",
            "to_addr: shop\n",
            "log: {log_level: debug}\n",
        ))
        .unwrap();
        let shared = configured.shared;
        assert_eq!(shared.amqp_prefetch_count, Some(5));
        assert!(!shared.publish_status);
        assert_eq!(shared.when_unsure, crate::base::WhenUnsure::Fail);
        assert_eq!(shared.sent_record_hours, 24);
        let [log] = shared.middleware.entries() else { panic!() };
        assert_eq!(log.consume_priority, 2);
        assert_eq!(shared.middleware.component(log).to_string(), r#"{"class":"logging","log_level":"debug"}"#);
        let TransportConfig::Telnet(telnet) = configured.component else { panic!() };
        assert_eq!((telnet.telnet_port, telnet.to_addr.as_deref()), (Some(9010), Some("shop")));
        assert_eq!(read("class: telnet\namqp_prefetch_count: null\n").unwrap().shared.amqp_prefetch_count, None);
    }

    #[test]
    fn mistakes_have_a_line() {
        for (yaml, text, place) in [
            ("class: telnet\ntelnet_port: 1\ntelnet_pot: 2\n", "telnet_pot", "line 4"),
            ("class: telnet\nlog: {}\nmiddleware: [{log: logging}]\n", "log", "line 3"),
            ("class: telnet\namqp_prefetch_count: 0\n", "0 is out of range", "line 3"),
            ("class: telnet\nwhen_unsure: maybe\n", "maybe", "line 3"),
            ("class: telnit\n", "unknown transport class `telnit`", "line 2"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(text) && error.contains(place), "{yaml}: {error}");
        }
    }

    #[test]
    fn every_class_has_an_example_that_works() {
        for kind in TransportConfig::KINDS {
            let configured = read(kind.example).unwrap_or_else(|error| panic!("{}: {error}", kind.class));
            assert_eq!(configured.component.class(), kind.class);
            configured.component.check("t").unwrap_or_else(|error| panic!("{}: {error}", kind.class));
        }
    }

    #[test]
    fn every_class_has_a_schema_and_every_key_a_description() {
        for kind in TransportConfig::KINDS {
            let schema = (kind.schema)().to_value();
            let properties = schema["properties"].as_object().unwrap();
            for (key, property) in properties {
                assert!(property["description"].is_string(), "{} {key}", kind.class);
            }
        }
        let shared = schemars::schema_for!(TransportShared).to_value();
        for (key, property) in shared["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{key}");
        }
    }

    #[test]
    fn what_is_checked() {
        let checked = |yaml: &str| read(yaml).unwrap().component.check("t");
        assert_eq!(checked("class: simulator\n").unwrap(), []);
        assert_eq!(checked("class: telnet\ntelnet_port: 0\n").unwrap()[0].key, "telnet_port");
        assert!(checked("class: addressed-telnet\n").is_err());
    }
}
