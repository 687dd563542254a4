//! What a token is: `vh_<id>_<secret>`, the id of 12 hexadecimal digits naming it, the secret being 32 random bytes in
//! base64url. Only the SHA-256 of the whole text is kept. A plain hash is enough: what it hides cannot be guessed, so
//! there is nothing that a slow one would slow down.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::access_store::{AccessStore, KeptToken};
use crate::control::ControlError;
use crate::model::{CreatedToken, Scope, TokenInfo};
use crate::options::same_bytes;

const PREFIX: &str = "vh_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;
const ID_CHARS: usize = 12;
const SECRET_CHARS: usize = 43;

/// What an unknown id's token is compared with; no text has this hash.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Makes a token.
///
/// # Errors
/// When the operating system gives no random numbers.
pub(crate) fn make(
    name: String,
    scope: Scope,
    created_at: u64,
    expires_at: Option<u64>,
) -> Result<(KeptToken, CreatedToken), getrandom::Error> {
    let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
    getrandom::fill(&mut id)?;
    getrandom::fill(&mut secret)?;
    let id = hex(&id);
    let token = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    let info = TokenInfo { id, name, scope, created_at, expires_at };
    Ok((KeptToken { info: info.clone(), hash: hash(&token) }, CreatedToken { info, token }))
}

/// The kept token that `candidate` is, at the time `now`; nothing when it is none or has expired.
///
/// # Errors
/// When the store cannot say.
pub(crate) async fn check(
    store: &dyn AccessStore,
    candidate: &str,
    now: u64,
) -> Result<Option<KeptToken>, ControlError> {
    let Some(id) = id_of(candidate) else { return Ok(None) };
    let kept = store.token(id).await?;
    // Hashed and compared whether or not there is such an id, so that the answer's delay does not tell which there are.
    let expected = kept.as_ref().map_or(NOBODY, |kept| kept.hash.as_str());
    let right = same_bytes(expected.as_bytes(), hash(candidate).as_bytes());
    Ok(kept.filter(|kept| right && !has_expired(&kept.info, now)))
}

/// Whether a token is refused at the time `now`.
pub(crate) fn has_expired(token: &TokenInfo, now: u64) -> bool {
    token.expires_at.is_some_and(|at| at <= now)
}

/// The id in a text that has the form of a token.
fn id_of(candidate: &str) -> Option<&str> {
    let (id, rest) = candidate.strip_prefix(PREFIX)?.split_at_checked(ID_CHARS)?;
    let secret = rest.strip_prefix('_')?;
    let id_fits = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let secret_fits = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (id_fits && secret_fits && secret.len() == SECRET_CHARS).then_some(id)
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn new(expires_at: Option<u64>) -> (KeptToken, CreatedToken) {
        make("ci".into(), Scope::Deploy, 1000, expires_at).unwrap()
    }

    #[test]
    fn tokens_have_their_form_and_are_all_different() {
        let mut seen = HashSet::new();
        for _ in 0..200 {
            let (kept, created) = new(None);
            assert_eq!(created.token.len(), 3 + 12 + 1 + 43);
            assert_eq!(id_of(&created.token), Some(kept.info.id.as_str()));
            assert!(!format!("{kept:?} {created:?}").contains(&created.token[16..]));
            assert!(seen.insert(kept.info.id) && seen.insert(created.token[16..].to_owned()));
        }
    }

    #[test]
    fn what_has_another_form_is_not_even_looked_up() {
        let (_, created) = new(None);
        let token = created.token;
        for bad in [
            String::new(),
            "vh_".into(),
            token[..token.len() - 1].into(),
            format!("{token}x"),
            token.replacen("vh_", "VH_", 1),
            format!("vh_{}", token[3..].replacen('_', "-", 1)),
            format!("vh_{}{}", "é".repeat(6), &token[15..]),
            format!("vh_{}{}", "A".repeat(12), &token[15..]),
            format!("{}é", &token[..token.len() - 2]),
        ] {
            assert_eq!(id_of(&bad), None, "{bad}");
        }
    }

    #[test]
    fn the_hash_is_sha_256_in_hexadecimal() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(NOBODY.len(), hash("").len());
    }

    #[test]
    fn a_token_is_refused_from_its_expiry_on() {
        let (kept, _) = new(Some(2000));
        assert!(!has_expired(&kept.info, 1999));
        assert!(has_expired(&kept.info, 2000));
        assert!(!has_expired(&new(None).0.info, u64::MAX));
    }
}
