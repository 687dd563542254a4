//! Apps that are deployed to the running binary: uploaded, switched, rolled back, tried out, removed.

mod commands;
mod load;
mod page;
mod secrets;
mod trials;

use std::path::Path;

use serde_json::{Value, json};
use vumi_tests::deploy::{activate, order, roll_back, upload};
use vumi_tests::guests::{guest, scratch, stamp, stamped};
use vumi_tests::{Host, HostBuilder, Telnet, http, until};

/// A host with a telnet transport whose messages reach the app `shop`, once that is deployed. Everything is kept in
/// `data`, if given.
fn start(folder: &Path, data: Option<&Path>) -> Host {
    let file = folder.join("vumi.yaml");
    let text = "
admin: { listen: 127.0.0.1:0 }
transports:
  telnet: { class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }
dispatchers:
  main: { class: simple, transport_names: [telnet], exposed_names: [shop], route_mappings: { telnet: [shop] } }
";
    std::fs::write(&file, text).unwrap();
    let host = HostBuilder::run(&file).args(["--log", "warn"]);
    match data {
        Some(data) => host.data_dir(data).start(),
        None => host.start(),
    }
}

/// Asks on a connection that has been greeted.
fn asks(phone: &mut Telnet) -> String {
    phone.ask("stamp")
}

fn is_stamp(text: &str, number: u64) -> bool {
    text.starts_with(&stamp(number))
}

/// A connection whose first message, the new session, has been answered.
fn phone(host: &Host) -> Telnet {
    let mut phone = Telnet::connect(host.listening("telnet"));
    // The session's beginning is a message without content; the probe says so.
    assert!(phone.read_line().is_some(), "the connection is not greeted");
    phone
}

fn uploaded(host: &Host, number: u64, options: &str) -> Value {
    let answer = upload(host.admin, "shop", &stamped(number), options).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[test]
fn versions_come_and_go_back() {
    let folder = scratch();
    let host = start(folder.path(), None);
    let first = uploaded(&host, 1, "activate=true&note=the%20first");
    assert_eq!((first["version"]["number"].as_u64(), first["active"].as_bool()), (Some(1), Some(true)));
    let mut phone = phone(&host);
    assert!(is_stamp(&asks(&mut phone), 1));
    // Uploaded is not yet active.
    uploaded(&host, 2, "activate=false");
    assert!(is_stamp(&asks(&mut phone), 1));
    activate(host.admin, "shop", 2);
    assert!(is_stamp(&asks(&mut phone), 2));
    assert_eq!(roll_back(host.admin, "shop")["active"], 1);
    assert!(is_stamp(&asks(&mut phone), 1));
    // The same component again is the version that it was.
    let again = upload(host.admin, "shop", &stamped(2), "activate=true").unwrap();
    assert_eq!((again.status, again.json()["version"]["number"].as_u64()), (200, Some(2)));
    assert!(is_stamp(&asks(&mut phone), 2));
    let shop = host.get("/api/v1/deployments/shop");
    assert_eq!((shop["active"].as_u64(), shop["previous"].as_u64()), (Some(2), Some(1)));
    assert_eq!(shop["versions"][1]["note"], "the first");
    assert_eq!(shop["versions"][1]["created_by"], "local");
    // Its runs and kv are seen as those of any app.
    let run = until("the runs are recorded", || host.runs("shop").first().cloned());
    assert_eq!((run["app"].as_str(), run["outcome"].as_str()), (Some("shop"), Some("ok")), "{run}");
    // The component can be had back.
    let path = "/api/v1/deployments/shop/versions/1/component";
    assert_eq!(http::get(host.admin, path).body, stamped(1));
    // In use: it cannot be removed. Not in use: it can.
    let refused = http::request(host.admin, "DELETE", "/api/v1/deployments/shop/versions/2", None).unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text());
    order(host.admin, "DELETE", "shop/versions/1", None);
    let refused = http::request(host.admin, "POST", "/api/v1/deployments/shop/rollback", None).unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text());
    order(host.admin, "DELETE", "shop", None);
    assert_eq!(http::get(host.admin, "/api/v1/deployments/shop").status, 404);
    assert_eq!(http::get(host.admin, "/api/v1/apps/shop").status, 404);
}

#[test]
fn what_makes_no_sense_is_refused_in_one_sentence() {
    let folder = scratch();
    let host = start(folder.path(), None);
    let says = |app: &str, component: &[u8], options: &str, status: u16, part: &str| {
        let answer = upload(host.admin, app, component, options).unwrap();
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == status && detail.contains(part), "{} {detail}", answer.status);
    };
    let good = stamped(1);
    says("shop", b"\xffhello", "", 400, "is not WebAssembly");
    // Text is taken for JavaScript.
    says("shop", b"hello you", "", 400, "is no JavaScript that can be run");
    says("shop", &good[..good.len() / 2], "", 400, "is not a valid component");
    says("shop", &std::fs::read(guest("keyword-router")).unwrap(), "", 400, "it is a router");
    says("shop", &std::fs::read(guest("unknown-import")).unwrap(), "", 400, "import");
    says("telnet", &good, "", 400, "the configuration file has");
    says("Shop", &good, "", 400, "name");
    says("shop", &good, "settings=%7B%22limitz%22:1%7D", 400, "limitz");
    says("shop", &good, "settings=%7B%22http%22:%7B%22allow%22:%5B%22nonsense%22%5D%7D%7D", 400, "http.allow");
    assert_eq!(host.get("/api/v1/deployments"), json!([]), "something of what was refused is there");
}

#[test]
fn what_is_deployed_outlives_the_process() {
    let folder = scratch();
    let data = folder.path().join("data");
    let host = start(folder.path(), Some(&data));
    uploaded(&host, 1, "activate=true");
    uploaded(&host, 2, "activate=true");
    let before = host.get("/api/v1/deployments/shop");
    let (status, ..) = host.terminate();
    assert!(status.success());
    let host = start(folder.path(), Some(&data));
    assert_eq!(host.get("/api/v1/deployments/shop"), before);
    let mut phone = phone(&host);
    assert!(is_stamp(&asks(&mut phone), 2));
    roll_back(host.admin, "shop");
    assert!(is_stamp(&asks(&mut phone), 1));
}
