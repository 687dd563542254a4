//! Variables: `${NAME}`, `${NAME:-default}` and `${file:path}` in any value, in quotes or not.
//!
//! `$${` stands for `${`. Any other `$` is itself, so that passwords need no escapes. Keys are not expanded. What was
//! put in is remembered, so that messages can show the name in place of the value.

use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use super::fault::Fault;
use super::node::{Entry, Node, Scalar, Value};

/// Largest secret file, in bytes.
const MAX_SECRET: u64 = 64 << 10;

/// Most that all variables of a file may add up to, in bytes.
const MAX_TOTAL: usize = 4 << 20;

/// Values that came from outside the file, with the text that stands for them in the file.
#[derive(Default)]
pub struct Revealed {
    pairs: Vec<(String, String)>,
    bytes: usize,
}

impl Revealed {
    /// Takes the values out of a message that is to be shown.
    pub fn hide(&self, message: &str) -> String {
        let mut pairs: Vec<&(String, String)> = self.pairs.iter().filter(|(value, _)| !value.is_empty()).collect();
        pairs.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let mut shown = message.to_owned();
        for (value, name) in pairs {
            if value.len() >= 6 {
                shown = shown.replace(value, name);
                continue;
            }
            // A short value may be part of any word, so it is taken out only where it is quoted.
            for quote in ['`', '\'', '"'] {
                shown = shown.replace(&format!("{quote}{value}{quote}"), &format!("{quote}{name}{quote}"));
            }
        }
        shown
    }

    fn remember(&mut self, value: &str, name: String) {
        let pair = (value.to_owned(), name);
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
    }
}

/// Puts the variables in.
///
/// # Errors
/// A variable that is not set, a file that cannot be read, a `${` that is neither.
pub fn expand(
    node: &Rc<Node>,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    revealed: &mut Revealed,
) -> Result<Rc<Node>, Fault> {
    let value = match &node.value {
        Value::Scalar(scalar) => {
            let Some(text) = filled(&scalar.text, folder, env, revealed).map_err(|fault| fault.at(node.mark))? else {
                return Ok(Rc::clone(node));
            };
            Value::Scalar(Scalar { text, plain: scalar.plain, written: Some(scalar.text.clone()) })
        }
        Value::List(items) => {
            let mut filled = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                filled.push(expand(item, folder, env, revealed).map_err(|fault| fault.under(format!("[{index}]")))?);
            }
            Value::List(filled)
        }
        Value::Map(entries) => {
            let mut filled = Vec::with_capacity(entries.len());
            for entry in entries {
                let value =
                    expand(&entry.value, folder, env, revealed).map_err(|fault| fault.under(entry.key.clone()))?;
                filled.push(Entry { key: entry.key.clone(), mark: entry.mark, value });
            }
            Value::Map(filled)
        }
    };
    Ok(Rc::new(Node { mark: node.mark, value, weight: node.weight, depth: node.depth, span: node.span }))
}

/// The text with its variables; `None` when it has none.
fn filled(
    text: &str,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    revealed: &mut Revealed,
) -> Result<Option<String>, Fault> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            return Err(Fault::says("`${` is not closed").help("write ${NAME}, or $${ for the characters themselves"));
        };
        let (value, from_outside) = value_of(inside, folder, env)?;
        revealed.bytes = revealed.bytes.saturating_add(value.len());
        if revealed.bytes > MAX_TOTAL {
            return Err(Fault::says(format!("the variables of this file add up to more than {} MiB", MAX_TOTAL >> 20)));
        }
        out.push_str(&value);
        if from_outside {
            revealed.remember(&value, format!("${{{inside}}}"));
        }
        rest = after;
    }
    if out.is_empty() && rest.len() == text.len() {
        return Ok(None);
    }
    out.push_str(rest);
    Ok(Some(out))
}

/// The value, and whether it is not the default, which stands in the file for all to see.
fn value_of(inside: &str, folder: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<(String, bool), Fault> {
    if let Some(path) = inside.strip_prefix("file:") {
        return secret_file(&folder.join(path)).map(|text| (text, true)).map_err(|reason| {
            Fault::says(format!("the file of `${{{inside}}}` cannot be read: {reason}"))
                .help("give the path of a text file")
        });
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let first = |c: char| c == '_' || c.is_ascii_alphabetic();
    if !name.starts_with(first) || !name.chars().all(|c| first(c) || c.is_ascii_digit()) {
        let fault = Fault::says(format!("`${{{inside}}}` names no variable"));
        return Err(
            fault.help("write ${NAME}, ${NAME:-default} or ${file:path}; write $${ for the characters themselves")
        );
    }
    match (env(name), default) {
        (Some(value), None) => Ok((value, true)),
        (Some(value), Some(_)) if !value.is_empty() => Ok((value, true)),
        (_, Some(default)) => Ok((default.to_owned(), false)),
        (None, None) => Err(Fault::says(format!("the environment variable `{name}` is not set"))
            .help(format!("set it, or give a default: ${{{name}:-…}}"))),
    }
}

/// Reads a secret: the text of a file without the line end that editors add.
pub fn secret_file(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_SECRET + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > MAX_SECRET {
        return Err(format!("it is larger than {} KiB", MAX_SECRET >> 10));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}
