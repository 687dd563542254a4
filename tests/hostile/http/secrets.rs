//! Whatever a client sends to be let in stands in no line of the log, at the level at which most is written.

use vumi_tests::guests::guest;
use vumi_tests::{HostBuilder, until};

use super::{ASK, Setup, free_port};

#[test]
fn no_secret_in_the_log() {
    let port = free_port();
    let shared = format!("web_port: {port}, noisy: true");
    let setup = Setup::with(
        port,
        &format!(
            "transports:\n  web: {{ {ASK}, web_path: /web, {shared}, web_username: alice, web_password: s3cretBasic }}\n  \
             ussd: {{ class: airtel, web_path: /ussd, {shared}, airtel_username: bob, airtel_password: s3cretQuery }}\n  \
             sms: {{ class: old-simple-http, web_path: /sms, {shared}, identities: {{ carol: s3cretSms }} }}\napps:\n  \
             probe: {{ component: \"{}\", transport_name: web }}\n",
            guest("probe").display()
        ),
    );
    let host = HostBuilder::run(&setup.file).args(["--log", "debug"]).start();
    let site = super::Site { host, at: setup.at, _folder: setup.folder };
    site.serves(&setup.file);
    // alice:s3cretBasic, alice:wr0ngBasic, carol:s3cretSms, carol:wr0ngSms
    let pairs =
        ["YWxpY2U6czNjcmV0QmFzaWM=", "YWxpY2U6d3IwbmdCYXNpYw==", "Y2Fyb2w6czNjcmV0U21z", "Y2Fyb2w6d3IwbmdTbXM="];
    let basic = |pair: &str| format!("Authorization: Basic {pair}\r\n");
    let ussd = "/ussd?SessionID=s1&MSISDN=1&MSC=m&input=121&userid=bob&password=";
    let mut codes = Vec::new();
    for (target, header) in [
        ("/web?content=echo+hi".to_owned(), basic(pairs[0])),
        ("/web?content=echo+hi".to_owned(), basic(pairs[1])),
        ("/web?content=echo+hi".to_owned(), "Authorization: Bearer s3cretBearer\r\n".to_owned()),
        (format!("{ussd}wr0ngQuery"), String::new()),
        (format!("{ussd}s3cretQuery&odd=1"), String::new()),
        ("/sms?to_msisdn=1&from_msisdn=2&message=x".to_owned(), basic(pairs[2])),
        ("/sms?to_msisdn=1&from_msisdn=2&message=x".to_owned(), basic(pairs[3])),
        ("/nowhere?password=s3cretNowhere".to_owned(), "Cookie: s3cretCookie\r\n".to_owned()),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{header}\r\n");
        codes.push(super::code(&site.talk(request.as_bytes())));
    }
    // No HTTP either.
    codes.push(super::code(&site.talk(format!("GET {ussd}s3cretQuery HTTP/1.1\r\nbad s3cretHead\r\n\r\n").as_bytes())));
    assert_eq!(codes, [200, 401, 401, 403, 400, 200, 401, 404, 400]);
    until("it is all logged", || site.host.log().contains("what came is not HTTP").then_some(()));
    let log = site.host.log();
    assert!(log.contains("DEBUG"), "the level is not what it should be");
    for secret in ["s3cret", "wr0ng"].into_iter().chain(pairs) {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret}: {lines:#?}");
    }
}
