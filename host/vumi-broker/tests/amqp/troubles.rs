//! What the user is told when RabbitMQ cannot be used, and that all is well once it can.

use std::time::Duration;

use bytes::Bytes;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use vumi_broker::{AmqpBroker, AmqpOptions, QueueType};
use vumi_core::{Admission, Broker};

use super::kit::*;

/// Waits until the broker says why, and checks that callers are told the same.
async fn trouble(broker: &AmqpBroker, expected: &str) {
    until(expected, async || broker.trouble().is_some_and(|sentence| sentence.contains(expected))).await;
    let sentence = broker.trouble().expect("is there");
    assert!(!broker.is_connected() && !broker.has_room(Q));
    assert!(!sentence.contains("secret"), "{sentence}");
    let short = Admission::Edge(Duration::from_millis(50));
    let error = broker.publish(Q, Bytes::from_static(b"x"), short).await.expect_err("no connection");
    assert!(error.is_temporary() && error.to_string() == sentence, "{error}");
    assert!(broker.queues().await.expect_err("no connection").is_temporary());
    assert!(broker.dead_letters(Q, 1).await.expect_err("no connection").is_temporary());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_wrong_password_missing_vhost_and_then_all_is_well() {
    let mut server = Server::start().await;
    server.with(|server| server.stop()).await;
    let url = server.url().replace("guest:guest", "vumi:secret").replace("%2f", "%2Fdevelop");
    let broker = AmqpBroker::open(&AmqpOptions::new(url)).expect("opens at once");
    let port = server.with(|server| server.port()).await;
    let place = format!("RabbitMQ at 127.0.0.1:{port} (vhost `/develop`)");
    trouble(&broker, &format!("{place} refuses connections: start RabbitMQ there, or mend host and port")).await;
    let mut consumer = consume(&broker, Q, 1).await;
    nothing(&mut consumer).await;
    let mut room = broker.room(Q);
    not_yet(&mut room).await;
    let declared = soon(broker.declare(Q)).await.expect_err("no connection");
    assert!(declared.is_temporary(), "{declared}");

    server.with(|server| server.start_again()).await;
    trouble(
        &broker,
        &format!("{place} does not accept user `vumi` with this password: mend them in the broker address"),
    )
    .await;
    server
        .with(|server| server.eval("rabbit_auth_backend_internal:add_user(<<\"vumi\">>, <<\"secret\">>, <<\"test\">>)"))
        .await;
    trouble(&broker, &format!("{place}: there is no such vhost: mend the broker address")).await;
    server.with(|server| server.add_vhost("/develop")).await;
    trouble(&broker, &format!("{place}: user `vumi` may not do that")).await;
    let all = "<<\".*\">>";
    let grant = format!(
        "rabbit_auth_backend_internal:set_permissions(<<\"vumi\">>, <<\"/develop\">>, {all}, {all}, {all}, <<\"test\">>)"
    );
    server.with(move |server| server.eval(&grant)).await;
    connected(&broker).await;
    assert_eq!(broker.trouble(), None);
    soon(room).await;
    publish(&broker, Q, "at last").await;
    assert_eq!(told(&[next(&mut consumer).await]), [("at last", 1)]);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_not_known_and_a_port_that_is_not_rabbitmqs() {
    let broker = AmqpBroker::open(&AmqpOptions::new("amqp://u:secret@host.invalid/v")).expect("opens");
    trouble(&broker, "RabbitMQ at host.invalid:5672 (vhost `v`) cannot be reached").await;

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let options = AmqpOptions {
        connect_timeout: Duration::from_millis(200),
        ..AmqpOptions::new(format!("amqp://u:secret@127.0.0.1:{port}/v"))
    };
    let broker = AmqpBroker::open(&options).expect("opens");
    trouble(&broker, "takes the connection but does not greet").await;
    let options = AmqpOptions { url: options.url.replace("amqp://", "amqps://"), ..options };
    let secure = AmqpBroker::open(&options).expect("opens");
    trouble(&secure, "does not speak TLS").await;
    drop(secure);

    // A server of another kind.
    drop(broker);
    let answering = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while let Ok((mut stream, _)) = silent.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    let options = AmqpOptions::new(format!("amqp://u:secret@127.0.0.1:{port}/v"));
    let broker = AmqpBroker::open(&options).expect("opens");
    until("a reason", async || broker.trouble().is_some()).await;
    let sentence = broker.trouble().expect("is there");
    assert!(sentence.starts_with(&format!("RabbitMQ at 127.0.0.1:{port} (vhost `v`)")), "{sentence}");
    answering.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_other_arguments_is_named_and_used_once_it_fits() {
    let url = vhost().await;
    let other = Other::on(&url).await;
    let declared = other.channel.queue_declare(Q.into(), QueueDeclareOptions::durable(), FieldTable::default());
    declared.await.expect("declared");
    let options = AmqpOptions { queue_type: QueueType::Quorum, ..AmqpOptions::new(url) };
    let broker = open_with(&options).await;
    for attempt in 0..2 {
        let error = soon(broker.declare(Q)).await.expect_err("is classic");
        assert!(!error.is_temporary(), "{attempt}");
        let sentence = error.to_string();
        for part in
            ["queue `sms_1.inbound` exists with other arguments", "`queue_type` (here quorum)", "delete the queue"]
        {
            assert!(sentence.contains(part), "{sentence}");
        }
    }
    let error = soon(broker.consume(Q, 1)).await.map(drop).expect_err("is classic");
    assert!(!error.is_temporary() && error.to_string().contains("exists with other arguments"), "{error}");
    // What is to be published is not to be thrown away for that.
    let error = soon(broker.publish(Q, Bytes::from_static(b"x"), Admission::Inside)).await.expect_err("is classic");
    assert!(error.is_temporary() && error.to_string().contains("exists with other arguments"), "{error}");
    // Others are not affected.
    publish(&broker, "sms_2.inbound", "x").await;
    assert!(broker.is_connected());
    other.channel.queue_delete(Q.into(), QueueDeleteOptions::default()).await.expect("deleted");
    until("declared", async || broker.declare(Q).await.is_ok()).await;
    publish(&broker, Q, "x").await;
    let mut consumer = consume(&broker, Q, 1).await;
    assert_eq!(told(&[next(&mut consumer).await]), [("x", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_rights_is_named() {
    let mut server = Server::start().await;
    server
        .with(|server| {
            server.eval("rabbit_auth_backend_internal:add_user(<<\"poor\">>, <<\"secret\">>, <<\"test\">>)");
            server.eval(
                "rabbit_auth_backend_internal:set_permissions(<<\"poor\">>, <<\"/\">>, <<\"^$\">>, <<\"^$\">>, <<\"^$\">>, <<\"test\">>)",
            )
        })
        .await;
    let broker = open(&server.url().replace("guest:guest", "poor:secret")).await;
    let error = soon(broker.declare(Q)).await.expect_err("may not");
    let sentence = error.to_string();
    assert!(!error.is_temporary() && sentence.contains("user `poor` may not do that"), "{sentence}");
    assert!(sentence.contains("rabbitmqctl set_permissions -p / poor"), "{sentence}");
}
