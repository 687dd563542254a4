//! How a deployed app is described on a terminal.

use serde_json::Value;
use vumi_admin::model::{DeploymentInfo, VersionInfo};
use vumi_core::bindings::Binding;

use super::table::{one_line, short, size, table, when};

/// What answers now, how it is reached, and how to take it back.
pub(crate) fn summary(app: &DeploymentInfo) -> String {
    let name = &app.name;
    let mut lines = vec![match app.active {
        Some(number) => format!("{name}: version {number} answers{}", facts(app, number)),
        None => format!("{name}: no version answers yet"),
    }];
    lines.push(format!("  reached by  {}", one_line(&reach(app))));
    if let Some(canary) = &app.canary {
        let percent = canary.percent;
        lines.push(format!("  canary      version {} answers {percent} of a hundred conversations", canary.version));
    }
    if let Some(version) = app.shadow {
        lines.push(format!("  shadow      version {version} runs beside it and sends nothing"));
    }
    if let Some(version) = app.previous {
        lines.push(format!("  take back   vumi-host apps rollback {name}   (version {version} answers again)"));
    }
    lines.extend(app.warnings.iter().map(|sentence| format!("  warning     {}", one_line(sentence))));
    lines.join("\n")
}

/// Everything that the API shows of an app.
pub(crate) fn details(app: &DeploymentInfo) -> String {
    let mut text = summary(app);
    let secrets: Vec<String> = app.secrets.iter().map(|secret| one_line(&secret.name)).collect();
    if !secrets.is_empty() {
        text += &format!("\n  secrets     {}", secrets.join(", "));
    }
    text += &format!("\n  deployed    {}, last changed {}", when(app.created_at), when(app.updated_at));
    if !app.settings.is_empty() {
        let settings = serde_json::to_string_pretty(&app.settings).unwrap_or_default();
        text += &format!("\n\nsettings:\n{settings}");
    }
    let rows = app.versions.iter().map(|version| row(app, version));
    text + "\n\n" + &table(["version", "", "hash", "size", "uploaded", "by", "from", "note"], rows)
}

fn row(app: &DeploymentInfo, version: &VersionInfo) -> [String; 8] {
    let number = Some(version.number);
    let role = match () {
        () if app.active == number => "answers",
        () if app.canary.map(|canary| canary.version) == number => "canary",
        () if app.shadow == number => "shadow",
        () => "",
    };
    [
        version.number.to_string(),
        role.to_owned(),
        short(&version.hash).to_owned(),
        size(version.bytes),
        when(version.created_at),
        version.created_by.clone(),
        version.source.clone(),
        version.note.clone().unwrap_or_default(),
    ]
}

/// All apps, a line each.
pub(crate) fn overview(apps: &[DeploymentInfo]) -> String {
    let rows = apps.iter().map(|app| {
        let number = |number: Option<u32>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
        let hash = app.active.and_then(|number| version(app, number)).map_or("", |version| short(&version.hash));
        [
            app.name.clone(),
            number(app.active),
            hash.to_owned(),
            app.canary.map_or_else(|| "–".to_owned(), |canary| format!("{} ({} %)", canary.version, canary.percent)),
            number(app.shadow),
            when(app.updated_at),
            reach(app),
        ]
    });
    table(["app", "answers", "hash", "canary", "shadow", "changed", "reached by"], rows)
}

/// The size and the beginning of the hash of a version, if it is known.
fn facts(app: &DeploymentInfo, number: u32) -> String {
    version(app, number).map_or_else(String::new, |found| format!(" ({}, {})", short(&found.hash), size(found.bytes)))
}

/// One of the app's versions.
pub(crate) fn version(app: &DeploymentInfo, number: u32) -> Option<&VersionInfo> {
    app.versions.iter().find(|version| version.number == number)
}

/// How the app is reached.
fn reach(app: &DeploymentInfo) -> String {
    let bindings = app.settings.get("bindings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if bindings.is_empty() {
        return format!("nothing yet: vumi-host apps settings {} --to ADDRESS", app.name);
    }
    bindings.iter().map(binding).collect::<Vec<_>>().join("; ")
}

fn binding(value: &Value) -> String {
    let Ok(binding) = serde_json::from_value::<Binding>(value.clone()) else { return value.to_string() };
    let parts = [
        binding.to_addr,
        binding.keyword.map(|word| format!("the word {word}")),
        binding.transport_name.map(|name| format!("on {name}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "everything".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn app() -> DeploymentInfo {
        let versions = [3, 2, 1].map(|number: u32| {
            json!({
                "number": number, "hash": number.to_string().repeat(64), "bytes": 2048, "created_at": 0,
                "created_by": "ci", "source": "upload",
            })
        });
        serde_json::from_value(json!({
            "name": "shop", "generation": 4, "active": 2, "previous": 1, "canary": { "version": 3, "percent": 2.5 },
            "settings": { "bindings": [{ "to_addr": "*120*7#", "transport_name": "ussd" }, { "keyword": "join" }, {}] },
            "secrets": [{ "name": "api_key", "updated_at": 1 }],
            "versions": versions,
            "created_at": 0, "updated_at": 0,
        }))
        .unwrap()
    }

    #[test]
    fn a_summary_says_what_answers_and_how_to_take_it_back() {
        assert_eq!(
            summary(&app()),
            "shop: version 2 answers (222222222222, 2.00 KiB)\n\
             \x20 reached by  *120*7# on ussd; the word join; everything\n\
             \x20 canary      version 3 answers 2.5 of a hundred conversations\n\
             \x20 take back   vumi-host apps rollback shop   (version 1 answers again)"
        );
        let new =
            DeploymentInfo { active: None, previous: None, canary: None, settings: serde_json::Map::new(), ..app() };
        assert_eq!(
            summary(&new),
            "shop: no version answers yet\n  reached by  nothing yet: vumi-host apps settings shop --to ADDRESS"
        );
    }

    #[test]
    fn details_name_each_version_and_no_secret_value() {
        let text = details(&app());
        assert!(text.contains("secrets     api_key") && text.contains("\"to_addr\": \"*120*7#\""), "{text}");
        let roles: Vec<_> = text.lines().rev().take(3).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
        assert_eq!(roles, ["111111111111", "answers", "canary"]);
        assert!(overview(&[app()]).ends_with("*120*7# on ussd; the word join; everything"));
    }
}
