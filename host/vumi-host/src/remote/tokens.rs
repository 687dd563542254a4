//! `vumi-host token` and `vumi-host audit`: who may do what on a host, and who did.

use reqwest::Method;
use serde_json::Value;
use vumi_admin::model::{AuditView, CreatedToken, NewToken, Page, Scope, TokenInfo};

use super::apps::{more, understood};
use super::table::{table, when};
use super::{Remote, page, say_json};
use crate::cli::{Audit, ScopeChoice, Token, TokenCommand};
use crate::commands::{Failure, say};

impl From<ScopeChoice> for Scope {
    fn from(choice: ScopeChoice) -> Self {
        match choice {
            ScopeChoice::Read => Self::Read,
            ScopeChoice::Deploy => Self::Deploy,
            ScopeChoice::Admin => Self::Admin,
        }
    }
}

/// Does one of the commands.
pub(crate) async fn execute(given: &Token) -> Result<(), Failure> {
    let host = Remote::new(&given.host)?;
    match &given.command {
        TokenCommand::Create { name, scope, expires } => {
            let body = NewToken { name: name.clone(), scope: (*scope).into(), expires_in_seconds: *expires };
            let answer: Value = host.call(Method::POST, &["tokens"], Some(&body)).await?;
            if given.json {
                return say_json(&answer);
            }
            created(&understood(answer)?)
        }
        TokenCommand::List => {
            let answer: Value = host.get(&["tokens"], &[]).await?;
            if given.json {
                return say_json(&answer);
            }
            let tokens: Vec<TokenInfo> = understood(answer)?;
            if tokens.is_empty() {
                return say("there are no tokens; the first one: vumi-host token create NAME --scope deploy");
            }
            let rows = tokens.into_iter().map(|token| {
                let expires = token.expires_at.map_or_else(|| "never".to_owned(), when);
                [token.id, token.name, token.scope.as_str().to_owned(), when(token.created_at), expires]
            });
            say(&table(["token", "name", "scope", "made", "expires"], rows))
        }
        TokenCommand::Revoke { id } => {
            host.order(Method::DELETE, &["tokens", id]).await?;
            say(&format!("{id}: refused from now on"))
        }
    }
}

/// The token alone goes to standard output, so that a script can take it; what a person should know goes beside it.
fn created(token: &CreatedToken) -> Result<(), Failure> {
    let info = &token.info;
    let expires = info.expires_at.map_or_else(|| "never expires".to_owned(), |at| format!("expires {}", when(at)));
    eprintln!("a token for {} ({}, {expires}). Keep it: it is not shown again.", info.name, info.scope.as_str());
    say(&token.token)?;
    eprintln!("Commands take it as VUMI_ADMIN_TOKEN; `vumi-host token revoke {}` takes it back.", info.id);
    Ok(())
}

/// Lists who changed what.
pub(crate) async fn audit(given: &Audit) -> Result<(), Failure> {
    let host = Remote::new(&given.host)?;
    let answer: Value = host.get(&["audit"], &page(given.slice)).await?;
    if given.format.json {
        return say_json(&answer);
    }
    let found: Page<AuditView> = understood(answer)?;
    if found.items.is_empty() {
        return say("nobody has changed anything yet");
    }
    let rows = found.items.into_iter().map(|entry| {
        let done = if entry.done { "" } else { "refused" };
        [when(entry.at), entry.who, entry.action, entry.subject, done.to_owned(), entry.detail.unwrap_or_default()]
    });
    say(&table(["when", "who", "what", "to", "", "detail"], rows))?;
    more(found.next)
}
