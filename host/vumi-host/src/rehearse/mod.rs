//! `vumi-host test`: conversation tests of guests.
//!
//! What happens here is everything before and after the play itself (that is vumi-rehearsal's): which files belong to
//! which app, building it, and showing what came of it. All files are read before anything is built, so that a slip of
//! the pen is told at once.

mod files;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vumi_core::Error;
use vumi_rehearsal::{Coverage, Edit, Options, Rehearsal, Script, report};
use vumi_sandbox::{ComponentCache, EngineOptions, LoadedComponent, Sandbox};

use crate::cli::{Test, TestFormat};
use crate::commands::{Failure, say, user_cache};
use crate::project::Source;
use crate::script_engine;
use files::groups;

/// What came of an app's tests.
struct Tested {
    app: PathBuf,
    rehearsal: Rehearsal,
    coverage: Option<Coverage>,
}

/// Plays the tests and shows what came of them.
///
/// # Errors
/// When a conversation failed, when a test file is wrong, and when an app cannot be built or loaded.
pub(crate) async fn execute(given: &Test) -> Result<(), Failure> {
    let groups = groups(&given.paths, given.app.as_deref())?;
    let scripts: Vec<Vec<Script>> =
        groups.iter().map(|group| read(&group.files, given.filter.as_deref())).collect::<Result<_, _>>()?;
    if let Some(filter) = given.filter.as_deref().filter(|_| scripts.iter().all(Vec::is_empty)) {
        return Err(Failure::Usage(format!("no conversation has `{filter}` in its name")));
    }
    let failed = |error: String| Failure::Work(Error::permanent(error));
    let instances = std::thread::available_parallelism().map_or(4, |count| u32::try_from(count.get()).unwrap_or(4) * 4);
    let options = EngineOptions { instances, script_engine: script_engine::find() };
    let sandbox = Sandbox::new(&options).map_err(|error| failed(error.to_string()))?;
    let cache = match user_cache() {
        Some(folder) => ComponentCache::at(&folder).map_err(|error| failed(error.to_string()))?,
        None => ComponentCache::none(),
    };
    let mut results = Vec::new();
    for (group, scripts) in groups.into_iter().zip(scripts).filter(|(_, scripts)| !scripts.is_empty()) {
        let path = Source::of(&group.app)?.component()?;
        let component = sandbox.load(&cache, &path).map_err(|error| failed(error.to_string()))?;
        let scripts = if given.update { updated(&sandbox, &component, scripts).await? } else { scripts };
        let rehearsal = vumi_rehearsal::rehearse(&sandbox, &component, &scripts, Options::default()).await?;
        let coverage = coverage(&sandbox, &component, &rehearsal).await?;
        results.push(Tested { app: group.app, rehearsal, coverage });
    }
    show(&results, given.format)?;
    let (all, failed) = results.iter().fold((0, 0), |(all, failed), result| {
        (all + result.rehearsal.conversations().count(), failed + result.rehearsal.failed())
    });
    match failed {
        0 => Ok(()),
        failed => Err(Error::permanent(format!("{failed} of {all} conversations failed")).into()),
    }
}

/// Reads test files; all mistakes are told at once.
fn read(files: &[PathBuf], filter: Option<&str>) -> Result<Vec<Script>, Failure> {
    let (mut scripts, mut mistakes) = (Vec::new(), Vec::new());
    for file in files {
        match Script::open(file) {
            Ok(mut script) => {
                if let Some(filter) = filter {
                    script.retain(filter);
                }
                if filter.is_none() || !script.is_empty() {
                    scripts.push(script);
                }
            }
            Err(error) => mistakes.push(error.to_string()),
        }
    }
    if mistakes.is_empty() { Ok(scripts) } else { Err(Failure::Usage(mistakes.join("\n\n"))) }
}

/// Which states were entered, for an app with a dialogue.
async fn coverage(
    sandbox: &Arc<Sandbox>,
    component: &LoadedComponent,
    rehearsal: &Rehearsal,
) -> Result<Option<Coverage>, Failure> {
    let Some(graph) = sandbox.graph(component).await? else { return Ok(None) };
    let coverage = Coverage::of(&graph, rehearsal);
    coverage.map(Some).map_err(|error| Error::permanent("the app's dialogue makes no sense").because(error).into())
}

/// Plays the scripts, writes the texts that came into their files, and reads them again.
async fn updated(
    sandbox: &Arc<Sandbox>,
    component: &LoadedComponent,
    scripts: Vec<Script>,
) -> Result<Vec<Script>, Failure> {
    let options = Options { goes_on: true, ..Options::default() };
    let rehearsal = vumi_rehearsal::rehearse(sandbox, component, &scripts, options).await?;
    let mut fresh = Vec::new();
    for (script, file) in scripts.into_iter().zip(&rehearsal.files) {
        let edits: Vec<Edit> = file.conversations.iter().flat_map(|one| one.edits.clone()).collect();
        if edits.is_empty() {
            fresh.push(script);
            continue;
        }
        let name = Path::new(&*script.name);
        let failed = |what: &str, error| Error::permanent(format!("{} cannot be {what}", script.name)).because(error);
        let text = std::fs::read_to_string(name).map_err(|error| failed("read", error))?;
        std::fs::write(name, vumi_rehearsal::update(&text, &edits)).map_err(|error| failed("written", error))?;
        eprintln!(
            "{}: {} written",
            script.name,
            if edits.len() == 1 { "1 text".into() } else { format!("{} texts", edits.len()) }
        );
        let names: Vec<String> = file.conversations.iter().map(|one| one.name.clone()).collect();
        let mut again = Script::open(name).map_err(|error| Failure::Usage(error.to_string()))?;
        again.keep(&names);
        fresh.push(again);
    }
    Ok(fresh)
}

fn show(results: &[Tested], format: TestFormat) -> Result<(), Failure> {
    match format {
        TestFormat::Text => {
            let colours = std::io::stdout().is_terminal();
            for (index, result) in results.iter().enumerate() {
                if results.len() > 1 {
                    say(&format!("{}{}", if index > 0 { "\n" } else { "" }, result.app.display()))?;
                }
                say(&report::text(&result.rehearsal, result.coverage.as_ref(), colours))?;
            }
            Ok(())
        }
        TestFormat::Json => {
            let apps: Vec<_> = results
                .iter()
                .map(|result| {
                    let mut app = report::json(&result.rehearsal, result.coverage.as_ref());
                    if let Some(app) = app.as_object_mut() {
                        app.insert("app".into(), result.app.display().to_string().into());
                    }
                    app
                })
                .collect();
            let text = serde_json::to_string_pretty(&json!({ "apps": apps }));
            say(&text.map_err(|error| Error::permanent("the result cannot be written").because(error))?)
        }
        TestFormat::Junit => {
            let took: Duration = results.iter().map(|result| result.rehearsal.took).sum();
            let files = results.iter().flat_map(|result| result.rehearsal.files.clone()).collect();
            say(&report::junit(&Rehearsal { files, took }))
        }
    }
}
