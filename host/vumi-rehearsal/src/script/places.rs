//! From marks of the YAML reader to places with a file's name.

use std::sync::Arc;

use vumi_yaml::{Files, Mark};

use super::error::Place;

/// The names of a document's files.
pub(crate) struct Places(Vec<Arc<str>>);

impl Places {
    pub(crate) fn new(files: &Files) -> Self {
        Self((0..u16::MAX).map_while(|number| files.get(number)).map(|source| source.name.as_str().into()).collect())
    }

    pub(crate) fn of(&self, mark: Mark) -> Place {
        let file = self.0.get(usize::from(mark.file)).or_else(|| self.0.first());
        Place { file: file.map_or_else(|| "".into(), Arc::clone), line: mark.line, column: mark.column }
    }
}
