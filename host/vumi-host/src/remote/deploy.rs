//! `vumi-host deploy`: an app, or a new version of one, goes to a running host.
//!
//! Whatever has to be asked or read is asked and read first, so that nothing stops half way for a typing error. Secrets
//! are set between the upload and the moment at which the version answers: it never runs without them.

use reqwest::Method;
use serde_json::Value;
use vumi_admin::Secret;
use vumi_admin::model::{Activate, CanaryInfo, DeploymentInfo, SetSecret, SetShadow, Uploaded};
use vumi_core::Error;

use super::changes::Changes;
use super::describe::summary;
use super::table::short;
use super::{Remote, component, say_json, secrets};
use crate::cli::Deploy;
use crate::commands::{Failure, say};

/// The longest settings in bytes that an upload takes along: they travel in its address.
const MOST_SETTINGS: usize = 16 << 10;

/// What becomes of the version once it is there.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Activate,
    Canary(f64),
    Shadow,
    Nothing,
}

/// Does the command.
pub(crate) async fn execute(given: &Deploy) -> Result<(), Failure> {
    let host = Remote::new(&given.host)?;
    let named = secrets::parse(&given.secrets)?;
    let changes = Changes::of(given.settings_file.as_deref(), &given.settings)?;
    let then = match (given.canary, given.shadow, given.no_activate) {
        (Some(percent), ..) => Then::Canary(percent),
        (None, true, _) => Then::Shadow,
        (None, false, true) => Then::Nothing,
        (None, false, false) => Then::Activate,
    };
    let path = ["deployments", given.name.as_str()];
    let before: Option<DeploymentInfo> = host.find(&path).await?;
    if matches!(then, Then::Canary(_) | Then::Shadow) && before.as_ref().is_none_or(|app| app.active.is_none()) {
        return Err(Failure::Usage(format!(
            "no version of {} answers yet, so there is nothing to run beside: leave out --canary and --shadow",
            given.name
        )));
    }
    let secrets = secrets::read(named)?;
    let component = component::read(&given.what, given.registry).await?;

    let mut query = vec![("activate", (then == Then::Activate && secrets.is_empty()).to_string())];
    query.extend(given.note.clone().map(|note| ("note", note)));
    query.extend(component.source.map(|source| ("source", source)));
    if !changes.is_empty() {
        let settings = changes.over(before.map(|app| app.settings).unwrap_or_default());
        let settings = Value::Object(settings).to_string();
        if settings.len() > MOST_SETTINGS {
            return Err(Failure::Usage(format!(
                "the settings have more than {MOST_SETTINGS} bytes: deploy without them, then `vumi-host apps settings {} FILE`",
                given.name
            )));
        }
        query.push(("settings", settings));
    }
    let uploaded: Uploaded = host.upload(&[path[0], path[1], "versions"], &query, component.bytes).await?;
    finish(&host, &given.name, &uploaded, secrets, then).await?;

    let after: Value = host.get(&path, &[]).await?;
    if given.format.json {
        return say_json(&after);
    }
    let number = uploaded.version.number;
    let hash = short(&uploaded.version.hash);
    let app: DeploymentInfo = serde_json::from_value(after).map_err(|error| {
        Error::permanent("this host answers differently from what this version understands").because(error)
    })?;
    if !uploaded.new {
        say(&format!("{}: this component is version {number} ({hash}) already", given.name))?;
    } else if then == Then::Nothing {
        say(&format!(
            "{}: version {number} ({hash}) is uploaded; `vumi-host apps activate {0} {number}` lets it answer",
            given.name
        ))?;
    }
    say(&summary(&app))
}

/// Everything after the upload. When it fails, the version is there all the same, and that is said.
async fn finish(
    host: &Remote,
    name: &str,
    uploaded: &Uploaded,
    secrets: Vec<(String, Secret)>,
    then: Then,
) -> Result<(), Failure> {
    let version = uploaded.version.number;
    let done = async {
        let had_secrets = !secrets.is_empty();
        for (key, value) in secrets {
            let body = SetSecret { value: value.reveal().to_owned() };
            host.tell(Method::PUT, &["deployments", name, "secrets", &key], &body).await?;
        }
        match then {
            Then::Activate if had_secrets => {
                let body = Activate { version, generation: None };
                host.tell(Method::POST, &["deployments", name, "activate"], &body).await
            }
            Then::Canary(percent) => {
                host.tell(Method::PUT, &["deployments", name, "canary"], &CanaryInfo { version, percent }).await
            }
            Then::Shadow => host.tell(Method::PUT, &["deployments", name, "shadow"], &SetShadow { version }).await,
            Then::Activate | Then::Nothing => Ok(()),
        }
    };
    done.await.map_err(|failure: Failure| {
        let said = |text: String| format!("{name}: version {version} is uploaded, but the rest failed: {text}");
        match failure {
            Failure::Usage(text) => Failure::Usage(said(text)),
            Failure::Work(error) => Failure::Work(Error::permanent(said(error.report()))),
        }
    })
}
