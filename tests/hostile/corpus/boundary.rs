//! What crosses the boundary between guest and host: too large, no text, no number, no such word.

use vumi_core::Outcome::{HandlerError, LogLimit, TransferLimit, Trap};
use vumi_tests::forge::Forge;

use super::case::{Case, forged};

const CHECKED: &str = "The engine reads every argument by its type, and what does not fit the type is a trap.";
const BEFORE: &str = "What one call may carry is bounded before the host copies it.";
const TOLD: &str = "Arguments that make no sense are the guest's own affair, and it is told which.";

/// The calls that take texts, each with the text at 1,024 (so many bytes as `LEN` says) in one place.
const TEXTS: [(&str, &str); 12] = [
    ("log text", "(call $log (i32.const 1) TEXT)"),
    ("kv.get key", "(call $kv-get TEXT (i32.const 200))"),
    ("kv.set key", "(call $kv-set TEXT OK (i32.const 0) (i32.const 0) (i32.const 200))"),
    ("kv.set value", "(call $kv-set OK TEXT (i32.const 0) (i32.const 0) (i32.const 200))"),
    ("kv.delete key", "(call $kv-delete TEXT (i32.const 200))"),
    ("kv.incr key", "(call $kv-incr TEXT (i64.const 1) (i32.const 200))"),
    ("config.get key", "(call $config TEXT (i32.const 200))"),
    ("metrics.fire name", "(call $fire TEXT (f64.const 1) (i32.const 0) (i32.const 200))"),
    ("reply content", "(call $reply (i32.const 1) TEXT (i32.const 0) NONE (i32.const 200))"),
    ("reply helper-metadata", "(call $reply (i32.const 1) OK (i32.const 0) (i32.const 1) TEXT (i32.const 200))"),
    ("send-to address", "(call $send-to TEXT NONE NONE NONE (i32.const 200))"),
    ("http url", "(call $http (i32.const 0) TEXT EMPTY NONE (i32.const 0) (i32.const 0) (i32.const 200))"),
];

fn call(template: &str, text: &str) -> String {
    template
        .replace("TEXT", text)
        .replace("OK", "(i32.const 128) (i32.const 2)")
        .replace("NONE", "(i32.const 0) (i32.const 0) (i32.const 0)")
        .replace("EMPTY", "(i32.const 0) (i32.const 0)")
}

/// Makes this call and tells what came of it.
fn told(template: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || Forge::attack(format!("{} (call $tell (i32.const 200) (i32.const 4))", call(template, "")))
}

pub fn cases() -> Vec<Case> {
    let mut cases = no_text();
    cases.extend(too_large());
    cases.extend(no_such_word());
    cases.extend(no_sense());
    cases
}

/// In each text argument: bytes that are no text.
fn no_text() -> Vec<Case> {
    let forms: [(&str, &[u8]); 3] = [
        ("a lone continuation byte", b"a\x80b"),
        ("an overlong form of `/`", b"\xc0\xaf"),
        ("half of a surrogate pair", b"\xed\xa0\x80"),
    ];
    let mut cases: Vec<Case> = TEXTS
        .iter()
        .enumerate()
        .map(|(n, (place, template))| {
            let (form, bytes) = forms[n % forms.len()];
            let text = format!("(i32.const 1024) (i32.const {})", bytes.len());
            let name = format!("boundary-no-text-{}", place.replace([' ', '.'], "-"));
            forged(name, format!("gives {form} as {place}"), move || {
                Forge::attack(call(template, &text)).data(1_024, bytes)
            })
            .ends(Trap, "utf-8", CHECKED)
        })
        .collect();
    cases.push(
        forged("boundary-no-text-header", "gives bytes that are no text as the value of a header", || {
            Forge::attack(call(
                "(call $http (i32.const 0) OK (i32.const 1024) (i32.const 1) NONE (i32.const 0) (i32.const 0) (i32.const 200))",
                "",
            ))
            .data(1_024, &[0x80, 0, 0, 0, 2, 0, 0, 0, 0x20, 4, 0, 0, 1, 0, 0, 0])
            .data(0x420, b"\xff")
        })
        .ends(Trap, "utf-8", CHECKED),
    );
    cases.push(
        forged("boundary-no-text-error", "answers with an error that is no text", || {
            Forge::of(
                "(func $attack (result i32) (i32.store (i32.const 300) (i32.const 1))
                   (i32.store (i32.const 304) (i32.const 1024)) (i32.store (i32.const 308) (i32.const 1)) (i32.const 300))",
            )
            .data(1_024, b"\xff")
        })
        .ends(Trap, "utf-8", CHECKED),
    );
    cases.push(
        forged("boundary-no-utf16", "says that its texts are UTF-16, and gives half of a surrogate pair", || {
            let mut forge =
                Forge::attack("(call $log (i32.const 1) (i32.const 1024) (i32.const 1))").data(1_024, b"\x00\xd8");
            forge.encoding = "string-encoding=utf16";
            forge
        })
        .ends(Trap, "unpaired surrogate", CHECKED),
    );
    cases.push(
        forged(
            "boundary-latin1-length",
            "says that its texts are Latin-1 or UTF-16, and that one has 2 GiB of the latter",
            || {
                let mut forge = Forge::attack("(call $log (i32.const 1) (i32.const 1024) (i32.const -1))");
                forge.encoding = "string-encoding=latin1+utf16";
                forge
            },
        )
        .ends(Trap, "", CHECKED),
    );
    cases
}

fn too_large() -> Vec<Case> {
    let mut cases: Vec<Case> = TEXTS
        .iter()
        .map(|(place, template)| {
            let name = format!("boundary-large-{}", place.replace([' ', '.'], "-"));
            forged(name, format!("gives 3 MiB of text as {place}"), move || {
                let text = call(template, "(i32.const 65536) (i32.const 3145728)");
                Forge::attack(format!(
                    "(drop (memory.grow (i32.const 60))) (memory.fill (i32.const 65536) (i32.const 97) (i32.const 3145728)) {text}"
                ))
            })
            .ends(TransferLimit, "limit `transfer`", BEFORE)
        })
        .collect();
    let log = |name: &str, what: &str, at: &'static str, size: &'static str| {
        forged(name, what, move || {
            Forge::attack(format!("(call $log (i32.const 1) (i32.const {at}) (i32.const {size}))"))
        })
    };
    let headers = |name: &str, what: &str, count: &'static str| {
        forged(name, what, move || {
            Forge::attack(call(
                &format!(
                    "(call $http (i32.const 0) OK (i32.const 1024) (i32.const {count}) NONE (i32.const 0) (i32.const 0) (i32.const 200))"
                ),
                "",
            ))
        })
    };
    cases.extend([
        log("boundary-text-beyond", "logs a text that ends beyond its memory", "131000", "1000").ends(Trap, "", CHECKED),
        log("boundary-text-wraps", "logs a text whose end wraps around to address 0", "-8", "16").ends(Trap, "", CHECKED),
        log("boundary-text-4-gib", "logs a text of 4 GiB", "0", "-1").ends(Trap, "", CHECKED),
        headers("boundary-list-huge", "gives a list of 4 thousand million headers", "-1").ends(Trap, "", CHECKED),
        headers("boundary-list-wraps", "gives a list of headers whose size wraps around to 0", "268435456").ends(
            Trap,
            "",
            CHECKED,
        ),
        forged("boundary-large-body", "gives a request's body of 3 MiB", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 60)))
                 (call $http (i32.const 4) (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 65536)
                   (i32.const 3145728) (i32.const 0) (i32.const 0) (i32.const 200))",
            )
        })
        .ends(TransferLimit, "limit `transfer`", BEFORE),
        forged("boundary-large-header-list", "gives 100,000 headers that all are the same text of 1 KiB", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 40)))
                 (loop $l
                   (local.set $j (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 16))))
                   (i32.store (local.get $j) (i32.const 16384)) (i32.store offset=4 (local.get $j) (i32.const 1024))
                   (i32.store offset=8 (local.get $j) (i32.const 16384)) (i32.store offset=12 (local.get $j) (i32.const 1024))
                   (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
                 (call $http (i32.const 0) (i32.const 128) (i32.const 2) (i32.const 131072) (i32.const 100000) (i32.const 0)
                   (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200))",
            )
        })
        .ends(TransferLimit, "limit `transfer`", "What is repeated counts each time, so 2 MB of guest cannot become 200 MB of host."),
        forged("boundary-large-error", "answers with an error text of 3 MiB", || {
            Forge::of(
                "(func $attack (result i32) (drop (memory.grow (i32.const 60)))
                   (memory.fill (i32.const 65536) (i32.const 97) (i32.const 3145728))
                   (i32.store (i32.const 300) (i32.const 1)) (i32.store (i32.const 304) (i32.const 65536))
                   (i32.store (i32.const 308) (i32.const 3145728)) (i32.const 300))",
            )
        })
        .ends(TransferLimit, "limit `transfer`", BEFORE),
        forged("boundary-long-error", "answers with an error text of 1 MiB", || {
            Forge::of(
                "(func $attack (result i32) (drop (memory.grow (i32.const 60)))
                   (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1048576))
                   (i32.store (i32.const 300) (i32.const 1)) (i32.store (i32.const 304) (i32.const 65536))
                   (i32.store (i32.const 308) (i32.const 1048576)) (i32.const 300))",
            )
        })
        .ends(HandlerError, "(1044480 more bytes)", "Of a reason, 4 KiB are kept."),
        forged("boundary-megabyte-line", "logs a line of 1 MiB and one byte", || {
            Forge::attack(
                "(drop (memory.grow (i32.const 60))) (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1048577))
                 (call $log (i32.const 1) (i32.const 65536) (i32.const 1048577))",
            )
        })
        .ends(LogLimit, "too much data", "The log's limit holds for a single line, too."),
    ]);
    cases
}

fn no_such_word() -> Vec<Case> {
    let word = |name: &str, what: &str, template: &'static str| {
        forged(name, what, move || Forge::attack(call(template, ""))).ends(Trap, "", CHECKED)
    };
    vec![
        word("boundary-no-level", "logs at level 5 of 5", "(call $log (i32.const 5) OK)"),
        word("boundary-no-level-huge", "logs at level 4294967295", "(call $log (i32.const -1) OK)"),
        word(
            "boundary-no-method",
            "asks with a method that is none",
            "(call $http (i32.const 6) OK EMPTY NONE (i32.const 0) (i32.const 0) (i32.const 200))",
        ),
        word(
            "boundary-no-aggregator",
            "fires with an aggregator that is none",
            "(call $fire OK (f64.const 1) (i32.const 5) (i32.const 200))",
        ),
        word(
            "boundary-no-option",
            "gives an option that is neither there nor absent",
            "(call $reply (i32.const 2) OK (i32.const 0) NONE (i32.const 200))",
        ),
        forged("boundary-no-result", "answers with a result that is neither good nor an error", || {
            Forge::of("(func $attack (result i32) (i32.store (i32.const 300) (i32.const 2)) (i32.const 300))")
        })
        .ends(Trap, "", CHECKED),
        forged("boundary-bool-of-many", "gives 4294967295 as a truth value", || {
            Forge::attack(call("(call $reply (i32.const 1) OK (i32.const -1) NONE (i32.const 200))", ""))
        })
        .shown(
            "`ok`; the session is closed",
            |answer| match answer.sent.as_slice() {
                [one] if one.get("session_event").is_some_and(|event| event == "close") => Ok(()),
                other => Err(format!("{} messages", other.len())),
            },
            "All but 0 is true, says the component model.",
        ),
        forged("boundary-return-area-beyond", "wants an answer written beyond its memory", || {
            Forge::attack(call("(call $kv-get OK (i32.const -4))", ""))
        })
        .ends(Trap, "", CHECKED),
        forged("boundary-return-area-unaligned", "wants an answer written at an odd address", || {
            Forge::attack(call("(call $kv-get OK (i32.const 201))", ""))
        })
        .ends(Trap, "align", CHECKED),
    ]
}

fn no_sense() -> Vec<Case> {
    let fire = |name: &str, what: &str, value: &'static str| {
        forged(name, what, move || {
            Forge::attack(format!(
                "(call $fire (i32.const 128) (i32.const 2) (f64.const {value}) (i32.const 0) (i32.const 200))
                 (call $tell (i32.const 200) (i32.const 4))"
            ))
        })
        .says("invalid: the value of metric `ok` is not a finite number", TOLD)
    };
    let metadata = |name: &str, what: &str, json: fn() -> String, says: &str, why: &'static str| {
        forged(name, what, move || {
            let json = json();
            Forge::attack(format!(
                "(call $reply (i32.const 1) (i32.const 128) (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 131072)
                   (i32.const {}) (i32.const 200)) (call $tell (i32.const 200) (i32.const 4))",
                json.len()
            ))
            .libc(vumi_tests::forge::LIBC.replacen("2)", "40)", 1).replace("65536)", "2000000)"))
            .data(131_072, json.as_bytes())
        })
        .under(|config| config.allowed_helper_metadata = vec!["a".to_owned()])
        .says(says, why)
    };
    vec![
        fire("boundary-nan", "fires a metric that is not a number", "nan"),
        fire("boundary-nan-signalling", "fires one with bits of its own", "-nan:0x4000000000001"),
        fire("boundary-infinite", "fires an infinite metric", "inf"),
        fire("boundary-minus-infinite", "fires one below all numbers", "-inf"),
        forged(
            "boundary-metric-largest",
            "fires the largest number that there is",
            told("(call $fire OK (f64.const 0x1.fffffffffffffp1023) (i32.const 0) (i32.const 200))"),
        )
        .says("ok", "It is a number."),
        metadata(
            "boundary-metadata-deep",
            "gives helper metadata of 100,000 nested arrays",
            || format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
            "invalid: 'helper_metadata' must be object or null.",
            "What nests deeper than 128 is not read: reading it would take stack.",
        ),
        metadata(
            "boundary-metadata-120-deep",
            "gives helper metadata of 120 nested arrays",
            || format!("{{\"a\":{}{}}}", "[".repeat(120), "]".repeat(120)),
            "ok",
            "What nests less is carried along.",
        ),
        metadata(
            "boundary-metadata-wide",
            "gives helper metadata of 50,000 keys",
            || {
                let keys: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\":1")).collect();
                format!("{{{}}}", keys.join(","))
            },
            "denied: 'helper_metadata' may only contain the following keys: a",
            "Only keys that the owner named are taken.",
        ),
        metadata(
            "boundary-metadata-number",
            "gives helper metadata with a number of 100,000 digits",
            || format!("{{\"a\":{}}}", "9".repeat(100_000)),
            "ok",
            "Numbers pass as they are written; nothing computes with them.",
        ),
        metadata(
            "boundary-metadata-list",
            "gives a list as helper metadata",
            || "[1]".to_owned(),
            "invalid: 'helper_metadata' must be object or null.",
            TOLD,
        ),
    ]
}
