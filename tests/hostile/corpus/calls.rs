//! Floods of host calls: more of each resource than one message may use.

use vumi_core::Outcome::{HostCallLimit, LogLimit, Ok as Well};
use vumi_tests::forge::Forge;

use super::case::{Case, forged, probe};

const COUNTED: &str = "Host calls of all kinds are counted together.";

/// Calls this for ever.
fn flood(call: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || Forge::attack(format!("(loop $l {call} (br $l))"))
}

fn counted(name: &str, what: &str, call: &'static str) -> Case {
    forged(name, what, flood(call)).ends(HostCallLimit, "more than 10000 host calls", COUNTED)
}

/// Calls this until it fails, and tells of the error.
fn until_refused(call: &'static str, payload: u32) -> impl Fn() -> Forge + Send + Sync {
    move || {
        Forge::attack(format!(
            "(loop $l {call} (br_if $l (i32.eqz (i32.load8_u (i32.const 200))))) (call $tell (i32.const 200) (i32.const {payload}))"
        ))
    }
}

pub fn cases() -> Vec<Case> {
    vec![
        counted("calls-log", "logs an empty line, for ever", "(call $log (i32.const 1) (i32.const 128) (i32.const 0))"),
        counted("calls-kv-get", "reads a key, for ever", "(call $kv-get (i32.const 128) (i32.const 2) (i32.const 200))"),
        counted(
            "calls-kv-incr",
            "counts, for ever",
            "(call $kv-incr (i32.const 128) (i32.const 2) (i64.const 1) (i32.const 200))",
        ),
        counted(
            "calls-kv-churn",
            "sets and deletes a key, for ever",
            "(call $kv-set (i32.const 128) (i32.const 2) (i32.const 1024) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 200))
             (call $kv-delete (i32.const 128) (i32.const 2) (i32.const 200))",
        ),
        counted("calls-config", "reads its configuration, for ever", "(call $config (i32.const 128) (i32.const 2) (i32.const 200))"),
        counted(
            "calls-metrics",
            "fires a metric, for ever",
            "(call $fire (i32.const 128) (i32.const 2) (f64.const 1) (i32.const 0) (i32.const 200))",
        ),
        counted(
            "calls-http-blocked",
            "asks for a closed place of the web, for ever",
            "(call $http (i32.const 0) (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))",
        ),
        forged("calls-replies", "replies until it is refused, and once more", || {
            Forge::attack(
                "(loop $l
                   (call $reply (i32.const 1) (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))
                   (br_if $l (i32.eqz (i32.load8_u (i32.const 200)))))
                 (call $log (i32.const 1) (i32.load offset=8 (i32.const 200)) (i32.load offset=12 (i32.const 200)))",
            )
        })
        .shown(
            "`ok`; 100 messages are sent, for the next it is told “quota: … the limit outbound_messages”",
            |answer| {
                let told = answer.logs.iter().any(|line| line.text.ends_with("the limit outbound_messages"));
                match (answer.outcome(), answer.sent.len(), told) {
                    (Well, 100, true) => Ok(()),
                    (_, count, _) => Err(format!("{count} messages")),
                }
            },
            "A guest that floods its user is refused; what it sent is confirmed before its message is settled.",
        ),
        forged(
            "calls-sends-to-nowhere",
            "sends messages through an endpoint that it does not have, for ever",
            flood(
                "(call $send-to (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)
                   (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))",
            ),
        )
        .ends(HostCallLimit, "more than 10000 host calls", COUNTED),
        forged(
            "calls-http-requests",
            "makes requests until it is refused",
            until_refused(
                "(call $http (i32.const 0) (global.get $ptr) (global.get $len) (i32.const 0) (i32.const 0) (i32.const 0)
                   (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))",
                4,
            ),
        )
        .given("http://{server}/head")
        .says("quota: this run has made 20 requests", "Requests of one run are counted, and the guest is told."),
        forged("calls-metric-names", "fires metrics of ever new names until it is refused", || {
            Forge::attack(
                "(loop $l
                   (local.set $i (i32.add (local.get $i) (i32.const 1)))
                   (i32.store8 (i32.const 1025) (i32.add (i32.const 97) (i32.rem_u (local.get $i) (i32.const 26))))
                   (i32.store8 (i32.const 1026) (i32.add (i32.const 97) (i32.div_u (local.get $i) (i32.const 26))))
                   (call $fire (i32.const 1024) (i32.const 3) (f64.const 1) (i32.const 0) (i32.const 200))
                   (br_if $l (i32.eqz (i32.load8_u (i32.const 200)))))
                 (call $tell (i32.const 200) (i32.const 4))",
            )
            .data(1_024, b"maa")
        })
        .says("quota: the app has fired 200 different metrics", "Each name lives as long as the host: so they have a bound."),
        probe("calls-keys", "sets ever new keys until it is refused", "kv-keys 100000")
            .says("99 keys, then Error::Quota(\"Too many keys\")", "The number of an app's keys has a bound."),
        forged("calls-keys-deleted-in-vain", "deletes 1,000 keys that it does not have, to get room for more than its share", || {
            Forge::attack(
                "(loop $l (call $kv-delete (i32.const 1024) (i32.const 3) (i32.const 200))
                   (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
                 (local.set $i (i32.const 0))
                 (loop $l
                   (local.set $i (i32.add (local.get $i) (i32.const 1)))
                   (i32.store8 (i32.const 1025) (i32.add (i32.const 97) (i32.rem_u (local.get $i) (i32.const 26))))
                   (i32.store8 (i32.const 1026) (i32.add (i32.const 97) (i32.div_u (local.get $i) (i32.const 26))))
                   (call $kv-set (i32.const 1024) (i32.const 3) (i32.const 1030) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 200))
                   (br_if $l (i32.and (i32.lt_u (local.get $i) (i32.const 99)) (i32.eqz (i32.load8_u (i32.const 200))))))
                 (call $kv-set (i32.const 1024) (i32.const 2) (i32.const 1030) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 200))
                 (call $tell (i32.const 200) (i32.const 4))",
            )
            .data(1_024, b"maa   7")
        })
        .says("quota: Too many keys", "Only the deletion of a key that there was makes room."),
        forged("calls-log-bytes", "logs 64 KiB at a time, for ever", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 4))) (memory.fill (i32.const 65536) (i32.const 120) (i32.const 65536))
                 (loop $l (call $log (i32.const 1) (i32.const 65536) (i32.const 65536)) (br $l))",
            )
        })
        .ends(LogLimit, "too much data", "Bytes written to the log are counted."),
        probe("calls-stdout-bytes", "prints two megabytes", "stdio 2000000 0").ends(
            LogLimit,
            "too much data",
            "Standard output is log, too.",
        ),
        probe("calls-stderr-bytes", "prints two megabytes to its standard error", "stdio 0 2000000").ends(
            LogLimit,
            "too much data",
            "So is standard error.",
        ),
    ]
}
