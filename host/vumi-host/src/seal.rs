//! Sealing the secrets of deployed apps: in the catalog they stand encrypted, with a key that lies in a file of its own.
//!
//! The catalog's file alone, in a backup say, therefore tells no secret. A sealed value belongs to one place, such as one
//! name of one app: moved to another one, it cannot be unsealed.
//!
//! A sealed value is a byte that names the format (1), a random nonce of 96 bits, and the text encrypted with AES-256-GCM
//! together with its tag of 128 bits; the place is the associated data. See
//! <https://doi.org/10.6028/NIST.SP.800-38D>: with random nonces one key is good for 2^32 values.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

/// Length of the key, in bytes.
const KEY_BYTES: usize = 32;

/// The first byte of a sealed value: how the rest is to be read.
const FORMAT: u8 = 1;

/// Why something cannot be sealed or unsealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key file cannot be read.
    #[error("the key file {} cannot be read ({cause})", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The key file cannot be made.
    #[error("the key file {} cannot be written ({cause}); make its folder writable for the host", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The key file is open to more than its owner.
    #[error(
        "the key file {0} can be used by others than its owner (mode {mode:03o}): run `chmod 600 {0}`, and set the \
         secrets again if somebody may have read it", path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What stands in the key file is no key.
    #[error(
        "the key file {} is not a file of {KEY_BYTES} bytes: restore it from a backup, or move it away and set all \
         secrets again", path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A value of a release that is newer than this one, or no sealed value.
    #[error("the sealed value has a format that this release does not know; set the secret again")]
    UnknownFormat,
    /// Another key, another place, or a changed value; which of them cannot be told.
    #[error(
        "the sealed value does not fit the host's key: it was sealed with another key, for another app or name, or has \
         been changed; bring back the key file that belongs to this data, or set the secret again"
    )]
    NotOurs,
    /// The cryptography did not do its part.
    #[error("the cryptography library refused to work (no random numbers?)")]
    Cryptography,
}

impl From<SealError> for vumi_core::Error {
    fn from(error: SealError) -> Self {
        Self::permanent(error.to_string())
    }
}

/// Seals and unseals texts with one key.
pub struct Sealer(RandomizedNonceKey);

impl Sealer {
    /// With the key in a file, which is made when missing: for its owner only, and on the disk when this returns.
    ///
    /// Two processes must not make the same file at once: call it while holding the data directory.
    ///
    /// # Errors
    /// [`SealError`], one sentence for the user: a file that cannot be read or made, that others may use, or that holds
    /// no key.
    pub fn open(path: &Path) -> Result<Self, SealError> {
        match fs::metadata(path) {
            // Not opened: a pipe would wait for a writer.
            Ok(found) if !found.is_file() => return Err(SealError::NoKey { path: path.to_owned() }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let key = random_key()?;
                write_whole(path, &key).map_err(|cause| SealError::NotWritable { path: path.to_owned(), cause })?;
            }
            Ok(_) | Err(_) => {}
        }
        // Also what has just been written: it is that file which the next start will find.
        Self::new(&read_key(path)?)
    }

    /// With a random key that goes when the process ends.
    ///
    /// # Errors
    /// [`SealError::Cryptography`].
    pub fn in_memory() -> Result<Self, SealError> {
        Self::new(&random_key()?)
    }

    fn new(key: &[u8; KEY_BYTES]) -> Result<Self, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| SealError::Cryptography)
    }

    /// Seals a text for a place, e.g. `app\0name`.
    ///
    /// # Errors
    /// [`SealError::Cryptography`].
    pub fn seal(&self, context: &str, text: &str) -> Result<Vec<u8>, SealError> {
        let mut body = text.as_bytes().to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| SealError::Cryptography)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// The text of a value that was sealed for this place.
    ///
    /// # Errors
    /// [`SealError::UnknownFormat`], or [`SealError::NotOurs`] for another key, another place or a changed value.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<String, SealError> {
        let Some((&FORMAT, rest)) = sealed.split_first() else { return Err(SealError::UnknownFormat) };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::NotOurs)?;
        let mut body = body.to_vec();
        let text = self
            .0
            .open_in_place(Nonce::from(nonce), Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| SealError::NotOurs)?;
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| SealError::NotOurs)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

fn random_key() -> Result<[u8; KEY_BYTES], SealError> {
    let mut key = [0; KEY_BYTES];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| SealError::Cryptography)?;
    Ok(key)
}

fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], SealError> {
    let not_readable = |cause| SealError::NotReadable { path: path.to_owned(), cause };
    let file = File::open(path).map_err(not_readable)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(not_readable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SealError::Exposed { path: path.to_owned(), mode });
        }
    }
    let mut bytes = Vec::with_capacity(KEY_BYTES + 1);
    // One more than there should be tells that there are too many.
    file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(not_readable)?;
    bytes.try_into().map_err(|_| SealError::NoKey { path: path.to_owned() })
}

/// Writes a file so that it is there as a whole or not at all: under another name first, which a crash may leave behind.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut options = File::options();
    // Made anew, so that it is nobody else's and has our mode from the beginning.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name is on the disk only when its folder is.
    #[cfg(unix)]
    File::open(match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    })?
    .sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "shop\0api_key";

    fn sealer() -> Sealer {
        Sealer::in_memory().expect("a key")
    }

    fn said(result: Result<impl std::fmt::Debug, SealError>) -> String {
        result.expect_err("is refused").to_string()
    }

    #[test]
    fn what_is_sealed_can_be_unsealed() {
        let sealer = sealer();
        for text in ["", "x", "geheim \u{1f511} \0", &"long ".repeat(100_000)] {
            let sealed = sealer.seal(PLACE, text).expect("seals");
            assert_eq!(sealed.len(), 1 + 12 + text.len() + 16);
            assert_eq!(sealed[0], 1);
            assert_eq!(sealer.unseal(PLACE, &sealed).expect("unseals"), text);
        }
    }

    #[test]
    fn what_an_earlier_release_sealed_can_be_unsealed() {
        // Made with another implementation of AES-256-GCM: key of 32 times 7, nonce 0 to 11.
        let body = b"\x6b\xe4\x9a\x11\x70\x6c\xaa\x77\x98\x90\x46\x35\x56\x36\x33\x9d\xcf\x4e\xec\xc6\xed\x48";
        let sealed: Vec<u8> = [1].into_iter().chain(0..12).chain(*body).collect();
        let sealer = Sealer::new(&[7; KEY_BYTES]).expect("a key");
        assert_eq!(sealer.unseal(PLACE, &sealed).expect("unseals"), "sesame");
    }

    #[test]
    fn the_text_is_not_to_be_seen_and_never_looks_the_same() {
        let sealer = sealer();
        let one = sealer.seal(PLACE, "sesame-sesame").expect("seals");
        let other = sealer.seal(PLACE, "sesame-sesame").expect("seals");
        assert!(!one.windows(6).any(|part| part == b"sesame"));
        assert_ne!(one[1..13], other[1..13], "nonces");
        assert_ne!(one[13..], other[13..]);
        assert_eq!(format!("{sealer:?}"), "Sealer");
    }

    #[test]
    fn a_value_stays_in_its_place() {
        let sealer = sealer();
        let sealed = sealer.seal(PLACE, "sesame").expect("seals");
        for place in ["", "shop\0api_ke", "shop\0other", "other\0api_key", "shopapi_key"] {
            assert!(matches!(sealer.unseal(place, &sealed), Err(SealError::NotOurs)), "{place:?}");
        }
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let sealer = sealer();
        let sealed = sealer.seal(PLACE, "sesame").expect("seals");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x40;
            assert!(sealer.unseal(PLACE, &changed).is_err(), "byte {at}");
            assert!(sealer.unseal(PLACE, &sealed[..at]).is_err(), "the first {at} bytes");
        }
        let mut longer = sealed.clone();
        longer.push(0);
        assert!(sealer.unseal(PLACE, &longer).is_err());
        assert!(matches!(sealer.unseal(PLACE, &[]), Err(SealError::UnknownFormat)));
        assert!(matches!(sealer.unseal(PLACE, &[2; 40]), Err(SealError::UnknownFormat)));
    }

    #[test]
    fn another_key_gets_a_clear_sentence() {
        let sealed = sealer().seal(PLACE, "sesame").expect("seals");
        let text = said(sealer().unseal(PLACE, &sealed));
        assert!(text.contains("sealed with another key") && text.contains("bring back the key file"), "{text}");
        assert!(!text.contains("sesame"));
    }

    #[test]
    fn the_key_outlasts_the_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret.key");
        // Left behind by a crash.
        fs::write(folder.path().join("secret.key.new"), "half").expect("writes");
        let sealed = Sealer::open(&path).expect("makes").seal(PLACE, "sesame").expect("seals");
        let key = fs::read(&path).expect("reads");
        assert_eq!(key.len(), 32);
        assert_eq!(Sealer::open(&path).expect("opens").unseal(PLACE, &sealed).expect("unseals"), "sesame");
        assert_eq!(fs::read(&path).expect("reads"), key, "left as it was");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "nothing is left behind");
        fs::remove_file(&path).expect("removes");
        assert!(Sealer::open(&path).expect("makes another").unseal(PLACE, &sealed).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_use_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret.key");
        Sealer::open(&path).expect("makes");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("sets");
        let found = fs::metadata(&path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(found, 0o600);
        for open in [0o640, 0o604, 0o620, 0o644] {
            mode(open);
            let text = said(Sealer::open(&path));
            assert!(text.contains(&format!("chmod 600 {}", path.display())), "{text}");
            assert!(text.contains(&format!("(mode {open:03o})")), "{text}");
        }
        mode(0o400);
        Sealer::open(&path).expect("is for its owner only");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_key_is_refused_and_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        for length in [0, 31, 33, 64] {
            let path = folder.path().join(format!("{length}"));
            fs::write(&path, vec![7; length]).expect("writes");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("sets");
            let text = said(Sealer::open(&path));
            assert!(text.contains("32 bytes") && text.contains("backup"), "{text}");
            assert_eq!(fs::read(&path).expect("reads").len(), length);
        }
        assert!(said(Sealer::open(folder.path())).contains("32 bytes"), "a folder");
        let missing = folder.path().join("missing/secret.key");
        assert!(said(Sealer::open(&missing)).contains("make its folder writable"));
    }

    #[test]
    fn it_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&sealer());
    }
}
