//! Tricks with keys and values: out of the namespace, past the limits.

use vumi_tests::forge::Forge;

use super::case::{Case, forged};

const NAMESPACE: &str =
    "A key is text after a prefix that no key of another app can begin with; nothing interprets it.";

/// Sets the key that the message names, reads it, counts and deletes it, and says what the first call answered.
fn uses_the_key() -> Forge {
    Forge::attack(
        "(call $kv-get (global.get $ptr) (global.get $len) (i32.const 304))
         (if (i32.load8_u offset=4 (i32.const 304)) (then (if (i32.eqz (i32.load8_u (i32.const 304)))
           (then (call $say (i32.load offset=8 (i32.const 304)) (i32.load offset=12 (i32.const 304))) (return (i32.const 48))))))
         (call $kv-set (global.get $ptr) (global.get $len) (i32.const 1024) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 200))
         (call $kv-incr (global.get $ptr) (global.get $len) (i64.const 5) (i32.const 304))
         (call $tell (i32.const 200) (i32.const 4))",
    )
    .data(1_024, b"42")
}

/// Sets a key to the value that the message is.
fn uses_the_value() -> Forge {
    Forge::attack(
        "(call $kv-set (i32.const 128) (i32.const 2) (global.get $ptr) (global.get $len) (i32.const 0) (i32.const 0) (i32.const 200))
         (call $tell (i32.const 200) (i32.const 4))",
    )
}

/// The key `ok` is set to this, then counted up by so much; says what that answered.
fn counts(value: &'static str, amount: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || {
        Forge::attack(format!(
            "(call $kv-set (i32.const 128) (i32.const 2) (i32.const 1024) (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 200))
             (call $kv-incr (i32.const 128) (i32.const 2) (i64.const {amount}) (i32.const 200))
             (call $tell (i32.const 200) (i32.const 8))",
            value.len()
        ))
        .data(1_024, value.as_bytes())
    }
}

fn lasting(seconds: u32) -> impl Fn() -> Forge + Send + Sync {
    move || {
        Forge::attack(format!(
            "(call $kv-set (i32.const 128) (i32.const 2) (i32.const 1024) (i32.const 1) (i32.const 1) (i32.const {seconds}) (i32.const 200))
             (call $tell (i32.const 200) (i32.const 4))"
        ))
        .data(1_024, b"1")
    }
}

pub fn cases() -> Vec<Case> {
    let keys: [(&str, &str); 19] = [
        ("empty", ""),
        ("hash", "#"),
        ("of-another", "other#k"),
        ("whole-of-another", "sandboxes#other#k"),
        ("counter-of-another", "count#other"),
        ("own-counter", "../count#hostile"),
        ("up", "../other#k"),
        ("far-up", "../../../../k"),
        ("nul", "\0"),
        ("nul-in-between", "a\0sandboxes#other#k"),
        ("line-breaks", "\r\nSET sandboxes#other#k stolen\r\n"),
        ("redis-protocol", "x\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nx\r\n"),
        ("glob", "*"),
        ("glob-class", "[a-z]?*"),
        ("like", "%_"),
        ("sql", "'; DROP TABLE kv; --"),
        ("hash-tag", "{other}k"),
        ("right-to-left", "\u{202e}k#rehto"),
        ("combining", "e\u{301}\u{301}\u{301}"),
    ];
    let mut cases: Vec<Case> = keys
        .into_iter()
        .map(|(name, key)| {
            let what = if key.is_empty() { "uses the empty key" } else { "uses the message as a key" };
            forged(format!("kv-key-{name}"), what, uses_the_key).given(key).says("ok", NAMESPACE)
        })
        .collect();
    cases.extend([
        forged("kv-key-1024", "uses a key of 1,024 bytes", uses_the_key).given("k".repeat(1_024)).says("ok", NAMESPACE),
        forged("kv-key-1025", "uses a key of 1,025 bytes", uses_the_key)
            .given("k".repeat(1_025))
            .says("invalid: the key has 1025 bytes, at most 1024 are allowed", "Keys have a bound."),
        forged("kv-key-1-mib", "uses a key of 1 MiB", uses_the_key)
            .given("k".repeat(1 << 20))
            .says("invalid: the key has 1048576 bytes, at most 1024 are allowed", "Keys have a bound."),
    ]);
    let value = |name: &str, what: &str, value: String, says: &str, why: &'static str| {
        forged(name, what, uses_the_value).given(value).says(says, why)
    };
    let json = "A value must be JSON text, or programs of Vumi that share the store could not read it.";
    cases.extend([
        value(
            "kv-value-no-json",
            "stores text that is no JSON",
            "{'a': 1}".into(),
            "invalid: the value is not JSON text",
            json,
        ),
        value(
            "kv-value-two",
            "stores two JSON values at once",
            "1 2".into(),
            "invalid: the value is not JSON text",
            json,
        ),
        value("kv-value-empty", "stores nothing", String::new(), "invalid: the value is not JSON text", json),
        value(
            "kv-value-nan",
            "stores NaN, which some take for JSON",
            "NaN".into(),
            "invalid: the value is not JSON text",
            json,
        ),
        value(
            "kv-value-deep",
            "stores 30,000 nested arrays",
            "[".repeat(30_000) + &"]".repeat(30_000),
            "ok",
            "It is JSON, checked without recursion, and the host keeps it as text.",
        ),
        value(
            "kv-value-100000-deep",
            "stores 100,000 nested arrays",
            "[".repeat(100_000) + &"]".repeat(100_000),
            "quota: the value has 200000 bytes, the limit kv_value is 65536",
            "Values have a bound.",
        ),
        value(
            "kv-value-number",
            "stores the number 1e999999999999",
            "1e999999999999".into(),
            "ok",
            "Numbers are kept as they are written.",
        ),
        value(
            "kv-value-same-keys",
            "stores an object with one key twice",
            r#"{"a":1,"a":2}"#.into(),
            "ok",
            "The text is kept as it is; what its reader makes of it is the app's affair.",
        ),
        value(
            "kv-value-64-kib",
            "stores 64 KiB",
            format!("\"{}\"", "x".repeat(65_534)),
            "ok",
            "Exactly the limit fits.",
        ),
        value(
            "kv-value-64-kib-and-one",
            "stores 64 KiB and one byte",
            format!("\"{}\"", "x".repeat(65_535)),
            "quota: the value has 65537 bytes",
            "Values have a bound.",
        ),
        forged("kv-incr-overflow", "counts beyond 64 bits", counts("9223372036854775807", "1"))
            .says("invalid: increment or decrement would overflow", "As in Redis: an error, and the value stays."),
        forged("kv-incr-underflow", "counts below 64 bits", counts("-9223372036854775808", "-1"))
            .says("invalid: increment or decrement would overflow", "As in Redis: an error, and the value stays."),
        forged("kv-incr-text", "counts a text", counts("\"abc\"", "1"))
            .says("invalid: value is not an integer or out of range", "As in Redis: an error, and the value stays."),
        forged("kv-incr-fraction", "counts a fraction", counts("1.5", "1"))
            .says("invalid: value is not an integer or out of range", "As in Redis: an error, and the value stays."),
        forged("kv-ttl-0", "sets a key that lasts no time", lasting(0))
            .says("invalid: ttl-seconds must be at least 1", "It would be gone before it is there."),
        forged("kv-ttl-136-years", "sets a key that lasts 4294967295 seconds", lasting(u32::MAX))
            .says("ok", "Times do not overflow."),
    ]);
    cases
}
