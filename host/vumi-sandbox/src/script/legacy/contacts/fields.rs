//! What a contact is made of: texts by name, and the groups that it is in.
//!
//! The toolkit sends what an app adds of its own as the objects `extra` and `subscription`, and takes it back as fields
//! `extras-<name>` and `subscription-<name>`; it is kept as the latter.

use serde_json::{Map, Value};

use super::address::UNKNOWN;

/// Fields that are the host's: what an app says of them is passed over.
const OWN: [&str; 3] = ["key", "user_account", "created_at"];

/// Fields that every contact has, nothing unless given.
const USUAL: [&str; 10] = [
    "name",
    "surname",
    "email_address",
    "dob",
    "twitter_handle",
    "facebook_id",
    "bbm_pin",
    "gtalk_id",
    "mxit_id",
    "wechat_id",
];

/// What a field of an app's own begins with.
pub(super) const EXTRA: &str = "extras-";

/// What a field about a subscription begins with.
pub(super) const SUBSCRIPTION: &str = "subscription-";

/// An app's fields of a contact as they are kept, without those that are the host's.
///
/// # Errors
/// One sentence that names the field.
pub(super) fn taken(given: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut fields = Map::new();
    for (name, value) in given {
        match (name.as_str(), value) {
            (name, _) if OWN.contains(&name) => {}
            ("extra", Value::Object(inner)) => fields.extend(prefixed(EXTRA, inner)?),
            ("subscription", Value::Object(inner)) => fields.extend(prefixed(SUBSCRIPTION, inner)?),
            ("extra" | "subscription", Value::Null) => {}
            ("extra" | "subscription", _) => return Err(format!("the contact's field `{name}` must be an object")),
            ("groups", Value::Array(groups)) if groups.iter().all(Value::is_string) => {
                fields.insert(name.clone(), value.clone());
            }
            ("groups", _) => return Err("the contact's field `groups` must be a list of keys of groups".to_owned()),
            (_, Value::String(_)) => {
                fields.insert(name.clone(), value.clone());
            }
            (other, Value::Null) if !other.starts_with(EXTRA) && !other.starts_with(SUBSCRIPTION) => {
                fields.insert(name.clone(), Value::Null);
            }
            (name, _) => return Err(format!("the contact's field `{name}` must be text")),
        }
    }
    if fields.get("msisdn").is_some_and(Value::is_null) {
        fields.insert("msisdn".to_owned(), UNKNOWN.into());
    }
    Ok(fields)
}

/// Fields with a word before their names; all of them texts, since the toolkit reads no others.
///
/// # Errors
/// One sentence that names the field.
pub(super) fn prefixed(prefix: &str, given: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let one = |(name, value): (&String, &Value)| match value {
        Value::String(_) => Ok((format!("{prefix}{name}"), value.clone())),
        _ => Err(format!("the contact's field `{prefix}{name}` must be text")),
    };
    given.iter().map(one).collect()
}

/// A whole contact: the host's own fields, which are `own`, then the app's, and nothing for those that are missing.
pub(super) fn whole(own: &Map<String, Value>, given: Map<String, Value>) -> Map<String, Value> {
    let mut contact: Map<String, Value> =
        OWN.iter().filter_map(|name| Some(((*name).to_owned(), own.get(*name)?.clone()))).collect();
    contact.insert("msisdn".to_owned(), UNKNOWN.into());
    contact.extend(USUAL.map(|name| (name.to_owned(), Value::Null)));
    contact.insert("groups".to_owned(), Value::Array(Vec::new()));
    contact.extend(given);
    contact
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn extras_are_kept_as_the_toolkit_reads_them() {
        let given = json!({
            "key": "mine", "name": "Zoë", "surname": null, "msisdn": null, "groups": ["g"],
            "extra": {"a": "1"}, "extras-b": "2", "subscription": {"c": "3"},
        });
        let expected = json!({
            "name": "Zoë", "surname": null, "msisdn": "unknown", "groups": ["g"],
            "extras-a": "1", "extras-b": "2", "subscription-c": "3",
        });
        assert_eq!(taken(&map(given)).unwrap(), map(expected));
    }

    #[test]
    fn what_the_toolkit_could_not_read_back_is_refused() {
        for (given, name) in [
            (json!({"name": 5}), "`name`"),
            (json!({"extra": {"a": 1}}), "`extras-a`"),
            (json!({"extras-a": null}), "`extras-a`"),
            (json!({"subscription": {"a": null}}), "`subscription-a`"),
            (json!({"extra": "x"}), "`extra`"),
            (json!({"b": []}), "`b`"),
            (json!({"groups": [1]}), "`groups`"),
            (json!({"groups": null}), "`groups`"),
        ] {
            let error = taken(&map(given.clone())).expect_err(&given.to_string());
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_whole_contact_keeps_what_is_the_hosts() {
        let own = map(json!({"key": "k", "user_account": "u", "created_at": "t", "name": "old"}));
        let contact = whole(&own, map(json!({"surname": "New"})));
        assert_eq!(
            (&contact["key"], &contact["created_at"], &contact["surname"]),
            (&"k".into(), &"t".into(), &"New".into())
        );
        assert_eq!((&contact["name"], &contact["msisdn"]), (&Value::Null, &"unknown".into()));
    }
}
