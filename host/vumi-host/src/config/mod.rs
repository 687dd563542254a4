//! The configuration: one YAML file becomes typed values, or an error that says where and how to mend it.
//!
//! What happens to a file, in order: `yaml` makes a tree of it and puts variables in; `check::classes` looks at the
//! classes, serde reads `file::File`, `check::ranges` holds numbers against the ranges of the manual; `system`
//! fills in defaults and paths; the rest of `check` looks at what one key cannot know of another. The manual is the
//! doc comments of the structs: `schema` makes the JSON schema of them and `explain` prints them.

mod app;
mod backend;
mod check;
mod deploy;
mod error;
mod explain;
mod file;
mod js;
mod mask;
mod middleware;
mod quick;
mod schema;
mod system;
#[cfg(test)]
mod tests;
mod worker;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use vumi_admin::Secret;

pub use app::{AppAround, AppChoice};
pub use backend::{BrokerChoice, EngineUrl, KvChoice, StoreChoice};
pub use deploy::Deploy;
pub use error::{ConfigError, Problem};
pub use explain::{explain, reference};
pub use file::{Amqp, Named, QueueKind, Queues, Redis, Telemetry};
pub(crate) use mask::url as shown_url;
pub use middleware::stack;
pub use quick::{Quick, file_for_app, for_app};
pub use schema::schema;
pub use system::SystemConfig;
pub use worker::{WorkerOptions, for_worker};
pub(crate) use worker::{describe as describe_worker, redis_url};

use error::Origin;
use vumi_yaml::{self as yaml, nearest};
use yaml::{Fault, Files, Node, Reader, Revealed, What};

/// Mistakes or warnings that are shown at once; whoever has more has one that explains the others.
const MOST_AT_ONCE: usize = 30;

/// Reads and checks a configuration file.
///
/// `env` gives the values of `${NAME}`; usually `|name| std::env::var(name).ok()`. Paths in the file are relative to
/// its folder. With `confined`, `!include` must not leave that folder.
///
/// # Errors
/// All mistakes that could be found at once.
pub fn load(path: &Path, confined: bool, env: &dyn Fn(&str) -> Option<String>) -> Result<SystemConfig, ConfigError> {
    let mut document = Document::open(path, "the configuration")?;
    if confined {
        document.confine();
    }
    document.system(env, |tree| Ok(Rc::clone(tree)))
}

/// Reads and checks a configuration; `file_name` is for messages and for relative paths.
///
/// # Errors
/// All mistakes that could be found at once.
pub fn from_text(
    text: &str,
    file_name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<SystemConfig, ConfigError> {
    Document::new(file_name, text).system(env, |tree| Ok(Rc::clone(tree)))
}

/// A file and what it includes, before it is read.
pub(crate) struct Document {
    origin: Origin,
    folder: PathBuf,
}

impl Document {
    /// For a text.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let folder = Path::new(name).parent().unwrap_or(Path::new("")).to_path_buf();
        Self { origin: Origin { files: Files::new(name, text), revealed: Revealed::default() }, folder }
    }

    /// For a file; `what` names it in errors.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn open(path: &Path, what: &str) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let unreadable = |reason: String| {
            ConfigError::file(&name, format!("{what} cannot be read: {reason}"), "give the path of a YAML file")
        };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
        // One byte more than is taken, so that what is too large is seen to be.
        let bound = u64::try_from(yaml::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        file.take(bound).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self::new(&name, &text))
    }

    /// Keeps includes within the folder of the file.
    pub(crate) fn confine(&mut self) {
        self.origin.files.confine();
    }

    /// The tree, with variables put in.
    ///
    /// # Errors
    /// What is wrong with the YAML.
    pub(crate) fn tree(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Result<Rc<Node>, ConfigError> {
        let tree = yaml::load(&mut self.origin.files)
            .and_then(|tree| yaml::expand(&tree, &self.folder, env, &mut self.origin.revealed));
        tree.map_err(|fault| self.error(&[fault]))
    }

    /// The system that a tree describes, once `shape` has made it a system's.
    ///
    /// # Errors
    /// All mistakes that could be found at once.
    pub(crate) fn system(
        mut self,
        env: &dyn Fn(&str) -> Option<String>,
        shape: impl FnOnce(&Rc<Node>) -> Result<Rc<Node>, Fault>,
    ) -> Result<SystemConfig, ConfigError> {
        let tree = self.tree(env)?;
        let read = shape(&tree).map_err(|fault| vec![fault]).and_then(|tree| system(&tree, &self.folder));
        match read {
            Ok((mut config, warnings)) => {
                config.warnings = warnings.iter().map(|fault| self.origin.problem(fault, None).headline()).collect();
                Ok(config)
            }
            Err(faults) => Err(self.error(&faults)),
        }
    }

    fn error(&self, faults: &[Fault]) -> ConfigError {
        ConfigError::of(faults.iter().map(|fault| self.origin.problem(fault, help(fault))).collect())
    }
}

/// The configuration and its warnings, or what is wrong with it.
fn system(tree: &Node, folder: &Path) -> Result<(SystemConfig, Vec<Fault>), Vec<Fault>> {
    let one = |fault| vec![fault];
    check::classes(tree).map_err(one)?;
    check::middleware_order(tree).map_err(one)?;
    let file = <file::File as serde::Deserialize>::deserialize(Reader::new(tree)).map_err(one)?;
    let token = token(&file.admin, tree, folder).map_err(one)?;
    let ranges = check::ranges(tree, schema::shared_schema());
    let config = SystemConfig::new(file, folder, token);
    let mut report = check::Report::new(tree);
    check::system(&config, &mut report);
    let in_order = |mut faults: Vec<Fault>| {
        faults.sort_by_key(|fault| fault.mark().map(|mark| (mark.line, mark.column)));
        faults.truncate(MOST_AT_ONCE);
        faults
    };
    let mut faults = ranges;
    faults.append(&mut report.faults);
    if faults.is_empty() { Ok((config, in_order(report.warnings))) } else { Err(in_order(faults)) }
}

fn token(admin: &file::AdminFile, tree: &Node, folder: &Path) -> Result<Option<Secret>, Fault> {
    match (&admin.token, &admin.token_file) {
        (None, None) => Ok(None),
        (Some(token), None) => Ok(Some(Secret::new(token.as_str()))),
        (None, Some(path)) => {
            let path = folder.join(path);
            yaml::secret_file(&path).map(|text| Some(Secret::new(text))).map_err(|reason| {
                Fault::says(format!("the token file {} cannot be read: {reason}", path.display()))
                    .at(tree.find(&["admin", "token_file"]))
                    .help("give the path of a text file that holds the token")
                    .under("token_file")
                    .under("admin")
            })
        }
        (Some(_), Some(_)) => Err(Fault::says("`token` and `token_file` are both given")
            .at(tree.find(&["admin", "token_file"]))
            .help("keep one of them")
            .under("admin")),
    }
}

/// How to mend a fault: what it says itself, or what can be told from its kind.
fn help(fault: &Fault) -> Option<String> {
    if let Some(help) = fault.remedy() {
        return Some(help.to_owned());
    }
    let path = fault.path();
    let manual = || explain(&path).map(|_| format!("see `vumi-host config explain {path}`"));
    match fault.what() {
        What::UnknownKey { key, known } => {
            let mut known: Vec<String> = known.iter().map(|&key| key.to_owned()).collect();
            known.extend(path.split('.').next().map(check::shared_keys).unwrap_or_default());
            let near = nearest::nearest(key, known.iter().map(String::as_str));
            near.map(|near| format!("did you mean `{near}`?"))
                .or_else(|| Some(format!("known are {}", known.join(", "))))
        }
        What::UnknownWord { word, known } => {
            nearest::nearest(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
        }
        What::Missing(key) => Some(format!("add `{key}: …`")),
        What::WrongType { .. } | What::Sentence(_) => manual(),
    }
}
