//! The records for people: what passed the transport goes into the store and to whoever watches.
//!
//! A record is not worth a message: when the store cannot take one, that is logged and counted, and the message goes
//! on.

use std::sync::Arc;

use vumi_core::{Clock, Feed, Happening, MessageRecord, Result, Store};

/// Writes the records of one transport.
pub(super) struct Journal {
    pub(super) transport_name: String,
    pub(super) store: Arc<dyn Store>,
    pub(super) feed: Feed,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) unrecorded: metrics::Counter,
}

/// What a record says of a message.
pub(super) struct Entry<'a> {
    /// `inbound`, `outbound`, `event`, `status` or `failure`.
    pub(super) direction: &'static str,
    pub(super) id: &'a str,
    pub(super) user: Option<&'a str>,
    pub(super) body: String,
}

impl Journal {
    /// Stores and tells; a store that fails costs the record only.
    pub(super) async fn note(&self, entry: Entry<'_>) {
        let record = self.record(entry);
        match self.store.put_message(record.clone()).await {
            // It was recorded, and told, before.
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                self.unrecorded.increment(1);
                tracing::error!(
                    transport = self.transport_name,
                    direction = record.direction,
                    id = record.id,
                    "a message passed but could not be recorded: {}",
                    error.report()
                );
            }
        }
        self.feed.tell(|| Happening::Message(record));
    }

    /// Stores, and tells when it is stored; false when the store had it before.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn put(&self, entry: Entry<'_>) -> Result<bool> {
        let record = self.record(entry);
        let new = self.store.put_message(record.clone()).await?;
        if new {
            self.feed.tell(|| Happening::Message(record));
        }
        Ok(new)
    }

    fn record(&self, entry: Entry<'_>) -> MessageRecord {
        MessageRecord {
            seq: 0,
            at: self.clock.now(),
            direction: entry.direction.to_owned(),
            transport_name: self.transport_name.clone(),
            user: entry.user.map(str::to_owned),
            id: entry.id.to_owned(),
            body: entry.body,
        }
    }
}
