//! The requests that are open: each is answered once, by whoever has its id first.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::reply::Reply;

/// An answer on its way to its connection.
pub(super) struct Handed {
    pub(super) reply: Reply,
    /// Told when the connection has it.
    pub(super) written: oneshot::Sender<()>,
}

struct Entry {
    began: Instant,
    peer: SocketAddr,
    to_addr: Option<String>,
    answer: oneshot::Sender<Handed>,
}

/// An open request that has just been closed.
pub(super) struct Closed {
    pub(super) after: Duration,
    pub(super) peer: SocketAddr,
    pub(super) to_addr: Option<String>,
    answer: oneshot::Sender<Handed>,
}

/// The open requests of one transport. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Pending {
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

impl Pending {
    /// A new open request; `None` when there are `most` already. It is forgotten when the guard is dropped.
    pub(super) fn open(&self, id: &str, peer: SocketAddr, most: usize) -> Option<(Guard, oneshot::Receiver<Handed>)> {
        let mut entries = self.entries.lock();
        if entries.len() >= most {
            return None;
        }
        let (answer, receiver) = oneshot::channel();
        entries.insert(id.to_owned(), Entry { began: Instant::now(), peer, to_addr: None, answer });
        Some((Guard { pending: self.clone(), id: id.to_owned() }, receiver))
    }

    /// Notes where the message of a request goes.
    pub(super) fn goes_to(&self, id: &str, to_addr: Option<&str>) {
        if let Some(entry) = self.entries.lock().get_mut(id) {
            entry.to_addr = to_addr.map(str::to_owned);
        }
    }

    /// Closes a request, if it is open.
    pub(super) fn close(&self, id: &str) -> Option<Closed> {
        let Entry { began, peer, to_addr, answer } = self.entries.lock().remove(id)?;
        Some(Closed { after: began.elapsed(), peer, to_addr, answer })
    }

    pub(super) fn holds(&self, id: &str) -> bool {
        self.entries.lock().contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// The ids of all open requests.
    pub(super) fn ids(&self) -> Vec<String> {
        self.entries.lock().keys().cloned().collect()
    }
}

impl Closed {
    /// Hands the answer to the connection. Resolves once the connection has it; false when the client has left.
    pub(super) async fn hand(self, reply: Reply) -> bool {
        let (written, receiver) = oneshot::channel();
        if self.answer.send(Handed { reply, written }).is_err() {
            return false;
        }
        receiver.await.is_ok()
    }
}

/// Forgets the request when its connection has ended.
pub(super) struct Guard {
    pending: Pending,
    id: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pending.entries.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 1))
    }

    #[tokio::test]
    async fn an_open_request_is_answered_once() {
        let pending = Pending::default();
        let (_guard, receiver) = pending.open("a", peer(), 1).unwrap();
        assert!(pending.open("b", peer(), 1).is_none());
        pending.goes_to("a", Some("app"));
        let closed = pending.close("a").unwrap();
        assert_eq!(closed.to_addr.as_deref(), Some("app"));
        assert!(pending.close("a").is_none());
        let connection = async { receiver.await.unwrap().written.send(()).unwrap() };
        assert!(tokio::join!(closed.hand(Reply::ok("x")), connection).0);
    }

    #[tokio::test]
    async fn a_client_that_left_is_forgotten() {
        let pending = Pending::default();
        let (guard, receiver) = pending.open("a", peer(), 9).unwrap();
        let closed = pending.close("a").unwrap();
        drop(receiver);
        assert!(!closed.hand(Reply::ok("x")).await);
        drop(guard);
        let (guard, _receiver) = pending.open("b", peer(), 9).unwrap();
        drop(guard);
        assert!(!pending.holds("b") && pending.len() == 0 && pending.ids().is_empty());
    }
}
