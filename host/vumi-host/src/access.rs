//! Tokens of the admin API and its audit log, kept in the catalog.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_admin::model::{AuditView, Scope, TokenInfo};
use vumi_admin::{AccessStore, ControlError, KeptToken};
use vumi_core::{AuditEntry, Catalog, TokenRecord};
use vumi_message::Timestamp;

use crate::control::control_error;
use crate::views::micros;

/// See the module's text.
pub(crate) struct Access(pub(crate) Arc<dyn Catalog>);

fn timestamp(micros: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

fn kept(record: TokenRecord) -> KeptToken {
    KeptToken {
        info: TokenInfo {
            id: record.id,
            name: record.name,
            // A word of a later release means more than this one knows of: no more than looking is safe.
            scope: Scope::parse(&record.scope).unwrap_or(Scope::Read),
            created_at: micros(record.created_at),
            expires_at: record.expires_at.map(micros),
        },
        hash: record.hash,
    }
}

#[async_trait]
impl AccessStore for Access {
    async fn put_token(&self, token: KeptToken) -> Result<(), ControlError> {
        let record = TokenRecord {
            id: token.info.id,
            name: token.info.name,
            scope: token.info.scope.as_str().to_owned(),
            hash: token.hash,
            created_at: timestamp(token.info.created_at),
            expires_at: token.info.expires_at.map(timestamp),
        };
        self.0.put_token(record).await.map_err(|error| control_error(&error))
    }

    async fn token(&self, id: &str) -> Result<Option<KeptToken>, ControlError> {
        let found = self.0.token(id).await.map_err(|error| control_error(&error))?;
        Ok(found.map(kept))
    }

    async fn tokens(&self) -> Result<Vec<KeptToken>, ControlError> {
        let tokens = self.0.tokens().await.map_err(|error| control_error(&error))?;
        Ok(tokens.into_iter().map(kept).collect())
    }

    async fn remove_token(&self, id: &str) -> Result<bool, ControlError> {
        self.0.remove_token(id).await.map_err(|error| control_error(&error))
    }

    async fn audit(&self, entry: AuditView) -> Result<(), ControlError> {
        let entry = AuditEntry {
            seq: 0,
            at: timestamp(entry.at),
            who: entry.who,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
            done: entry.done,
        };
        self.0.audit(entry).await.map_err(|error| control_error(&error))
    }

    async fn audit_log(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditView>, ControlError> {
        let entries = self.0.audit_log(before, limit).await.map_err(|error| control_error(&error))?;
        let view = |entry: AuditEntry| AuditView {
            seq: entry.seq,
            at: micros(entry.at),
            who: entry.who,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
            done: entry.done,
        };
        Ok(entries.into_iter().map(view).collect())
    }
}
