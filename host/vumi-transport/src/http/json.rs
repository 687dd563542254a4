//! Values within JSON that a network sent, where every part may be missing or of another type.

use serde_json::Value;

/// The text at a place (a JSON pointer, e.g. `/text/body`), if there is one.
pub fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place).and_then(Value::as_str)
}

/// [`text`], unless it is empty.
pub fn filled<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    text(value, place).filter(|text| !text.is_empty())
}

/// What a network says about a message, for its `transport_metadata`: an object with what is there.
pub fn notes<'a>(pairs: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Value {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The whole number at a place, if there is one; it may be written as text.
pub fn whole(value: &Value, place: &str) -> Option<i64> {
    let found = value.pointer(place)?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

/// The list at a place; empty where there is none.
pub fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_there_is_nothing() {
        let value = json!({"a": {"b": "x", "n": 5, "t": "6"}, "l": [1, 2]});
        assert_eq!((text(&value, "/a/b"), text(&value, "/a/n"), text(&value, "/a/c/d")), (Some("x"), None, None));
        assert_eq!((whole(&value, "/a/n"), whole(&value, "/a/t")), (Some(5), Some(6)));
        assert_eq!((whole(&value, "/a/b"), whole(&value, "/l"), whole(&value, "/z")), (None, None, None));
        assert_eq!((list(&value, "/l").len(), list(&value, "/a").len(), list(&value, "/z").len()), (2, 0, 0));
    }
}
