//! Tokens and the audit log of the fake system.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use vumi_admin::model::AuditView;
use vumi_admin::{AccessStore, ControlError, KeptToken};

pub struct FakeAccess {
    tokens: Mutex<Vec<KeptToken>>,
    audit: Mutex<Vec<AuditView>>,
    /// Whether nothing can be recorded.
    pub audit_is_away: AtomicBool,
    /// Whether tokens cannot be looked up.
    pub tokens_are_away: AtomicBool,
    /// Whether a token waits to be kept.
    pub waiting: AtomicBool,
    /// Keeping a token takes one permit.
    pub turns: Semaphore,
}

impl Default for FakeAccess {
    fn default() -> Self {
        Self {
            tokens: Mutex::default(),
            audit: Mutex::default(),
            audit_is_away: AtomicBool::default(),
            tokens_are_away: AtomicBool::default(),
            waiting: AtomicBool::default(),
            turns: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

fn away(switch: &AtomicBool, what: &str) -> Result<(), ControlError> {
    if switch.load(Ordering::Relaxed) {
        return Err(ControlError::Unavailable(format!("{what} is away")));
    }
    Ok(())
}

#[async_trait]
impl AccessStore for FakeAccess {
    async fn put_token(&self, token: KeptToken) -> Result<(), ControlError> {
        self.waiting.store(true, Ordering::Relaxed);
        self.turns.acquire().await.unwrap().forget();
        self.waiting.store(false, Ordering::Relaxed);
        self.tokens.lock().push(token);
        Ok(())
    }

    async fn token(&self, id: &str) -> Result<Option<KeptToken>, ControlError> {
        away(&self.tokens_are_away, "the catalog")?;
        Ok(self.tokens.lock().iter().find(|token| token.info.id == id).cloned())
    }

    async fn tokens(&self) -> Result<Vec<KeptToken>, ControlError> {
        Ok(self.tokens.lock().clone())
    }

    async fn remove_token(&self, id: &str) -> Result<bool, ControlError> {
        assert_ne!(id, "panic", "this id stands for a fault of the host");
        let mut tokens = self.tokens.lock();
        let before = tokens.len();
        tokens.retain(|token| token.info.id != id);
        Ok(tokens.len() < before)
    }

    async fn audit(&self, entry: AuditView) -> Result<(), ControlError> {
        away(&self.audit_is_away, "the audit log")?;
        let mut audit = self.audit.lock();
        let seq = audit.len() as u64 + 1;
        audit.push(AuditView { seq, ..entry });
        Ok(())
    }

    async fn audit_log(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditView>, ControlError> {
        let audit = self.audit.lock();
        let older = audit.iter().rev().filter(|entry| before.is_none_or(|before| entry.seq < before));
        Ok(older.take(limit).cloned().collect())
    }
}
