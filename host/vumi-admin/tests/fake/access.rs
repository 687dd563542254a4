//! Tokens and the audit log of the fake system.

use async_trait::async_trait;
use parking_lot::Mutex;
use vumi_admin::model::AuditView;
use vumi_admin::{AccessStore, ControlError, KeptToken};

#[derive(Default)]
pub struct FakeAccess {
    tokens: Mutex<Vec<KeptToken>>,
    audit: Mutex<Vec<AuditView>>,
}

#[async_trait]
impl AccessStore for FakeAccess {
    async fn put_token(&self, token: KeptToken) -> Result<(), ControlError> {
        self.tokens.lock().push(token);
        Ok(())
    }

    async fn token(&self, id: &str) -> Result<Option<KeptToken>, ControlError> {
        Ok(self.tokens.lock().iter().find(|token| token.info.id == id).cloned())
    }

    async fn tokens(&self) -> Result<Vec<KeptToken>, ControlError> {
        Ok(self.tokens.lock().clone())
    }

    async fn remove_token(&self, id: &str) -> Result<bool, ControlError> {
        let mut tokens = self.tokens.lock();
        let before = tokens.len();
        tokens.retain(|token| token.info.id != id);
        Ok(tokens.len() < before)
    }

    async fn audit(&self, entry: AuditView) -> Result<(), ControlError> {
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
