//! Moments and spans of time: `2026-01-31T08:00:00Z`, `+1d12h`, `5s`.

use std::time::Duration;

use vumi_message::Timestamp;
use vumi_yaml::{Fault, Node};

use super::fields::{expected, text};

/// How the clock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    /// By so much.
    By(Duration),
    /// To this moment.
    To(Timestamp),
}

/// `+2h`, or a moment.
pub(crate) fn shift(node: &Node) -> Result<Shift, Fault> {
    match text(node)?.strip_prefix('+') {
        Some(rest) => span_of(rest).map(Shift::By).ok_or_else(|| wrong_span(node)),
        None => moment(node).map(Shift::To).map_err(|fault| fault.help("or move it by a span, as +2h or +1d12h30m")),
    }
}

/// A moment. A day stands for its beginning.
pub(crate) fn moment(node: &Node) -> Result<Timestamp, Fault> {
    let text = text(node)?;
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text };
    whole.parse().map_err(|_| expected("a time, as 2026-01-31T08:00:00Z", node))
}

/// A span of time.
pub(crate) fn span(node: &Node) -> Result<Duration, Fault> {
    span_of(&text(node)?).ok_or_else(|| wrong_span(node))
}

fn wrong_span(node: &Node) -> Fault {
    expected("a span of time, as 90s, 2h or 1d12h30m", node)
}

/// Numbers, each with its unit: `d`, `h`, `m`, `s`, `ms`.
fn span_of(text: &str) -> Option<Duration> {
    let (mut rest, mut millis) = (text.trim(), 0_u64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let unit = match unit.trim() {
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" | "min" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    // A century: what is beyond would leave the calendar.
    (millis <= 100 * 366 * 86_400_000).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span_of("90s"), Some(Duration::from_secs(90)));
        assert_eq!(span_of("1d12h30m"), Some(Duration::from_secs(131_400)));
        assert_eq!(span_of("250ms"), Some(Duration::from_millis(250)));
        for wrong in ["", "5", "h", "2x", "-2h", "2h3", "99999999999999999999d", "40000d"] {
            assert_eq!(span_of(wrong), None, "{wrong}");
        }
    }
}
