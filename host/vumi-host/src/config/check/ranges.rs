//! Values that their type allows and the manual does not: numbers outside their range, `no` for `false`.
//!
//! The ranges stand once, in the schema, as attributes of the configuration structs; here they are held against the
//! file, for every key of every class.

use serde_json::Value;

use crate::config::schema::{branches, classes, resolve};
use crate::config::yaml::{Fault, Node, Value as Part};

/// Words that were booleans in older YAML and are texts today, which Vumi's flags would take for true.
const LOOKALIKES: [(&str, bool); 4] = [("yes", true), ("no", false), ("on", true), ("off", false)];

/// All such values of a document.
pub(crate) fn check(tree: &Node, schema: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    walk(tree, schema, schema, &mut faults);
    faults
}

fn walk(node: &Node, schema: &Value, root: &Value, faults: &mut Vec<Fault>) {
    let class = node.get("class").and_then(|entry| entry.value.text());
    let mut found = branches(schema, root, class);
    // Among apps, what has no class is a guest, and nothing else's ranges apply.
    if class.is_none() && found.iter().any(|branch| classes(branch).is_none()) {
        found.retain(|branch| classes(branch).is_none());
    }
    for branch in found {
        match &node.value {
            Part::Scalar(_) => {
                if let Some(fault) = outside(node, branch) {
                    faults.push(fault);
                    return;
                }
            }
            Part::List(items) => {
                let Some(inner) = branch.get("items") else { continue };
                for (index, item) in items.iter().enumerate() {
                    below(item, inner, root, &format!("[{index}]"), faults);
                }
            }
            Part::Map(entries) => {
                for entry in entries {
                    let property = branch.get("properties").and_then(|map| map.get(&entry.key));
                    if let Some(inner) = property.or_else(|| branch.get("additionalProperties")) {
                        below(&entry.value, inner, root, &entry.key, faults);
                    }
                }
            }
        }
    }
}

fn below(node: &Node, schema: &Value, root: &Value, name: &str, faults: &mut Vec<Fault>) {
    let mut inner = Vec::new();
    walk(node, resolve(schema, root), root, &mut inner);
    faults.extend(inner.into_iter().map(|fault| fault.under(name)));
}

fn outside(node: &Node, schema: &Value) -> Option<Fault> {
    let text = node.text()?;
    let has_type = |name: &str| match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|one| one == name),
        one => one.and_then(Value::as_str) == Some(name),
    };
    if has_type("boolean") {
        let meant = LOOKALIKES.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).filter(|_| node.is_plain())?.1;
        let fault = Fault::expected("true or false").found(|| format!("`{text}`"));
        return Some(fault.at(node.mark).help(format!("write {meant}")));
    }
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let number = text.trim().parse::<f64>().ok().or_else(|| {
        #[expect(clippy::cast_precision_loss, reason = "a bound is not that exact")]
        has_type("string").then(|| text.parse::<vumi_core::ByteSize>().ok().map(|size| size.0 as f64)).flatten()
    })?;
    let (low, high) = (bound("minimum"), bound("maximum"));
    if low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high) {
        return None;
    }
    let range = crate::config::explain::range(schema)?;
    Some(Fault::says(format!("the value must be {range}, here it is `{text}`")).at(node.mark))
}
