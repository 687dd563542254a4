//! The requests that are open: each is answered once, by whoever has its id first.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::reply::Reply;

/// How many of the requests whose clients have left are remembered, so that a late answer knows why nobody waits.
const LEFT: usize = 1000;

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
    note: Option<Bytes>,
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
    left: Arc<Mutex<VecDeque<String>>>,
}

impl Pending {
    /// A new open request; `None` when there are `most` already. It is forgotten when the guard is dropped.
    pub(super) fn open(&self, id: &str, peer: SocketAddr, most: usize) -> Option<(Guard, oneshot::Receiver<Handed>)> {
        let mut entries = self.entries.lock();
        if entries.len() >= most {
            return None;
        }
        let (answer, receiver) = oneshot::channel();
        entries.insert(id.to_owned(), Entry { began: Instant::now(), peer, to_addr: None, note: None, answer });
        Some((Guard { pending: self.clone(), id: id.to_owned() }, receiver))
    }

    /// Notes where the message of a request goes.
    pub(super) fn goes_to(&self, id: &str, to_addr: Option<&str>) {
        if let Some(entry) = self.entries.lock().get_mut(id) {
            entry.to_addr = to_addr.map(str::to_owned);
        }
    }

    /// Keeps a note with a request while it is open.
    pub(super) fn note(&self, id: &str, note: Bytes) {
        if let Some(entry) = self.entries.lock().get_mut(id) {
            entry.note = Some(note);
        }
    }

    /// The note of an open request.
    pub(super) fn noted(&self, id: &str) -> Option<Bytes> {
        self.entries.lock().get(id)?.note.clone()
    }

    /// Whether the request was still open when its client left. Only the last ones are remembered.
    pub(super) fn left(&self, id: &str) -> bool {
        self.left.lock().iter().any(|left| left == id)
    }

    /// Closes a request, if it is open.
    pub(super) fn close(&self, id: &str) -> Option<Closed> {
        let Entry { began, peer, to_addr, answer, .. } = self.entries.lock().remove(id)?;
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
        if self.pending.entries.lock().remove(&self.id).is_some() {
            let mut left = self.pending.left.lock();
            left.truncate(LEFT - 1);
            left.push_front(std::mem::take(&mut self.id));
        }
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
        assert!(pending.left("b") && !pending.left("a"), "a was answered before its client left");
        for number in 0..LEFT {
            drop(pending.open(&number.to_string(), peer(), 9).unwrap());
        }
        assert!(!pending.left("b") && pending.left("0"));
    }

    #[tokio::test]
    async fn a_note_stays_as_long_as_its_request() {
        let pending = Pending::default();
        pending.note("a", Bytes::from_static(b"x"));
        let (_guard, _receiver) = pending.open("a", peer(), 9).unwrap();
        assert_eq!(pending.noted("a"), None);
        pending.note("a", Bytes::from_static(b"x"));
        assert_eq!(pending.noted("a").unwrap(), "x");
        pending.close("a").unwrap();
        assert_eq!(pending.noted("a"), None);
    }
}
