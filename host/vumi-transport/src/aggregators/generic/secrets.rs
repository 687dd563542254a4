//! What the texts of a configuration may name: secrets, and values that follow from a message.

use std::collections::BTreeMap;

use vumi_core::Secret;

use super::value::Find;

/// Shorter secrets are not looked for in texts: they stand in many by chance.
const HIDDEN_FROM: usize = 4;

/// Everything that texts may name.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) secrets: &'a BTreeMap<String, Secret>,
    pub(super) secrets_by: &'a BTreeMap<String, BTreeMap<String, Secret>>,
    pub(super) values: &'a BTreeMap<String, Find>,
}

impl<'a> Named<'a> {
    /// A secret; of several, the one for this text.
    pub(super) fn secret(&self, name: &str, by: Option<&str>) -> Option<&'a Secret> {
        match by {
            None => self.secrets.get(name),
            Some(by) => self.secrets_by.get(name)?.get(by),
        }
    }

    /// A text of the network without the secrets that it may repeat.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        let all = self.secrets.values().chain(self.secrets_by.values().flat_map(BTreeMap::values));
        let mut all: Vec<&str> = all.map(Secret::expose).filter(|secret| secret.len() >= HIDDEN_FROM).collect();
        // The longest first: one may be a part of another.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in all {
            hidden = hidden.replace(secret, "[secret]");
        }
        hidden
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    static NO_SECRETS: BTreeMap<String, Secret> = BTreeMap::new();
    static NO_SECRETS_BY: BTreeMap<String, BTreeMap<String, Secret>> = BTreeMap::new();
    static NO_VALUES: BTreeMap<String, Find> = BTreeMap::new();

    /// Nothing at all.
    pub(in super::super) const NOTHING: Named<'static> =
        Named { secrets: &NO_SECRETS, secrets_by: &NO_SECRETS_BY, values: &NO_VALUES };

    #[test]
    fn secrets_are_found_and_hidden() {
        let secrets = serde_saphyr::from_str("{token: abcd, tokens: abcdef, pin: 0123}").unwrap();
        let secrets_by = serde_saphyr::from_str("password: {8123: first, \"9\": x}").unwrap();
        let named = Named { secrets: &secrets, secrets_by: &secrets_by, ..NOTHING };
        let shown = |name: &str, by: Option<&str>| named.secret(name, by).map(|secret| secret.expose().to_owned());
        assert_eq!(shown("token", None).as_deref(), Some("abcd"));
        assert_eq!(shown("pin", None).as_deref(), Some("0123"));
        assert_eq!(shown("password", Some("8123")).as_deref(), Some("first"));
        assert_eq!((shown("password", Some("7")), shown("password", None), shown("no", None)), (None, None, None));
        assert_eq!(named.hide("abcdef first x 0123abcd"), "[secret] [secret] x [secret][secret]");
    }
}
