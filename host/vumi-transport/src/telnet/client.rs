//! The way back to a client: what is to be written waits here until the client takes it.
//!
//! Writing never waits, so that one client that does not read holds up nobody else: text is put into a buffer, which a
//! task of its own writes to the socket. The buffer is bounded; a client whose buffer is full is dropped.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use vumi_codec::telnet::encode;

/// How many bytes may wait for a client. A single longer text is taken when nothing else waits.
const MAX_WAITING: usize = 256 * 1024;

/// Why a client cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwritable {
    /// The connection is closing or closed.
    Gone,
    /// The client does not read; it has been dropped.
    Slow,
}

/// One connected client; clones are the same one.
#[derive(Clone)]
pub(super) struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    changed: Notify,
    end: CancellationToken,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// What waits is written, then the connection is closed.
    Closing,
    /// What waits was given up.
    Dropped,
}

impl Client {
    pub(super) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                waiting: Mutex::new(Waiting::default()),
                changed: Notify::new(),
                end: CancellationToken::new(),
            }),
        }
    }

    /// Writes text; every line break goes out as CR LF.
    pub(super) fn say(&self, text: &str) -> Result<(), Unwritable> {
        self.write(&encode(text))
    }

    /// Writes bytes as they are.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), Unwritable> {
        let mut waiting = self.shared.waiting.lock();
        if waiting.state != State::Open {
            return Err(Unwritable::Gone);
        }
        if !waiting.bytes.is_empty() && waiting.bytes.len() + bytes.len() > MAX_WAITING {
            *waiting = Waiting { bytes: Vec::new(), state: State::Dropped };
            drop(waiting);
            self.shared.end.cancel();
            return Err(Unwritable::Slow);
        }
        waiting.bytes.extend_from_slice(bytes);
        drop(waiting);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Ends the session; what waits is written first.
    pub(super) fn close(&self) {
        let mut waiting = self.shared.waiting.lock();
        if waiting.state == State::Open {
            waiting.state = State::Closing;
        }
        drop(waiting);
        self.shared.changed.notify_one();
        self.shared.end.cancel();
    }

    /// Ends the session; what waits is given up.
    pub(super) fn drop_connection(&self) {
        *self.shared.waiting.lock() = Waiting { bytes: Vec::new(), state: State::Dropped };
        self.shared.end.cancel();
    }

    /// Ends when the session must end.
    pub(super) fn end(&self) -> &CancellationToken {
        &self.shared.end
    }

    /// True when the client was dropped, so that there is nothing to wait for.
    pub(super) fn is_dropped(&self) -> bool {
        self.shared.waiting.lock().state == State::Dropped
    }

    /// Writes what waits until the client is closed or cannot be written to.
    pub(super) async fn pump(self, mut socket: impl AsyncWrite + Unpin) {
        loop {
            let (bytes, state) = {
                let mut waiting = self.shared.waiting.lock();
                (std::mem::take(&mut waiting.bytes), waiting.state)
            };
            if !bytes.is_empty() {
                if socket.write_all(&bytes).await.is_err() {
                    // The reading side learns the same and ends the session.
                    return self.drop_connection();
                }
                continue;
            }
            match state {
                State::Open => self.shared.changed.notified().await,
                State::Closing => {
                    // The client sees the end of the stream at once; an error means that it is gone already.
                    let _ = socket.shutdown().await;
                    return;
                }
                State::Dropped => return,
            }
        }
    }
}

/// The clients by address.
#[derive(Default)]
pub(super) struct Clients {
    by_address: Mutex<HashMap<String, Client>>,
}

impl Clients {
    /// Puts a client in; one with the same address is from now on unknown.
    pub(super) fn insert(&self, address: &str, client: &Client) {
        self.by_address.lock().insert(address.to_owned(), client.clone());
    }

    /// Takes a client out, unless another one has taken its address.
    pub(super) fn remove(&self, address: &str, client: &Client) {
        let mut clients = self.by_address.lock();
        if clients.get(address).is_some_and(|known| Arc::ptr_eq(&known.shared, &client.shared)) {
            clients.remove(address);
        }
    }

    pub(super) fn get(&self, address: &str) -> Option<Client> {
        self.by_address.lock().get(address).cloned()
    }

    pub(super) fn all(&self) -> Vec<Client> {
        self.by_address.lock().values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn what_waits_is_written_before_the_end() {
        let client = Client::new();
        let (ours, mut theirs) = tokio::io::duplex(4);
        let pump = tokio::spawn(client.clone().pump(ours));
        client.say("one\n").unwrap();
        client.say("two\n").unwrap();
        client.close();
        assert_eq!(client.say("three\n"), Err(Unwritable::Gone));
        let mut got = Vec::new();
        theirs.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"one\r\ntwo\r\n");
        pump.await.unwrap();
        assert!(client.end().is_cancelled() && !client.is_dropped());
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_dropped() {
        let client = Client::new();
        let big = vec![b'x'; MAX_WAITING + 1];
        // Longer than the bound, but alone.
        client.write(&big).unwrap();
        assert_eq!(client.write(b"x"), Err(Unwritable::Slow));
        assert!(client.is_dropped() && client.end().is_cancelled());
        assert_eq!(client.write(b"x"), Err(Unwritable::Gone));
    }

    #[tokio::test]
    async fn a_client_that_is_gone_ends_its_session() {
        let client = Client::new();
        let (ours, theirs) = tokio::io::duplex(4);
        drop(theirs);
        client.say("hello\n").unwrap();
        client.clone().pump(ours).await;
        assert!(client.end().is_cancelled());
    }

    #[test]
    fn the_last_client_of_an_address_keeps_it() {
        let clients = Clients::default();
        let (old, new) = (Client::new(), Client::new());
        clients.insert("a", &old);
        clients.insert("a", &new);
        clients.remove("a", &old);
        assert!(Arc::ptr_eq(&clients.get("a").unwrap().shared, &new.shared));
        clients.remove("a", &new);
        assert!(clients.get("a").is_none() && clients.all().is_empty());
    }
}
