//! Going through all keys: with SCAN, which holds nobody up, on every primary of a cluster.

use std::collections::BTreeSet;

use redis::cluster_routing::{Route, SingleNodeRoutingInfo, Slot, SlotAddr};
use redis::{Value, cmd};

use super::RedisStore;
use super::health::Access;
use crate::StoreError;

/// Keys that Redis looks at in one step.
const STEP: usize = 1_000;

/// A pattern that matches what begins with `prefix`, whatever characters are in it.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for character in prefix.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    pattern
}

impl RedisStore {
    /// The first `limit` keys in order that begin with `prefix`; of texts only, if so wished. Looks at all keys, and
    /// holds `limit` of them at most.
    pub(super) async fn first_keys(
        &self,
        prefix: &str,
        limit: usize,
        texts: bool,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut found = BTreeSet::new();
        if limit == 0 {
            return Ok(found);
        }
        self.scan(prefix, texts, |key| {
            found.insert(key);
            if found.len() > limit {
                found.pop_last();
            }
            true
        })
        .await?;
        Ok(found)
    }

    /// Any `limit` keys that begin with `prefix`.
    pub(super) async fn some_keys(&self, prefix: &str, limit: usize) -> Result<BTreeSet<String>, StoreError> {
        let mut found = BTreeSet::new();
        if limit > 0 {
            self.scan(prefix, false, |key| {
                found.insert(key);
                found.len() < limit
            })
            .await?;
        }
        Ok(found)
    }

    /// Calls `take` with each key (some more than once) until it answers false.
    async fn scan(&self, prefix: &str, texts: bool, mut take: impl FnMut(String) -> bool) -> Result<(), StoreError> {
        let pattern = pattern(prefix);
        for node in self.primaries().await? {
            let mut cursor = "0".to_owned();
            loop {
                let mut scan = cmd("SCAN");
                scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
                if texts {
                    scan.arg("TYPE").arg("string");
                }
                let (next, keys): (String, Vec<Vec<u8>>) = self.link.command_at(Access::Read, &node, scan).await?;
                for key in keys {
                    // A key that is no text was made by another program.
                    let Ok(key) = String::from_utf8(key) else { continue };
                    if key.starts_with(prefix) && !take(key) {
                        return Ok(());
                    }
                }
                if next == "0" {
                    break;
                }
                cursor = next;
            }
        }
        Ok(())
    }

    /// A way to each primary: of a cluster, by one of its slots.
    async fn primaries(&self) -> Result<Vec<SingleNodeRoutingInfo>, StoreError> {
        if !self.link.options.cluster {
            return Ok(vec![SingleNodeRoutingInfo::Random]);
        }
        let ranges: Vec<Vec<Value>> = self
            .link
            .command_at(Access::Read, &SingleNodeRoutingInfo::RandomPrimary, cmd("CLUSTER").arg("SLOTS").take())
            .await?;
        let mut seen = Vec::new();
        let mut ways = Vec::new();
        for range in ranges {
            // First slot, last slot, primary, replicas.
            let [Value::Int(first), _, primary, ..] = range.as_slice() else { continue };
            let Some(slot) = u16::try_from(*first).ok().and_then(Slot::new) else { continue };
            if !seen.contains(primary) {
                seen.push(primary.clone());
                ways.push(SingleNodeRoutingInfo::SpecificNode(Route::with_slot(slot, SlotAddr::Master)));
            }
        }
        Ok(ways)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn prefixes_are_taken_literally() {
        assert_eq!(super::pattern("a"), "a*");
        assert_eq!(super::pattern("*?[a]^\\"), "\\*\\?\\[a\\]\\^\\\\*");
    }
}
