//! Access tokens of networks that give one for a while: kept in kv until shortly before they expire, and asked for by
//! one message at a time, however many wait.
//!
//! ```ignore
//! let ask = Call::post(url).basic(&self.client_id, self.client_secret.expose());
//! let token = self.tokens.get(link, "access_token", ask, |answered| read(answered)).await?;
//! ```

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use vumi_core::{Error, Result, Secret};

use super::client::{Answered, Call, CallError};
use super::link::HttpLink;

/// The longest time that a token is kept.
const LONGEST: u64 = 366 * 24 * 3600;

/// A token that the network gave.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token itself.
    pub text: Secret,
    /// How long it is kept; not at all for less than a second.
    pub keep: Duration,
}

impl Token {
    /// A token that is kept for so many hundredths of its life, so that none is used in its last moments. `expires_in`
    /// is its life in seconds as a network writes it: a number, or one as text.
    ///
    /// # Errors
    /// Permanent, when `expires_in` is nothing of the kind.
    pub fn new(text: &str, expires_in: Option<&Value>, hundredths: u64) -> Result<Self> {
        let seconds = match expires_in {
            Some(Value::Number(number)) => whole_seconds(&number.to_string()),
            Some(Value::String(text)) => whole_seconds(text.trim()),
            _ => None,
        };
        let seconds = seconds.ok_or_else(|| {
            Error::permanent("the network's answer with a token does not say in `expires_in` how many seconds it lasts")
        })?;
        let keep = seconds.saturating_mul(hundredths) / 100;
        Ok(Self { text: Secret::new(text), keep: Duration::from_secs(keep.min(LONGEST)) })
    }
}

/// Seconds without their fraction.
fn whole_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

/// The tokens of one transport. A field of the aggregator with `#[serde(skip)]` and `#[schemars(skip)]`; clones share
/// their turn.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    turn: Arc<Mutex<()>>,
}

impl Tokens {
    /// The token that is kept under a key of [`HttpLink::keys`], or a new one: `ask` is sent, and `read` finds the
    /// token in the answer, whatever its status code.
    ///
    /// # Errors
    /// Temporary when kv is away or the network does not answer: nothing is lost by asking again. Otherwise those of
    /// `read`.
    pub async fn get(
        &self,
        link: &HttpLink,
        key: &str,
        ask: Call,
        read: impl FnOnce(&Answered) -> Result<Token>,
    ) -> Result<Secret> {
        let kv = &link.keys().kv;
        if let Some(kept) = kv.get(key).await? {
            return Ok(Secret::new(kept));
        }
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have got one.
        if let Some(kept) = kv.get(key).await? {
            return Ok(Secret::new(kept));
        }
        let answered = link.client().send(ask).await.map_err(|error| match error {
            CallError::Impossible(..) => Error::permanent(error.to_string()),
            CallError::NotConnected(..) | CallError::NoAnswer(..) => Error::temporary(error.to_string()),
        })?;
        let token = read(&answered)?;
        if !token.keep.is_zero()
            && let Err(error) = kv.set(key, token.text.expose(), Some(token.keep)).await
        {
            tracing::warn!(transport = link.name(), "a token was not kept: {}", error.report());
        }
        Ok(token.text)
    }

    /// Drops the kept token, if it is this one: the network does not accept it any more.
    pub async fn forget(&self, link: &HttpLink, key: &str, token: &Secret) {
        let kv = &link.keys().kv;
        let _turn = self.turn.lock().await;
        let dropped = match kv.get(key).await {
            Ok(Some(kept)) if token.matches(kept.as_bytes()) => kv.delete(key).await.map(drop),
            other => other.map(drop),
        };
        if let Err(error) = dropped {
            tracing::warn!(transport = link.name(), "a token could not be dropped: {}", error.report());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_kept_for_a_part_of_its_life() {
        for (expires_in, hundredths, keep) in [
            (json!(7200), 90, 6480),
            (json!("100"), 95, 95),
            (json!(" 60 "), 95, 57),
            (json!(3599.9), 90, 3239),
            (json!(1), 95, 0),
            (json!(0), 95, 0),
            (json!(u64::MAX), 95, LONGEST),
        ] {
            let token = Token::new("tk", Some(&expires_in), hundredths).unwrap();
            assert_eq!((token.keep.as_secs(), token.text.expose()), (keep, "tk"), "{expires_in}");
        }
        for wrong in
            [None, Some(json!(null)), Some(json!("soon")), Some(json!(-5)), Some(json!([])), Some(json!("1.x"))]
        {
            let error = Token::new("tk", wrong.as_ref(), 90).unwrap_err().to_string();
            assert!(error.contains("expires_in") && !error.contains("tk"), "{error}");
        }
    }
}
