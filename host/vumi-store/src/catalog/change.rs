//! What each change does to an app's record: pure rules, without the database.

use vumi_core::{AppChange, AppRecord, Canary};

use super::refusal::{CatalogRefusal, VersionRole};

/// Ten thousand of ten thousand conversations.
const ALL: u32 = 10_000;

/// The version that a change names; it must be there.
pub(super) fn names(change: &AppChange) -> Option<u32> {
    match change {
        AppChange::Activate(number) | AppChange::ActivateWith(number, _) => Some(*number),
        AppChange::Canary(canary) => canary.map(|canary| canary.version),
        AppChange::Shadow(number) => *number,
        AppChange::RollBack | AppChange::Settings(_) => None,
    }
}

/// Applies a change. After a refusal the record is as it was.
pub(super) fn apply(app: &mut AppRecord, change: AppChange) -> Result<(), CatalogRefusal> {
    match change {
        AppChange::Activate(number) => replace(app, number),
        AppChange::ActivateWith(number, settings) => {
            replace(app, number);
            app.settings = settings;
        }
        AppChange::RollBack => {
            let Some(number) = app.previous else {
                return Err(CatalogRefusal::NoPrevious { app: app.name.clone() });
            };
            app.previous = app.active;
            activate(app, number);
        }
        AppChange::Canary(canary) => {
            if let Some(Canary { version, share }) = canary {
                not_active(app, version, VersionRole::Canary)?;
                if !(1..=ALL).contains(&share) {
                    return Err(CatalogRefusal::Share { share });
                }
            }
            app.canary = canary;
        }
        AppChange::Shadow(shadow) => {
            if let Some(version) = shadow {
                not_active(app, version, VersionRole::Shadow)?;
            }
            app.shadow = shadow;
        }
        AppChange::Settings(settings) => app.settings = settings,
    }
    Ok(())
}

/// A version takes the place of the one that answers.
fn replace(app: &mut AppRecord, number: u32) {
    if app.active != Some(number) {
        app.previous = app.active;
    }
    activate(app, number);
}

/// What answers everybody is neither canary nor shadow any more.
fn activate(app: &mut AppRecord, number: u32) {
    app.active = Some(number);
    if app.canary.is_some_and(|canary| canary.version == number) {
        app.canary = None;
    }
    if app.shadow == Some(number) {
        app.shadow = None;
    }
}

fn not_active(app: &AppRecord, number: u32, role: VersionRole) -> Result<(), CatalogRefusal> {
    if app.active == Some(number) {
        return Err(CatalogRefusal::IsActive { app: app.name.clone(), number, role });
    }
    Ok(())
}
