//! What the router remembers: which app a user is talking to, and which app sent a message.
//!
//! Keys are `bindings#<dispatcher>#session#…` and `…#talk#…` with transport, address and user, and `…#sent#` with a
//! message's id; dispatchers that stand one behind the other see the same ids, so each has its own. A `#` or `%` in a
//! part is written `%23` or `%25`, and a missing address `%`, so that no two conversations share a key.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use vumi_core::{KvStore, Result};

/// How long it is remembered who got the end of a session. It may come again, when it could not be handed on, and is
/// then for the same app.
const ENDED: Duration = Duration::from_secs(600);

/// Stands between an app and the id of the message that ended its session.
const ENDED_BY: char = '\n';

/// See the module's text.
pub(super) struct Memory {
    kv: Arc<dyn KvStore>,
    prefix: String,
    session: Duration,
    message: Duration,
}

/// A user who writes to an address through a transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversation<'a> {
    pub(super) transport: &'a str,
    pub(super) to_addr: Option<&'a str>,
    pub(super) user: &'a str,
}

impl Memory {
    /// Remembers conversations and messages for so many seconds.
    pub(super) fn new(kv: Arc<dyn KvStore>, dispatcher: &str, session: u64, message: u64) -> Self {
        let prefix = format!("bindings#{}", written(dispatcher));
        Self { kv, prefix, session: Duration::from_secs(session), message: Duration::from_secs(message) }
    }

    /// An app has sent a message.
    pub(super) async fn sent(&self, message_id: &str, app: &str) -> Result<()> {
        self.kv.set(&self.message_key(message_id), app, Some(self.message)).await
    }

    /// The app that sent a message.
    pub(super) async fn sender(&self, message_id: &str) -> Result<Option<String>> {
        self.kv.get(&self.message_key(message_id)).await
    }

    /// A user has sent an app's keyword.
    pub(super) async fn talk(&self, conversation: &Conversation<'_>, app: &str) -> Result<()> {
        self.kv.set(&self.key("talk", conversation), app, Some(self.session)).await
    }

    /// The app whose keyword a user sent last.
    pub(super) async fn talks_to(&self, conversation: &Conversation<'_>) -> Result<Option<String>> {
        self.kv.get(&self.key("talk", conversation)).await
    }

    /// A session begins with an app, whatever was before.
    pub(super) async fn begin(&self, conversation: &Conversation<'_>, app: &str) -> Result<()> {
        self.kv.set(&self.session_key(conversation), app, Some(self.session)).await
    }

    /// A session is gone on with whose beginning was not seen, or whose app is gone. Gives the app that it is now with:
    /// another one if another dispatcher was faster, and that app is `there`.
    pub(super) async fn join(
        &self,
        conversation: &Conversation<'_>,
        app: &str,
        there: impl Fn(&String) -> bool,
    ) -> Result<Option<String>> {
        let key = self.session_key(conversation);
        if !self.kv.set_if_absent(&key, app, Some(self.session)).await? {
            let held = self.kv.get(&key).await?;
            if let Some(other) = held.filter(|held| !held.contains(ENDED_BY) && there(held)) {
                return Ok(Some(other));
            }
            self.kv.set(&key, app, Some(self.session)).await?;
        }
        Ok(Some(app.to_owned()))
    }

    /// The app of a running session, or of the one that this very message has ended.
    pub(super) async fn session(&self, conversation: &Conversation<'_>, message_id: &str) -> Result<Option<String>> {
        let held = self.kv.get(&self.session_key(conversation)).await?;
        Ok(held.and_then(|held| match held.split_once(ENDED_BY) {
            None => Some(held),
            Some((app, ended_by)) => (ended_by == message_id).then(|| app.to_owned()),
        }))
    }

    /// A session ends with this message.
    pub(super) async fn end(&self, conversation: &Conversation<'_>, app: &str, message_id: &str) -> Result<()> {
        let ended = format!("{app}{ENDED_BY}{message_id}");
        self.kv.set(&self.session_key(conversation), &ended, Some(ENDED.min(self.session))).await
    }

    /// A session has no app.
    pub(super) async fn forget(&self, conversation: &Conversation<'_>) -> Result<()> {
        self.kv.delete(&self.session_key(conversation)).await.map(drop)
    }

    fn message_key(&self, message_id: &str) -> String {
        format!("{}#sent#{message_id}", self.prefix)
    }

    fn session_key(&self, conversation: &Conversation<'_>) -> String {
        self.key("session", conversation)
    }

    fn key(&self, kind: &str, conversation: &Conversation<'_>) -> String {
        let Conversation { transport, to_addr, user } = conversation;
        let to_addr = to_addr.map_or(Cow::Borrowed("%"), written);
        format!("{}#{kind}#{}#{to_addr}#{}", self.prefix, written(transport), written(user))
    }
}

/// A part of a key.
fn written(part: &str) -> Cow<'_, str> {
    if part.contains(['#', '%']) { part.replace('%', "%25").replace('#', "%23").into() } else { part.into() }
}
