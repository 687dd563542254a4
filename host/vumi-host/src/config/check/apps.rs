//! Each app by itself: its component, limits, namespace and allow-list.

use std::collections::BTreeMap;
use std::path::Path;

use vumi_core::ByteSize;
use vumi_sandbox::AppConfig;
use vumi_sandbox::web::WebPolicy;

use super::Report;
use crate::config::app::AppChoice;
use crate::config::js;
use crate::config::system::SystemConfig;

/// A component needs a little memory for its own code's data; WebAssembly's memory ends at 4 GiB.
const MEMORY: (ByteSize, ByteSize) = (ByteSize::mib(1), ByteSize::mib(4096));

/// One hour: a message that takes longer is lost work, not patience.
const TIMEOUT: u64 = 3600;

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    let mut sandboxes: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, choice) in &config.apps {
        if let AppChoice::Native(app) = choice
            && let Err(error) = app.component.check(&app.shared)
        {
            let help = format!("see `vumi-host config explain {}`", app.component.class());
            report.wrong_key(&["apps", name], error.report(), help);
        }
        let Some(app) = choice.guest() else { continue };
        sandboxed(name, report);
        component(name, app, report);
        limits(name, app, report);
        allowed(name, app, report);
        let sandbox = app.sandbox_id.as_deref().unwrap_or(name);
        let own = ["apps", name, "sandbox_id"];
        let place = if report.has(&own) { &own[..] } else { &["apps", name] };
        if sandbox.is_empty() || sandbox.contains('#') {
            report.wrong(
                place,
                format!("the sandbox_id `{sandbox}` is empty or holds a `#`, which separates it from the keys"),
                "use letters, digits, `_` and `-`",
            );
        }
        if let Some(other) = sandboxes.insert(sandbox, name) {
            report.warn(
                place,
                format!("the apps `{other}` and `{name}` share the sandbox_id `{sandbox}`, and so all keys in kv"),
            );
        }
    }
}

/// What a class of Vumi's sandbox says that has no meaning here.
fn sandboxed(name: &str, report: &mut Report<'_>) {
    let is_js = report.text(&["apps", name, "class"]).is_some_and(js::is_js);
    if !is_js {
        return;
    }
    for key in js::WITHOUT_MEANING {
        if !report.has(&["apps", name, key]) {
            continue;
        }
        let sentence = format!("`{key}` has no meaning here: scripts run within the host, under `limits`");
        report.warn(&["apps", name, key], sentence);
    }
    let logging = ["apps", name, "logging_resource"];
    let resource = report.text(&logging).filter(|resource| *resource != "log").map(str::to_owned);
    if let Some(resource) = resource {
        let class = report.text(&["apps", name, "sandbox", &resource, "cls"]);
        if !class.is_some_and(|class| class.ends_with("LoggingResource")) {
            let sentence = format!("`{resource}` is no resource that can log; errors stand in the app's log as ever");
            report.warn(&logging, sentence);
        }
    }
}

fn allowed(name: &str, app: &AppConfig, report: &mut Report<'_>) {
    const HELP: &str = "see `vumi-host config explain apps.http.allow`";
    let mut all_right = true;
    for (index, entry) in app.http.allow.iter().enumerate() {
        if let Err(error) = WebPolicy::parse(std::slice::from_ref(entry)) {
            report.wrong(&["apps", name, "http", "allow", &format!("[{index}]")], error.to_string(), HELP);
            all_right = false;
        }
    }
    if all_right && let Err(error) = WebPolicy::parse(&app.http.allow) {
        report.wrong(&["apps", name, "http", "allow"], error.to_string(), HELP);
    }
}

fn component(name: &str, app: &AppConfig, report: &mut Report<'_>) {
    if app.javascript.is_some() {
        return;
    }
    let path = Path::new(&app.component);
    let file = ["apps", name, "javascript_file"];
    if report.has(&file) {
        if !path.is_file() {
            let sentence = format!("the file {} does not exist", path.display());
            report.wrong(&file, sentence, "the path is relative to the configuration file");
        }
        return;
    }
    let place = &["apps", name, "component"];
    if path.is_dir() {
        if !path.join("Cargo.toml").is_file() && !path.join("package.json").is_file() {
            report.wrong(
                place,
                format!(
                    "the folder {} is no guest project: it holds neither Cargo.toml nor package.json",
                    path.display()
                ),
                "give a .wasm file or a guest project's folder",
            );
        }
    } else if !path.is_file() {
        let sentence = format!("the component {} does not exist", path.display());
        report.wrong(place, sentence, "the path is relative to the configuration file; build the component first");
    }
}

fn limits(name: &str, app: &AppConfig, report: &mut Report<'_>) {
    let memory = app.limits.memory;
    if memory < MEMORY.0 || memory > MEMORY.1 {
        let sentence = format!("memory must be from {} to {}, here it is {memory}", MEMORY.0, MEMORY.1);
        report.wrong(&["apps", name, "limits", "memory"], sentence, format!("leave it out for {}", ByteSize::mib(64)));
    }
    if app.timeout > TIMEOUT {
        let sentence = format!("timeout must be from 1 to {TIMEOUT} seconds, here it is {}", app.timeout);
        report.wrong(&["apps", name, "timeout"], sentence, "leave it out for 60");
    }
    if app.limits.cpu_ms > app.timeout.saturating_mul(1000) {
        let sentence = format!("cpu_ms is {}, longer than the whole timeout of {} s", app.limits.cpu_ms, app.timeout);
        report.wrong(&["apps", name, "limits", "cpu_ms"], sentence, "lower cpu_ms or raise timeout");
    }
    if app.limits.kv_keys_soft.is_some_and(|soft| soft > app.limits.kv_keys) {
        let sentence = format!("kv_keys_soft is above kv_keys ({}), so it would never warn", app.limits.kv_keys);
        report.wrong(&["apps", name, "limits", "kv_keys_soft"], sentence, "lower it, or leave it out");
    }
}
