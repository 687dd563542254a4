//! The transport to nowhere: it pretends to send, so that an application can be tried with a network that refuses
//! messages, loses them and answers them as often as one likes (transport specification "devnull").

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use vumi_core::component::Component;
use vumi_core::{Error, Link, Result, Sent, Transport};
use vumi_message::{DeliveryStatus, Event, NewUserMessage, UserMessage, new_id};

use crate::base::Once;
use crate::base::values::{Decimal, optional_whole};
use crate::registry::{Built, Listening, TransportComponent, TransportPlace};

/// Pretends to send messages, and to get some.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DevNullConfig {
    /// How many messages the network accepts, from 0 (none) to 1 (all). The others are refused with a nack.
    pub ack_rate: Rate,
    /// How many of the accepted messages are lost on their way, from 0 to 1. Their delivery report says `failed`, that
    /// of the others `delivered`.
    pub failure_rate: Rate,
    /// How many of the accepted messages are answered by their users, from 0 to 1.
    pub reply_rate: Rate,
    /// The transport type of users' answers.
    #[serde(default = "sms")]
    pub transport_type: String,
    /// What users answer; the text that they got unless given.
    #[serde(default)]
    pub reply_copy: Option<String>,
    /// Any number: with it, the same messages fare the same each time the transport is started. By chance unless given.
    #[serde(default, deserialize_with = "optional_whole")]
    pub seed: Option<u64>,
}

/// A share, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

fn sms() -> String {
    "sms".to_owned()
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        match Decimal::deserialize(deserializer)?.0 {
            Some(rate) if rate <= 1.0 => Ok(Self(rate)),
            Some(rate) => Err(D::Error::custom(format!("{rate} is no rate: write a number from 0 to 1, as 0.9"))),
            None => Err(D::Error::custom("a rate is required: write a number from 0 to 1, as 0.9")),
        }
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 1})
    }
}

impl Component for DevNullConfig {
    const CLASS: &'static str = "devnull";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.devnull.DevNullTransport", "vumi.transports.devnull.devnull.DevNullTransport"];
    const EXAMPLE: &'static str = "\
class: devnull
ack_rate: 0.9
failure_rate: 0.1
reply_rate: 0.05
reply_copy: thanks
";
}

impl TransportComponent for DevNullConfig {
    fn check(&self, _: &str) -> Result<Vec<Listening>> {
        Ok(Vec::new())
    }

    fn build(self, _: TransportPlace<'_>) -> Result<Built> {
        Ok(Built { transport: Arc::new(DevNull::new(self)), once: Once::Record, simulator: None })
    }
}

/// The transport.
struct DevNull {
    config: DevNullConfig,
    chance: Mutex<Chance>,
    /// While it runs.
    link: RwLock<Option<Arc<dyn Link>>>,
}

impl DevNull {
    fn new(config: DevNullConfig) -> Self {
        let seed = config.seed.unwrap_or_else(some_seed);
        Self { config, chance: Mutex::new(Chance(seed)), link: RwLock::new(None) }
    }

    /// Whether something happens that happens so often.
    fn happens(&self, rate: Rate) -> bool {
        self.chance.lock().next() < rate.0
    }
}

#[async_trait]
impl Transport for DevNull {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        *self.link.write() = Some(Arc::clone(&link));
        link.ready("nowhere");
        link.shutdown().cancelled().await;
        *self.link.write() = None;
        Ok(())
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        let link = self.link.read().clone();
        let link = link.ok_or_else(|| Error::temporary("the transport is just starting or stopping"))?;
        if !self.happens(self.config.ack_rate) {
            return Ok(Sent::Refused { reason: "Not accepted by network".to_owned(), sent_message_id: None });
        }
        let (from_addr, to_addr) = (message.from_addr(), message.to_addr());
        let failed = self.happens(self.config.failure_rate);
        let status = if failed { DeliveryStatus::Failed } else { DeliveryStatus::Delivered };
        tracing::info!(
            transport = link.name(),
            "MT {status}: {} -> {}: {}",
            Shown(from_addr),
            Shown(to_addr),
            Shown(message.content())
        );
        // The transport publishes the ack itself: it comes before what follows from it.
        link.event(Event::ack(message.message_id(), &new_id())).await?;
        link.event(Event::delivery_report(message.message_id(), status)).await?;
        if self.happens(self.config.reply_rate) {
            let content = self.config.reply_copy.as_deref().or(message.content());
            tracing::info!(
                transport = link.name(),
                "MO {} -> {}: {}",
                Shown(to_addr),
                Shown(from_addr),
                Shown(content)
            );
            let answer = UserMessage::new(NewUserMessage {
                from_addr: to_addr.map(str::to_owned),
                to_addr: from_addr.map(str::to_owned),
                content: content.map(str::to_owned),
                provider: Some("devnull".to_owned()),
                transport_type: Some(self.config.transport_type.clone()),
                transport_name: Some(link.name().to_owned()),
                ..NewUserMessage::default()
            });
            link.inbound(answer).await?;
        }
        Ok(Sent::Pending)
    }
}

/// A text of a message in the log.
struct Shown<'a>(Option<&'a str>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.unwrap_or("nothing"))
    }
}

/// Numbers by chance: SplitMix64 (Steele, Lea and Flood, 2014), which is short, and good enough where nobody is to be
/// kept from guessing.
struct Chance(u64);

impl Chance {
    /// A number of at least 0 and less than 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        // 53 bits are what such a number can hold, so nothing is lost.
        #[allow(clippy::cast_precision_loss)]
        let number = (bits >> 11) as f64;
        number / (1u64 << 53) as f64
    }
}

/// A seed by chance, from an id by chance.
fn some_seed() -> u64 {
    let id = new_id();
    id.get(16..).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_and_a_seed_repeats_it() {
        let draw = |seed: u64| {
            let mut chance = Chance(seed);
            (0..10_000).map(|_| chance.next()).collect::<Vec<f64>>()
        };
        let numbers = draw(7);
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        for part in 0..10 {
            let from = f64::from(part) / 10.0;
            let within = numbers.iter().filter(|number| (from..from + 0.1).contains(*number)).count();
            assert!((900..1100).contains(&within), "{within} of 10,000 from {from}");
        }
        assert_eq!(draw(7), numbers);
        assert_ne!(draw(8), numbers);
        // The first number of the author's own program for seed 0.
        let mut chance = Chance(0);
        assert!((chance.next() * 2f64.powi(64) - 16_294_208_416_658_607_535.0).abs() < 4096.0);
    }

    #[test]
    fn no_two_starts_are_alike_without_a_seed() {
        assert_ne!(some_seed(), some_seed());
    }
}
