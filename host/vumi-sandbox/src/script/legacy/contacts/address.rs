//! Addresses of contacts: which field of a contact holds those of a delivery class, and how they are written.

use serde_json::{Map, Value};

/// What stands in the field `msisdn` of a contact without a telephone number: the toolkit wants a text there.
pub(super) const UNKNOWN: &str = "unknown";

/// A field of a contact by which it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressKind {
    Msisdn,
    Gtalk,
    Twitter,
    Mxit,
    Wechat,
}

impl AddressKind {
    pub(super) const ALL: [Self; 5] = [Self::Msisdn, Self::Gtalk, Self::Twitter, Self::Mxit, Self::Wechat];

    /// That of a delivery class, if it is a known one.
    pub(super) fn of(delivery_class: &str) -> Option<Self> {
        Some(match delivery_class {
            "sms" | "ussd" => Self::Msisdn,
            "gtalk" | "xmpp" => Self::Gtalk,
            "twitter" => Self::Twitter,
            "mxit" => Self::Mxit,
            "wechat" => Self::Wechat,
            _ => return None,
        })
    }

    /// The contact's field.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Msisdn => "msisdn",
            Self::Gtalk => "gtalk_id",
            Self::Twitter => "twitter_handle",
            Self::Mxit => "mxit_id",
            Self::Wechat => "wechat_id",
        }
    }

    /// The one way to write an address: telephone numbers with a `+`, Gtalk's without the device.
    pub(super) fn written(self, address: &str) -> String {
        match self {
            Self::Msisdn => format!("+{}", address.replacen('+', "", 1)),
            Self::Gtalk => address.split('/').next().unwrap_or_default().to_owned(),
            Self::Twitter | Self::Mxit | Self::Wechat => address.to_owned(),
        }
    }

    /// A contact's address of this kind, if it has one.
    pub(super) fn address(self, contact: &Map<String, Value>) -> Option<String> {
        let address = contact.get(self.field())?.as_str()?;
        (!address.is_empty() && address != UNKNOWN).then(|| self.written(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_one_way() {
        for (class, given, field, written) in [
            ("sms", "27731234567", "msisdn", "+27731234567"),
            ("ussd", "+27731234567", "msisdn", "+27731234567"),
            ("gtalk", "me@example.org/phone", "gtalk_id", "me@example.org"),
            ("xmpp", "me@example.org", "gtalk_id", "me@example.org"),
            ("twitter", "@me", "twitter_handle", "@me"),
            ("mxit", "m/1", "mxit_id", "m/1"),
            ("wechat", "w+1", "wechat_id", "w+1"),
        ] {
            let kind = AddressKind::of(class).unwrap();
            assert_eq!((kind.field(), kind.written(given).as_str()), (field, written), "{class}");
        }
        assert_eq!(AddressKind::of("pigeon"), None);
    }

    #[test]
    fn a_contact_need_not_have_one() {
        let of = |msisdn: Value| AddressKind::Msisdn.address(&Map::from_iter([("msisdn".to_owned(), msisdn)]));
        assert_eq!(of("27".into()).as_deref(), Some("+27"));
        assert_eq!((of(UNKNOWN.into()), of("".into()), of(Value::Null)), (None, None, None));
        assert_eq!(AddressKind::Msisdn.address(&Map::new()), None);
    }
}
