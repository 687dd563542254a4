//! The examples on a running host: what the conversation tests, which play one app alone, cannot show. Messages to others
//! find their way through dispatchers and transports, and a registration reaches a web server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;
use vumi_tests::guests::{guest, root, scratch};
use vumi_tests::host::read;
use vumi_tests::{Host, HostBuilder, PATIENCE, Telnet, until};

/// The first configuration file that an example's README shows, with these words replaced, in a folder with the example's
/// component.
fn as_its_readme_says(example: &str, changes: &[(&str, &str)]) -> (Host, tempfile::TempDir) {
    let readme = read(&root().join("guest-examples").join(example).join("README.md"));
    let block = readme.split("```yaml check\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut text = block.expect("the README shows a configuration file").to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old} is not in {text}");
        text = text.replace(old, new);
    }
    let folder = scratch();
    let file = folder.path().join("vumi.yaml");
    std::fs::write(&file, text).unwrap();
    std::fs::copy(guest(example), folder.path().join(format!("{example}.wasm"))).unwrap();
    (HostBuilder::run(&file).start(), folder)
}

/// Reads a screen of so many lines, and puts them together again.
fn screen(user: &mut Telnet, lines: usize) -> String {
    (0..lines).map(|_| user.read_line().expect("the session is open")).collect::<Vec<_>>().join("\n")
}

#[test]
fn in_the_group_chat_people_of_two_networks_read_each_other() {
    let changes = [("telnet_port: 9010", "telnet_port: 0"), ("127.0.0.1:8080", "127.0.0.1:0")];
    let (host, _folder) = as_its_readme_says("group-chat", &changes);
    let mut anna = Telnet::connect(host.listening("telnet"));
    assert_eq!(anna.read_line().as_deref(), Some("Welcome to the chat! What shall we call you?"));
    assert!(anna.ask("Anna").starts_with("Hello Anna!"));
    assert!(anna.ask("/join lobby").starts_with("You are in lobby, alone so far."));

    let (phone, heard) = ("+27820000001", |text: &str| {
        until("the phone has it", || {
            let thread = host.phone("+27820000001");
            thread.iter().any(|message| message["content"] == text).then_some(())
        });
    });
    for (text, answer) in [
        ("hi", "Welcome to the chat! What shall we call you?"),
        ("Ben", "Hello Ben! Rooms: lobby (1), football (0). Write /join and a room."),
        ("/join lobby", "You are in lobby with Anna. They read what you write. /leave leaves, /help helps."),
    ] {
        host.sms(phone, text).expect("it is accepted");
        heard(answer);
    }
    assert_eq!(anna.read_line().as_deref(), Some("* Ben came in."));
    anna.line("Hello Ben");
    heard("Anna: Hello Ben");
    host.sms(phone, "Hello Anna").expect("it is accepted");
    assert_eq!(anna.read_line().as_deref(), Some("Ben: Hello Anna"));
    drop(anna);
    heard("* Anna left.");
}

#[test]
fn in_the_short_form_an_app_reaches_its_users_unasked() {
    let owner = "+27820000009";
    let host = HostBuilder::app(&guest("keyword-sms")).args(["--set", &format!("owners={owner}")]).start();
    host.sms("+27820000001", "tips").expect("it is accepted");
    until("somebody has joined", || (host.phone("+27820000001").len() == 2).then_some(()));
    host.sms(owner, "send tips Wash your hands.").expect("it is accepted");
    let last = until("the news has come", || host.phone("+27820000001").get(2).cloned());
    assert_eq!(last["content"], "Afya Tips: Wash your hands. STOP to end.");
}

/// A web server that is busy once and then takes everything. Gives the requests: the head in small letters, and the body.
fn clinics() -> (SocketAddr, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            let _ = sender.send((head, serde_json::from_slice(&body).unwrap_or_default()));
            let (status, answer) = if number == 0 { (503, "{}") } else { (201, r#"{"number": "TC-7"}"#) };
            let length = answer.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = reader.into_inner().write_all(format!("{head}{answer}").as_bytes());
        }
    });
    (address, requests)
}

#[test]
fn at_the_clinic_a_registration_reaches_the_web_service_and_an_sms_the_patient() {
    let (server, requests) = clinics();
    let changes = [
        ("https://clinic.example", &*format!("http://{server}")),
        // Here it is USSD that is spoken over telnet, and the SMS come to the phones.
        ("ussd: { class: simulator }", "ussd: { class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }"),
        ("sms: { class: telnet, telnet_port: 9011 }", "sms: { class: simulator }"),
        ("transports:\n", "admin: { listen: 127.0.0.1:0 }\ntransports:\n"),
    ];
    let (host, _folder) = as_its_readme_says("clinic", &changes);
    let mut user = Telnet::connect(host.listening("ussd"));
    assert!(screen(&mut user, 5).ends_with("3. isiZulu"));
    for (answer, lines, expected) in [
        ("2", 5, "1. Jisajili"),
        ("1", 1, "Jina lako kamili ni nani?"),
        ("Juma Otieno", 1, "Ulizaliwa lini?"),
        ("1.2.1985", 5, "Jinsia yako?"),
        ("2", 5, "Una kitambulisho gani?"),
        ("3", 9, "4. Mombasa"),
        ("4", 4, "Juma Otieno, umezaliwa 01-02-1985, kliniki ya Mombasa."),
        ("1", 1, "Asante, Juma Otieno. Namba yako ni TC-7."),
    ] {
        user.line(answer);
        let seen = screen(&mut user, lines);
        assert!(seen.contains(expected), "{answer}: {seen}");
    }
    assert_eq!(user.read_line(), None, "the session is closed");

    let [busy, taken] = [(); 2].map(|()| requests.recv_timeout(PATIENCE).expect("two requests came"));
    assert_eq!(busy, taken, "the second try is the first one again");
    let (head, body) = taken;
    assert!(head.starts_with("post /api/patients ") && head.contains("\nidempotency-key: "), "{head}");
    let (phone, rest) = (body["phone"].as_str().unwrap_or_default(), &body);
    assert_eq!((rest["name"].as_str(), rest["clinic"].as_str()), (Some("Juma Otieno"), Some("Mombasa")));
    let sms = until("the SMS has come", || host.phone(phone).first().cloned());
    assert_eq!(sms["content"], "Kliniki za Tumaini: namba yako ni TC-7.");
}
