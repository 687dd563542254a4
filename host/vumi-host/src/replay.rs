//! `vumi-host replay`: a recorded run, run once more on this machine.
//!
//! What happens here is everything before the run itself: the recording is read, from the host or from a file, and the
//! component is found: the very one that ran, another version of the app, or one that is being worked on. Nothing is
//! sent to anybody; what the guest asks the host for is answered from the tape.

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use tempfile::NamedTempFile;
use vumi_admin::model::{DeploymentInfo, RecordingInfo};
use vumi_core::Error;
use vumi_sandbox::{ComponentCache, EngineOptions, Replayed, Sandbox, TapeDocument};

use crate::cli::Replay;
use crate::commands::{Failure, say, user_cache};
use crate::remote::{Remote, hash, local, save};
use crate::script_engine;

/// The largest file that is read as a recording, in bytes.
const LARGEST: u64 = 64 << 20;

/// Runs a recording again and shows what came of it.
///
/// # Errors
/// When it cannot be run, and when it departs from the recording.
pub(crate) async fn execute(given: &Replay) -> Result<(), Failure> {
    let inputs = inputs(given).await?;
    let tape = TapeDocument::parse(&inputs.tape).map_err(|error| Failure::Usage(format!("{}: {error}", given.run)))?;
    let replayed = run_tape(&tape, inputs.component.path()).await?;
    if given.format.json {
        let text = serde_json::to_string_pretty(&replayed);
        say(&text.map_err(|error| Error::permanent("the result cannot be written").because(error))?)?;
    } else {
        say(&report(&inputs.run, &tape, &replayed))?;
    }
    match replayed.departures.len() as u64 + replayed.more_departures {
        0 => Ok(()),
        1 => Err(Error::permanent("the replay departs from the recording in one place").into()),
        count => Err(Error::permanent(format!("the replay departs from the recording in {count} places")).into()),
    }
}

/// The run itself, in a sandbox of this process.
async fn run_tape(tape: &TapeDocument, component: &Path) -> Result<Replayed, Failure> {
    let failed = |error: String| Failure::Work(Error::permanent(error));
    let options = EngineOptions { instances: 1, script_engine: script_engine::find() };
    let sandbox = Sandbox::new(&options).map_err(|error| failed(error.to_string()))?;
    let cache = match user_cache() {
        Some(folder) => ComponentCache::at(&folder).map_err(|error| failed(error.to_string()))?,
        None => ComponentCache::none(),
    };
    // The file has a name of no meaning: what it holds is told by its bytes.
    let bytes = std::fs::read(component).map_err(|error| failed(format!("the component cannot be read: {error}")))?;
    let loaded = sandbox.load_bytes(&cache, &bytes, "the component").map_err(|error| failed(error.to_string()))?;
    sandbox.replay(&loaded, tape).await.map_err(|error| failed(error.to_string()))
}

/// What came of it, for a person.
fn report(run: &RecordingInfo, tape: &TapeDocument, replayed: &Replayed) -> String {
    let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
    let mut lines = vec![
        format!("run        {} of {} on message {}", run.id, run.app, run.message_id),
        format!("component  {} (recorded: {})", short(&replayed.hash), short(&run.hash)),
        format!(
            "outcome    {} (recorded: {})",
            replayed.outcome.code(),
            tape.outcome.map_or("unknown", vumi_core::Outcome::code)
        ),
        format!(
            "cost       {} µs of CPU time, {} host calls (recorded: {} µs, {})",
            replayed.cpu_us, replayed.host_calls, tape.cost.cpu_us, tape.cost.host_calls
        ),
    ];
    lines.extend(replayed.error.iter().map(|error| format!("error      {error}")));
    lines.extend(replayed.sent.iter().map(|message| format!("sent       {message}")));
    for departure in &replayed.departures {
        let place = match (departure.position, &departure.field) {
            (Some(position), Some(field)) => format!(" {position}, field {field}"),
            (Some(position), None) => format!(" {position}"),
            (None, _) => String::new(),
        };
        lines.push(format!("\ndeparts    {:?}{place}", departure.kind).to_lowercase());
        lines.push(format!("  recorded {}", departure.expected));
        lines.push(format!("  now      {}", departure.seen));
    }
    if replayed.more_departures > 0 {
        lines.push(format!("… and {} more", replayed.more_departures));
    }
    if replayed.departures.is_empty() {
        lines.push("the same as recorded".to_owned());
    }
    lines.join("\n")
}

/// All that a replay needs.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// What was recorded about the run.
    pub(crate) run: RecordingInfo,
    /// The tape as JSON text.
    pub(crate) tape: String,
    /// The component; the file goes when this is dropped.
    pub(crate) component: NamedTempFile,
}

/// Gets everything together.
///
/// # Errors
/// When the recording or the component cannot be had, with what to do about it.
pub(crate) async fn inputs(given: &Replay) -> Result<Inputs, Failure> {
    let host = Remote::new(&given.host)?;
    let recording: Value = if is_id(&given.run) {
        host.get(&["recordings", &given.run], &[]).await?
    } else {
        from_file(given.run.as_ref())?
    };
    let strange = |why: &str| Failure::Usage(format!("{} is no recording: {why}", given.run));
    let tape = recording.get("tape").map(Value::to_string).ok_or_else(|| strange("it has no `tape`"))?;
    let run: RecordingInfo = serde_json::from_value(recording).map_err(|error| strange(&error.to_string()))?;
    let bytes = match (&given.component, given.app_version) {
        (Some(path), _) => local(path).await?,
        (None, Some(version)) => host.component(&run.app, version).await?,
        (None, None) => the_one_that_ran(&host, &run).await?,
    };
    let component = tempfile::Builder::new().suffix(".wasm").tempfile();
    let component =
        component.map_err(|error| Error::permanent("no temporary file for the component").because(error))?;
    save(&bytes, component.path())?;
    Ok(Inputs { run, tape, component })
}

/// The component that was recorded, known by its hash: a number may be missing, and versions may have been removed.
async fn the_one_that_ran(host: &Remote, run: &RecordingInfo) -> Result<bytes::Bytes, Failure> {
    let gone = || {
        Failure::Usage(format!(
            "the host does not have the component that ran ({}) among the versions of {}: name one with --component or --app-version",
            run.hash.get(..12).unwrap_or(&run.hash),
            run.app
        ))
    };
    let app: DeploymentInfo = host.find(&["deployments", &run.app]).await?.ok_or_else(gone)?;
    let version = app.versions.iter().find(|version| version.hash == run.hash).ok_or_else(gone)?;
    let bytes = host.component(&run.app, version.number).await?;
    if hash(&bytes) != run.hash {
        return Err(Error::permanent("what came is not the component that ran: its hash differs").into());
    }
    Ok(bytes)
}

/// Whether a text is the id of a recording, and no path.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn from_file(path: &Path) -> Result<Value, Failure> {
    let unreadable = |error| Error::permanent(format!("{} cannot be read", path.display())).because(error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Usage(format!("{} is no recording: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Format, Host};
    use serde_json::json;

    fn replay(run: &Path, component: Option<&Path>) -> Replay {
        Replay {
            run: run.to_str().unwrap().to_owned(),
            // Nothing listens here: what follows needs no host.
            host: Host { url: "http://127.0.0.1:1".into(), token: None },
            component: component.map(Path::to_owned),
            app_version: None,
            format: Format::default(),
        }
    }

    fn recording() -> Value {
        json!({
            "id": "0".repeat(32), "at": 1_700_000_000_000_000_u64, "app": "shop", "version": 2, "hash": "ab".repeat(32),
            "message_id": "m1", "outcome": "ok", "sent": 1, "cpu_us": 10, "wall_us": 20,
            "tape": { "format": 1, "calls": [] },
        })
    }

    #[tokio::test]
    async fn a_file_and_a_component_are_all_that_it_takes() {
        let folder = tempfile::tempdir().unwrap();
        let (run, component) = (folder.path().join("run.json"), folder.path().join("a.wasm"));
        std::fs::write(&run, recording().to_string()).unwrap();
        let bytes = b"\0asm\x0d\0\x01\0";
        std::fs::write(&component, bytes).unwrap();
        let inputs = inputs(&replay(&run, Some(&component))).await.unwrap();
        assert_eq!((inputs.tape.as_str(), inputs.run.version), (r#"{"format":1,"calls":[]}"#, Some(2)));
        assert_eq!(std::fs::read(inputs.component.path()).unwrap(), bytes);
    }

    #[tokio::test]
    async fn what_is_no_recording_gets_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run.json");
        let refused = |text: &str| {
            std::fs::write(&run, text).unwrap();
            let given = replay(&run, None);
            async move { inputs(&given).await.unwrap_err().to_string() }
        };
        assert!(refused("[1").await.contains("run.json is no recording"));
        assert!(refused(r#"{"tape": 1}"#).await.contains("missing field"));
        assert!(refused("{}").await.contains("it has no `tape`"));
        let missing = inputs(&replay(Path::new("/no/run.json"), None)).await.unwrap_err().to_string();
        assert!(missing.starts_with("/no/run.json cannot be read"), "{missing}");
        assert!(is_id(&"0a".repeat(16)) && !is_id("run.json") && !is_id(&"0A".repeat(16)));
    }
}
