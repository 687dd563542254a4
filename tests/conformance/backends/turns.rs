//! Collections that let others have their turn between two calls. In memory a call never waits, and what races on a
//! server at the other end of a wire would pass in good order.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::task::yield_now;
use vumi_core::{Answer, Change, Collections, Result, Scores};

/// What somebody else does meanwhile.
type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// See the module's text.
pub(crate) struct Turns {
    inner: Arc<dyn Collections>,
    /// The call before which it is somebody else's turn, and what they do.
    between: Mutex<Option<(&'static str, Turn)>>,
}

impl Turns {
    /// Every task has its turn before each call.
    pub(crate) fn fair(inner: Arc<dyn Collections>) -> Self {
        Self { inner, between: Mutex::new(None) }
    }

    /// Somebody does something just before the first call of this name.
    pub(crate) fn interrupted(
        inner: Arc<dyn Collections>,
        call: &'static str,
        turn: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { inner, between: Mutex::new(Some((call, Box::pin(turn)))) }
    }

    async fn before(&self, call: &str) {
        yield_now().await;
        let turn = self.between.lock().take_if(|(name, _)| *name == call);
        if let Some((_, turn)) = turn {
            turn.await;
        }
    }
}

macro_rules! take_turns {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)+) => {
        #[async_trait]
        impl Collections for Turns {
            $(
                async fn $name(&self, $($argument: $kind),*) -> Result<$result> {
                    self.before(stringify!($name)).await;
                    self.inner.$name($($argument),*).await
                }
            )+
        }
    };
}

take_turns! {
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
