//! `vumi-host dev`: what is saved is live, and what does not build is shown where the app is tried.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use vumi_tests::host::{binary, read};
use vumi_tests::{Browser, HostBuilder, until};

use crate::projects::Project;

const ENTER: &str = "\u{e007}";
const OUTPUT: &str = "[data-testid=build-output]";

fn id(name: &str) -> String {
    format!("[data-testid={name}]")
}

/// A change while a user is in the middle of a session: a good one, a bad one, and the bad one taken back.
fn the_inner_loop(template: &str, file: &str, mistake: &str, complaint: &str) {
    let project = Project::new("shop", template);
    // What it needs is got and compiled first: that may take longer than a host is waited for.
    project.command("build");
    let host = HostBuilder::dev(&project.folder).start();
    let browser = Browser::open();
    browser.goto(&format!("http://{}/", host.admin));
    browser.wait_for("document.getElementById('link').dataset.state === 'live'");
    browser.text_with(&id("build-note"), "shop v1");
    browser.click(&id("ussd-dial"));
    browser.text_with(&id("ussd-text"), "Welcome to Shop!");

    // The session goes on with the new version: the same dialog, no new dialling.
    project.change(file, "Welcome to Shop!", "Karibu!");
    browser.text_with(&id("build-note"), "shop v2 · reloaded");
    browser.fill(&id("ussd-reply"), "no such option");
    browser.press(ENTER);
    browser.text_with(&id("ussd-text"), "Karibu!");

    let good = read(&project.folder.join(file));
    std::fs::write(project.folder.join(file), format!("{good}\n{mistake}\n")).unwrap();
    let panel = browser.text_with(OUTPUT, complaint);
    assert!(panel.contains("shop does not build. Version 2 goes on answering."), "{panel}");
    assert!(panel.contains(file), "the place is named: {panel}");
    browser.text_with(&id("build-note"), "shop v2 · does not build");
    let shots = vumi_tests::guests::target().join("screenshots");
    browser.screenshot(&shots.join(format!("dev-mistake-{template}.png")));
    // A page that is opened now shows it as well, and its phone still has the session.
    browser.goto(&format!("http://{}/", host.admin));
    browser.text_with(OUTPUT, complaint);

    std::fs::write(project.folder.join(file), &good).unwrap();
    browser.wait_for(&format!("document.querySelector('{OUTPUT}') === null"));
    browser.text_with(&id("build-note"), "shop v2");
    assert_eq!(browser.console(), Vec::<String>::new());
    // Nobody hung up in between.
    let records = host.messages("simulator");
    let events: Vec<&str> = records
        .iter()
        .filter(|record| record["direction"] == "inbound")
        .filter_map(|record| record["payload"]["session_event"].as_str())
        .collect();
    assert_eq!(events, ["new", "resume"]);
}

#[test]
fn a_rust_app_changes_under_the_users_hands() {
    the_inner_loop("rust", "src/lib.rs", "fn broken() { no_such_thing }", "cannot find value `no_such_thing`");
}

#[test]
fn a_javascript_app_changes_under_the_users_hands() {
    the_inner_loop("js", "src/app.js", "const = 1;", "Expected identifier");
}

/// Types that do not fit are told, and do not keep the change from being tried.
#[test]
fn wrong_types_are_shown_beside_the_running_app() {
    let project = Project::new("shop", "ts");
    project.command("build");
    let host = HostBuilder::dev(&project.folder).start();
    let app = project.folder.join("src/app.ts");
    let good = read(&app);
    std::fs::write(
        &app,
        good.replace("Welcome to Shop!", "Karibu!") + "\nconst wrong: number = 'a text';\nvoid wrong;\n",
    )
    .unwrap();
    let build = until("the types are told", || {
        let build = host.get("/api/v1/apps/shop")["build"].clone();
        build["output"].is_string().then_some(build)
    });
    assert!(build["state"] == "ready" && build["version"] == 2, "{build}");
    assert!(build["output"].as_str().unwrap().contains("TS2322"), "{build}");
}

/// A project that does not build yet is waited for, and comes up as soon as it does.
#[test]
fn a_project_that_does_not_build_yet_is_waited_for() {
    let project = Project::new("kiosk", "rust");
    let file = project.folder.join("src/lib.rs");
    let good = read(&file);
    std::fs::write(&file, "no rust at all").unwrap();
    let mut child = Command::new(binary())
        .args(["dev", project.folder.to_str().unwrap(), "--telnet-port", "0", "--admin", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Both streams end when the host does, so neither is waited for without end.
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let waited = stderr.any(|line| line.contains("waiting for a change"));
    let rest = std::thread::spawn(move || stderr.collect::<Vec<_>>().join("\n"));
    std::fs::write(&file, good).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let came_up = waited && stdout.any(|line| line.contains("Ctrl-C stops it."));
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = rest.join().unwrap();
    assert!(waited && came_up, "waited: {waited}, came up: {came_up}\n{rest}");
}
