//! Signatures of requests: networks sign with a secret that both sides know (HMAC, RFC 2104), and put the result in a
//! header, in base64 or in hexadecimal digits.

use aws_lc_rs::{digest, hmac};

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// HMAC-SHA1, which some networks have not left yet.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
}

impl Hash {
    fn key(self, secret: &[u8]) -> hmac::Key {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::Key::new(algorithm, secret)
    }

    /// The signature of some data.
    pub fn sign(self, secret: &[u8], data: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key(secret), data).as_ref().to_vec()
    }

    /// Whether a signature is that of the data. How long the answer takes does not tell how much of it was right.
    pub fn verify(self, secret: &[u8], data: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.key(secret), data, signature).is_ok()
    }
}

/// SHA-1 of some data, for networks that sign by a plain digest.
pub fn sha1(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref().to_vec()
}

/// Bytes in lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for; `None` for what are none.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut pairs = text.as_bytes().chunks_exact(2);
    let bytes = pairs.by_ref().map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.filter(|_| text.len().is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_signatures() {
        // RFC 2202, case 2, and RFC 4231, case 2.
        let data = b"what do ya want for nothing?";
        let (sha1, sha256) = (Hash::Sha1.sign(b"Jefe", data), Hash::Sha256.sign(b"Jefe", data));
        assert_eq!(hex(&sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(hex(&sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(Hash::Sha1.verify(b"Jefe", data, &sha1) && Hash::Sha256.verify(b"Jefe", data, &sha256));
        for (hash, wrong) in [(Hash::Sha1, &sha256[..]), (Hash::Sha256, &sha256[..31]), (Hash::Sha256, &[])] {
            assert!(!hash.verify(b"Jefe", data, wrong));
        }
        assert!(!Hash::Sha256.verify(b"jefe", data, &sha256) && !Hash::Sha256.verify(b"Jefe", b"", &sha256));
    }

    #[test]
    fn hexadecimal_digits() {
        assert_eq!(unhex("00fFA0"), Some(vec![0, 255, 160]));
        assert_eq!((unhex("0"), unhex("0g"), unhex("+1"), unhex("é")), (None, None, None, None));
        assert_eq!(unhex(""), Some(vec![]));
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
