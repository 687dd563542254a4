//! What must hold of a request, or of an answer: a word, a shared secret, a signature.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::context::{Context, Wrong};
use super::page::Page;
use super::value::Find;
use crate::http::Pattern;
use crate::http::signature::{Hash, unhex};

/// What must hold. One of the keys below `of` says what; of a value that is not there, only `present: false` and
/// `none_of` hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ConditionKeys")]
pub struct Condition {
    pub(super) of: Find,
    pub(super) test: Test,
    pub(super) refuse: Option<Page>,
}

/// As it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionKeys {
    /// The value that is looked at.
    of: Find,
    /// It is this text.
    is: Option<String>,
    /// It is one of these texts.
    one_of: Option<Vec<String>>,
    /// It is none of these texts, or not there.
    none_of: Option<Vec<String>>,
    /// This regular expression matches somewhere in it.
    matches: Option<Pattern>,
    /// It is there, or with `false`, it is not.
    present: Option<bool>,
    /// It is the secret of this name. How long the comparison takes tells nothing about the secret.
    secret: Option<String>,
    /// It signs the body.
    hmac: Option<Hmac>,
    /// What a sender is answered for whom it does not hold; 403 unless given. Under `require` only. `{{given}}` stands
    /// for the value.
    refuse: Option<Page>,
}

/// A signature of the body (RFC 2104).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// The name of the secret.
    pub(super) secret: String,
    /// `sha256` unless given.
    #[serde(default)]
    algorithm: Algorithm,
    /// How the signature is written; `hex` unless given.
    #[serde(default)]
    encoding: Encoding,
    /// What stands before it, as `sha256=`.
    #[serde(default)]
    prefix: String,
}

/// Hash functions.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC-SHA256.
    #[default]
    Sha256,
    /// HMAC-SHA1, which some networks have not left yet.
    Sha1,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits, in either case.
    #[default]
    Hex,
    /// Base64 (RFC 4648, section 4).
    Base64,
}

#[derive(Clone)]
pub(super) enum Test {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    Matches(Pattern),
    Present(bool),
    Secret(String),
    Hmac(Hmac),
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Test")
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ConditionKeys::json_schema(generator)
    }
}

impl TryFrom<ConditionKeys> for Condition {
    type Error = String;

    fn try_from(keys: ConditionKeys) -> Result<Self, String> {
        let tests = [
            keys.is.map(|text| Test::OneOf(vec![text])),
            keys.one_of.map(Test::OneOf),
            keys.none_of.map(Test::NoneOf),
            keys.matches.map(Test::Matches),
            keys.present.map(Test::Present),
            keys.secret.map(Test::Secret),
            keys.hmac.map(Test::Hmac),
        ];
        let mut given = tests.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(test), None) => Ok(Self { of: keys.of, test, refuse: keys.refuse }),
            (first, _) => {
                let how = if first.is_none() { "needs one" } else { "has one only" };
                Err(format!("a condition {how} of is, one_of, none_of, matches, present, secret, hmac"))
            }
        }
    }
}

impl Condition {
    /// Whether it holds; and the value that was looked at. `body` is what a signature signs.
    ///
    /// # Errors
    /// When the request cannot be read.
    pub(super) fn holds(&self, context: &Context<'_>, body: &[u8]) -> Result<(bool, Option<String>), Wrong> {
        let given = self.of.find(context)?;
        let holds = match (&self.test, given.as_deref()) {
            (Test::Present(wanted), given) => given.is_some() == *wanted,
            (Test::NoneOf(texts), given) => !given.is_some_and(|given| texts.iter().any(|text| text == given)),
            (_, None) => false,
            (Test::OneOf(texts), Some(given)) => texts.iter().any(|text| text == given),
            (Test::Matches(pattern), Some(given)) => pattern.find(given).is_some(),
            (Test::Secret(name), Some(given)) => {
                context.named.secret(name, None).is_some_and(|secret| secret.matches(given.as_bytes()))
            }
            (Test::Hmac(hmac), Some(given)) => hmac.verifies(context, given, body),
        };
        Ok((holds, given))
    }

    /// The name of the secret that it needs.
    pub(super) fn secret(&self) -> Option<&str> {
        match &self.test {
            Test::Secret(name) => Some(name),
            Test::Hmac(hmac) => Some(&hmac.secret),
            _ => None,
        }
    }
}

impl Hmac {
    fn verifies(&self, context: &Context<'_>, given: &str, body: &[u8]) -> bool {
        let signature = given.strip_prefix(&self.prefix).and_then(|text| match self.encoding {
            Encoding::Hex => unhex(text),
            Encoding::Base64 => STANDARD.decode(text).ok(),
        });
        let (Some(signature), Some(secret)) = (signature, context.named.secret(&self.secret, None)) else {
            return false;
        };
        let hash = match self.algorithm {
            Algorithm::Sha256 => Hash::Sha256,
            Algorithm::Sha1 => Hash::Sha1,
        };
        hash.verify(secret.expose().as_bytes(), body, &signature)
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::Secret;

    use super::super::secrets::Named;
    use super::super::secrets::tests::NOTHING;
    use super::*;

    fn holds(yaml: &str, body: &[u8]) -> bool {
        let condition: Condition = serde_saphyr::from_str(yaml).unwrap();
        let secrets = [("k".to_owned(), Secret::new("key"))].into_iter().collect();
        let named = Named { secrets: &secrets, ..NOTHING };
        let message = serde_json::json!({"content": "abc"});
        condition.holds(&Context::to_user(named, message.as_object().unwrap()), body).unwrap().0
    }

    #[test]
    fn every_condition() {
        for (yaml, right) in [
            ("{of: {field: content}, is: abc}", true),
            ("{of: {field: content}, is: ab}", false),
            ("{of: {field: content}, one_of: [x, abc]}", true),
            ("{of: {field: content}, none_of: [x, abc]}", false),
            ("{of: {field: no}, none_of: [x]}", true),
            ("{of: {field: no}, one_of: [x]}", false),
            ("{of: {field: content}, matches: b}", true),
            ("{of: {field: content}, matches: '^b'}", false),
            ("{of: {field: content}, present: true}", true),
            ("{of: {field: no}, present: false}", true),
            ("{of: {const: key}, secret: k}", true),
            ("{of: {const: kez}, secret: k}", false),
            ("{of: {field: no}, secret: k}", false),
        ] {
            assert_eq!(holds(yaml, b""), right, "{yaml}");
        }
    }

    #[test]
    fn signatures() {
        // HMAC of the well-known text under `key`.
        let body = b"The quick brown fox jumps over the lazy dog";
        let sha256 = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        let sha1 = "3nybhbi3iqa8ino29wqQcBydtNk=";
        let hex = format!("{{of: {{const: 'sha256={sha256}'}}, hmac: {{secret: k, prefix: 'sha256='}}}}");
        let base64 = format!("{{of: {{const: '{sha1}'}}, hmac: {{secret: k, algorithm: sha1, encoding: base64}}}}");
        for yaml in [&hex, &hex.replace("bc83", "BC83"), &base64] {
            assert!(holds(yaml, body), "{yaml}");
            assert!(!holds(yaml, b"The quick brown fox"), "{yaml}");
        }
        for wrong in [
            hex.replace("f7bc", "f7bd"),
            hex.replace("f7bc", "f7b"),
            hex.replace("f7bc", "f7bé"),
            base64.replace("3ny", "4ny"),
        ] {
            assert!(!holds(&wrong, body), "{wrong}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (yaml, told) in [
            ("{of: {param: a}}", "needs one of is"),
            ("{of: {param: a}, is: b, secret: c}", "has one only"),
            ("{of: {param: a}, hmac: {secret: k, algorithm: md5}}", "md5"),
            ("{is: a}", "of"),
        ] {
            let error = serde_saphyr::from_str::<Condition>(yaml).unwrap_err().to_string();
            assert!(error.contains(told), "{yaml}: {error}");
        }
    }
}
