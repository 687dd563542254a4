//! Requests that are open when their time, their transport or their host comes to its end.

use std::net::TcpStream;

use serde_json::Value;
use vumi_tests::guests::guest;
use vumi_tests::host::run_binary;
use vumi_tests::{HostBuilder, until};

use super::{ASK, Setup, code, free_port, heard};

/// Records of a transport of one kind: `inbound`, `outbound`, `event`.
fn records(all: &[Value], direction: &str) -> Vec<Value> {
    all.iter().filter(|record| record["direction"] == direction).map(|record| record["payload"].clone()).collect()
}

#[test]
fn a_reply_after_the_time_is_over_has_no_effect() {
    let site =
        Setup::new("", ", request_timeout: 1, request_timeout_status_code: 418, request_timeout_body: late").start();
    let response = heard(&mut site.hold("/web?content=sleep+3000"));
    assert_eq!(code(&response), 418, "{response}");
    assert!(response.ends_with("\r\n\r\nlate"), "{response}");
    site.logged(&["WARN", "web", "Timing out app"]);
    assert_eq!(site.pending("/health"), 0);
    until("the reply is acknowledged", || {
        let events = records(&site.host.messages("web"), "event");
        (events.len() == 1 && events[0]["event_type"] == "ack").then_some(())
    });
    site.settled("web.outbound");
    site.good();
}

#[test]
fn a_question_for_the_head_only_is_answered() {
    let site = Setup::new("", "").start();
    let response = site.talk(b"HEAD /web?content=echo+hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!(code(&response), 200, "{response}");
    assert!(response.contains("content-length: 5\r\n") && response.ends_with("\r\n\r\n"), "{response}");
    site.settled("web.outbound");
    assert!(!site.host.log().contains("not open any more"), "the reply was taken for a late one");
}

#[test]
fn open_requests_are_told_when_the_host_stops() {
    let site = Setup::new("", "").start();
    let mut held: Vec<TcpStream> = (0..50).map(|_| site.hold("/held?content=x")).collect();
    held.extend((0..10).map(|_| site.hold("/web?content=sleep+20000")));
    site.pending_is("/health", 10);
    site.pending_is("/open", 50);
    site.host.signal_term();
    for stream in &mut held {
        let response = heard(stream);
        assert_eq!(code(&response), 503, "{response}");
        assert!(response.contains("retry-after: 5"), "{response}");
    }
    let (status, _, log) = site.host.wait();
    assert!(status.success(), "{status}: {log}");
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
}

#[test]
fn a_host_that_is_killed_loses_and_doubles_nothing() {
    let port = free_port();
    let text = format!(
        "data_dir: data\ntransports:\n  web: {{ {ASK}, web_path: /web, web_port: {port} }}\napps:\n  probe: {{ component: \
         \"{}\", transport_name: web, parallel: 20 }}\n",
        guest("probe").display()
    );
    let setup = Setup::with(port, &text);
    let (file, site) = (setup.file.clone(), setup.start());
    let mut held: Vec<TcpStream> =
        (0..20).map(|user| site.hold(&format!("/web?content=sleep+4000&from_addr={user}"))).collect();
    site.pending_is("/health", 20);
    until("all are in the record", || (records(&site.host.messages("web"), "inbound").len() == 20).then_some(()));
    assert!(records(&site.host.messages("web"), "outbound").is_empty(), "the app was too fast for this test");
    let super::Site { host, _folder: folder, at } = site;
    host.kill();
    for stream in &mut held {
        use std::io::Read;
        let mut all = Vec::new();
        // A reset is an end as well.
        let _ = stream.read_to_end(&mut all);
        assert!(all.is_empty(), "{:?}", String::from_utf8_lossy(&all));
    }
    let site = super::Site { host: HostBuilder::run(&file).start(), at, _folder: folder };
    site.serves(&file);
    until("every message has its late reply, and every reply its ack", || {
        let all = site.host.messages("web");
        (records(&all, "outbound").len() >= 20 && records(&all, "event").len() >= 20).then_some(())
    });
    for queue in ["web.inbound", "web.outbound", "web.event"] {
        site.settled(queue);
    }
    let all = site.host.messages("web");
    let ids = |of: &str, field: &str| {
        let mut ids: Vec<String> =
            records(&all, of).iter().map(|payload| payload[field].as_str().unwrap_or_default().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("inbound", "message_id"), ids("outbound", "in_reply_to"), "each is answered once");
    assert_eq!(ids("outbound", "message_id"), ids("event", "user_message_id"), "each reply is acknowledged once");
    assert!(records(&all, "event").iter().all(|event| event["event_type"] == "ack"));
    site.good();
}

#[test]
fn two_transports_cannot_have_one_path() {
    let port = free_port();
    let text = |second: &str| {
        format!("transports:\n  one: {{ {ASK}, web_path: /web, web_port: {port} }}\n  two: {{ {ASK}, {second} }}\n")
    };
    for (second, part) in [
        (format!("web_path: web/, web_port: {port}"), Some("/web")),
        (format!("web_path: /web, web_port: {port}, web_interface: 127.0.0.1"), Some("/web")),
        (format!("web_path: /web/below, web_port: {port}"), None),
        ("web_path: /web, web_port: 0".to_owned(), None),
    ] {
        let setup = Setup::with(port, &text(&second));
        let (status, stdout, stderr) = run_binary(&["config", "check", setup.file.to_str().unwrap()]);
        match part {
            Some(part) => {
                assert_eq!(status.code(), Some(64), "{second}: {stdout}{stderr}");
                assert!(
                    stderr.contains("one") && stderr.contains("two") && stderr.contains(part),
                    "{second}: {stderr}"
                );
            }
            None => assert!(status.success(), "{second}: {stderr}"),
        }
    }
}
