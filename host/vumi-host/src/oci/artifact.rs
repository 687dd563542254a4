//! A component as an OCI artifact: the media types, and the configuration beside the bytes.
//!
//! The rules are those of the CNCF's WebAssembly working group ("Wasm OCI Artifact layout"), which wkg, wasmCloud and
//! others follow.

use serde_json::json;
use wasmparser::{Encoding, Parser, Payload};

use crate::remote::hash;

/// Of the configuration.
pub(super) const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";

/// Of the layer that is the component.
pub(super) const LAYER_TYPE: &str = "application/wasm";

/// What a component takes and gives, by the names of the interfaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    /// Looks into a component. Whether it fits this host is found out when it is loaded.
    ///
    /// # Errors
    /// What the bytes are instead, to stand behind their name.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut names = Self::default();
        // Components contain modules and further components, which have imports and exports of their own.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|_| "is no WebAssembly component")? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err("is a core module, not a component");
                }
                Payload::Version { .. } => depth = depth.saturating_add(1),
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        names.imports.push(import.map_err(|_| "is no WebAssembly component")?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        names.exports.push(export.map_err(|_| "is no WebAssembly component")?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(names)
    }
}

/// The configuration beside a component. The same component has the same configuration whenever it is pushed, and so the
/// same digest: therefore the time is the epoch, as reproducible builds have it.
pub(super) fn config(component: &[u8], names: &Names) -> String {
    json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [digest(component)],
        "component": { "exports": names.exports, "imports": names.imports },
    })
    .to_string()
}

/// A digest as registries write it.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// A component that exports an instance `a:b/c` and contains a module that exports a function `hidden`.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\
        \x01\x24\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0a\x01\x06hidden\0\0\x0a\x04\x01\x02\0\x0b\
        \x05\x03\x01\x01\0\
        \x0b\x0b\x01\0\x05a:b/c\x05\0\0";

    #[test]
    fn the_names_are_those_of_the_component_itself() {
        let names = Names::of(COMPONENT).unwrap();
        assert_eq!(names, Names { imports: vec![], exports: vec!["a:b/c".into()] });
        let config: Value = serde_json::from_str(&config(COMPONENT, &names)).unwrap();
        assert_eq!(config["component"], json!({ "exports": ["a:b/c"], "imports": [] }));
        assert_eq!(config["layerDigests"], json!([digest(COMPONENT)]));
    }

    #[test]
    fn what_is_no_component_is_named() {
        assert_eq!(Names::of(b"\0asm\x01\0\0\0"), Err("is a core module, not a component"));
        for wrong in [&b""[..], b"<html>", b"\0asm", b"\0asm\x0d\0\x01\0\x0b\xff", b"(component)"] {
            assert_eq!(Names::of(wrong), Err("is no WebAssembly component"), "{wrong:?}");
        }
        for length in 0..COMPONENT.len() {
            // Never a panic, whatever is cut off.
            let _ = Names::of(&COMPONENT[..length]);
        }
    }
}
