//! Messages that nobody can read, put into a queue by another program, and handlers that fail: neither stops the queue.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::{Value, json};
use vumi_message::{NewUserMessage, UserMessage};
use vumi_tests::guests::guest;
use vumi_tests::host::run_binary;
use vumi_tests::{Host, until};

use super::{Setup, converse, rabbitmq, user};

const QUEUE: &str = "echo.inbound";

/// Two users' networks, one with a dispatcher and echo behind it, the other with the probe.
fn start(url: &str) -> Host {
    Setup::with(&format!(
        "broker: \"{url}\"\ntransports:\n  telnet: {{ class: telnet, telnet_port: 0 }}\n  probe: {{ class: telnet, \
         telnet_port: 0 }}\ndispatchers:\n  main: {{ class: simple, transport_names: [telnet], exposed_names: [echo], \
         route_mappings: {{ telnet: [echo] }} }}\napps:\n  echo: {{ component: \"{}\" }}\n  probe: {{ component: \
         \"{}\" }}\n",
        guest("echo").display(),
        guest("probe").display()
    ))
    .start()
}

/// Publishes bodies as a worker of Vumi would.
fn publish(url: &str, bodies: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let published = async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        for body in bodies {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let properties = BasicProperties::default().with_delivery_mode(2);
            let sent = channel.basic_publish("vumi".into(), QUEUE.into(), options, body.as_bytes(), properties).await?;
            let confirmed = sent.await?;
            assert!(confirmed.is_ack() && confirmed.take_message().is_none(), "the queue is there");
        }
        connection.close(200, "OK".into()).await
    };
    runtime.block_on(published).expect("another program can publish");
}

/// `vumi-host dead …` for a running host, and what it prints.
fn dead(host: &Host, words: &[&str]) -> String {
    let url = format!("http://{}", host.admin);
    let words: Vec<&str> = ["dead"].into_iter().chain(words.iter().copied()).chain(["--url", &url]).collect();
    let (status, stdout, stderr) = run_binary(&words);
    assert!(status.success() && stderr.is_empty(), "{words:?}: {stdout}{stderr}");
    stdout
}

/// The number and the reason of each letter, as `dead list` prints them.
fn listed(host: &Host) -> Vec<(String, String)> {
    let text = dead(host, &["list", QUEUE]);
    let letters = text.lines().skip(1).map(|line| {
        // Number, time, tries, reason, each set apart by two blanks or more.
        let parts: Vec<&str> = line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect();
        (parts[0].to_owned(), parts[3].to_owned())
    });
    letters.collect()
}

#[test]
fn messages_that_nobody_can_read() {
    let url = rabbitmq().vhost("poison");
    let host = start(&url);
    assert_eq!(dead(&host, &["list"]), "no queue has dead letters\n");
    let mut broken =
        UserMessage::new(NewUserMessage { content: Some("x".into()), ..NewUserMessage::default() }).payload().clone();
    broken.insert("session_event".into(), json!("sideways"));
    let bodies = ["not json".to_owned(), "{}".to_owned(), Value::Object(broken).to_string()];
    publish(&url, &bodies);
    // The good one behind them is answered.
    converse(&host);

    let letters = until("all three are dead letters", || Some(listed(&host)).filter(|letters| letters.len() == 3));
    let overview = dead(&host, &["list"]);
    assert_eq!(overview.lines().skip(1).map(str::trim).collect::<Vec<_>>(), [format!("3  {QUEUE}")]);
    for (_, reason) in &letters {
        assert!(reason.starts_with("invalid message: "), "{letters:?}");
    }
    assert!(letters[2].1.contains("session_event"), "{letters:?}");
    for ((id, reason), body) in letters.iter().zip(&bodies) {
        let shown = dead(&host, &["show", QUEUE, id]);
        for part in [&format!("queue:   {QUEUE}\n"), &format!("id:      {id}\n"), &format!("reason:  {reason}\n")] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let payload: Value = serde_json::from_str(shown.split_once("\n\n").expect("a payload").1).expect("JSON");
        let sent = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.clone()));
        assert_eq!(payload, sent);
    }

    // Sent again, it dies again, under another number.
    let [(first, _), (second, _), (third, _)] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(dead(&host, &["send", QUEUE, first]), format!("{first} is in {QUEUE} again\n"));
    let after = until("it is dead again", || {
        let ids: Vec<String> = listed(&host).into_iter().map(|(id, _)| id).collect();
        (ids.len() == 3 && !ids.contains(first)).then_some(ids)
    });
    assert_eq!(&after[..2], [second.as_str(), third]);
    assert_eq!(dead(&host, &["drop", QUEUE, second]), format!("{second} of {QUEUE} is gone\n"));
    let left: Vec<String> = listed(&host).into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, [third.as_str(), &after[2]]);
    converse(&host);
    // What is not there is said to be not there.
    let (status, _, stderr) = run_binary(&["dead", "drop", QUEUE, second, "--url", &format!("http://{}", host.admin)]);
    assert_eq!(status.code(), Some(64), "{stderr}");
    assert!(stderr.contains(&format!("queue `{QUEUE}` has no dead letter `{second}`")), "{stderr}");
}

#[test]
fn handlers_that_fail() {
    let host = start(&rabbitmq().vhost("failing"));
    let mut probe = user(&host, "probe");
    assert_eq!(probe.read_line().as_deref(), Some(""), "the answer to the beginning of the session");
    for (line, reason) in [("panic", "trap"), ("fail for this reason", "handler-error"), ("descend", "stack-overflow")]
    {
        probe.line(line);
        until(&format!("{line}: the run is recorded"), || {
            host.runs("probe").iter().any(|run| run["reason"] == reason).then_some(())
        });
    }
    assert_eq!(probe.ask("echo still here"), "still here");
    converse(&host);
    let queue = until("all is done", || {
        let queues = host.get("/api/v1/queues");
        let queue = queues.as_array()?.iter().find(|queue| queue["name"] == "probe.inbound")?.clone();
        (queue["ready"] == 0 && queue["unacked"] == 0).then_some(queue)
    });
    assert_eq!(queue["dead"], 0, "{queue}");
}
