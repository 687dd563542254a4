//! Identifiers of messages, events and commands.
//!
//! An id made here is 32 lower-case hex digits. Normally it is random; the messages that an application sends
//! while it handles one inbound message get *derived* ids instead, so that handling the same inbound message
//! again after a crash gives the same ids and the transport can see that they already went out.

use uuid::Uuid;

/// The name space of derived ids. Changing it would change every derived id, and with it break the recognition
/// of messages sent before an upgrade.
const DERIVED: Uuid = Uuid::from_u128(0x7675_6d69_686f_5374_8000_6465_7269_7665);

/// A new random id: 32 lower-case hex digits (a version 4 UUID without dashes; messages.md §2 "Identifiers").
pub fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The id of the `n`-th message that the application `app` sends for the inbound message `inbound_id`:
/// 32 lower-case hex digits, always the same for the same three values (design §5 rule 3). It is a version 5
/// UUID (RFC 9562 §5.5).
pub fn derived_id(inbound_id: &str, app: &str, n: u64) -> String {
    let mut name = Vec::with_capacity(inbound_id.len() + app.len() + 24);
    // Each text is preceded by its length: otherwise ("ab", "c") and ("a", "bc") would be one name.
    for text in [inbound_id, app] {
        name.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        name.extend_from_slice(text.as_bytes());
    }
    name.extend_from_slice(&n.to_be_bytes());
    Uuid::new_v5(&DERIVED, &name).simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hex32(id: &str) -> bool {
        id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    #[test]
    fn new_ids_are_hex_and_differ() {
        let (one, two) = (new_id(), new_id());
        assert!(is_hex32(&one) && is_hex32(&two), "{one} {two}");
        assert_ne!(one, two);
    }

    #[test]
    fn a_derived_id_depends_on_each_part_and_nothing_else() {
        let id = derived_id("m1", "echo", 0);
        assert!(is_hex32(&id), "{id}");
        assert_eq!(id, derived_id("m1", "echo", 0));
        for other in [derived_id("m2", "echo", 0), derived_id("m1", "ech", 0), derived_id("m1", "echo", 1)] {
            assert_ne!(id, other);
        }
        assert_ne!(derived_id("ab", "c", 0), derived_id("a", "bc", 0));
        assert_ne!(derived_id("", "ab", 0), derived_id("ab", "", 0));
    }

    /// These ids are on the wire of running systems: they must not change with an upgrade.
    #[test]
    fn derived_ids_stay_the_same_for_ever() {
        assert_eq!(derived_id("m1", "echo", 0), "03f602089ea9545198840ea88f12913f");
        assert_eq!(derived_id("m1", "echo", 1), "cb87d05175a95c099f05d11988934642");
    }
}
