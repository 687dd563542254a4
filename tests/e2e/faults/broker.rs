//! RabbitMQ that refuses the password, lacks the vhost, or does not run.

use vumi_test_servers::RabbitMq;

use super::{Setup, converse, keeps, lines, rabbitmq, troubled, well};

/// What the broker says of itself in the log.
const BROKER: &str = "vumi_broker";

fn head(user: &str, port: u16, vhost: &str) -> String {
    format!("broker: \"amqp://{user}@127.0.0.1:{port}/{vhost}\"\n")
}

/// Both at once, each with a host of its own: a host gives its workers ten seconds before it says that it runs.
#[test]
fn a_wrong_password_and_a_missing_vhost() {
    let server = rabbitmq();
    let port = server.port();
    server.eval("rabbit_auth_backend_internal:add_user(<<\"vumi\">>, <<\"another\">>, <<\"test\">>)");
    let all = "<<\".*\">>";
    server.eval(&format!(
        "rabbit_auth_backend_internal:set_permissions(<<\"vumi\">>, <<\"/\">>, {all}, {all}, {all}, <<\"test\">>)"
    ));
    let refused = Setup::echo(&head("vumi:hunter2hunter2", port, "%2f"));
    let nowhere = Setup::echo(&head("guest:guest", port, "%2Ffaults"));
    let (mut refused, mut nowhere) = std::thread::scope(|scope| {
        let (refused, nowhere) = (scope.spawn(|| refused.start()), scope.spawn(|| nowhere.start()));
        (refused.join().expect("it starts"), nowhere.join().expect("it starts"))
    });

    let place = format!("RabbitMQ at 127.0.0.1:{port} (vhost `/`)");
    let sentence = format!("{place} does not accept user `vumi` with this password: mend them in the broker address");
    troubled(&mut refused, BROKER, "broker at amqp://", &sentence);
    let place = format!("RabbitMQ at 127.0.0.1:{port} (vhost `/faults`)");
    troubled(&mut nowhere, BROKER, "broker at amqp://", &format!("{place}: there is no such vhost"));

    let change = "rabbit_auth_backend_internal:change_password(<<\"vumi\">>, <<\"hunter2hunter2\">>, <<\"test\">>)";
    server.eval(change);
    server.add_vhost("/faults");
    for host in [&refused, &nowhere] {
        well(host);
        converse(host);
        assert_eq!(lines(host, &[BROKER, "is connected"]).len(), 1);
        keeps(host, "hunter2");
    }
}

#[test]
fn rabbitmq_is_started_after_the_host() {
    let mut server = RabbitMq::start();
    let port = server.port();
    server.kill();
    let setup = Setup::echo(&head("guest:guest", port, "%2f"));
    let mut host = setup.start();
    let sentence = format!("RabbitMQ at 127.0.0.1:{port} (vhost `/`) refuses connections: start RabbitMQ there");
    troubled(&mut host, BROKER, "broker at amqp://", &sentence);
    server.start_again();
    well(&host);
    converse(&host);
}
