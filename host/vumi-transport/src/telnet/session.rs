//! One connection, from its first byte to its last message.
//!
//! A session reads a chunk, publishes what is in it, message by message, and only then reads on: so a user's messages
//! keep their order, and a broker that is full slows the sender down. Whatever ends the connection (the user, the app,
//! the server), the last thing published is `close`.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use vumi_codec::telnet::{Decoder, LineSplitter};
use vumi_core::{Backoff, Link, Result};
use vumi_message::{NewUserMessage, SessionEvent, UserMessage};

use super::client::{Client, Clients};
use super::dialog::{ASK_TO, Dialog, Parties, Step};

/// How much is read at a time, at most and at least.
const MAX_CHUNK: usize = 64 * 1024;
const MIN_CHUNK: usize = 256;

/// How long a client may take to read the last words.
const FLUSH: Duration = Duration::from_secs(5);

/// How long to wait for a client to close its side after we have closed ours.
const LINGER: Duration = Duration::from_secs(1);

/// Tries to publish the end of a session.
const CLOSE_TRIES: u32 = 5;

const BUSY: &str = "The service is busy, please try again.\n";
const UNABLE: &str = "The service could not take this message.\n";
const IDLE: &str = "The connection is closed because nothing was sent for a while.\n";

/// What one session knows.
pub(super) struct Session {
    pub(super) link: Arc<dyn Link>,
    pub(super) clients: Arc<Clients>,
    pub(super) client: Client,
    /// The address of the connection.
    pub(super) from_addr: String,
    /// The address of the service.
    pub(super) to_addr: String,
    pub(super) transport_type: String,
    /// Whether the user types the addresses.
    pub(super) addressed: bool,
    pub(super) max_line: usize,
    pub(super) idle_timeout: Option<Duration>,
}

/// What a session is about.
enum Phase {
    /// Asking for the addresses.
    Asking(Dialog),
    /// Carrying messages.
    Talking(Parties),
}

/// What ended the reading.
#[derive(PartialEq, Eq)]
enum Ended {
    /// The client closed the connection or vanished.
    ByClient,
    /// The app, the user's word, or the server.
    ByUs,
}

impl Session {
    /// Serves the connection to its end.
    pub(super) async fn run(self, stream: TcpStream) {
        // Answers are short and wanted at once; a socket that refuses the option works without.
        let _ = stream.set_nodelay(true);
        let (mut reader, writer) = stream.into_split();
        let mut pump = tokio::spawn(self.client.clone().pump(writer));
        let mut phase = self.begin().await;
        let ended = match &mut phase {
            Some(phase) => self.read(&mut reader, phase).await,
            None => Ended::ByUs,
        };
        self.client.close();
        if let Some(Phase::Talking(parties)) = &phase {
            self.say_closed(parties).await;
            self.clients.remove(&parties.from, &self.client);
        }
        if self.client.is_dropped() || tokio::time::timeout(FLUSH, &mut pump).await.is_err() {
            pump.abort();
        } else if ended == Ended::ByUs {
            // Closed with input unread, the connection would be reset and our last words lost. When the server stops,
            // there were none for this client in particular, and what it has sent so far is all that is taken off.
            let linger = if self.link.shutdown().is_cancelled() { Duration::ZERO } else { LINGER };
            let _ = tokio::time::timeout(linger, discard(&mut reader)).await;
        }
    }

    /// The first question, or the first message. `None` when the session cannot begin.
    async fn begin(&self) -> Option<Phase> {
        if self.addressed {
            // A client that cannot even be asked is gone; reading will tell.
            let _ = self.client.say(ASK_TO);
            return Some(Phase::Asking(Dialog::default()));
        }
        self.talk(Parties { from: self.from_addr.clone(), to: self.to_addr.clone() }).await
    }

    /// Makes the client known and publishes `new`; without that, no app knows of the session, and there is none.
    async fn talk(&self, parties: Parties) -> Option<Phase> {
        self.clients.insert(&parties.from, &self.client);
        match self.publish(&parties, SessionEvent::New, None).await {
            Ok(()) => Some(Phase::Talking(parties)),
            Err(error) => {
                self.clients.remove(&parties.from, &self.client);
                self.apologise(&error);
                None
            }
        }
    }

    async fn read(&self, reader: &mut OwnedReadHalf, phase: &mut Phase) -> Ended {
        let mut decoder = Decoder::new();
        let mut lines = LineSplitter::with_max_line(self.max_line);
        let mut buffer = vec![0; self.max_line.clamp(MIN_CHUNK, MAX_CHUNK)];
        loop {
            let read = tokio::select! {
                biased;
                () = self.link.shutdown().cancelled() => return Ended::ByUs,
                () = self.client.end().cancelled() => return Ended::ByUs,
                read = self.chunk(reader, &mut buffer) => read,
            };
            let Some(read) = read else { return Ended::ByUs };
            let chunk = buffer.get(..read).unwrap_or_default();
            if chunk.is_empty() {
                let mut rest = lines.feed(&decoder.finish());
                rest.extend(lines.finish());
                self.take(rest, phase).await;
                return Ended::ByClient;
            }
            let decoded = decoder.feed(chunk);
            if !decoded.replies.is_empty() && self.client.write(&decoded.replies).is_err() {
                return Ended::ByUs;
            }
            let mut complete = lines.feed(&decoded.text);
            // Without the questions, what has come so far is a message also when its line has not ended.
            if !self.addressed {
                complete.extend(lines.take_partial());
            }
            if !self.take(complete, phase).await {
                return Ended::ByUs;
            }
        }
    }

    /// The size of the next chunk, 0 at the end of the stream; `None` when nothing came for too long.
    async fn chunk(&self, reader: &mut OwnedReadHalf, buffer: &mut [u8]) -> Option<usize> {
        // A connection that breaks is one that ends.
        let Some(idle_timeout) = self.idle_timeout else { return Some(reader.read(buffer).await.unwrap_or(0)) };
        match tokio::time::timeout(idle_timeout, reader.read(buffer)).await {
            Ok(read) => Some(read.unwrap_or(0)),
            Err(_) => {
                // It may be the client that has gone.
                let _ = self.client.say(IDLE);
                None
            }
        }
    }

    /// Takes lines in order; false when the session ends with one of them.
    async fn take(&self, lines: Vec<String>, phase: &mut Phase) -> bool {
        for line in lines {
            let go_on = match phase {
                Phase::Asking(dialog) => {
                    let step = std::mem::take(dialog).line(line);
                    self.step(step, phase).await
                }
                Phase::Talking(_) if !self.addressed && line.eq_ignore_ascii_case("/quit") => false,
                Phase::Talking(parties) => {
                    if let Err(error) = self.publish(parties, SessionEvent::Resume, Some(line)).await {
                        self.apologise(&error);
                    }
                    true
                }
            };
            if !go_on || self.client.end().is_cancelled() {
                return false;
            }
        }
        true
    }

    async fn step(&self, step: Step, phase: &mut Phase) -> bool {
        match step {
            Step::Wait(dialog) => *phase = Phase::Asking(dialog),
            Step::Ask(dialog, question) => {
                *phase = Phase::Asking(dialog);
                return self.client.say(question).is_ok();
            }
            Step::Begin(parties, text) => {
                if self.client.say(&text).is_err() {
                    return false;
                }
                match self.talk(parties).await {
                    Some(talking) => *phase = talking,
                    None => return false,
                }
            }
        }
        true
    }

    /// The user is told: what was typed is lost, and typing it again may help.
    fn apologise(&self, error: &vumi_core::Error) {
        tracing::warn!(
            transport = self.link.name(),
            address = self.from_addr,
            "a message was not taken: {}",
            error.report()
        );
        // A client that cannot be told is on its way out.
        let _ = self.client.say(if error.is_temporary() { BUSY } else { UNABLE });
    }

    /// There is nobody left to be told that the end of the session was not taken, so it is tried again.
    async fn say_closed(&self, parties: &Parties) {
        let mut backoff = Backoff::for_messages();
        while let Err(error) = self.publish(parties, SessionEvent::Close, None).await {
            let delay = backoff.next_delay();
            if !error.is_temporary() || backoff.failures() >= CLOSE_TRIES {
                tracing::error!(
                    transport = self.link.name(),
                    address = parties.from,
                    "the end of a session is lost: {}",
                    error.report()
                );
                return;
            }
            tokio::time::sleep(delay).await;
        }
    }

    async fn publish(&self, parties: &Parties, event: SessionEvent, content: Option<String>) -> Result<()> {
        let message = UserMessage::new(NewUserMessage {
            from_addr: Some(parties.from.clone()),
            to_addr: Some(parties.to.clone()),
            transport_name: Some(self.link.name().to_owned()),
            transport_type: Some(self.transport_type.clone()),
            session_event: Some(event),
            content,
            ..NewUserMessage::default()
        });
        self.link.inbound(message).await
    }
}

async fn discard(reader: &mut OwnedReadHalf) {
    let mut ignored = [0; 512];
    while matches!(reader.read(&mut ignored).await, Ok(read) if read > 0) {}
}
