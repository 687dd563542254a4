//! The system that a guest sees: clocks, random numbers, streams, handles; and what it does not see.

use vumi_core::Outcome::{CpuLimit, Deadline, MemoryLimit, Trap};
use vumi_sandbox::AppConfig;
use vumi_tests::forge::Forge;

use super::case::{Case, forged, probe};

const NOTHING: &str = "No files, sockets, environment or arguments are there unless the owner grants them; nothing is.";
const HANDLES: &str = "Handles are checked: that they exist, are of the type, and are still the guest's.";
const CPU: &str = "Calls of WASI are not counted, but the time that they take is.";

const IMPORTS: &str = r#"
  (import "wasi:io/poll@0.2.1" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.1" (instance $clock
    (export "pollable" (type $p (eq $pollable)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:io/error@0.2.1" (instance $io (export "error" (type (sub resource)))))
  (alias export $io "error" (type $io-error))
  (import "wasi:io/streams@0.2.1" (instance $streams
    (export "input-stream" (type $in (sub resource)))
    (export "error" (type $e (eq $io-error)))
    (type $se (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $se)))
    (export "[method]input-stream.blocking-read" (func (param "self" (borrow $in)) (param "len" u64)
      (result (result (list u8) (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream))
  (import "wasi:cli/stdin@0.2.1" (instance $stdin
    (export "input-stream" (type $i (eq $input-stream)))
    (export "get-stdin" (func (result (own $i))))))
  (import "wasi:cli/exit@0.2.1" (instance $exit (export "exit" (func (param "status" (result))))))
  (import "wasi:random/random@0.2.1" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (core func $c-block (canon lower (func $poll "[method]pollable.block")))
  (core func $c-poll (canon lower (func $poll "poll") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $c-drop (canon resource.drop $pollable))
  (core func $c-now (canon lower (func $clock "now")))
  (core func $c-subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $c-read (canon lower (func $streams "[method]input-stream.blocking-read") (memory $libc "memory")
    (realloc (func $libc "realloc"))))
  (core func $c-stdin (canon lower (func $stdin "get-stdin")))
  (core func $c-exit (canon lower (func $exit "exit")))
  (core func $c-random (canon lower (func $random "get-random-bytes") (memory $libc "memory")
    (realloc (func $libc "realloc"))))
  (core func $c-random-u64 (canon lower (func $random "get-random-u64")))
"#;

/// A guest that does this with WASI.
fn does(body: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || {
        let mut forge = Forge::attack(body);
        forge.around = IMPORTS.to_owned();
        forge.host = vec![
            ("block", "$c-block", "(param i32)"),
            ("poll", "$c-poll", "(param i32 i32 i32)"),
            ("drop", "$c-drop", "(param i32)"),
            ("now", "$c-now", "(result i64)"),
            ("subscribe", "$c-subscribe", "(param i64) (result i32)"),
            ("read", "$c-read", "(param i32 i64 i32)"),
            ("stdin", "$c-stdin", "(result i32)"),
            ("exit", "$c-exit", "(param i32)"),
            ("random", "$c-random", "(param i64 i32)"),
            ("random-u64", "$c-random-u64", "(result i64)"),
        ];
        forge
    }
}

fn short(config: &mut AppConfig) {
    config.limits.cpu_ms = 50;
}

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        probe("wasi-environment", "looks for its environment, arguments and files", "environment")
            .says("0 variables, 0 arguments, root folder Err(", NOTHING),
        probe("wasi-file", "opens a file", "open /etc/passwd").says("Err(", NOTHING),
        probe("wasi-file-up", "opens a file by going up", "open ../../../../etc/passwd").says("Err(", NOTHING),
        probe("wasi-file-proc", "opens the host's environment", "open /proc/self/environ").says("Err(", NOTHING),
        probe("wasi-socket", "connects to a server of this machine", "connect {server}").says("Err(", NOTHING),
        probe("wasi-socket-name", "looks a name up", "connect localhost:80").says("Err(", NOTHING),
        probe("wasi-write-beyond", "writes more than it was told it may", "rush 100000").ends(
            Trap,
            "check-write",
            HANDLES,
        ),
        probe("wasi-zeroes", "writes 4 GiB of zeroes in one call", "zeroes 4294967295").ends(
            Trap,
            "",
            "What the host makes in one call has a bound.",
        ),
    ];
    cases.extend(floods());
    cases.extend(handles());
    cases
}

fn floods() -> Vec<Case> {
    vec![
        forged("wasi-clock-flood", "reads the clock, for ever", does("(loop $l (drop (call $now)) (br $l))"))
            .under(short)
            .ends(CpuLimit, "more than 50 ms of CPU time", CPU),
        forged("wasi-random-flood", "asks for random numbers, for ever", does("(loop $l (drop (call $random-u64)) (br $l))"))
            .under(short)
            .ends(CpuLimit, "more than 50 ms of CPU time", CPU),
        forged("wasi-random-bytes", "asks for a mebibyte of random bytes, and keeps them, for ever", does(
            "(loop $l (call $random (i64.const 1048576) (i32.const 200)) (br $l))",
        ))
        .under(|config| config.limits.memory = vumi_core::ByteSize::mib(4))
        .ends(MemoryLimit, "limit `memory`", "They are written into the guest's memory, which has its limit."),
        forged("wasi-random-too-many", "asks for a mebibyte of random bytes, and one", does(
            "(call $random (i64.const 1048577) (i32.const 200))",
        ))
        .ends(Trap, "", "What the host makes in one call has a bound."),
        forged("wasi-random-all", "asks for 16 million terabytes of random bytes", does(
            "(call $random (i64.const -1) (i32.const 200))",
        ))
        .ends(Trap, "", "What the host makes in one call has a bound."),
        forged("wasi-poll-many", "polls 400 timers at a time, for ever", does(
            "(loop $l
               (i32.store (i32.add (i32.const 16384) (i32.mul (local.get $i) (i32.const 4))) (call $subscribe (i64.const 0)))
               (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 400))))
             (loop $m
               (call $poll (i32.const 16384) (i32.const 400) (i32.const 200))
               (br $m))",
        ))
        .under(short)
        .shown(
            "`cpu-limit` or `memory-limit`",
            |answer| match answer.outcome() {
                CpuLimit | MemoryLimit => Ok(()),
                _ => Err("another end".into()),
            },
            "Each answer lies in the guest's memory, and the time is the guest's.",
        ),
        forged("wasi-poll-one-often", "polls one timer 60,000 times in one call", does(
            "(local.set $j (call $subscribe (i64.const 0)))
             (drop (memory.grow (i32.const 8)))
             (loop $l
               (i32.store (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 4))) (local.get $j))
               (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60000))))
             (call $poll (i32.const 131072) (i32.const 60000) (i32.const 200))
             (call $say (i32.const 128) (i32.const 2))",
        ))
        .says("ok", "It is asked as often, within the bound of what one call may carry."),
        forged("wasi-poll-none", "polls no timers", does("(call $poll (i32.const 16384) (i32.const 0) (i32.const 200))"))
            .ends(Trap, "", "It would wait for ever."),
        forged("wasi-poll-list-beyond", "polls a list of 4 thousand million timers", does(
            "(call $poll (i32.const 16384) (i32.const -1) (i32.const 200))",
        ))
        .ends(Trap, "", "The engine checks every address and length."),
        forged("wasi-sleep", "waits 584 years", does("(call $block (call $subscribe (i64.const -1)))"))
            .under(|config| config.timeout = 1)
            .ends(Deadline, "", "Waiting costs no CPU time, but a message has its time on the wall."),
        forged("wasi-stdin", "reads its standard input", does(
            "(call $read (call $stdin) (i64.const 1000) (i32.const 200))
             (if (i32.ne (i32.load8_u (i32.const 200)) (i32.const 1)) (then (unreachable)))
             (if (i32.ne (i32.load8_u (i32.const 204)) (i32.const 1)) (then (unreachable)))
             (call $say (i32.const 128) (i32.const 2))",
        ))
        .says("ok", "It is told that the stream is closed; the host's input is not its."),
        forged("wasi-exit-well", "exits, well", does("(call $exit (i32.const 0))")).ends(
            Trap,
            "",
            "A handler returns; a guest that ends itself has not done its work, whatever its code says.",
        ),
        forged("wasi-exit-badly", "exits with an error", does("(call $exit (i32.const 1))")).ends(
            Trap,
            "",
            "It ends the run, not the host.",
        ),
        forged("wasi-clock-resolution", "looks how finely it can time what goes on around it", does(
            "(local $a i64) (local.set $a (call $now))
             (loop $l (br_if $l (i64.eq (call $now) (local.get $a))))
             (if (i64.gt_u (i64.sub (call $now) (local.get $a)) (i64.const 100000000)) (then (unreachable)))
             (call $say (i32.const 128) (i32.const 2))",
        ))
        .shown(
            "`ok`: it sees the machine's clock, in nanoseconds",
            |answer| if answer.outcome() == vumi_core::Outcome::Ok { Ok(()) } else { Err(String::new()) },
            "Known and accepted: a guest can see how busy the machine is, as it could by counting. It shares no memory \
             with others, and the engine's defences against Spectre are on.",
        ),
    ]
}

fn handles() -> Vec<Case> {
    let ends = |name: &str, what: &str, body: &'static str| forged(name, what, does(body)).ends(Trap, "", HANDLES);
    vec![
        ends(
            "wasi-handles",
            "makes timers until there is no room for more",
            "(loop $l (drop (call $subscribe (i64.const 0))) (br $l))",
        ),
        ends("wasi-handle-none", "uses a handle that it does not have", "(call $block (i32.const 12345))"),
        ends("wasi-handle-0", "uses handle 0", "(call $block (i32.const 0))"),
        ends("wasi-handle-other-type", "uses a stream as a timer", "(call $block (call $stdin))"),
        ends(
            "wasi-handle-after-drop",
            "uses a timer that it has given back",
            "(local.set $i (call $subscribe (i64.const 0))) (call $drop (local.get $i)) (call $block (local.get $i))",
        ),
        ends(
            "wasi-handle-dropped-twice",
            "gives a timer back twice",
            "(local.set $i (call $subscribe (i64.const 0))) (call $drop (local.get $i)) (call $drop (local.get $i))",
        ),
        forged(
            "wasi-handles-reused",
            "makes and gives back 20,000 timers",
            does(
                "(loop $l (call $drop (call $subscribe (i64.const 0)))
               (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))
             (call $say (i32.const 128) (i32.const 2))",
            ),
        )
        .says("ok", "What is given back is free again."),
    ]
}
