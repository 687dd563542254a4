//! The types of the API's parameters and results, and the checks of what callers send. The texts are Vumi's.

use serde_json::Value;

use super::tag::Tag;

/// The type of a parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Tag,
    Tags,
    List,
    Object,
    Nothing,
}

impl Type {
    /// Its name in signatures.
    pub(super) fn wire_name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Tag | Self::Tags | Self::List => "array",
            Self::Object => "struct",
            Self::Nothing => "null",
        }
    }

    /// Its name in help texts.
    pub(super) fn help_name(self) -> &'static str {
        match self {
            Self::Text => "Unicode",
            Self::Tag => "Tag",
            Self::Tags | Self::List => "List",
            Self::Object => "Dict",
            Self::Nothing => "Null",
        }
    }

    fn check(self, name: &str, value: &Value) -> Result<(), String> {
        let expected = |what: &str| Err(format!("{what} value expected for {name} (got {})", shown(value)));
        match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Object, Value::Object(_)) | (Self::List, Value::Array(_)) => Ok(()),
            (Self::Tag, Value::Array(parts)) if Tag::from_value(value).is_none() => match parts.as_slice() {
                [pool, tag] => {
                    Self::Text.check(&format!("the pool of {name}"), pool)?;
                    Self::Text.check(&format!("the name of {name}"), tag)
                }
                _ => Err(format!(
                    "Tag {name} must contain two elements, a tag pool and a tag name (got {})",
                    shown(value)
                )),
            },
            (Self::Tag, Value::Array(_)) => Ok(()),
            (Self::Tag, _) => Err(format!("Tag {name} must be a list or tuple (got {})", shown(value))),
            (Self::Tags, Value::Array(items)) => {
                let name = format!("items of {name}");
                items.iter().try_for_each(|item| Self::Tag.check(&name, item))
            }
            (Self::Text, _) => expected("Unicode"),
            (Self::Tags | Self::List, _) => expected("List"),
            (Self::Object, _) => expected("Dict"),
            (Self::Nothing, _) => expected("Null"),
        }
    }
}

/// One parameter of a method.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// It may be null.
    pub(super) null: bool,
    /// It may be left out.
    pub(super) optional: bool,
    pub(super) help: &'static str,
}

impl Param {
    fn check(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Null if self.null => Ok(()),
            Value::Null => Err(format!("{} may not be None (got None)", self.name)),
            value => self.kind.check(self.name, value),
        }
    }
}

/// What callers sent as parameters.
pub(super) enum Given {
    Positional(Vec<Value>),
    Named(vumi_message::Payload),
}

/// The value of every parameter, in order; null for those left out.
///
/// # Errors
/// What is wrong, as the caller is told.
pub(super) fn arguments(params: &[Param], given: Given) -> Result<Vec<Value>, String> {
    let mut values: Vec<Option<Value>> = match given {
        Given::Positional(values) if values.len() > params.len() => {
            return Err("Too many positional arguments.".to_owned());
        }
        Given::Positional(values) => values.into_iter().map(Some).collect(),
        Given::Named(mut named) => {
            let values = params.iter().map(|param| named.shift_remove(param.name)).collect();
            if let Some(name) = named.keys().next() {
                return Err(format!("There is no argument '{}'.", name.chars().take(100).collect::<String>()));
            }
            values
        }
    };
    values.resize(params.len(), None);
    for (param, value) in params.iter().zip(&values) {
        if value.is_none() && !param.optional {
            return Err(format!("Positional argument '{}' missing but no default is available.", param.name));
        }
    }
    params
        .iter()
        .zip(values)
        .map(|(param, value)| match value {
            None => Ok(Value::Null),
            Some(value) => param.check(&value).map(|()| value),
        })
        .collect()
}

/// A value as Python shows it, not longer than an error should be.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => format!("u'{}'", text.chars().take(100).collect::<String>()),
        other => other.to_string().chars().take(100).collect(),
    }
}
