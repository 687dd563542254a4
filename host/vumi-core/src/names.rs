//! Queue names: `<connector>.<kind>` (specification: routing names, section 1).

use crate::error::{Error, Result};

/// `<name>.inbound`: messages from users.
pub fn inbound(name: &str) -> String {
    format!("{name}.inbound")
}

/// `<name>.outbound`: messages to users.
pub fn outbound(name: &str) -> String {
    format!("{name}.outbound")
}

/// `<name>.event`: acks, nacks and delivery reports.
pub fn event(name: &str) -> String {
    format!("{name}.event")
}

/// `<name>.failures`: outbound messages that a transport could not handle.
pub fn failures(name: &str) -> String {
    format!("{name}.failures")
}

/// `<name>.status.status`: the connector is called `<name>.status`, its kind is `status`.
pub fn status(name: &str) -> String {
    format!("{name}.status.status")
}

/// What every worker reports in: `{exchange: "vumi.metrics", queue: "vumi.metrics"}` (specification: metrics).
pub const METRICS: &str = "vumi.metrics";

/// Where aggregates of metrics go, to be collected.
pub const METRIC_AGGREGATES: &str = "vumi.metrics.aggregates";

/// Where heartbeats go.
pub const HEARTBEATS: &str = "heartbeat.inbound";

/// The topic exchange that Carbon binds to.
pub const GRAPHITE: &str = "graphite";

/// `bucket.<n>`: metrics of one time bucket.
pub fn metric_bucket(n: u32) -> String {
    format!("bucket.{n}")
}

/// `<queue>.dead`: where a queue's dead letters are kept, with brokers that need a queue for that.
pub fn dead(queue: &str) -> String {
    format!("{queue}.dead")
}

/// The exchange that carries a queue's messages. Queue names say it: routing key and queue name are the same.
pub fn exchange(queue: &str) -> &'static str {
    match queue {
        METRICS => "vumi.metrics",
        METRIC_AGGREGATES => "vumi.metrics.aggregates",
        HEARTBEATS => "vumi.health",
        bucket if bucket.strip_prefix("bucket.").is_some_and(|n| n.parse::<u32>().is_ok()) => "vumi.metrics.buckets",
        _ => "vumi",
    }
}

/// True for queues whose messages must wait for their consumer, so that a publisher makes them exist: messages,
/// events, failures and dead letters. What only says how things stand (status, metrics, heartbeats) is gone when
/// nobody listens, as it always was.
pub fn is_kept(queue: &str) -> bool {
    [".inbound", ".outbound", ".event", ".failures", ".dead"].iter().any(|ending| queue.ends_with(ending))
        && queue != HEARTBEATS
}

/// Checks a connector name: not empty, all lower case, printable, at most 200 bytes.
///
/// # Errors
/// One sentence that names the rule.
pub fn check(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::permanent("a connector name must not be empty"));
    }
    if name.len() > 200 {
        return Err(Error::permanent(format!("the name '{name}' is longer than 200 bytes")));
    }
    if name.chars().any(char::is_uppercase) {
        return Err(Error::permanent(format!("routing key '{}' is not all lower case", inbound(name))));
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::permanent(format!("the name {name:?} must not hold spaces or control characters")));
    }
    Ok(())
}

/// An address as part of a name: `*` becomes `s`, `#` becomes `h`.
pub fn safe(address: &str) -> String {
    address.replace('*', "s").replace('#', "h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_in_vumi() {
        assert_eq!(status("sms_1"), "sms_1.status.status");
        assert_eq!(safe("*120*11#"), "s120s11h");
        assert!(check("SMS_1").unwrap_err().to_string().contains("lower case"));
        assert!(check("sms_1").is_ok());
        assert_eq!(exchange("sms_1.inbound"), "vumi");
        assert_eq!(exchange("bucket.3"), "vumi.metrics.buckets");
        assert_eq!(exchange("bucket.x"), "vumi");
        assert!(is_kept("sms_1.failures") && !is_kept("sms_1.status.status") && !is_kept(HEARTBEATS));
    }
}
