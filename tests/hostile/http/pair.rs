//! Two hosts with a transport of one name on one RabbitMQ.
//!
//! The specification "httprpc" has one worker for each transport name: open requests live in the memory of the host that
//! took them, and a reply comes to whichever host takes it from the queue. So what holds is this: each message comes to
//! the app once, each reply is acknowledged once, a reply that comes to the host of its request is the answer, and the
//! request of one that comes to the other host ends by its time limit. Nobody ever gets another's answer.

use std::collections::HashMap;
use std::net::TcpStream;

use vumi_test_servers::shared_rabbitmq;
use vumi_tests::guests::guest;
use vumi_tests::{HostBuilder, until};

use super::{ASK, Setup, Site, code, free_port, heard};

/// Requests to each host.
const EACH: usize = 40;

#[test]
fn messages_come_once_and_replies_reach_their_own_request_or_none() {
    let url = shared_rabbitmq().vhost("pair");
    let network = || {
        let port = free_port();
        let text = format!(
            "broker: \"{url}\"\ntransports:\n  web: {{ {ASK}, web_path: /web, web_port: {port}, request_timeout: 15 }}\n"
        );
        Setup::with(port, &text).start()
    };
    let sites: [Site; 2] = [network(), network()];
    let app = Setup::with(
        0,
        &format!(
            "broker: \"{url}\"\napps:\n  echo: {{ component: \"{}\", transport_name: web }}\n",
            guest("echo").display()
        ),
    );
    let mut held: Vec<(String, TcpStream)> = Vec::new();
    for number in 0..EACH {
        for (site, network) in sites.iter().zip(["a", "b"]) {
            let text = format!("{network}{number}");
            let stream = site.hold(&format!("/web?content={text}"));
            held.push((text, stream));
        }
    }
    for site in &sites {
        site.pending_is("/health", EACH as u64);
    }
    let app_host = HostBuilder::run(&app.file).start();

    let mut outcomes = HashMap::new();
    for (text, mut stream) in held {
        let response = heard(&mut stream);
        let code = code(&response);
        match code {
            200 => assert!(response.ends_with(&format!("\r\n\r\n{text}")), "{text} got another's answer: {response}"),
            _ => assert_eq!(code, 504, "{text}: {response}"),
        }
        outcomes.insert(text, code);
    }
    let of = |direction: &str, field: &str| -> [Vec<String>; 2] {
        let values = |site: &Site| {
            let all = site.host.messages("web");
            let these = all.iter().filter(|record| record["direction"] == direction);
            these.map(|record| record["payload"][field].as_str().unwrap_or_default().to_owned()).collect()
        };
        [values(&sites[0]), values(&sites[1])]
    };
    until("every reply is acknowledged", || {
        let events = of("event", "user_message_id");
        (events.concat().len() >= 2 * EACH).then_some(())
    });
    for queue in ["web.inbound", "web.outbound"] {
        sites[0].settled(queue);
    }
    let sorted = |values: [Vec<String>; 2]| {
        let mut all = values.concat();
        all.sort();
        all
    };
    assert_eq!(sorted(of("inbound", "message_id")).len(), 2 * EACH);
    assert_eq!(sorted(of("inbound", "message_id")), sorted(of("outbound", "in_reply_to")), "each is answered once");
    assert_eq!(sorted(of("outbound", "message_id")), sorted(of("event", "user_message_id")), "each ack comes once");
    let (sent, mut met) = (of("outbound", "content"), 0);
    for (own, network) in sent.iter().zip(["a", "b"]) {
        for text in own {
            let is_here = text.starts_with(network);
            met += usize::from(is_here);
            assert_eq!(outcomes.get(text), Some(if is_here { &200 } else { &504 }), "{text}");
        }
    }
    println!("{met} of {} replies came to the host of their request", 2 * EACH);
    assert!(met > 0, "not one reply came to the host of its request");
    drop(app_host);
}
