//! Where a component is: `oci://REGISTRY/REPOSITORY:TAG`, or `…@sha256:DIGEST` for those very bytes.

use std::fmt;
use std::net::IpAddr;

use oci_client::Reference;

/// What a reference begins with.
pub(crate) const SCHEME: &str = "oci://";

/// A reference whose registry is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(Reference);

impl Place {
    /// Reads a reference.
    ///
    /// # Errors
    /// One sentence. A reference without a registry would silently mean Docker's, so it is refused.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let example = "write oci://registry.example.org/shop:1.4";
        let Some(rest) = text.strip_prefix(SCHEME) else {
            return Err(format!("`{text}` does not begin with {SCHEME}: {example}"));
        };
        let registry = rest.split_once('/').map(|(registry, _)| registry);
        if !registry.is_some_and(|name| name == "localhost" || name.contains(['.', ':'])) {
            return Err(format!("`{text}` does not name a registry: {example}"));
        }
        let reference = rest.parse().map_err(|error| format!("`{text}` is no reference ({error}): {example}"))?;
        Ok(Self(reference))
    }

    /// The reference as the client takes it.
    pub(super) fn reference(&self) -> &Reference {
        &self.0
    }

    /// The registry's host, with its port if one is given.
    pub(super) fn registry(&self) -> &str {
        self.0.registry()
    }

    /// The digest that the bytes must have.
    pub(crate) fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// The same place, and the digest of what was there.
    pub(super) fn pinned(&self, digest: &str) -> String {
        let tag = self.0.tag().map_or_else(String::new, |tag| format!(":{tag}"));
        format!("{SCHEME}{}/{}{tag}@{digest}", self.0.registry(), self.0.repository())
    }

    /// Whether the registry runs on this very machine, where nobody else listens in.
    pub(super) fn is_loopback(&self) -> bool {
        let registry = self.registry();
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// A name for the file: the last part of the repository.
    pub(super) fn file_name(&self) -> String {
        let repository = self.0.repository();
        format!("{}.wasm", repository.rsplit_once('/').map_or(repository, |(_, name)| name))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0.whole())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_registry_repository_and_tag_or_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, shown, registry, file, loopback) in [
            ("oci://reg.example/shop", "oci://reg.example/shop:latest", "reg.example", "shop.wasm", false),
            ("oci://reg.example:5000/a/b:1.4", "oci://reg.example:5000/a/b:1.4", "reg.example:5000", "b.wasm", false),
            ("oci://localhost/shop:1", "oci://localhost/shop:1", "localhost", "shop.wasm", true),
            ("oci://127.0.0.1:5000/shop:1", "oci://127.0.0.1:5000/shop:1", "127.0.0.1:5000", "shop.wasm", true),
            (
                "oci://127.0.0.1.example/shop:1",
                "oci://127.0.0.1.example/shop:1",
                "127.0.0.1.example",
                "shop.wasm",
                false,
            ),
            (
                &format!("oci://reg.example/shop@{digest}"),
                &format!("oci://reg.example/shop@{digest}"),
                "reg.example",
                "shop.wasm",
                false,
            ),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!(place.to_string(), shown, "{text}");
            assert_eq!((place.registry(), place.file_name().as_str()), (registry, file), "{text}");
            assert_eq!(place.is_loopback(), loopback, "{text}");
        }
        let pinned = Place::parse("oci://reg.example/shop:1.4").unwrap().pinned(&digest);
        assert_eq!(pinned, format!("oci://reg.example/shop:1.4@{digest}"));
        assert_eq!(Place::parse(&pinned).unwrap().digest(), Some(digest.as_str()));
    }

    #[test]
    fn what_is_no_reference_gets_one_sentence() {
        for (wrong, part) in [
            ("reg.example/shop:1", "does not begin with oci://"),
            ("oci://shop:1", "does not name a registry"),
            ("oci://library/shop:1", "does not name a registry"),
            ("oci://reg.example/", "is no reference"),
            ("oci://reg.example/SHOP:1", "is no reference"),
            ("oci://reg.example/shop@sha256:abc", "is no reference"),
            ("oci://reg.example/../shop:1", "is no reference"),
        ] {
            let error = Place::parse(wrong).unwrap_err();
            assert!(error.contains(part) && error.contains("oci://registry.example.org/shop:1.4"), "{error}");
        }
    }
}
