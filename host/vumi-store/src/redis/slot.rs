//! Which keys of a cluster are together. A cluster spreads its keys over 16 384 slots by a checksum of the key, or of the
//! part between the first `{` and the next `}` (the hash tag) if there is one: keys with one tag are in one slot, and only
//! such keys can be changed in one step (<https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>).

use std::collections::HashMap;
use std::sync::OnceLock;

use redis::cluster_routing::Slot;

/// The slot of a key.
pub(super) fn slot(key: &str) -> Slot {
    Slot::for_key(key)
}

/// The hash tag of a key.
pub(super) fn tag(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once('{')?;
    let (tag, _) = rest.split_once('}')?;
    (!tag.is_empty()).then_some(tag)
}

/// The first two keys that are not in one slot.
pub(super) fn apart<'a>(keys: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let (first, others) = keys.split_first()?;
    let home = slot(first);
    others.iter().find(|key| slot(key) != home).map(|other| (*first, *other))
}

/// A key beside `key`, in the same slot: `key` and `suffix`, and, if `key` has no hash tag, a tag that leads to its slot.
/// So it begins as `key` does, which access lists go by.
pub(super) fn beside(key: &str, suffix: &str) -> String {
    let plain = format!("{key}{suffix}");
    let home = slot(key);
    if slot(&plain) == home {
        return plain;
    }
    static TAGS: OnceLock<HashMap<Slot, u32>> = OnceLock::new();
    let tags = TAGS.get_or_init(|| {
        let mut tags = HashMap::new();
        // Nearly all slots are met among so many; `found` below covers the rest.
        for n in 0..200_000 {
            tags.entry(slot(&n.to_string())).or_insert(n);
        }
        tags
    });
    let tagged = |n: u32| format!("{plain}{{{n}}}");
    let known = tags.get(&home).map(|n| tagged(*n)).filter(|name| slot(name) == home);
    // Lone braces in the key itself make another tag of it; then the number is searched for.
    known.or_else(|| (0..u32::MAX).map(tagged).find(|name| slot(name) == home)).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_as_redis_finds_them() {
        for (key, expected) in
            [("a", None), ("{a}b", Some("a")), ("x{a}{b}", Some("a")), ("{}{a}", None), ("a}b{c", None), ("{a", None)]
        {
            assert_eq!(tag(key), expected, "{key}");
        }
        assert_eq!(apart(&["{a}1", "x{a}", "a"]), None);
        assert_eq!(apart(&["{a}1", "b"]), Some(("{a}1", "b")));
        assert_eq!(apart(&[]), None);
    }

    #[test]
    fn a_key_beside_another_is_in_its_slot_and_begins_as_it_does() {
        for n in 0..500 {
            let key = format!("vumi:count#{n}");
            let name = beside(&key, "#expiring-keys");
            assert!(slot(&name) == slot(&key) && name.starts_with(&key), "{name}");
        }
        for key in ["{vumi}:count#1", "a}b", "a{b", "{}x", "{", "}", "", "a{}b{c"] {
            assert!(slot(&beside(key, "#e")) == slot(key), "{key}");
        }
        assert_eq!(beside("{vumi}:count#1", "#e"), "{vumi}:count#1#e");
    }
}
