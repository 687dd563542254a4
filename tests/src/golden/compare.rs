//! Comparing JSON with what a case expects.

use serde_json::{Map, Value};

use super::pattern::Bindings;

/// Whether everything must be there that is given, or nothing else besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Nothing else may be there.
    All,
    /// Objects may have more keys, at any depth.
    Parts,
    /// The outer object may have more keys, those inside may not.
    Fields,
}

/// Compares by value. Texts may have placeholders; `{"$set": […]}` stands for a list in any order; a key that is `null`
/// may be left out of an object of which parts or fields are compared.
///
/// # Errors
/// The first difference, with the way to it.
pub fn json(expected: &Value, got: &Value, whole: Whole, bindings: &mut Bindings) -> Result<(), String> {
    let differ = || Err(format!(": expected {expected}, got {got}"));
    match (expected, got) {
        (Value::String(text), _) => {
            if let Some(alone) = bindings.alone(text, got) {
                return alone.map_err(|value| match value {
                    Some(value) => format!(": expected {value}, got {got}"),
                    None => format!(": expected {expected}, got {got}"),
                });
            }
            match got.as_str() {
                Some(got) => bindings.text(text, got).map_err(|error| format!(": {error}")),
                None => differ(),
            }
        }
        (Value::Object(fields), _) if fields.len() == 1 && fields.contains_key("$set") => {
            let (Some(Value::Array(items)), Value::Array(there)) = (fields.get("$set"), got) else { return differ() };
            in_any_order(items, there, bindings).then_some(()).map_or_else(differ, Ok)
        }
        (Value::Object(fields), Value::Object(there)) => object(fields, there, whole, bindings),
        (Value::Array(items), Value::Array(there)) => {
            if items.len() != there.len() {
                return differ();
            }
            let inside = if whole == Whole::Parts { Whole::Parts } else { Whole::All };
            for (index, (item, there)) in items.iter().zip(there).enumerate() {
                json(item, there, inside, bindings).map_err(|error| format!("[{index}]{error}"))?;
            }
            Ok(())
        }
        (Value::Number(a), Value::Number(b)) if a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64()) => Ok(()),
        (a, b) if a == b => Ok(()),
        _ => differ(),
    }
}

fn object(
    fields: &Map<String, Value>,
    there: &Map<String, Value>,
    whole: Whole,
    bindings: &mut Bindings,
) -> Result<(), String> {
    let inside = if whole == Whole::Parts { Whole::Parts } else { Whole::All };
    let mut known = Vec::with_capacity(fields.len());
    for (key, expected) in fields {
        let key = bindings.fill(key)?;
        match there.get(&key) {
            Some(got) => json(expected, got, inside, bindings).map_err(|error| format!(".{key}{error}"))?,
            None if expected.is_null() && whole != Whole::All => {}
            None => return Err(format!(".{key}: expected {expected}, but it is missing")),
        }
        known.push(key);
    }
    if whole != Whole::All {
        return Ok(());
    }
    match there.iter().find(|(key, _)| !known.contains(key)) {
        Some((key, value)) => Err(format!(".{key}: not expected, got {value}")),
        None => Ok(()),
    }
}

/// Each expected item takes the first one that fits.
fn in_any_order(items: &[Value], there: &[Value], bindings: &mut Bindings) -> bool {
    let mut rest: Vec<&Value> = there.iter().collect();
    for item in items {
        let fits = rest.iter().position(|there| {
            let mut tried = bindings.clone();
            let fits = json(item, there, Whole::All, &mut tried).is_ok();
            if fits {
                *bindings = tried;
            }
            fits
        });
        match fits {
            Some(at) => drop(rest.remove(at)),
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_the_same() {
        let got = json!({"a": 1, "b": {"c": "xyz", "d": null}, "l": [1, {"e": 2, "f": 3}]});
        let mut bindings = Bindings::default();
        for (expected, whole) in [
            (json!({"a": 1.0, "b": {"c": "x${y}z", "d": null}, "l": [1, {"e": 2, "f": 3}]}), Whole::All),
            (json!({"l": [1, {"f": 3}], "none": null}), Whole::Parts),
            (json!({"b": {"c": "${_}", "d": null}, "none": null}), Whole::Fields),
            (json!({"l": {"$set": [{"e": 2, "f": 3}, 1]}}), Whole::Fields),
            (json!({"b": "${b}"}), Whole::Fields),
        ] {
            assert_eq!(json(&expected, &got, whole, &mut bindings), Ok(()), "{expected}");
        }
        assert_eq!(bindings.get("b"), Some(got["b"].clone()));
    }

    #[test]
    fn every_difference_is_told() {
        let got = json!({"a": 1, "b": {"c": "xyz"}, "l": [1, {"e": 2}], "t": "5"});
        for (expected, whole, told) in [
            (json!({"a": 1}), Whole::All, ".b: not expected"),
            (json!({"a": 2}), Whole::Parts, ".a: expected 2, got 1"),
            (json!({"a": "1"}), Whole::Parts, ".a: expected \"1\", got 1"),
            (json!({"t": 5}), Whole::Parts, ".t: expected 5, got \"5\""),
            (json!({"b": {}}), Whole::Fields, ".b.c: not expected"),
            (json!({"b": {"c": "xy"}}), Whole::Fields, ".b.c: expected \"xy\", got \"xyz\""),
            (json!({"l": [1, {}]}), Whole::Fields, ".l[1].e: not expected"),
            (json!({"l": [1]}), Whole::Parts, ".l: expected [1]"),
            (json!({"l": {"$set": [1, 1]}}), Whole::Parts, ".l: expected"),
            (json!({"l": {"$set": [1]}}), Whole::Parts, ".l: expected"),
            (json!({"x": 1}), Whole::Parts, ".x: expected 1, but it is missing"),
            (json!({"x": null}), Whole::All, ".x: expected null, but it is missing"),
            (json!({"a": null}), Whole::Parts, ".a: expected null, got 1"),
            (json!({"a": "${n}", "t": "${n}"}), Whole::Parts, ".t: expected 1, got \"5\""),
        ] {
            let error = json(&expected, &got, whole, &mut Bindings::default()).unwrap_err();
            assert!(error.contains(told), "{expected}: {error}");
        }
    }
}
