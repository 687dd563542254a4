//! The form of a file of golden cases. Unknown keys are mistakes, and mistakes have a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::step::{RequestStep, Step};

/// A file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Its name without `.yaml`.
    #[serde(skip)]
    pub file: String,
    /// The specification, e.g. `airtel`. Several files may share one.
    pub spec: String,
    /// How many numbered checks that has.
    pub checks: u32,
    /// Checks that are tested elsewhere: why, and where.
    #[serde(default)]
    pub elsewhere: BTreeMap<u32, String>,
    /// The transport's class, as in a configuration file.
    pub class: String,
    /// Configuration of all cases.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// A conversation through the whole host with the app that echoes.
    #[serde(default)]
    pub e2e: Vec<Spanned<Step>>,
    /// For the fuzzer.
    #[serde(default)]
    pub fuzz: Fuzz,
    /// The cases.
    pub cases: Vec<Spanned<Case>>,
}

/// What the fuzzer must know.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fuzz {
    /// Status codes from 500 on that the specification names.
    #[serde(default)]
    pub allow: BTreeSet<u16>,
}

/// One case: a transport of its own, and what happens to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The checks that it covers.
    #[serde(default)]
    pub check: Checks,
    /// What it is about.
    pub name: String,
    /// Laid over the file's configuration; null removes a key.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// In order.
    pub steps: Vec<Spanned<Step>>,
}

/// A number or a list of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks(pub Vec<u32>);

impl Golden {
    /// The configuration of a case, `class` first.
    pub fn config_of(&self, case: &Case) -> Map<String, Value> {
        let mut config = Map::new();
        config.insert("class".to_owned(), self.class.clone().into());
        for (key, value) in self.config.iter().chain(&case.config) {
            if value.is_null() {
                config.shift_remove(key);
            } else {
                config.insert(key.clone(), value.clone());
            }
        }
        config
    }

    /// Every request of every case, as seeds for a fuzzer, with the case's configuration. They may hold placeholders.
    pub fn requests(&self) -> impl Iterator<Item = (&Case, &RequestStep)> {
        self.cases.iter().flat_map(|case| {
            case.value.steps.iter().filter_map(|step| match &step.value {
                Step::Request(request) => Some((&case.value, request)),
                _ => None,
            })
        })
    }

    /// Mistakes that the types cannot see.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for case in &self.cases {
            let (line, case) = (case.referenced.line(), &case.value);
            if !names.insert(&case.name) {
                return Err(format!("line {line}: a second case has the name {:?}", case.name));
            }
            if let Some(check) = case.check.0.iter().find(|check| !(1..=self.checks).contains(check)) {
                return Err(format!("line {line}: there is no check {check}, the specification has {}", self.checks));
            }
            if case.steps.is_empty() {
                return Err(format!("line {line}: the case {:?} has no steps", case.name));
            }
            for step in &case.steps {
                step.value.check().map_err(|mistake| format!("line {}: {mistake}", step.referenced.line()))?;
            }
        }
        for step in &self.e2e {
            let known = matches!(
                step.value,
                Step::Request(_) | Step::Response(_) | Step::Disconnect(_) | Step::Pause(_) | Step::Remote(_)
            );
            if !known {
                let line = step.referenced.line();
                return Err(format!(
                    "line {line}: `e2e` has the steps request, response, remote, disconnect and pause_ms only"
                ));
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Checks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Checks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a check, or a list of them")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Checks, E> {
                u32::try_from(number).map(|number| Checks(vec![number])).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Checks, E> {
                u32::try_from(number).map(|number| Checks(vec![number])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Checks, A::Error> {
                let mut numbers = Vec::new();
                while let Some(number) = list.next_element()? {
                    numbers.push(number);
                }
                Ok(Checks(numbers))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}
