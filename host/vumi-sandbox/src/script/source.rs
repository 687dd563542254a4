//! What a script is before the engine has seen it: its text, its dialect, and what stack traces call it.

use std::path::Path;

use sha2::{Digest, Sha256};
use vumi_bindings::script_engine::exports::vumi::app::script as wit;

use crate::cache::{LoadError, hex};

/// First line of a module that `vumi-host build` made.
const MODULE_MARK: &str = "// vumi-app: module";

/// Largest script that is taken, in bytes.
pub(crate) const MAX_SCRIPT: usize = 16 << 20;

/// Which rules a script follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// An ES module that exports `onMessage` and `onEvent` (`.mjs`).
    Module,
    /// An application for Vumi's JavaScript sandbox (`.js`).
    Legacy,
}

impl Dialect {
    /// The dialect that a file's name tells.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "mjs" => Some(Self::Module),
            "js" => Some(Self::Legacy),
            _ => None,
        }
    }

    /// The dialect of a script that came without a name: modules that `vumi-host build` made say so in their first line.
    pub fn of_text(text: &str) -> Self {
        let first = text.lines().next().unwrap_or_default();
        if first.trim_end() == MODULE_MARK { Self::Module } else { Self::Legacy }
    }

    /// As it is written in names of files and in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Legacy => "legacy",
        }
    }

    /// What a script that came without a name is called.
    fn file_name(self) -> &'static str {
        match self {
            Self::Module => "app.mjs",
            Self::Legacy => "app.js",
        }
    }
}

impl From<Dialect> for wit::Dialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Module => Self::Module,
            Dialect::Legacy => Self::Legacy,
        }
    }
}

/// A script.
#[derive(Clone, Debug)]
pub struct ScriptSource {
    /// What stack traces call it; a file's name.
    pub name: String,
    /// The text.
    pub code: String,
    /// Which rules it follows.
    pub dialect: Dialect,
    /// A JavaScript expression of the app's owner whose properties become globals; for legacy apps alone.
    pub app_context: Option<String>,
    /// Its source map as JSON text, where one stood beside its file.
    pub source_map: Option<Vec<u8>>,
}

/// What some bytes are.
pub(crate) enum Sniffed {
    /// WebAssembly, or nothing that is known.
    Component,
    /// A script.
    Script(Box<ScriptSource>),
}

/// Whether bytes begin as WebAssembly does.
pub(crate) fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

impl ScriptSource {
    /// A script of this name. The name must tell the dialect, or the text does.
    pub fn new(name: impl Into<String>, code: impl Into<String>) -> Self {
        let (name, code) = (name.into(), code.into());
        let dialect = Dialect::of_path(Path::new(&name)).unwrap_or_else(|| Dialect::of_text(&code));
        Self { name, code, dialect, app_context: None, source_map: None }
    }

    /// A script that came without a name.
    pub(crate) fn unnamed(code: String) -> Self {
        let dialect = Dialect::of_text(&code);
        Self { name: dialect.file_name().to_owned(), code, dialect, app_context: None, source_map: None }
    }

    /// SHA-256 of the text, in hexadecimal.
    pub(crate) fn hash(&self) -> String {
        hex(&Sha256::digest(&self.code))
    }

    /// Names the bytecode: a hash of everything that it is made of. For a script that came without a name that is the
    /// hash of its text.
    pub(crate) fn key(&self) -> String {
        let nameless = Self::unnamed(self.code.clone());
        if self.app_context.is_none() && (self.dialect, &self.name) == (nameless.dialect, &nameless.name) {
            return self.hash();
        }
        let mut all = Sha256::new();
        for part in [self.dialect.name(), &self.name, self.app_context.as_deref().unwrap_or_default(), &self.code] {
            all.update((part.len() as u64).to_le_bytes());
            all.update(part);
        }
        all.update([u8::from(self.app_context.is_some())]);
        hex(&all.finalize())
    }
}

impl Sniffed {
    /// Looks at an artefact. `path` is its file, where it has one.
    ///
    /// # Errors
    /// [`LoadError::NotText`] or [`LoadError::TooLarge`] for what claims to be a script and cannot be one.
    pub(crate) fn of(bytes: &[u8], path: Option<&Path>, what: &str) -> Result<Self, LoadError> {
        if is_wasm(bytes) {
            return Ok(Self::Component);
        }
        let dialect = path.map(Dialect::of_path);
        // A file with another ending is no script; what has no name at all may be one.
        if dialect == Some(None) {
            return Ok(Self::Component);
        }
        if bytes.len() > MAX_SCRIPT {
            let bytes = bytes.len() as u64;
            return Err(LoadError::ScriptTooLarge { what: what.to_owned(), bytes });
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') && !text.trim().is_empty() => {
                text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()
            }
            // Bytes without a name that are no text are taken for a broken component.
            _ if dialect.is_none() => return Ok(Self::Component),
            _ => return Err(LoadError::NotText { what: what.to_owned() }),
        };
        let mut script = ScriptSource::unnamed(text);
        if let (Some(path), Some(Some(dialect))) = (path, dialect) {
            script.dialect = dialect;
            if let Some(name) = path.file_name() {
                script.name = name.to_string_lossy().into_owned();
            }
        }
        Ok(Self::Script(Box::new(script)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(bytes: &[u8], path: Option<&str>) -> Option<(String, Dialect)> {
        match Sniffed::of(bytes, path.map(Path::new), "it") {
            Ok(Sniffed::Script(script)) => Some((script.name, script.dialect)),
            _ => None,
        }
    }

    #[test]
    fn what_an_artefact_is() {
        let named = |name: &str, dialect| Some((name.to_owned(), dialect));
        assert_eq!(script(b"\0asm\x0d\0\x01\0", Some("x.js")), None, "magic bytes go before the name");
        assert_eq!(script(b"api.x", Some("a/x.js")), named("x.js", Dialect::Legacy));
        assert_eq!(script(b"api.x", Some("a/x.mjs")), named("x.mjs", Dialect::Module));
        assert_eq!(script(b"api.x", Some("a/x.wasm")), None);
        assert_eq!(script(b"api.x", None), named("app.js", Dialect::Legacy));
        assert_eq!(script(b"// vumi-app: module\r\nexport", None), named("app.mjs", Dialect::Module));
        assert_eq!(script(b"\xff\xfe", None), None);
        assert!(Sniffed::of(b"\xff\xfe", Some(Path::new("x.js")), "it").is_err());
    }

    #[test]
    fn bytecode_depends_on_all_that_it_is_made_of() {
        let base = ScriptSource::new("a.js", "api");
        let context = |text: &str| ScriptSource { app_context: Some(text.to_owned()), ..base.clone() };
        let (other, nameless) = (ScriptSource::new("b.js", "api"), ScriptSource::unnamed("api".to_owned()));
        let all = [&base, &context(""), &context("{}"), &other, &nameless];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.hash(), base.hash(), "one text, one hash");
            assert!(all.iter().skip(at + 1).all(|two| two.key() != one.key()), "{one:?}");
        }
        assert_eq!(nameless.key(), nameless.hash());
    }
}
