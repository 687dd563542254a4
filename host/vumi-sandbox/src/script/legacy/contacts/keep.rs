//! How contacts and groups are kept in the key-value store, beside the app's own keys and never among them.
//!
//! What is kept of `contacts` (of `groups` likewise) begins with `contacts#<sandbox_id>#`; a sandbox id holds no `#`, so
//! one app never reaches what is another's. Behind it:
//!
//! - `key#<key>` is the thing itself, as JSON text
//! - `count` says how many there are; nothing is ever deleted
//! - `number#<number>`, from 1 to that count, is the key of one, so that all can be gone through
//! - `<field>#<address or name>` is the key of the one that is found by it. A thing that is found must still have that
//!   address: whatever a run left half done leads to nobody else.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;
use vumi_bindings::app::vumi::app::types::Error;
use vumi_core::{KeyQuota, LogLevel, Quota};

use crate::state::{Guest, now};

/// Groups that one app can have.
const MOST_GROUPS: u64 = 1_000;

/// Things that are gone through for the price of one host call.
const FOR_ONE_CALL: u64 = 100;

/// Why a command was not carried out.
pub(super) enum Trouble {
    /// The app is told.
    Refused(Error),
    /// The run is over.
    Stopped(wasmtime::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<wasmtime::Error> for Trouble {
    fn from(error: wasmtime::Error) -> Self {
        Self::Stopped(error)
    }
}

impl Trouble {
    /// The arguments of a command make no sense.
    pub(super) fn wrong(reason: impl Into<String>) -> Self {
        Self::Refused(Error::Invalid(reason.into()))
    }

    /// There is no such thing.
    pub(super) fn absent(kind: Kind) -> Self {
        Self::Refused(Error::Denied(format!("{} not found", kind.title())))
    }
}

pub(super) type Kept<T> = Result<T, Trouble>;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Contact,
    Group,
}

impl Kind {
    fn many(self) -> &'static str {
        match self {
            Self::Contact => "contacts",
            Self::Group => "groups",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Contact => "Contact",
            Self::Group => "Group",
        }
    }

    /// Where it is kept for an app.
    fn place(self, sandbox_id: &str, part: &str, rest: &str) -> String {
        format!("{}#{sandbox_id}#{part}#{rest}", self.many())
    }

    fn counter(self, sandbox_id: &str) -> String {
        format!("{}#{sandbox_id}#count", self.many())
    }
}

/// What a signpost leads to.
pub(super) enum Settled {
    /// This thing.
    Found(Map<String, Value>),
    /// Nothing yet; it is to be made with this key.
    Free(String),
}

/// The fields of a new thing that are the host's.
pub(super) fn own_fields(guest: &Guest, key: &str) -> Map<String, Value> {
    let created_at = guest.app.stage.now().unwrap_or_else(now).to_string();
    let fields = [("key", key), ("user_account", &guest.app.sandbox_id), ("created_at", &created_at)];
    fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
}

/// A key that nothing else has.
pub(super) fn new_key() -> String {
    Uuid::new_v4().simple().to_string()
}

impl Guest {
    /// Where an address or a name leads to a key.
    pub(super) fn signpost(&self, kind: Kind, field: &str, text: &str) -> Kept<String> {
        Self::check_key(text)?;
        Ok(kind.place(&self.app.sandbox_id, field, text))
    }

    /// The thing with this key.
    pub(super) async fn item(&mut self, kind: Kind, key: &str) -> Kept<Option<Map<String, Value>>> {
        Self::check_key(key)?;
        let app = Arc::clone(&self.app);
        let place = kind.place(&app.sandbox_id, "key", key);
        let Some(text) = self.ask(app.kv.get(&place)).await?? else { return Ok(None) };
        match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => Ok(Some(fields)),
            _ => Err(Trouble::wrong(format!("what is kept under `{place}` is no JSON object"))),
        }
    }

    /// The thing with this key, which must be there.
    pub(super) async fn present(&mut self, kind: Kind, key: &str) -> Kept<Map<String, Value>> {
        self.item(kind, key).await?.ok_or_else(|| Trouble::absent(kind))
    }

    /// Keeps a thing, new or changed.
    pub(super) async fn keep(&mut self, kind: Kind, key: &str, fields: &Map<String, Value>) -> Kept<()> {
        let app = Arc::clone(&self.app);
        let (id, limit) = (&app.sandbox_id, app.limits.kv_value.0);
        let text = serde_json::to_string(fields).map_err(|error| Trouble::wrong(error.to_string()))?;
        if text.len() as u64 > limit {
            let what = kind.title().to_lowercase();
            let reason = format!("the {what} has {} bytes, the limit kv_value is {limit}", text.len());
            return Err(Error::Quota(reason).into());
        }
        let hard = match kind {
            Kind::Contact => app.legacy.most_contacts(),
            Kind::Group => MOST_GROUPS,
        };
        let counter = kind.counter(id);
        let quota = KeyQuota { counter: &counter, soft: hard.saturating_mul(4) / 5, hard };
        let place = kind.place(id, "key", key);
        let count = match self.ask(app.kv.set_within(&place, &text, None, quota)).await?? {
            Quota::Changed(()) => return Ok(()),
            Quota::Created { count, .. } => count,
            Quota::TooMany => {
                let many = kind.many();
                let told = format!("Hard limit of {hard} {many} reached for sandbox {id}. No more can be made.");
                self.host_log(LogLevel::Error, &told);
                return Err(Error::Quota(format!("Too many {many}")).into());
            }
        };
        if count > quota.soft {
            let (many, soft) = (kind.many(), quota.soft);
            let told = format!(
                "Soft limit of {soft} {many} reached for sandbox {id}. Once the hard limit of {hard} is reached no more \
                 can be made."
            );
            self.host_log(LogLevel::Warning, &told);
        }
        let place = kind.place(id, "number", &count.to_string());
        Ok(self.ask(app.kv.set(&place, key, None)).await??)
    }

    /// The key that a signpost leads to.
    pub(super) async fn led_to(&mut self, signpost: &str) -> Kept<Option<String>> {
        let app = Arc::clone(&self.app);
        Ok(self.ask(app.kv.get(signpost)).await??)
    }

    /// Lets a signpost lead to a key.
    pub(super) async fn lead(&mut self, signpost: &str, key: &str) -> Kept<()> {
        let app = Arc::clone(&self.app);
        Ok(self.ask(app.kv.set(signpost, key, None)).await??)
    }

    /// Lets a signpost lead to a key unless it leads somewhere already. Of two runs that try, one gets it.
    pub(super) async fn claim(&mut self, signpost: &str, key: &str) -> Kept<bool> {
        let app = Arc::clone(&self.app);
        Ok(self.ask(app.kv.set_if_absent(signpost, key, None)).await??)
    }

    /// What a signpost leads to, or the key under which to make it: of two runs that ask at once, both get the same.
    pub(super) async fn settle(
        &mut self,
        kind: Kind,
        signpost: &str,
        is_it: impl Fn(&Map<String, Value>) -> bool + Send,
    ) -> Kept<Settled> {
        let key = new_key();
        if self.claim(signpost, &key).await? {
            return Ok(Settled::Free(key));
        }
        if let Some(held) = self.led_to(signpost).await? {
            match self.item(kind, &held).await? {
                Some(fields) if is_it(&fields) => return Ok(Settled::Found(fields)),
                Some(_) => {}
                // Another run is about to make it, or stopped before it did.
                None => return Ok(Settled::Free(held)),
            }
        }
        self.lead(signpost, &key).await?;
        Ok(Settled::Free(key))
    }

    /// Keeps what is to be found by a settled signpost.
    pub(super) async fn keep_settled(
        &mut self,
        kind: Kind,
        signpost: &str,
        key: &str,
        fields: &Map<String, Value>,
    ) -> Kept<()> {
        let kept = self.keep(kind, key, fields).await;
        if matches!(kept, Err(Trouble::Refused(_))) {
            self.forget(signpost).await?;
        }
        kept
    }

    /// Takes a signpost away.
    pub(super) async fn forget(&mut self, signpost: &str) -> Kept<()> {
        let app = Arc::clone(&self.app);
        self.ask(app.kv.delete(signpost)).await??;
        Ok(())
    }

    /// Goes through all things of a kind, oldest first, until `visit` has enough of them (false). Each hundred is counted
    /// as a host call.
    pub(super) async fn each(
        &mut self,
        kind: Kind,
        mut visit: impl FnMut(Map<String, Value>) -> Kept<bool> + Send,
    ) -> Kept<()> {
        let app = Arc::clone(&self.app);
        let count = self.ask(app.kv.get(&kind.counter(&app.sandbox_id))).await??;
        let count: u64 = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        for number in 1..=count {
            if number.is_multiple_of(FOR_ONE_CALL) {
                let began = self.begin()?;
                self.budget.end(began);
                // A store in memory never waits: others have their turn.
                tokio::task::yield_now().await;
            }
            let place = kind.place(&app.sandbox_id, "number", &number.to_string());
            let Some(key) = self.led_to(&place).await? else { continue };
            let Some(fields) = self.item(kind, &key).await? else { continue };
            if !visit(fields)? {
                break;
            }
        }
        Ok(())
    }
}
