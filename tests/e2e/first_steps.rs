//! What a newcomer does first.

use vumi_tests::guests::guest;
use vumi_tests::{HostBuilder, Telnet};

#[test]
fn echo_answers_over_telnet() {
    let host = HostBuilder::app(&guest("echo")).start();
    let mut user = Telnet::connect(host.telnet());
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("hello"), "hello");
    assert_eq!(user.ask("héllo ☃"), "héllo ☃");
    let (status, _, log) = host.terminate();
    assert!(status.success(), "{log}");
}
