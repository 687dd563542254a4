//! SIGTERM while messages are on their way.

use std::time::{Duration, Instant};

use vumi_tests::guests::{guest, scratch};
use vumi_tests::{HostBuilder, Telnet, until};

fn running(host: &vumi_tests::Host) {
    until("the message is with the app", || {
        let queues = host.get("/api/v1/queues");
        queues.as_array()?.iter().any(|queue| queue["name"] == "probe.inbound" && queue["unacked"] != 0).then_some(())
    });
}

#[test]
fn who_waits_for_an_answer_gets_it_before_the_end() {
    let host = HostBuilder::app(&guest("probe")).start();
    let mut user = Telnet::connect(host.telnet());
    assert_eq!(user.read_line().as_deref(), Some(""));
    user.line("sleep 1500");
    running(&host);
    let (status, took, log) = host.terminate();
    assert!(status.success(), "{log}");
    assert!(took < Duration::from_secs(30), "within the default deadline: {took:?}");
    assert_eq!(user.read_line().as_deref(), Some("awake"));
    assert_eq!(user.read_line(), None, "then the connection ends");
}

#[test]
fn what_is_not_finished_in_time_is_answered_after_the_restart() {
    const COUNT: usize = 40;
    let folder = scratch();
    let data = folder.path().join("data");
    let file = folder.path().join("vumi.yaml");
    let config = format!(
        "admin: {{ listen: 127.0.0.1:0 }}\nshutdown_timeout: 3\ntransports:\n  simulator: {{ class: simulator }}\napps:\n  probe: {{ component: {}, transport_name: simulator, parallel: 1 }}\n",
        guest("probe").display()
    );
    std::fs::write(&file, config).unwrap();
    let host = HostBuilder::run(&file).data_dir(&data).start();
    let ids: Vec<String> = (0..COUNT).map(|_| host.sms("+27820000001", "sleep 200").expect("it is accepted")).collect();
    let (status, took, log) = host.terminate();
    assert!(status.success(), "{log}");
    assert!(took < Duration::from_secs(10), "the deadline holds: {took:?}");
    assert!(log.contains("messages wait in the queues for the next start"), "{log}");

    let host = HostBuilder::run(&file).data_dir(&data).start();
    until("all are answered", || {
        let answered = host.phone("+27820000001").iter().filter(|message| message["sender"] == "app").count();
        (answered >= COUNT).then_some(())
    });
    let records = host.messages("simulator");
    for id in ids {
        let answers = records
            .iter()
            .filter(|record| record["direction"] == "outbound" && record["payload"]["in_reply_to"] == id.as_str());
        assert_eq!(answers.count(), 1, "{id} is answered once");
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let host = HostBuilder::app(&guest("probe")).start();
    let mut user = Telnet::connect(host.telnet());
    assert_eq!(user.read_line().as_deref(), Some(""));
    user.line("sleep 50000");
    running(&host);
    host.signal_term();
    until("it says that it stops", || host.log().contains("once more stops at once").then_some(()));
    let began = Instant::now();
    host.signal_term();
    let (_, _, log) = host.wait();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}: {log}", began.elapsed());
    assert!(log.contains("stopped at once"), "{log}");
}
