//! What a run did, for the comparison: noted by the wrappers around its kv and outbox while its task runs.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use vumi_message::UserMessage;

use crate::web::{WebError, WebRequest, WebResponse};

tokio::task_local! {
    static WITNESS: Arc<Witness>;
}

/// A request that the live version made, and its answer.
pub(crate) struct Exchange {
    request: WebRequest,
    answer: Result<WebResponse, WebError>,
}

/// What one run did.
#[derive(Default)]
pub(crate) struct Witness {
    /// The messages that it sent, in order.
    sent: Mutex<Vec<UserMessage>>,
    /// What the keys held that it touched, before it did.
    before: Mutex<HashMap<String, Option<String>>>,
    exchanges: Mutex<Vec<Exchange>>,
    /// The live run whose answers this one gets, when it is a shadow's.
    live: Option<Arc<Witness>>,
}

impl Witness {
    pub(crate) fn live() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn shadow(live: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { live: Some(Arc::clone(live)), ..Self::default() })
    }

    pub(super) fn sent(&self) -> Vec<UserMessage> {
        self.sent.lock().clone()
    }
}

/// Runs a future under watch.
pub(crate) async fn witnessed<T>(witness: Arc<Witness>, run: impl Future<Output = T>) -> (T, Arc<Witness>) {
    (WITNESS.scope(Arc::clone(&witness), run).await, witness)
}

fn current() -> Option<Arc<Witness>> {
    WITNESS.try_with(Arc::clone).ok()
}

/// Notes a message.
pub(super) fn sends(message: &UserMessage) {
    if let Some(witness) = current() {
        witness.sent.lock().push(message.clone());
    }
}

/// Whether it is still to be noted what a key holds.
pub(super) fn is_new(key: &str) -> bool {
    current().is_some_and(|witness| !witness.before.lock().contains_key(key))
}

/// Notes what a key holds, if that was not noted yet.
pub(super) fn held(key: &str, value: Option<&str>) {
    if let Some(witness) = current() {
        witness.before.lock().entry(key.to_owned()).or_insert_with(|| value.map(str::to_owned));
    }
}

/// What a key held before the live run that this shadow follows, where that run touched it.
pub(super) fn before(key: &str) -> Option<Option<String>> {
    current().and_then(|witness| witness.live.as_ref().and_then(|live| live.before.lock().get(key).cloned()))
}

/// The answer to a request of a shadow; `None` for runs that make requests of their own.
pub(crate) fn answered(request: &WebRequest) -> Option<Result<WebResponse, WebError>> {
    let witness = current()?;
    let live = witness.live.as_ref()?;
    let exchanges = live.exchanges.lock();
    let same = exchanges.iter().find(|exchange| exchange.request == *request);
    let nobody = || Err(WebError::Network("a version in the shadow makes no requests of its own".into()));
    Some(same.map_or_else(nobody, |exchange| exchange.answer.clone()))
}

/// Notes a request of a live run and its answer.
pub(crate) fn exchanged(request: &WebRequest, answer: &Result<WebResponse, WebError>) {
    if let Some(witness) = current() {
        witness.exchanges.lock().push(Exchange { request: request.clone(), answer: answer.clone() });
    }
}

/// Whether the run of this task is watched.
pub(crate) fn is_watched() -> bool {
    WITNESS.try_with(|_| ()).is_ok()
}
