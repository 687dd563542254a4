//! The metrics of a transport, made once.

use metrics::{Counter, Histogram, counter, histogram};
use vumi_message::FailureCode;

/// The metrics of one transport; the label `transport` is its name.
pub(super) struct Meters {
    name: String,
    /// `vumi_transport_messages_total{direction="inbound"}`: messages from users that the broker confirmed.
    pub(super) inbound: Counter,
    /// `vumi_transport_messages_total{direction="outbound"}`: messages handed to the network.
    pub(super) outbound: Counter,
    /// `vumi_transport_messages_total{direction="event"}`: events published.
    pub(super) events: Counter,
    /// `vumi_transport_nacks_total`: those of the events that were nacks.
    pub(super) nacks: Counter,
    /// `vumi_transport_duplicates_total`: messages that came again and were not sent again.
    pub(super) duplicates: Counter,
    /// `vumi_transport_dropped_total`: messages for an endpoint that the transport does not serve.
    pub(super) dropped: Counter,
    /// `vumi_transport_unrecorded_total`: messages that passed but could not be written to the store.
    pub(super) unrecorded: Counter,
    /// `vumi_transport_unremembered_total`: messages that were sent but could not be written to the record of sent ids.
    pub(super) unremembered: Counter,
    /// `vumi_dead_letters_total`, which all workers share.
    pub(super) dead_letters: Counter,
    /// `vumi_transport_send_seconds`: how long the network took.
    pub(super) send_seconds: Histogram,
}

impl Meters {
    pub(super) fn new(name: &str) -> Self {
        let transport = || name.to_owned();
        let messages =
            |direction| counter!("vumi_transport_messages_total", "transport" => transport(), "direction" => direction);
        Self {
            name: transport(),
            inbound: messages("inbound"),
            outbound: messages("outbound"),
            events: messages("event"),
            nacks: counter!("vumi_transport_nacks_total", "transport" => transport()),
            duplicates: counter!("vumi_transport_duplicates_total", "transport" => transport()),
            dropped: counter!("vumi_transport_dropped_total", "transport" => transport()),
            unrecorded: counter!("vumi_transport_unrecorded_total", "transport" => transport()),
            unremembered: counter!("vumi_transport_unremembered_total", "transport" => transport()),
            dead_letters: counter!("vumi_dead_letters_total"),
            send_seconds: histogram!("vumi_transport_send_seconds", "transport" => transport()),
        }
    }

    /// Counts in `vumi_transport_failures_total`, whose label `code` is `temporary`, `permanent` or `unspecified`.
    pub(super) fn failure(&self, code: FailureCode) {
        let code = code.as_str().unwrap_or("unspecified");
        counter!("vumi_transport_failures_total", "transport" => self.name.clone(), "code" => code).increment(1);
    }
}
