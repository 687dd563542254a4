//! Changes of collections as a flat list of texts: what the script on Redis reads, and what the log of the durable
//! collections holds. Texts alone, because they arrive as they were sent everywhere; numbers are written so that the same
//! number is read.
//!
//! A guard is its name, its key, and its operands; a step its name, its key, and its operands. Where the number of
//! operands varies, it stands before them. An optional text is `1` and the text, or `0`.

use vumi_core::{Change, Guard, Op};

use crate::StoreError;

/// The texts of one change, and its keys.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Flat {
    pub(crate) texts: Vec<String>,
}

impl Flat {
    /// Number of guards, the guards, number of steps, the steps.
    pub(crate) fn change(change: &Change) -> Self {
        let mut flat = Self::default();
        flat.count(change.guards.len());
        change.guards.iter().for_each(|guard| flat.guard(guard));
        flat.count(change.ops.len());
        flat.ops(&change.ops);
        flat
    }

    /// The steps alone.
    pub(crate) fn ops(&mut self, ops: &[Op]) {
        ops.iter().for_each(|op| self.op(op));
    }

    fn text(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }

    fn count(&mut self, n: usize) {
        self.texts.push(n.to_string());
    }

    fn optional(&mut self, value: Option<&String>) {
        match value {
            Some(value) => {
                self.text("1");
                self.text(value);
            }
            None => self.text("0"),
        }
    }

    fn many(&mut self, name: &str, key: &str, values: &[String]) {
        self.text(name);
        self.text(key);
        self.count(values.len());
        values.iter().for_each(|value| self.text(value));
    }

    fn plain(&mut self, name: &str, key: &str) {
        self.text(name);
        self.text(key);
    }

    fn guard(&mut self, guard: &Guard) {
        match guard {
            Guard::Exists { key } => self.plain("exists", key),
            Guard::Absent { key } => self.plain("absent", key),
            Guard::TextIs { key, value } => {
                self.plain("text_is", key);
                self.optional(value.as_ref());
            }
            Guard::FieldIs { key, field, value } => {
                self.plain("field_is", key);
                self.text(field);
                self.optional(value.as_ref());
            }
            Guard::Has { key, member } => {
                self.plain("has", key);
                self.text(member);
            }
            Guard::HasNot { key, member } => {
                self.plain("has_not", key);
                self.text(member);
            }
            Guard::Below { key, len } => {
                self.plain("below", key);
                self.texts.push(len.to_string());
            }
            Guard::HeadIs { key, value } => {
                self.plain("head_is", key);
                self.optional(value.as_ref());
            }
            Guard::TailIs { key, value } => {
                self.plain("tail_is", key);
                self.optional(value.as_ref());
            }
        }
    }

    fn op(&mut self, op: &Op) {
        match op {
            Op::SetText { key, value } => {
                self.plain("set_text", key);
                self.text(value);
            }
            // Here the keys are the operands.
            Op::Delete { keys } => self.many("delete", "", keys),
            Op::Expire { key, ttl_ms } => {
                self.plain("expire", key);
                self.texts.push(ttl_ms.to_string());
            }
            Op::HashSet { key, fields } => {
                self.plain("hash_set", key);
                self.count(fields.len() * 2);
                for (field, value) in fields {
                    self.text(field);
                    self.text(value);
                }
            }
            Op::HashRemove { key, fields } => self.many("hash_remove", key, fields),
            Op::SetAdd { key, members } => self.many("set_add", key, members),
            Op::SetRemove { key, members } => self.many("set_remove", key, members),
            Op::SetPop { key } => self.plain("set_pop", key),
            Op::PushHead { key, values } => self.many("push_head", key, values),
            Op::PushTail { key, values } => self.many("push_tail", key, values),
            Op::PopHead { key } => self.plain("pop_head", key),
            Op::PopTail { key } => self.plain("pop_tail", key),
            Op::ListRemove { key, value } => {
                self.plain("list_remove", key);
                self.text(value);
            }
            Op::SortedAdd { key, member, score } => {
                self.plain("sorted_add", key);
                self.text(member);
                self.texts.push(score_text(*score));
            }
            Op::SortedRemove { key, members } => self.many("sorted_remove", key, members),
        }
    }
}

/// A score as text that is read as the same number; the two zeros are one.
pub(crate) fn score_text(score: f64) -> String {
    format!("{:e}", score + 0.0)
}

/// The steps that [`Flat::ops`] wrote; none when they cannot be read.
pub(crate) fn read_ops(texts: Vec<String>) -> Option<Vec<Op>> {
    let mut rest = Texts(texts.into_iter());
    let mut ops = Vec::new();
    while let Some(name) = rest.0.next() {
        let key = rest.0.next()?;
        ops.push(match name.as_str() {
            "set_text" => Op::SetText { key, value: rest.0.next()? },
            "delete" => Op::Delete { keys: rest.many()? },
            "expire" => Op::Expire { key, ttl_ms: rest.0.next()?.parse().ok()? },
            "hash_set" => {
                let mut flat = rest.many()?.into_iter();
                let mut fields = Vec::new();
                while let Some(field) = flat.next() {
                    fields.push((field, flat.next()?));
                }
                Op::HashSet { key, fields }
            }
            "hash_remove" => Op::HashRemove { key, fields: rest.many()? },
            "set_add" => Op::SetAdd { key, members: rest.many()? },
            "set_remove" => Op::SetRemove { key, members: rest.many()? },
            "set_pop" => Op::SetPop { key },
            "push_head" => Op::PushHead { key, values: rest.many()? },
            "push_tail" => Op::PushTail { key, values: rest.many()? },
            "pop_head" => Op::PopHead { key },
            "pop_tail" => Op::PopTail { key },
            "list_remove" => Op::ListRemove { key, value: rest.0.next()? },
            "sorted_add" => Op::SortedAdd { key, member: rest.0.next()?, score: rest.0.next()?.parse().ok()? },
            "sorted_remove" => Op::SortedRemove { key, members: rest.many()? },
            _ => return None,
        });
    }
    Some(ops)
}

struct Texts(std::vec::IntoIter<String>);

impl Texts {
    fn many(&mut self) -> Option<Vec<String>> {
        let count: usize = self.0.next()?.parse().ok()?;
        let values: Vec<String> = self.0.by_ref().take(count).collect();
        (values.len() == count).then_some(values)
    }
}

/// The key of a condition.
pub(crate) fn guard_key(guard: &Guard) -> &str {
    match guard {
        Guard::Exists { key }
        | Guard::Absent { key }
        | Guard::TextIs { key, .. }
        | Guard::FieldIs { key, .. }
        | Guard::Has { key, .. }
        | Guard::HasNot { key, .. }
        | Guard::Below { key, .. }
        | Guard::HeadIs { key, .. }
        | Guard::TailIs { key, .. } => key,
    }
}

/// The keys of a step.
pub(crate) fn op_keys(op: &Op) -> &[String] {
    match op {
        Op::Delete { keys } => keys,
        Op::SetText { key, .. }
        | Op::Expire { key, .. }
        | Op::HashSet { key, .. }
        | Op::HashRemove { key, .. }
        | Op::SetAdd { key, .. }
        | Op::SetRemove { key, .. }
        | Op::SetPop { key }
        | Op::PushHead { key, .. }
        | Op::PushTail { key, .. }
        | Op::PopHead { key }
        | Op::PopTail { key }
        | Op::ListRemove { key, .. }
        | Op::SortedAdd { key, .. }
        | Op::SortedRemove { key, .. } => std::slice::from_ref(key),
    }
}

/// Refuses what no backend can do, whatever the guards say: a score that is not finite.
pub(crate) fn check(change: &Change) -> Result<(), StoreError> {
    let bad = |op: &Op| matches!(op, Op::SortedAdd { score, .. } if !score.is_finite());
    if change.ops.iter().any(bad) { Err(StoreError::NotAScore) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_were_written() {
        let text = |text: &str| text.to_owned();
        let list = vec![text(""), text("1"), text("a\0b\n"), text("ключ")];
        let key = text("k");
        let ops = vec![
            Op::SetText { key: key.clone(), value: text("") },
            Op::Delete { keys: list.clone() },
            Op::Delete { keys: Vec::new() },
            Op::Expire { key: key.clone(), ttl_ms: u64::MAX },
            Op::HashSet { key: key.clone(), fields: vec![(text("f"), text("v")), (text(""), text("2"))] },
            Op::HashRemove { key: key.clone(), fields: list.clone() },
            Op::SetAdd { key: key.clone(), members: list.clone() },
            Op::SetRemove { key: key.clone(), members: list.clone() },
            Op::SetPop { key: key.clone() },
            Op::PushHead { key: key.clone(), values: list.clone() },
            Op::PushTail { key: key.clone(), values: list.clone() },
            Op::PopHead { key: key.clone() },
            Op::PopTail { key: key.clone() },
            Op::ListRemove { key: key.clone(), value: text("v") },
            Op::SortedAdd { key: key.clone(), member: text("m"), score: 0.1 + 0.2 },
            Op::SortedRemove { key, members: list },
        ];
        let mut flat = Flat::default();
        flat.ops(&ops);
        assert_eq!(read_ops(flat.texts.clone()), Some(ops));
        flat.texts.pop();
        assert_eq!(read_ops(flat.texts), None);
        assert_eq!(read_ops(vec![text("nonsense"), text("k")]), None);
    }

    #[test]
    fn scores_are_exact() {
        for score in [
            0.0,
            -0.0,
            0.1,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            f64::MIN,
            1.7e9 + 0.123_456_7,
            9_007_199_254_740_993.0,
        ] {
            let read: f64 = score_text(score).parse().expect("a number");
            assert_eq!(read.to_bits(), (score + 0.0).to_bits());
        }
    }
}
