//! The files that one document is made of: the one that was asked for, and those that `!include` brings in.
//!
//! `key: !include part.yaml` puts the content of another file in place of a value (specification: workers, section
//! 2). The path is relative to the folder of the file that includes it. Includes nest, but not in circles.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::load::MAX_BYTES;

/// Most files that include each other in a chain.
const MAX_CHAIN: usize = 16;

/// Most files of one document.
const MAX_FILES: usize = 256;

/// One file.
pub struct Source {
    /// Its name as messages show it.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where it is, to tell circles; `None` for what is no file.
    real: Option<PathBuf>,
}

/// All files of a document; the first is the one that was asked for.
pub struct Files {
    list: Vec<Source>,
    /// The folder that includes must not leave.
    confined: Option<PathBuf>,
}

impl Files {
    /// A document that begins with this text; `name` is its path, or what stands for one.
    pub fn new(name: &str, text: &str) -> Self {
        let first = Source { name: name.to_owned(), text: text.to_owned(), real: real(Path::new(name)) };
        Self { list: vec![first], confined: None }
    }

    /// Refuses includes from outside of the first file's folder.
    pub fn confine(&mut self) {
        let folder = self.list.first().and_then(|first| first.real.as_deref()).and_then(Path::parent);
        self.confined = folder.map(Path::to_path_buf);
    }

    /// A file by its number.
    pub fn get(&self, number: u16) -> Option<&Source> {
        self.list.get(usize::from(number))
    }

    /// Brings a file in that the last file of `chain` includes: its number.
    pub(super) fn include(&mut self, chain: &[u16], path: &str) -> Result<u16, Fault> {
        const HELP: &str = "give the path of a YAML file, relative to the file that includes it";
        if path.trim().is_empty() {
            return Err(Fault::says("`!include` names no file").help(HELP));
        }
        let from = chain.last().and_then(|number| self.get(*number)).map(|source| source.name.clone());
        let folder = from.as_deref().map(Path::new).and_then(Path::parent).unwrap_or(Path::new(""));
        let path = folder.join(path);
        let shown = path.display().to_string();
        if chain.len() >= MAX_CHAIN || self.list.len() >= MAX_FILES {
            let sentence = format!(
                "{shown} cannot be included: there are more than {MAX_CHAIN} files in a chain, or {MAX_FILES} in all"
            );
            return Err(Fault::says(sentence).help("put some of them together"));
        }
        let real = real(&path);
        if let Some(at) = chain
            .iter()
            .position(|number| self.get(*number).is_some_and(|open| open.real.is_some() && open.real == real))
        {
            let mut names: Vec<&str> =
                chain.iter().skip(at).filter_map(|number| self.get(*number)).map(|open| open.name.as_str()).collect();
            names.push(&shown);
            let sentence = format!("the files include each other in a circle: {}", names.join(" includes "));
            return Err(Fault::says(sentence).help("take one of the includes out"));
        }
        if let (Some(folder), Some(real)) = (&self.confined, &real)
            && !real.starts_with(folder)
        {
            let sentence =
                format!("{shown} lies outside of the folder {}, and includes must not leave it", folder.display());
            return Err(Fault::says(sentence).help("move it, or start without --confine-includes"));
        }
        let mut text = String::new();
        let bound = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let read = std::fs::File::open(&path).and_then(|file| file.take(bound).read_to_string(&mut text));
        read.map_err(|error| Fault::says(format!("{shown} cannot be included: {error}")).help(HELP))?;
        self.list.push(Source { name: shown, text, real });
        u16::try_from(self.list.len().saturating_sub(1)).map_err(|_| Fault::says("too many files"))
    }
}

fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}
