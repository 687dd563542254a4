//! An SMS that a phone hands over becomes a message.

use vumi_message::address::normalize_msisdn;
use vumi_message::{NewUserMessage, Timestamp};

use super::{Account, refusal};
use crate::http::{HttpLink, Refusal, Request};

/// Publishes the SMS of a request.
pub(super) async fn publish(account: &Account<'_>, request: &Request, link: &HttpLink) -> Result<(), Refusal> {
    let field = |name: &str| match request.text(name) {
        Ok(value) => value.ok_or_else(|| refusal(&format!("the parameter {name} is missing"))),
        Err(refusal) => Err(refusal),
    };
    let (secret, sent) = (field("secret")?, field("sent_timestamp")?);
    let (to_addr, from_addr, content) = (field("sent_to")?, field("from")?, field("message")?);
    if !account.secret.expose().is_empty() && !account.secret.matches(secret.as_bytes()) {
        return Err(refusal("its secret is wrong"));
    }
    let timestamp = moment(&sent).unwrap_or_else(|| {
        tracing::warn!(transport = link.name(), "the time of a message is not understood; the present one is taken");
        link.now()
    });
    let message = NewUserMessage {
        to_addr: Some(normalize_msisdn(&to_addr, account.country_code)),
        from_addr: Some(normalize_msisdn(&from_addr, account.country_code)),
        content: Some(content),
        timestamp: Some(timestamp),
        transport_type: Some("sms".to_owned()),
        transport_metadata: account.metadata.clone(),
        ..NewUserMessage::default()
    };
    link.publish(request, message).await
}

/// When an SMS was sent: `MM-DD-YY HH:MM`, or milliseconds since 1970, of which whole seconds count. All in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(milliseconds) = text.parse::<i64>() {
        let seconds = milliseconds.div_euclid(1000);
        return Some(Timestamp::from_secs(seconds)).filter(|moment| moment.secs() == seconds);
    }
    let (date, time) = text.split_once(' ')?;
    let mut date = date.split('-').map(|part| number(part, 99));
    let (month, day, year) = (date.next()??, date.next()??, date.next()??);
    let (hour, minute) = time.trim_start().split_once(':')?;
    let (hour, minute) = (number(hour, 23)?, number(minute, 59)?);
    // As POSIX has it: from 69 on it is the last century.
    let century = if year < 69 { 20 } else { 19 };
    let text = format!("{century}{year:02}-{month:02}-{day:02} {hour:02}:{minute:02}:00");
    text.parse().ok().filter(|_| date.next().is_none())
}

/// One or two digits.
fn number(digits: &str, most: u8) -> Option<u8> {
    let plain = matches!(digits.len(), 1 | 2) && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().filter(|number| *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_phones() {
        for (text, expected) in [
            ("1377125641000", Some("2013-08-21 22:54:01.000000")),
            ("1377125641999", Some("2013-08-21 22:54:01.000000")),
            ("-1", Some("1969-12-31 23:59:59.000000")),
            ("02-03-24 04:05", Some("2024-02-03 04:05:00.000000")),
            ("2-3-68 4:5", Some("2068-02-03 04:05:00.000000")),
            ("12-31-69 23:59", Some("1969-12-31 23:59:00.000000")),
            ("02-29-23 04:05", None),
            ("13-01-24 04:05", None),
            ("01-01-24 24:00", None),
            ("01-01-24-1 04:00", None),
            ("01-01-24 04:00:00", None),
            ("01-01-2024 04:00", None),
            ("+1-01-24 04:00", None),
            ("999999999999999999", None),
            ("99999999999999999999", None),
            ("", None),
            ("yesterday", None),
        ] {
            assert_eq!(moment(text).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
        }
    }
}
