//! Whether what a guest does in a replay is what stands on the tape. Where something was masked, anything may stand.

use serde_json::Value;

use super::mask::{MASKED, SECRET};

/// Whether a value is the recorded one.
pub(super) fn alike(recorded: &Value, seen: &Value) -> bool {
    match (recorded, seen) {
        (Value::String(recorded), Value::String(seen)) => same_text(recorded, seen),
        (Value::Array(recorded), Value::Array(seen)) => all_alike(recorded, seen),
        (Value::Object(recorded), Value::Object(seen)) => {
            recorded.len() == seen.len()
                && recorded.iter().all(|(key, value)| seen.get(key).is_some_and(|other| alike(value, other)))
        }
        // The same number may be spelled in several ways.
        (Value::Number(recorded), Value::Number(seen)) => recorded == seen || recorded.as_f64() == seen.as_f64(),
        // A number that was masked.
        (Value::String(recorded), Value::Number(_)) => recorded == MASKED,
        _ => recorded == seen,
    }
}

/// [`alike`], one by one.
pub(super) fn all_alike(recorded: &[Value], seen: &[Value]) -> bool {
    recorded.len() == seen.len() && recorded.iter().zip(seen).all(|(recorded, seen)| alike(recorded, seen))
}

/// The place of the first masked text: where it begins and where it ends.
fn gap(text: &str) -> Option<(usize, usize)> {
    let masked = text.find(MASKED).map(|at| (at, at + MASKED.len()));
    let secret = text.find(SECRET).and_then(|at| {
        let end = text.get(at..)?.find(']')?;
        Some((at, at + end + 1))
    });
    [masked, secret].into_iter().flatten().min()
}

/// Whether a text is the recorded one.
pub(super) fn same_text(recorded: &str, seen: &str) -> bool {
    if recorded == seen {
        return true;
    }
    let (mut rest, mut left) = (recorded, seen);
    let mut first = true;
    while let Some((begin, end)) = gap(rest) {
        let (before, after) = (rest.get(..begin).unwrap_or_default(), rest.get(end..).unwrap_or_default());
        let found = if first { left.starts_with(before).then_some(0) } else { left.find(before) };
        let Some(at) = found else { return false };
        left = left.get(at + before.len()..).unwrap_or_default();
        (rest, first) = (after, false);
    }
    !first && left.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn anything_may_stand_where_something_was_masked() {
        for (recorded, seen, same) in [
            ("a", "a", true),
            ("a", "b", false),
            ("[masked]", "anything", true),
            ("say [masked]!", "say help!", true),
            ("say [masked]!", "say help", false),
            ("say [masked]!", "Say help!", false),
            ("[masked] and [secret api]", "x and y", true),
            ("[masked] and [secret api]", "x or y", false),
            ("[masked]", "[masked]", true),
            ("[secret without an end", "x", false),
        ] {
            assert_eq!(same_text(recorded, seen), same, "{recorded} / {seen}");
        }
    }

    #[test]
    fn values() {
        assert!(alike(&json!({"a": ["[masked]", 1]}), &json!({"a": ["x", 1]})));
        assert!(!alike(&json!({"a": ["[masked]", 1]}), &json!({"a": ["x", 2]})));
        assert!(!alike(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
        assert!(!alike(&json!(null), &json!("x")));
        let python = vumi_message::json::parse(b"1e+300").unwrap();
        assert!(alike(&python, &json!(1e300)));
        assert!(alike(&json!("[masked]"), &json!(5)) && !alike(&json!("5"), &json!(5)));
    }
}
