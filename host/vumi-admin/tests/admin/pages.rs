//! The pages' files: all are served, none needs anything from elsewhere, none makes markup out of data.

use std::collections::BTreeMap;
use std::path::Path;

use crate::http::Server;

/// What tests of the whole system find their way by.
const HOOKS: &[&str] = &[
    "phone",
    "phone-number",
    "tab-ussd",
    "tab-sms",
    "ussd-code",
    "ussd-dial",
    "ussd-dialog",
    "ussd-text",
    "ussd-reply",
    "ussd-send",
    "ussd-cancel",
    "ussd-ok",
    "sms-to",
    "sms-compose",
    "sms-send",
    "sms-count",
    "add-phone",
    "inspector-tab-messages",
    "inspector-tab-logs",
    "inspector-tab-runs",
    "inspector-tab-kv",
    "inspector-tab-deployed",
    "inspector-tab-recordings",
    "deployed-upload",
    "upload-app",
    "upload-file",
    "upload-note",
    "upload-activate",
    "upload-send",
    "canary-percent",
    "canary-set",
    "app-select",
    "messages-filter",
    "dead-letters",
];

/// All files under `assets/` by their path below it.
fn files() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    assert!(found.len() > 25);
    found
}

#[tokio::test]
async fn every_file_is_served_with_its_type_and_kept_by_browsers() {
    let server = Server::start().await;
    let index = server.get("/").await;
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(index.text(), files()["index.html"]);
    for (name, content) in files() {
        let path = format!("/assets/{name}");
        let answer = server.get(&path).await;
        let expected = match name.rsplit('.').next().unwrap() {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("what is {other}?"),
        };
        assert_eq!((answer.status, answer.header("content-type")), (200, expected), "{name}");
        assert_eq!(answer.text(), content, "{name}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{name}");
        let tag = answer.header("etag");
        assert_eq!(tag.len(), 34, "{name}: {tag}");
        for known in [tag.to_owned(), format!("\"other\", W/{tag}")] {
            let again = server.send("GET", &path, &[("If-None-Match", &known)], "").await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{name}");
        }
        let changed = server.send("GET", &path, &[("If-None-Match", "\"other\"")], "").await;
        assert_eq!(changed.status, 200);
    }
    let head = server.send("HEAD", "/assets/js/app.js", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let server = Server::start().await;
    for path in [
        "/assets/",
        "/assets/none.js",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/..%2fCargo.toml",
        "/assets//etc/passwd",
        "/assets/js",
        "/assets/js/",
    ] {
        server.get(path).await.problem(404);
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    for (name, content) in files() {
        // The name of a namespace, which nobody loads, and a reference within the same file.
        let content = content.replace("http://www.w3.org/2000/svg", "").replace("url(#", "");
        for remote in ["http:", "https:", "url(", "@import", "src=\"//", "href=\"//", "import(\""] {
            assert!(!content.contains(remote), "{name} has {remote}");
        }
    }
}

#[test]
fn all_that_a_file_names_is_there() {
    let files = files();
    let html = &files["index.html"];
    let mut loaded = 0;
    for attribute in ["src=\"", "href=\""] {
        for target in html.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            match target.strip_prefix('#') {
                Some(id) => assert!(html.contains(&format!("id=\"{id}\"")), "#{id}"),
                None => assert!(files.contains_key(target.strip_prefix("/assets/").unwrap()), "{target}"),
            }
            loaded += 1;
        }
    }
    assert!(loaded > 10);
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".js")) {
        for target in content.split(" from \"./").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(files.contains_key(&format!("js/{target}")), "{name} imports {target}");
        }
        for id in content.split("byId(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(html.contains(&format!("id=\"{id}\"")), "{name} looks for #{id}");
        }
        for icon in content.split("icon(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(html.contains(&format!("id=\"icon-{icon}\"")), "{name} shows icon {icon}");
        }
    }
}

#[test]
fn the_policy_has_nothing_to_refuse() {
    for (name, content) in files() {
        for markup in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
            "setAttribute(\"style",
            "createContextualFragment",
        ] {
            assert!(!content.contains(markup), "{name} uses {markup}");
        }
        if name.ends_with(".html") {
            for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "<script>"] {
                assert!(!content.contains(inline), "{name} has {inline}");
            }
        }
    }
}

#[test]
fn the_hooks_of_tests_are_there() {
    let files = files();
    for hook in HOOKS {
        let hook = format!("data-testid=\"{hook}\"");
        assert_eq!(files["index.html"].matches(&hook).count(), 1, "{hook}");
    }
    let scripts: String = files.iter().filter(|(name, _)| name.ends_with(".js")).map(|(_, text)| &**text).collect();
    for hook in [
        "sms-bubble",
        "inspector-row",
        "data-direction",
        "dead-letter",
        "activate",
        "roll-back",
        "set-canary",
        "end-canary",
        "shadow-on",
        "shadow-off",
    ] {
        assert!(scripts.contains(hook), "{hook}");
    }
}
