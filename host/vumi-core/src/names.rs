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
    }
}
