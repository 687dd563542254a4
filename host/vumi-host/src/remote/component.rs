//! The component or script that a command names: a file, a project that is built first, or an artifact in a registry.

use std::io::{Read, Write};
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use vumi_core::{Error, Result};

use crate::cli::RegistryOptions;
use crate::commands::Failure;
use crate::oci;
use crate::project::Source;
use crate::remote::script;

/// The largest component in bytes that is sent to a host or a registry, or taken from one.
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// A component in memory.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    /// Where it came from, if not from this machine: the reference with the digest that it had.
    pub(crate) source: Option<String>,
}

/// Gets the component that a text of the command line names. A project is built, which takes its time.
pub(crate) async fn read(what: &str, options: RegistryOptions) -> Result<Fetched, Failure> {
    if what.starts_with(oci::SCHEME) {
        let place = oci::Place::parse(what).map_err(Failure::Usage)?;
        let pulled = oci::Registry::open(place, options)?.pull().await?;
        return Ok(Fetched { bytes: pulled.bytes, source: Some(pulled.source) });
    }
    Ok(Fetched { bytes: local(what.as_ref()).await?, source: None })
}

/// What is sent to a host for a file or a project: a component or a script.
pub(crate) async fn local(path: &Path) -> Result<Bytes> {
    let path = path.to_owned();
    let work = move || {
        let path = Source::of(&path)?.component()?;
        let bytes = file(&path)?;
        if script::is_script(&path) && !bytes.starts_with(b"\0asm") {
            let text = script::nameless(&path, bytes, script_map(&path));
            return text.map_err(|why| Error::permanent(format!("{} {why}", path.display())));
        }
        oci::Names::of(&bytes).map_err(|why| Error::permanent(format!("{} {why}", path.display())))?;
        Ok(bytes)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::permanent("the component could not be read").because(error))?
}

/// The component of a file or a project, for those who can do nothing with a script.
pub(crate) async fn local_component(path: &Path) -> Result<Bytes> {
    let bytes = local(path).await?;
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    Err(Error::permanent(format!("{} is a script; a registry takes components only", path.display())))
}

/// The source map beside a script, if it can be had.
fn script_map(path: &Path) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".map");
    file(name.as_ref()).ok().map(Vec::from)
}

/// A file's bytes, as many as a host takes.
pub(crate) fn file(path: &Path) -> Result<Bytes> {
    let unreadable = |error| Error::permanent(format!("{} cannot be read", path.display())).because(error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::permanent(format!("{} is larger than {MOST_BYTES} bytes", path.display())));
    }
    Ok(bytes.into())
}

/// SHA-256 in 64 lower-case hex digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file whole or not at all: what is interrupted leaves the file that was there.
pub(crate) fn save(bytes: &[u8], path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error| Error::permanent(format!("{} cannot be written", path.display())).because(error);
    let mut file = tempfile::Builder::new()
        .prefix(".vumi-host-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(unwritable)?;
    file.write_all(bytes).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        save(b"one", &path).unwrap();
        save(b"two", &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = save(b"x", &folder.path().join("no/a.wasm")).unwrap_err().to_string();
        assert!(error.ends_with("no/a.wasm cannot be written"), "{error}");
    }

    #[test]
    fn a_hash_is_sha_256() {
        assert_eq!(hash(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[tokio::test]
    async fn a_registry_gets_no_scripts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mjs");
        std::fs::write(&path, "// vumi-app: module\nexport default {};\n").unwrap();
        assert!(local(&path).await.is_ok());
        let error = local_component(&path).await.unwrap_err().to_string();
        assert!(error.ends_with("a.mjs is a script; a registry takes components only"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_component_is_refused_before_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        std::fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
        let error = local(&path).await.unwrap_err().to_string();
        assert!(error.ends_with("a.wasm is a core module, not a component"), "{error}");
        std::fs::File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
        let error = local(&path).await.unwrap_err().to_string();
        assert!(error.ends_with("is larger than 67108864 bytes"), "{error}");
    }
}
