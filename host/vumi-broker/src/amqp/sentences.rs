//! What RabbitMQ's refusals mean, one sentence each: what, where, how to mend.

use std::io;

use lapin::ErrorKind;

use super::options::{Plan, QueueType};

/// Reply codes of AMQP 0-9-1 (section 1.2) that mean something here.
pub(crate) mod code {
    pub(crate) const ACCESS_REFUSED: u16 = 403;
    pub(crate) const NOT_FOUND: u16 = 404;
    pub(crate) const PRECONDITION_FAILED: u16 = 406;
    pub(crate) const CONNECTION_FORCED: u16 = 320;
    pub(crate) const NOT_ALLOWED: u16 = 530;
}

/// How far an attempt to connect had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Looking up the name, TCP.
    Reaching,
    /// The TLS handshake.
    Securing,
    /// The AMQP handshake.
    Greeting,
}

/// RabbitMQ's code and words, if it was RabbitMQ that refused.
pub(crate) fn refusal(error: &lapin::Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(refused) => Some((refused.get_id(), refused.get_message().to_string())),
        _ => None,
    }
}

/// Why there is no connection.
pub(crate) fn not_connected(plan: &Plan, stage: Stage, error: &lapin::Error) -> String {
    let place = plan.place();
    if let Some((number, words)) = refusal(error) {
        return refused(plan, number, &words);
    }
    let (ErrorKind::IOError(cause) | ErrorKind::RuntimeShutdownError(cause)) = error.kind() else {
        return match error.kind() {
            ErrorKind::MissingHeartbeatError => format!("{place} is silent: look at the network and at its log"),
            ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_) => {
                format!(
                    "{place}: what answers there does not speak AMQP 0-9-1: mend host and port of the broker address"
                )
            }
            _ => format!("{place} cannot be used ({error}): look at its log"),
        };
    };
    match (stage, cause.kind()) {
        (Stage::Reaching, io::ErrorKind::ConnectionRefused) => {
            format!("{place} refuses connections: start RabbitMQ there, or mend host and port of the broker address")
        }
        (Stage::Reaching, io::ErrorKind::TimedOut) => {
            format!("{place} does not answer: look at the network, or mend host and port of the broker address")
        }
        (Stage::Reaching, _) => {
            format!("{place} cannot be reached ({cause}): mend host and port of the broker address")
        }
        (Stage::Securing, io::ErrorKind::TimedOut | io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            format!("{place} does not speak TLS: name its TLS port (5671, mostly), or write amqp:// without the s")
        }
        (Stage::Securing, _) => format!(
            "{place}: no TLS connection ({cause}): the certificate must be for this host name and signed by an authority \
             of this system or of `ca_file`"
        ),
        (Stage::Greeting, io::ErrorKind::TimedOut) => format!(
            "{place} takes the connection but does not greet: see whether that is RabbitMQ's port, and whether RabbitMQ \
             is overloaded"
        ),
        (Stage::Greeting, _) => format!(
            "{place} ended the connection ({cause}): RabbitMQ may be starting or stopping, or this is its TLS port \
             (then write amqps://)"
        ),
    }
}

fn refused(plan: &Plan, number: u16, words: &str) -> String {
    let place = plan.place();
    let user = &plan.uri.authority.userinfo.username;
    let vhost = &plan.uri.vhost;
    match number {
        code::ACCESS_REFUSED if words.contains("Login was refused") || words.contains("login") => format!(
            "{place} does not accept user `{user}` with this password: mend them in the broker address, or make the user \
             with `rabbitmqctl add_user {user}`"
        ),
        code::NOT_ALLOWED if words.contains("not found") => format!(
            "{place}: there is no such vhost: mend the broker address (a slash in a vhost is written %2F), or make it \
             with `rabbitmqctl add_vhost {vhost}`"
        ),
        code::NOT_ALLOWED | code::ACCESS_REFUSED => format!(
            "{place}: user `{user}` may not do that ({words}): grant it with `rabbitmqctl set_permissions -p {vhost} \
             {user} '.*' '.*' '.*'`"
        ),
        code::CONNECTION_FORCED => {
            format!("{place} ended the connection ({words}): it is stopping, or an operator did it")
        }
        _ => format!("{place} refuses ({number} {words}): look at its log"),
    }
}

/// Why a queue or its exchange cannot be declared.
pub(crate) fn not_declared(plan: &Plan, queue: &str, number: u16, words: &str) -> String {
    let place = plan.place();
    if number != code::PRECONDITION_FAILED {
        return refused(plan, number, words);
    }
    if words.contains("exchange") && !words.contains("queue '") {
        return format!(
            "{place}: the exchange of queue `{queue}` exists with other properties ({words}): it must be durable and of \
             Vumi's type; delete it if nothing uses it"
        );
    }
    let kind = match plan.queue_type {
        QueueType::Classic => "classic",
        QueueType::Quorum => "quorum",
    };
    let single = plan.single_active_consumer;
    format!(
        "{place}: queue `{queue}` exists with other arguments ({words}): `queue_type` (here {kind}) and \
         `single_active_consumer` (here {single}) must be what it was made with; change them, or delete the queue"
    )
}

/// What is said while publishers are blocked.
pub(crate) fn blocked(plan: &Plan, words: &str) -> String {
    format!("{} takes no messages now ({words}): free memory or disk space there", plan.place())
}

/// What is said while there is no connection and no reason is known yet.
pub(crate) fn connecting(plan: &Plan) -> String {
    format!("{} is not connected yet", plan.place())
}

#[cfg(test)]
mod tests {
    use super::super::options::AmqpOptions;
    use super::*;

    fn plan() -> Plan {
        Plan::of(&AmqpOptions::new("amqp://vumi:secret@rabbit:5672/%2Fdevelop")).unwrap()
    }

    #[test]
    fn every_sentence_names_the_place_and_no_password() {
        let plan = plan();
        let io = |kind: io::ErrorKind| lapin::Error::from(io::Error::from(kind));
        let mut all = vec![blocked(&plan, "low on memory"), connecting(&plan)];
        for stage in [Stage::Reaching, Stage::Securing, Stage::Greeting] {
            for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::UnexpectedEof] {
                all.push(not_connected(&plan, stage, &io(kind)));
            }
        }
        for number in [320, 403, 404, 406, 530, 541] {
            all.push(refused(&plan, number, "words"));
            all.push(not_declared(&plan, "a.inbound", number, "words"));
        }
        for sentence in all {
            assert!(sentence.contains("RabbitMQ at rabbit:5672 (vhost `/develop`)"), "{sentence}");
            assert!(!sentence.contains("secret"), "{sentence}");
        }
    }

    #[test]
    fn a_refused_connection_says_what_to_do() {
        let error = lapin::Error::from(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(
            not_connected(&plan(), Stage::Reaching, &error),
            "RabbitMQ at rabbit:5672 (vhost `/develop`) refuses connections: start RabbitMQ there, or mend host and port \
             of the broker address"
        );
    }
}
