//! The map `sandbox`: which resources a script has, and what their options mean for the host's own limits.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vumi_core::ByteSize;
use vumi_sandbox::{AppConfig, Resource};

/// Where classes of resources lived: Vumi's own, those of the later package, and those of Vumi Go.
const PACKAGES: [&str; 3] = ["vumi.application.", "vxsandbox.", "go.apps.jsbox."];

/// What the last part of a class path holds, and what that is.
const CLASSES: [(&str, Resource); 9] = [
    ("LoggingResource", Resource::Log),
    ("RedisResource", Resource::Kv),
    ("OutboundResource", Resource::Outbound),
    ("HttpClientResource", Resource::Http),
    ("ConfigResource", Resource::Config),
    ("MetricsResource", Resource::Metrics),
    ("ContactsResource", Resource::Contacts),
    ("GroupsResource", Resource::Groups),
    ("JsSandboxResource", Resource::Js),
];

/// All public places, on any port: what Vumi's resource reached, without private networks.
const EVERYWHERE: [&str; 2] = ["https://*:*", "http://*:*"];

/// Puts the resources and their options into an app's configuration.
///
/// # Errors
/// One sentence that names the resource.
pub(super) fn apply(given: &BTreeMap<String, Map<String, Value>>, app: &mut AppConfig) -> Result<(), String> {
    let mut resources = BTreeMap::from([("js".to_owned(), Resource::Js), ("log".to_owned(), Resource::Log)]);
    let mut seen: Vec<(Resource, &Map<String, Value>)> = Vec::new();
    for (name, keys) in given {
        let wrong = |what: String| format!("sandbox.{name}: {what}");
        let class = keys.get("cls").and_then(Value::as_str).ok_or_else(|| wrong("it has no `cls`".to_owned()))?;
        let resource = resource(class).map_err(wrong)?;
        // Two names for one resource are well; two sets of options would need two of it.
        if seen.iter().any(|(other, options)| *other == resource && *options != keys) {
            return Err(wrong(format!("another resource of the class `{class}` has other options")));
        }
        seen.push((resource, keys));
        options(resource, keys, app).map_err(wrong)?;
        resources.insert(name.clone(), resource);
    }
    app.legacy.resources = Some(resources);
    Ok(())
}

fn resource(class: &str) -> Result<Resource, String> {
    let last = class.rsplit('.').next().unwrap_or(class);
    let is_from_there = PACKAGES.iter().any(|package| class.starts_with(package)) || !class.contains('.');
    let found = CLASSES.iter().find(|(name, _)| is_from_there && *name == last);
    found.map(|(_, resource)| *resource).ok_or_else(|| {
        let known: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
        format!(
            "there is no resource class `{class}`; known are {} of vumi.application.sandbox and go.apps.jsbox",
            known.join(", ")
        )
    })
}

fn options(resource: Resource, keys: &Map<String, Value>, app: &mut AppConfig) -> Result<(), String> {
    let number = |key: &str| match keys.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
            text.parse::<u64>().map(Some).map_err(|_| format!("`{key}` must be a whole number, here it is {value}"))
        }
    };
    match resource {
        Resource::Kv => {
            let hard = number("keys_per_user_hard")?.map_or_else(|| number("keys_per_user"), |hard| Ok(Some(hard)))?;
            app.limits.kv_keys = hard.unwrap_or(100);
            app.limits.kv_keys_soft = number("keys_per_user_soft")?;
        }
        Resource::Http => {
            if app.http.allow.is_empty() {
                app.http.allow = EVERYWHERE.map(str::to_owned).to_vec();
            }
            app.http.timeout = number("timeout")?.unwrap_or(app.http.timeout);
            app.http.data_limit = number("data_limit")?.map_or(app.http.data_limit, ByteSize);
        }
        Resource::Outbound => {
            let Some(allowed) = keys.get("allowed_helper_metadata").filter(|allowed| !allowed.is_null()) else {
                return Ok(());
            };
            let allowed: Option<Vec<String>> = allowed
                .as_array()
                .and_then(|allowed| allowed.iter().map(|key| key.as_str().map(str::to_owned)).collect());
            app.allowed_helper_metadata = allowed.ok_or("`allowed_helper_metadata` must be a list of names")?;
        }
        Resource::Config => {
            for (key, file) in keys.get("keys").and_then(Value::as_object).into_iter().flatten() {
                let file = file.as_str().ok_or_else(|| format!("`keys.{key}` must be the name of a file"))?;
                // Read when its place is known: see `files`.
                app.legacy.unreadable.insert(key.clone(), file.to_owned());
            }
        }
        Resource::Metrics => {
            if let Some(prefix) = keys.get("metrics_prefix").and_then(Value::as_str) {
                app.metrics_prefix = Some(prefix.to_owned());
            }
        }
        Resource::Contacts => app.legacy.contacts_hard = number("contacts_hard")?,
        Resource::Groups | Resource::Log | Resource::Js => {}
    }
    Ok(())
}

/// Reads the files of a `config` resource; those that cannot be read are left for the script to be told.
pub(crate) fn files(app: &mut AppConfig, folder: &std::path::Path) {
    let read = |(key, file): (&String, &String)| {
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        Some((key.clone(), text))
    };
    let found: Vec<(String, String)> = app.legacy.unreadable.iter().filter_map(read).collect();
    for (key, text) in found {
        app.legacy.unreadable.remove(&key);
        app.config.insert(key, text);
    }
}
