//! The steps of a case. A step is a map whose first key says what it is; the other keys belong to it.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::{Map, Value};

use super::expect::{Answer, Response};
use super::keyed::Resumed;
use super::pairs::Pairs;

macro_rules! steps {
    ($($(#[$doc:meta])* $key:literal => $name:ident($type:ident $fields:tt)),* $(,)?) => {
        /// One step.
        #[derive(Clone, Debug)]
        pub enum Step {
            $($(#[$doc])* $name($type)),*
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $type $fields
        )*

        impl<'de> Deserialize<'de> for Step {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ByFirstKey;
                impl<'de> Visitor<'de> for ByFirstKey {
                    type Value = Step;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a step: a map whose first key says what it is")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                        let key: String = map.next_key()?.unwrap_or_default();
                        match key.as_str() {
                            $($key => {
                                let rest = Resumed { key: Some($key), map };
                                $type::deserialize(MapAccessDeserializer::new(rest)).map(Step::$name)
                            })*
                            _ => Err(serde::de::Error::custom(format!(
                                "a step begins with one of {}, not with `{key}`", [$($key),*].join(", ")
                            ))),
                        }
                    }
                }
                deserializer.deserialize_map(ByFirstKey)
            }
        }
    };
}

steps! {
    /// Sends a request on a connection of its own.
    "request" => Request(RequestStep {
        /// `METHOD TARGET`.
        pub request: String,
        /// Its name; `r` unless given.
        #[serde(rename = "as", default = "the_request")]
        pub name: String,
        /// Headers besides `Host`, `Connection` and what the body needs; one of these names takes the place of ours.
        #[serde(default)]
        pub headers: Pairs,
        /// Body, as it is.
        pub body: Option<String>,
        /// Body, a form.
        pub form: Option<Pairs>,
        /// Body, JSON.
        #[serde(default, deserialize_with = "present")]
        pub json: Option<Value>,
        /// Body, in hexadecimal digits.
        pub body_hex: Option<String>,
        /// Body, this many `x`.
        pub body_size: Option<usize>,
        /// Send it again until the response is this one.
        pub until: Option<Response>,
    }),
    /// Sends these bytes on a connection of its own.
    "raw" => Raw(RawStep {
        /// The bytes, as text.
        pub raw: String,
        /// Its name; `r` unless given.
        #[serde(rename = "as", default = "the_request")]
        pub name: String,
    }),
    /// Sends these bytes, which are no text, on a connection of its own.
    "raw_hex" => RawHex(RawHexStep {
        /// The bytes in hexadecimal digits.
        pub raw_hex: String,
        /// Its name; `r` unless given.
        #[serde(rename = "as", default = "the_request")]
        pub name: String,
    }),
    /// Waits for a response.
    "response" => Response(ResponseStep {
        /// What it must be.
        pub response: Response,
        /// To which request; `r` unless given.
        #[serde(rename = "as", default = "the_request")]
        pub name: String,
    }),
    /// A request is still open.
    "no_response" => NoResponse(NoResponseStep {
        /// True.
        pub no_response: bool,
        /// Which request; `r` unless given.
        #[serde(rename = "as", default = "the_request")]
        pub name: String,
    }),
    /// The client closes the connection of a request.
    "disconnect" => Disconnect(DisconnectStep {
        /// True.
        pub disconnect: bool,
        /// Which request; `r` unless given.
        #[serde(rename = "as", default = "the_request")]
        pub name: String,
    }),
    /// Waits for the next message from a user.
    "inbound" => Inbound(InboundStep {
        /// Fields that it must have.
        pub inbound: Map<String, Value>,
        /// A name for the message, besides `msg`.
        #[serde(rename = "as")]
        pub name: Option<String>,
    }),
    /// Puts a reply into the queue of messages to users.
    "reply" => Reply(ReplyStep {
        /// Fields of the reply; the others follow from the message that is answered.
        pub reply: Map<String, Value>,
        /// The message that is answered; the last one unless given.
        #[serde(default = "the_message")]
        pub to: String,
        /// A name for its id, besides `out`.
        #[serde(rename = "as")]
        pub name: Option<String>,
    }),
    /// Puts a message that is no reply into the queue of messages to users.
    "send" => Send(SendStep {
        /// Its fields; the others have their defaults.
        pub send: Map<String, Value>,
        /// A name for its id, besides `out`.
        #[serde(rename = "as")]
        pub name: Option<String>,
    }),
    /// Waits for the next event.
    "event" => Event(EventStep {
        /// Fields that it must have.
        pub event: Map<String, Value>,
    }),
    /// Waits for the next failure.
    "failure" => Failure(FailureStep {
        /// Fields that it must have.
        pub failure: Map<String, Value>,
    }),
    /// Waits for the next published status.
    "status" => Status(StatusStep {
        /// Fields that it must have.
        pub status: Map<String, Value>,
    }),
    /// None of these came.
    "nothing" => Nothing(NothingStep {
        /// What did not come.
        pub nothing: Vec<Source>,
    }),
    /// Waits for the next request that the transport makes.
    "remote" => Remote(RemoteStep {
        /// `METHOD PATH`.
        pub remote: String,
        /// Its whole query.
        #[serde(default)]
        pub query: Pairs,
        /// Headers that it must have.
        #[serde(default)]
        pub headers: Pairs,
        /// Its body.
        pub body: Option<String>,
        /// Its body, a form; the order does not count.
        pub form: Option<Pairs>,
        /// Its body, as JSON.
        #[serde(default, deserialize_with = "present")]
        pub json: Option<Value>,
        /// What its body has as JSON, among others.
        #[serde(default, deserialize_with = "present")]
        pub json_has: Option<Value>,
        /// Its body, as XML.
        pub xml: Option<String>,
        /// A part of its body.
        pub contains: Option<String>,
        /// A regular expression for its body.
        pub body_matches: Option<String>,
        /// What the fake server answers: 200 and nothing unless given.
        #[serde(default)]
        pub answer: Answer,
    }),
    /// Looks at a text in the key-value store.
    "kv" => Kv(KvStep {
        /// What must stand there.
        pub kv: KvCheck,
    }),
    /// Looks at a hash.
    "hash" => Hash(HashStep {
        /// What must stand there.
        pub hash: HashCheck,
    }),
    /// Looks at a list.
    "list" => List(ListStep {
        /// What must stand there.
        pub list: ListCheck,
    }),
    /// Puts a text into the key-value store.
    "put_kv" => PutKv(PutKvStep {
        /// What.
        pub put_kv: PutKv,
    }),
    /// Puts a hash.
    "put_hash" => PutHash(PutHashStep {
        /// What.
        pub put_hash: PutHash,
    }),
    /// Puts a list.
    "put_list" => PutList(PutListStep {
        /// What.
        pub put_list: PutList,
    }),
    /// Lets time pass, where the specification is about time.
    "pause_ms" => Pause(PauseStep {
        /// Milliseconds.
        pub pause_ms: u64,
    }),
    /// Stops the transport, which must end well.
    "stop" => Stop(StopStep {
        /// True.
        pub stop: bool,
    }),
    /// The transport's start fails with a text like this.
    "start_fails" => StartFails(StartFailsStep {
        /// Part of the text.
        pub start_fails: String,
    }),
    /// The configuration is refused with a text like this.
    "check_fails" => CheckFails(CheckFailsStep {
        /// Part of the text.
        pub check_fails: String,
    }),
}

/// What a transport gives off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Messages from users.
    Inbound,
    /// Events.
    Event,
    /// Failures.
    Failure,
    /// Published states.
    Status,
    /// Requests to the fake server.
    Remote,
}

/// See [`KvStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvCheck {
    /// Key.
    pub key: String,
    /// Its text; null for none.
    #[serde(deserialize_with = "present")]
    pub is: Option<Value>,
    /// Seconds left, as they were when it was written; null for no end.
    #[serde(default, deserialize_with = "present")]
    pub ttl: Option<Value>,
}

/// See [`HashStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCheck {
    /// Key.
    pub key: String,
    /// Fields that it must have.
    pub has: Option<Map<String, Value>>,
    /// Its fields; null for no hash.
    #[serde(default, deserialize_with = "present")]
    pub is: Option<Value>,
    /// See [`KvCheck::ttl`].
    #[serde(default, deserialize_with = "present")]
    pub ttl: Option<Value>,
}

/// See [`ListStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCheck {
    /// Key.
    pub key: String,
    /// Its entries; the empty list for none.
    pub is: Vec<Value>,
}

/// See [`PutKvStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutKv {
    /// Key.
    pub key: String,
    /// Text.
    pub value: String,
    /// Seconds.
    pub ttl: Option<u64>,
}

/// See [`PutHashStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutHash {
    /// Key.
    pub key: String,
    /// Fields.
    pub fields: Pairs,
    /// Seconds.
    pub ttl: Option<u64>,
}

/// See [`PutListStep`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutList {
    /// Key.
    pub key: String,
    /// Entries.
    pub items: Vec<String>,
}

impl RawHexStep {
    /// The bytes.
    ///
    /// # Errors
    /// When they are no pairs of hexadecimal digits.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        from_hex(&self.raw_hex).ok_or_else(|| "`raw_hex` is no hexadecimal".to_owned())
    }
}

/// The bytes that hexadecimal digits stand for; white space between them does not count.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| match pair {
        [high, low] => u8::try_from(high.to_digit(16)? << 4 | low.to_digit(16)?).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

impl Step {
    /// Mistakes that the types cannot see.
    pub(super) fn check(&self) -> Result<(), String> {
        let flag = match self {
            Step::NoResponse(step) => step.no_response,
            Step::Disconnect(step) => step.disconnect,
            Step::Stop(step) => step.stop,
            _ => true,
        };
        if !flag {
            return Err("this step is `true` or left out".to_owned());
        }
        match self {
            Step::Request(step) => {
                let bodies = [
                    step.body.is_some(),
                    step.form.is_some(),
                    step.json.is_some(),
                    step.body_hex.is_some(),
                    step.body_size.is_some(),
                ];
                if bodies.iter().filter(|given| **given).count() > 1 {
                    return Err("a request has one body at most".to_owned());
                }
                parts(&step.request).map(drop)
            }
            Step::Remote(step) => parts(&step.remote).map(drop),
            Step::RawHex(step) => step.bytes().map(drop),
            Step::Hash(step) if step.hash.has.is_none() && step.hash.is.is_none() => {
                Err("a `hash` step needs `has` or `is`".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// `METHOD TARGET`, in two.
///
/// # Errors
/// When it is not two words.
pub fn parts(text: &str) -> Result<(&str, &str), String> {
    match text.split_once(' ') {
        Some((method, target)) if target.starts_with('/') => Ok((method, target)),
        _ => Err(format!("{text:?} is not a method, a space, and a path that begins with `/`")),
    }
}

fn the_request() -> String {
    "r".to_owned()
}

fn the_message() -> String {
    "msg".to_owned()
}

/// A key that is there, be it null.
pub(super) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
