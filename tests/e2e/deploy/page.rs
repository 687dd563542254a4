//! The dashboard's tab of deployed apps, in a real browser: an app that is deployed is reached by its address, beside the
//! one that the configuration names.

use serde_json::json;
use vumi_tests::deploy::upload;
use vumi_tests::guests::{guest, scratch, stamp, stamped, target};
use vumi_tests::{Browser, Host, HostBuilder, http, until};

/// Dials a code on a simulated phone; the answer on its screen.
fn dial(host: &Host, phone: &str, code: &str, text: &str) -> String {
    let path = format!("/api/v1/simulator/phones/%2B{phone}/messages");
    let send = |body: serde_json::Value| {
        let answer = http::request(host.admin, "POST", &path, Some(&body)).unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
    };
    let seen = || host.phone(&format!("+{phone}")).iter().filter(|message| message["sender"] == "app").count();
    let before = seen();
    send(json!({"kind": "sms", "to_addr": code, "content": text}));
    until("an answer on the phone", || (seen() > before).then_some(()));
    let thread = host.phone(&format!("+{phone}"));
    let last = thread.iter().rev().find(|message| message["sender"] == "app").expect("it was seen");
    last["content"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn versions_are_seen_and_taken_back_on_the_page() {
    let folder = scratch();
    let file = folder.path().join("vumi.yaml");
    let text = format!(
        "admin: {{ listen: 127.0.0.1:0 }}
transports: {{ simulator: {{ class: simulator }} }}
dispatchers:
  main: {{ class: bindings, transport_names: [simulator], exposed_names: [echo], fallback: echo }}
apps: {{ echo: {{ component: {} }} }}
",
        guest("echo").display()
    );
    std::fs::write(&file, text).unwrap();
    let host = HostBuilder::run(&file).args(["--log", "warn"]).start();
    let bound = "settings=%7B%22bindings%22:%5B%7B%22to_addr%22:%222020%22%7D%5D%7D";
    for number in 1..=2 {
        let answer = upload(host.admin, "shop", &stamped(number), &format!("activate=true&{bound}")).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    assert!(dial(&host, "27820000001", "2020", "stamp").starts_with(&stamp(2)));
    // What no binding fits goes where it always went.
    assert_eq!(dial(&host, "27820000001", "8007", "stamp"), "stamp");
    let browser = Browser::open();
    browser.goto(&format!("http://{}/", host.admin));
    browser.wait_for("document.getElementById('link').dataset.state === 'live'");
    browser.click("[data-testid=inspector-tab-deployed]");
    browser.text_with("#deployed-feed", "shop");
    browser.script("document.querySelector('#deployed-feed details').open = true; return 1", json!([]));
    browser.wait_for("document.querySelectorAll('[data-testid=version]').length === 2");
    browser.screenshot(&target().join("screenshots").join("deployed.png"));
    browser.click("[data-testid=roll-back]");
    until("the roll-back", || (host.get("/api/v1/deployments/shop")["active"] == 1).then_some(()));
    assert!(dial(&host, "27820000001", "2020", "stamp").starts_with(&stamp(1)));
    assert_eq!(browser.console(), Vec::<String>::new());
}
