//! What is too large, and what is no HTTP.

use super::{Setup, code};

#[test]
fn what_is_too_large_is_refused() {
    let site = Setup::new("", ", max_body: 100KiB").start();
    let head = "POST /sms HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    // Told before it comes; and sent in full by a client that reads only afterwards, which must see the answer too.
    for body in [0, 8 << 20] {
        let request = [format!("{head}Content-Length: {}\r\n\r\n", 8 << 20).into_bytes(), vec![b'a'; body]].concat();
        let response = site.talk(&request);
        assert_eq!(code(&response), 413, "{response}");
        site.good();
    }
    // Not told before it comes.
    let mut request = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..200 {
        request.extend(b"400\r\n");
        request.extend([b'a'; 1_024]);
        request.extend(b"\r\n");
    }
    let response = site.talk(&request);
    assert_eq!(code(&response), 413, "{response}");
    site.logged(&["WARN", "sms", "413", "its body has more than 102400 bytes, see `max_body`"]);
    // The host goes on with the connection of somebody who waits to be asked.
    let expect = format!("{head}Connection: close\r\nExpect: 100-continue\r\nContent-Length: 900000\r\n\r\n");
    let response = site.talk(expect.as_bytes());
    assert_eq!(code(&response), 413, "{response}");
    site.good();
}

#[test]
fn a_message_that_no_queue_takes_is_too_large() {
    let site = Setup::new("", ", max_body: 4MiB").start();
    let body = format!("content={}", "a".repeat(2 << 20));
    let answer = vumi_tests::http::send(site.at, "POST", "/web", "application/x-www-form-urlencoded", body.as_bytes());
    assert_eq!(answer.unwrap().status, 413);
    site.logged(&["WARN", "413", "larger than the limit"]);
    site.good();
    site.pending_is("/health", 0);
}

#[test]
fn one_text_to_very_many_recipients() {
    let site = Setup::new("", "").start();
    let send = |recipients: usize| {
        let body = format!("from_msisdn=1&message={}&{}", "a".repeat(1_000), "to_msisdn=2&".repeat(recipients));
        let sent =
            vumi_tests::http::send(site.at, "POST", "/sms", "application/x-www-form-urlencoded", body.as_bytes());
        sent.unwrap().status
    };
    // Some kilobytes that would become many megabytes, in the queue and in the answer.
    assert_eq!(send(9_000), 400);
    site.logged(&["WARN", "sms", "The texts of this request are too long"]);
    // More parameters than are read.
    assert_eq!(send(10_001), 400);
    assert_eq!(send(100), 200);
    vumi_tests::until("they are in the queue", || {
        (super::queue_of(&site.host, "sms.inbound")["ready"] == 100).then_some(())
    });
    site.good();
}

#[test]
fn heads_that_are_too_long() {
    let site = Setup::new("", "").start();
    // The bound is that of a buffer: what comes at once may be a little longer.
    let long = "a".repeat(200_000);
    let many: String = (0..500).map(|number| format!("X-{number}: 1\r\n")).collect();
    for (request, expected) in [
        (format!("GET /web HTTP/1.1\r\nHost: h\r\nX-Long: {long}\r\n\r\n"), 431),
        (format!("GET /web HTTP/1.1\r\nHost: h\r\n{many}\r\n"), 431),
        (format!("GET /web HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(20_000)), 431),
        (format!("GET /web?{long} HTTP/1.1\r\nHost: h\r\n\r\n"), 431),
    ] {
        let response = site.talk(request.as_bytes());
        let shown: String = request.chars().take(60).collect();
        assert_eq!(code(&response), expected, "{shown}: {response}");
        site.good();
    }
    site.logged(&["WARN", "what came is not HTTP"]);
}

#[test]
fn what_is_no_http() {
    let site = Setup::new("", "").start();
    let cases: [&[u8]; 9] = [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /web HTTP/9.9\r\n\r\n",
        b"GET /we b HTTP/1.1\r\n\r\n",
        b"GET /web HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /web HTTP/1.1\r\nHost : h\r\n\r\n",
        b"POST /web HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"POST /web HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ];
    for bytes in cases {
        let shown = String::from_utf8_lossy(bytes);
        let before = site.host.log().matches("what came is not HTTP").count();
        let response = site.talk(bytes);
        assert_eq!(code(&response), 400, "{shown}: {response}");
        vumi_tests::until(&format!("the log names {shown}"), || {
            (site.host.log().matches("what came is not HTTP").count() > before).then_some(())
        });
        site.good();
    }
}

#[test]
fn texts_that_are_no_utf8_and_texts_that_want_to_be_lines_of_the_log() {
    let site = Setup::new("", "").start();
    for target in ["/web?content=%FF", "/web?content=%ED%A0%80", "/web?content=a&to_addr=%C3%28"] {
        let response = site.talk(format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes());
        assert_eq!(code(&response), 400, "{target}: {response}");
    }
    site.logged(&["WARN", "a request was refused", "invalid_encoding"]);
    let forged = "/web?content=x&a%0AERROR+forged=1&session_event=x%0d%0aERROR+forged";
    let response = site.talk(format!("GET {forged} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes());
    assert_eq!(code(&response), 400, "{response}");
    site.logged(&["WARN", "a request was refused", "forged"]);
    assert!(site.host.log().lines().all(|line| line.starts_with("20")), "each line has its time: {}", site.host.log());
    site.good();
}
