//! The contract's answers as JSON, and back.

use serde_json::{Map, Value};
use vumi_bindings::app::vumi::app::types::Error;

/// What can stand on a tape as an answer.
pub(crate) trait Taped: Sized {
    /// As JSON.
    fn put(&self) -> Value;

    /// Back from JSON; none when it is something else.
    fn take(value: &Value) -> Option<Self>;
}

impl Taped for () {
    fn put(&self) -> Value {
        Value::Null
    }

    fn take(value: &Value) -> Option<Self> {
        value.is_null().then_some(())
    }
}

impl Taped for bool {
    fn put(&self) -> Value {
        (*self).into()
    }

    fn take(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Taped for i64 {
    fn put(&self) -> Value {
        (*self).into()
    }

    fn take(value: &Value) -> Option<Self> {
        value.as_i64()
    }
}

impl Taped for String {
    fn put(&self) -> Value {
        self.as_str().into()
    }

    fn take(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Taped for Option<String> {
    fn put(&self) -> Value {
        self.as_deref().into()
    }

    fn take(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { String::take(value).map(Some) }
    }
}

impl Taped for Map<String, Value> {
    fn put(&self) -> Value {
        Value::Object(self.clone())
    }

    fn take(value: &Value) -> Option<Self> {
        value.as_object().cloned()
    }
}

impl<T: Taped> Taped for Result<T, Error> {
    fn put(&self) -> Value {
        match self {
            Ok(value) => one("ok", value.put()),
            Err(error) => one("error", put_error(error)),
        }
    }

    fn take(value: &Value) -> Option<Self> {
        match value.get("ok") {
            Some(value) => T::take(value).map(Ok),
            None => take_error(value.get("error")?).map(Err),
        }
    }
}

/// An object with one field.
pub(super) fn one(field: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(field.to_owned(), value)]))
}

fn put_error(error: &Error) -> Value {
    let (kind, text) = match error {
        Error::Denied(text) => ("denied", text),
        Error::Quota(text) => ("quota", text),
        Error::Invalid(text) => ("invalid", text),
        Error::Unavailable(text) => ("unavailable", text),
    };
    one(kind, text.as_str().into())
}

fn take_error(value: &Value) -> Option<Error> {
    let (kind, text) = value.as_object()?.iter().next()?;
    let text = text.as_str()?.to_owned();
    match kind.as_str() {
        "denied" => Some(Error::Denied(text)),
        "quota" => Some(Error::Quota(text)),
        "invalid" => Some(Error::Invalid(text)),
        "unavailable" => Some(Error::Unavailable(text)),
        _ => None,
    }
}

/// A number; what JSON has no number for becomes text.
pub(crate) fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number)
}

/// About how many bytes a value takes as JSON text.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.as_str().len() + 1,
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(weight).sum::<usize>(),
        Value::Object(map) => 2 + map.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Taped + PartialEq + std::fmt::Debug>(value: T) {
        let text = value.put().to_string();
        let back = vumi_message::json::parse(text.as_bytes()).unwrap();
        assert_eq!(T::take(&back), Some(value), "{text}");
    }

    #[test]
    fn answers_come_back_as_they_were() {
        there_and_back(());
        there_and_back(true);
        there_and_back(i64::MIN);
        there_and_back(None::<String>);
        there_and_back(Some("a \"quoted\"\n text".to_owned()));
        there_and_back(Some(String::new()));
        there_and_back(Map::from_iter([("a".to_owned(), Value::Null)]));
        assert_eq!(Ok::<_, Error>(Some("x".to_owned())).put().to_string(), r#"{"ok":"x"}"#);
    }

    #[test]
    fn errors_come_back_as_they_were() {
        for error in [
            Error::Denied("a".into()),
            Error::Quota("b".into()),
            Error::Invalid("c".into()),
            Error::Unavailable("d".into()),
        ] {
            let text = Err::<(), _>(error.clone()).put();
            let back = <Result<(), Error> as Taped>::take(&text).unwrap().unwrap_err();
            assert_eq!(format!("{back:?}"), format!("{error:?}"));
        }
    }

    #[test]
    fn what_is_something_else_is_not_taken() {
        assert_eq!(bool::take(&Value::Null), None);
        assert_eq!(i64::take(&"1".into()), None);
        assert!(<Result<(), Error> as Taped>::take(&Value::Null).is_none());
        assert!(<Result<(), Error> as Taped>::take(&one("error", one("other", "x".into()))).is_none());
    }
}
