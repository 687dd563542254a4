//! The addressed variant: each user types the two addresses of the conversation first.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use vumi_core::Result;
use vumi_core::component::Component;

use super::TelnetConfig;
use crate::registry::{Built, Listening, TransportComponent, TransportPlace};

const DESCRIPTION: &str = "A telnet server whose users type the address that they write to and the one that they \
    write from. Its keys are those of `telnet`.";

/// A telnet server whose users type the address that they write to and the one that they write from. Its keys are
/// those of `telnet`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressedTelnetConfig(pub TelnetConfig);

impl JsonSchema for AddressedTelnetConfig {
    fn schema_name() -> Cow<'static, str> {
        "AddressedTelnetConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = TelnetConfig::json_schema(generator);
        schema.insert("description".to_owned(), DESCRIPTION.into());
        schema
    }
}

impl Component for AddressedTelnetConfig {
    const CLASS: &'static str = "addressed-telnet";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.telnet.AddressedTelnetServerTransport",
        "vumi.transports.telnet.transport.AddressedTelnetServerTransport",
    ];
    const EXAMPLE: &'static str = "class: addressed-telnet\ntelnet_port: 9010\n";
}

impl TransportComponent for AddressedTelnetConfig {
    fn check(&self, name: &str) -> Result<Vec<Listening>> {
        self.0.check(name)
    }

    fn build(self, _: TransportPlace<'_>) -> Result<Built> {
        self.0.server(true)
    }
}
