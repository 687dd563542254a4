//! Where this host does something else than Vumi was recorded to do. Each one is a rule of the specification; a capture
//! that has come to agree makes its exception fail.

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The message never reaches the app.
    Input,
    /// The app cannot be loaded, which is told when the host starts and not with each message.
    Load,
    /// The words of a refusal.
    Reason,
    /// A reply.
    Reply,
    /// Which requests the app made.
    Requests,
    /// What the app wrote to its log.
    Log,
    /// What was sent.
    Sent,
    /// What kv holds afterwards.
    Kv,
    /// How the run ended.
    End,
}

/// One exception: capture, what differs, why.
pub const EXCEPTIONS: &[(&str, Part, &str)] = &[
    ("bad-json-inbound", Part::Input, "what cannot be parsed goes to the dead letters; in Vumi the worker stopped"),
    (
        "missing-field-inbound",
        Part::Input,
        "what cannot be parsed goes to the dead letters; in Vumi the worker stopped",
    ),
    ("bad-session-event", Part::Input, "what cannot be parsed goes to the dead letters; in Vumi the worker stopped"),
    ("wrong-version", Part::Input, "what cannot be parsed goes to the dead letters; in Vumi the worker stopped"),
    ("syntax-error", Part::Load, "code is read when the app is set up, so that its owner is told at once"),
    (
        "outbound-endpoint",
        Part::Requests,
        "apps get messages of all endpoints unless `inbound_endpoints` says otherwise",
    ),
    ("outbound-endpoint", Part::Log, "apps get messages of all endpoints unless `inbound_endpoints` says otherwise"),
    ("outbound-endpoint", Part::Sent, "apps get messages of all endpoints unless `inbound_endpoints` says otherwise"),
    ("outbound-endpoint", Part::End, "apps get messages of all endpoints unless `inbound_endpoints` says otherwise"),
    ("outbound", Part::Reply, "content that is no text is refused, as by vxsandbox; Vumi sent it"),
    ("outbound", Part::Sent, "content that is no text is refused, as by vxsandbox; Vumi sent it"),
    ("console-log", Part::End, "what is printed is no command here: it goes to the log, and the run goes on"),
    ("console-log", Part::Log, "what is printed is no command here: it goes to the log, and the run goes on"),
    ("http", Part::Reason, "the words are those of another HTTP library"),
    ("http-body-not-utf8", Part::Requests, "such a body is a refusal, where Vumi's handler failed and never answered"),
    ("http-body-not-utf8", Part::Log, "such a body is a refusal, where Vumi's handler failed and never answered"),
    ("http-body-not-utf8", Part::End, "such a body is a refusal, where Vumi's handler failed and never answered"),
    ("kv", Part::Reason, "a key that is no string is named as that, not as Python's TypeError"),
    (
        "kv-key-names",
        Part::Reason,
        "a key or a lifetime of a wrong type is named as that, not as an error of Python or Redis",
    ),
    ("kv-key-names", Part::Kv, "what failed does not count as a key; in Vumi the counter stayed raised"),
    ("outbound-errors", Part::Reason, "the reasons are vxsandbox's; Vumi's were texts of Python's exceptions"),
    ("vx-outbound", Part::Reason, "Python's `u` before a text is left out"),
    ("vm-escape", Part::Requests, "there is no way out of the sandbox: the app fails where Node let it pass"),
    ("vm-escape", Part::Log, "there is no way out of the sandbox: the app fails where Node let it pass"),
    ("vm-escape", Part::End, "there is no way out of the sandbox: the app fails where Node let it pass"),
];
