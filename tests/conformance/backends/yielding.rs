//! Collections that let others have their turn before each call, as a server at the other end of a wire does. In memory
//! a call never waits, and what races on Redis would pass here in good order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::yield_now;
use vumi_core::{Answer, Change, Collections, Result, Scores};

/// See the module's text.
pub(super) struct Yielding(pub(super) Arc<dyn Collections>);

macro_rules! yielding {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)+) => {
        #[async_trait]
        impl Collections for Yielding {
            $(
                async fn $name(&self, $($argument: $kind),*) -> Result<$result> {
                    yield_now().await;
                    self.0.$name($($argument),*).await
                }
            )+
        }
    };
}

yielding! {
    fn text(key: &str) -> Option<String>;
    fn hash(key: &str) -> BTreeMap<String, String>;
    fn field(key: &str, field: &str) -> Option<String>;
    fn members(key: &str) -> BTreeSet<String>;
    fn has(key: &str, member: &str) -> bool;
    fn list(key: &str, skip: u64, limit: u64) -> Vec<String>;
    fn sorted(key: &str, scores: Scores, limit: u64) -> Vec<(String, f64)>;
    fn score(key: &str, member: &str) -> Option<f64>;
    fn len(key: &str) -> u64;
    fn ttl(key: &str) -> Option<Duration>;
    fn keys(prefix: &str, limit: u64) -> Vec<String>;
    fn apply(change: Change) -> Option<Vec<Answer>>;
}
