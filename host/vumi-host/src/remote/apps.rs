//! `vumi-host apps`: the deployed apps of a running host.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;
use vumi_admin::model::{Activate, CanaryInfo, DeploymentInfo, DifferenceView, Page, SetSecret, SetShadow};
use vumi_core::Error;

use super::changes::Changes;
use super::table::{table, when};
use super::{Remote, ask, component, describe, page, save, say_json, secrets};
use crate::cli::{Apps, AppsCommand, SettingsOptions, Slice, Switch};
use crate::commands::{Failure, say};

/// Does one of the commands.
pub(crate) async fn execute(given: &Apps) -> Result<(), Failure> {
    let command = Commands { host: Remote::new(&given.host)?, json: given.json };
    let given = given.command.as_ref().unwrap_or(&AppsCommand::List);
    match given {
        AppsCommand::List => command.list().await,
        AppsCommand::Show { name } => {
            let app = command.host.get(&["deployments", name], &[]).await?;
            command.shows(app, describe::details)
        }
        AppsCommand::Activate { name, version } => {
            let body = Activate { version: *version, generation: None };
            command.change(Method::POST, name, "activate", Some(&body)).await
        }
        AppsCommand::Rollback { name } => command.change(Method::POST, name, "rollback", None::<&Value>).await,
        AppsCommand::Canary { name, version, percent } => match (*version, *percent) {
            (Switch::Off, _) | (_, Some(Switch::Off)) => command.end(name, "canary").await,
            (Switch::On(version), Some(Switch::On(percent))) => {
                command.change(Method::PUT, name, "canary", Some(&CanaryInfo { version, percent })).await
            }
            (Switch::On(version), None) => Err(Failure::Usage(format!(
                "which share of the conversations? For a tenth: vumi-host apps canary {name} {version} 10"
            ))),
        },
        AppsCommand::Shadow { name, version } => match *version {
            Switch::Off => command.end(name, "shadow").await,
            Switch::On(version) => command.change(Method::PUT, name, "shadow", Some(&SetShadow { version })).await,
        },
        AppsCommand::Differences { name, slice } => command.differences(name, *slice).await,
        AppsCommand::Settings { name, file, changes } => command.settings(name, file.as_deref(), changes).await,
        AppsCommand::Secret { name, key, remove: true, .. } => {
            command.host.order(Method::DELETE, &["deployments", name, "secrets", key]).await?;
            say(&format!("{name}: the secret {key} is gone"))
        }
        AppsCommand::Secret { name, key, from, .. } => command.secret(name, key, from.as_deref()).await,
        AppsCommand::Remove { name, version, yes } => command.remove(name, *version, *yes).await,
        AppsCommand::Pull { name, version, output } => command.pull(name, *version, output).await,
    }
}

struct Commands {
    host: Remote,
    json: bool,
}

impl Commands {
    async fn list(&self) -> Result<(), Failure> {
        let apps: Value = self.host.get(&["deployments"], &[]).await?;
        if self.json {
            return say_json(&apps);
        }
        let apps: Vec<DeploymentInfo> = understood(apps)?;
        if apps.is_empty() {
            return say("no app is deployed here; the first one: vumi-host deploy NAME my-app/ --to ADDRESS");
        }
        say(&describe::overview(&apps))
    }

    /// Changes an app, and shows what answers then.
    async fn change(
        &self,
        method: Method,
        name: &str,
        what: &str,
        body: Option<&impl serde::Serialize>,
    ) -> Result<(), Failure> {
        let app = self.host.call(method, &["deployments", name, what], body).await?;
        self.shows(app, describe::summary)
    }

    /// Ends a canary or a shadow.
    async fn end(&self, name: &str, what: &str) -> Result<(), Failure> {
        self.host.order(Method::DELETE, &["deployments", name, what]).await?;
        let app = self.host.get(&["deployments", name], &[]).await?;
        self.shows(app, describe::summary)
    }

    async fn differences(&self, name: &str, slice: Slice) -> Result<(), Failure> {
        let answer: Value = self.host.get(&["deployments", name, "differences"], &page(slice)).await?;
        if self.json {
            return say_json(&answer);
        }
        let found: Page<DifferenceView> = understood(answer)?;
        if found.items.is_empty() {
            return say(&format!("{name}: no differences between the version that answers and one in the shadow"));
        }
        let rows = found.items.into_iter().map(|one| {
            [
                when(one.at),
                format!("{} / {}", one.live_version, one.shadow_version),
                one.user.unwrap_or_default(),
                one.kind,
                one.live,
                one.shadow,
            ]
        });
        say(&table(["when", "versions", "user", "in", "answers", "shadow"], rows))?;
        more(found.next)
    }

    async fn settings(&self, name: &str, file: Option<&Path>, options: &SettingsOptions) -> Result<(), Failure> {
        let changes = Changes::of(file, options)?;
        let app: DeploymentInfo = self.host.get(&["deployments", name], &[]).await?;
        if changes.is_empty() {
            return say_json(&app.settings);
        }
        self.change(Method::PUT, name, "settings", Some(&changes.over(app.settings))).await
    }

    async fn secret(&self, name: &str, key: &str, from: Option<&str>) -> Result<(), Failure> {
        let from = match from {
            None => secrets::From::Stdin,
            // What was given may be the value itself: it is not repeated.
            Some(text) => secrets::From::parse(text).ok_or_else(|| {
                Failure::Usage(format!(
                    "a secret's value must not stand on the command line, where others could see it: write @FILE, or leave it out to be asked (or `vumi-host apps secret {name} {key} < FILE`)"
                ))
            })?,
        };
        let body = SetSecret { value: from.read(key)?.reveal().to_owned() };
        self.host.tell(Method::PUT, &["deployments", name, "secrets", key], &body).await?;
        say(&format!("{name}: the secret {key} is set"))
    }

    async fn remove(&self, name: &str, version: Option<u32>, yes: bool) -> Result<(), Failure> {
        let number = version.map(|number| number.to_string());
        let what = match &number {
            Some(number) => format!("version {number} of {name}"),
            None => format!("{name} with all its versions, settings and secrets"),
        };
        if !yes {
            if !ask::somebody() {
                return Err(Failure::Usage(format!("this removes {what} for good: say --yes if that is meant")));
            }
            if !ask::sure(&format!("Remove {what} for good?"))? {
                return say("nothing was removed");
            }
        }
        let mut path = vec!["deployments", name];
        path.extend(number.as_deref().map(|number| ["versions", number]).into_iter().flatten());
        self.host.order(Method::DELETE, &path).await?;
        say(&format!("{what}: removed"))
    }

    async fn pull(&self, name: &str, version: Option<u32>, output: &Path) -> Result<(), Failure> {
        let app: DeploymentInfo = self.host.get(&["deployments", name], &[]).await?;
        let Some(number) = version.or(app.active) else {
            return Err(Failure::Usage(format!("no version of {name} answers: say which one, by its number")));
        };
        let bytes = self.host.component(name, number).await?;
        let hash = component::hash(&bytes);
        if describe::version(&app, number).is_some_and(|version| version.hash != hash) {
            return Err(
                Error::permanent(format!("what came is not version {number} of {name}: its hash is {hash}")).into()
            );
        }
        save(&bytes, output)?;
        say(&format!("{}: version {number} of {name}, {} bytes, sha256 {hash}", output.display(), bytes.len()))
    }

    fn shows(&self, app: Value, text: impl Fn(&DeploymentInfo) -> String) -> Result<(), Failure> {
        if self.json { say_json(&app) } else { say(&text(&understood(app)?)) }
    }
}

/// An answer as a value of the model.
pub(super) fn understood<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Error::permanent("this host answers differently from what this version understands").because(error).into()
    })
}

/// How to see what is older, if there is any.
pub(super) fn more(next: Option<u64>) -> Result<(), Failure> {
    next.map_or(Ok(()), |next| say(&format!("(older ones: --before {next})")))
}
