//! Guests forged by hand, as component text: what no compiler would ever make.
//!
//! A [`Forge`] is an app of the world `vumi:app/app` of which every part can be bent: the allocator that the host calls
//! (`libc`), the code that the message reaches (`main`), what is imported beside the contract (`around`, `host`), and
//! what the component has besides (`before`, `after`). Left alone, each part is harmless.
//!
//! For `main` there is a small library: see [`Forge::main`].

use std::fmt::Write;

/// A well-behaved allocator: it gives out addresses from 64 KiB upwards, grows the memory as needed, frees nothing.
pub const LIBC: &str = r#"
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
      (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
          (i32.shr_u (i32.sub (global.get $next) (i32.mul (memory.size) (i32.const 65536))) (i32.const 16)))))
        (then (unreachable)))))
    (memory.copy (local.get $at) (local.get $old) (local.get $had))
    (local.get $at))
"#;

/// The contract, as a component imports it.
const IMPORTS: &str = r#"
  (import "vumi:app/types@0.1.0" (instance $types
    (type $se (enum "new" "resume" "close"))
    (export "session-event" (type $session-event (eq $se)))
    (type $os (option string))
    (type $ose (option $session-event))
    (type $m (record
      (field "message-id" string) (field "timestamp" s64) (field "to-addr" $os) (field "from-addr" $os)
      (field "to-addr-type" $os) (field "from-addr-type" $os) (field "content" $os) (field "session-event" $ose)
      (field "in-reply-to" $os) (field "transport-name" $os) (field "transport-type" $os) (field "group" $os)
      (field "provider" $os) (field "endpoint" string) (field "transport-metadata" string)
      (field "helper-metadata" string)))
    (export "message" (type $message (eq $m)))
    (type $ds (enum "pending" "failed" "delivered"))
    (export "delivery-status" (type $delivery-status (eq $ds)))
    (type $ek (variant (case "ack" string) (case "nack" string) (case "delivery-report" $delivery-status)))
    (export "event-kind" (type $event-kind (eq $ek)))
    (type $e (record
      (field "event-id" string) (field "user-message-id" $os) (field "timestamp" s64) (field "kind" $event-kind)
      (field "transport-name" $os) (field "endpoint" string) (field "transport-metadata" string)
      (field "helper-metadata" string)))
    (export "event" (type $event (eq $e)))
    (type $er (variant (case "denied" string) (case "quota" string) (case "invalid" string)
      (case "unavailable" string)))
    (export "error" (type $error (eq $er)))))
  (alias export $types "message" (type $message))
  (alias export $types "event" (type $event))
  (alias export $types "error" (type $error))
  (import "vumi:app/log@0.1.0" (instance $log
    (type $l (enum "debug" "info" "warning" "error" "critical"))
    (export "level" (type $level (eq $l)))
    (export "log" (func (param "level" $level) (param "text" string)))))
  (import "vumi:app/kv@0.1.0" (instance $kv
    (export "error" (type $err (eq $error)))
    (export "get" (func (param "key" string) (result (result (option string) (error $err)))))
    (export "set" (func (param "key" string) (param "value" string) (param "ttl-seconds" (option u32))
      (result (result (error $err)))))
    (export "delete" (func (param "key" string) (result (result bool (error $err)))))
    (export "incr" (func (param "key" string) (param "amount" s64) (result (result s64 (error $err)))))))
  (import "vumi:app/outbound@0.1.0" (instance $outbound
    (export "error" (type $err (eq $error)))
    (type $ro (record (field "close-session" bool) (field "helper-metadata" (option string))))
    (export "reply-options" (type $reply-options (eq $ro)))
    (type $so (record (field "endpoint" (option string)) (field "helper-metadata" (option string))))
    (export "send-options" (type $send-options (eq $so)))
    (export "reply" (func (param "content" (option string)) (param "options" $reply-options)
      (result (result string (error $err)))))
    (export "send-to" (func (param "to-addr" string) (param "content" (option string))
      (param "options" $send-options) (result (result string (error $err)))))))
  (import "vumi:app/http@0.1.0" (instance $http
    (export "error" (type $err (eq $error)))
    (type $me (enum "get" "put" "delete" "head" "post" "patch"))
    (export "method" (type $method (eq $me)))
    (type $rq (record (field "method" $method) (field "url" string) (field "headers" (list (tuple string string)))
      (field "body" (option (list u8))) (field "timeout-ms" (option u32))))
    (export "http-request" (type $http-request (eq $rq)))
    (type $rs (record (field "status" u16) (field "headers" (list (tuple string string)))
      (field "body" (list u8))))
    (export "http-response" (type $http-response (eq $rs)))
    (export "request" (func (param "request" $http-request) (result (result $http-response (error $err)))))))
  (import "vumi:app/config@0.1.0" (instance $config
    (export "get" (func (param "key" string) (result (option string))))))
  (import "vumi:app/metrics@0.1.0" (instance $metrics
    (export "error" (type $err (eq $error)))
    (type $ag (enum "sum" "avg" "min" "max" "last"))
    (export "aggregator" (type $aggregator (eq $ag)))
    (export "fire" (func (param "name" string) (param "value" float64) (param "aggregator" $aggregator)
      (result (result (error $err)))))))
"#;

/// The contract's functions: the name for `main`, where it comes from, and what it is to the core language.
const FUNCTIONS: [(&str, &str, &str, &str); 10] = [
    ("log", "$log", "log", "i32 i32 i32"),
    ("kv-get", "$kv", "get", "i32 i32 i32"),
    ("kv-set", "$kv", "set", "i32 i32 i32 i32 i32 i32 i32"),
    ("kv-delete", "$kv", "delete", "i32 i32 i32"),
    ("kv-incr", "$kv", "incr", "i32 i32 i64 i32"),
    ("reply", "$outbound", "reply", "i32 i32 i32 i32 i32 i32 i32 i32"),
    ("send-to", "$outbound", "send-to", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
    ("http", "$http", "request", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
    ("config", "$config", "get", "i32 i32 i32"),
    ("fire", "$metrics", "fire", "i32 i32 f64 i32 i32"),
];

/// What every `main` begins with; see [`Forge::main`].
const LIBRARY: &str = r#"
  (data (i32.const 64) "denied: ") (data (i32.const 80) "quota: ") (data (i32.const 96) "invalid: ")
  (data (i32.const 112) "unavailable: ") (data (i32.const 128) "ok")
  (data (i32.const 144) "\40\00\00\00\08\00\00\00\50\00\00\00\07\00\00\00\60\00\00\00\09\00\00\00\70\00\00\00\0d\00\00\00")
  (global $ptr (mut i32) (i32.const 0))
  (global $len (mut i32) (i32.const 0))
  (func $say (param $at i32) (param $size i32)
    (call $reply (i32.const 1) (local.get $at) (local.get $size) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 200)))
  (func $tell (param $area i32) (param $payload i32)
    (local $row i32) (local $size i32) (local $error i32)
    (if (i32.eqz (i32.load8_u (local.get $area)))
      (then (call $say (i32.const 128) (i32.const 2)) (return)))
    (local.set $error (i32.add (local.get $area) (local.get $payload)))
    (local.set $row (i32.add (i32.const 144) (i32.mul (i32.const 8) (i32.load8_u (local.get $error)))))
    (local.set $size (i32.load offset=4 (local.get $row)))
    (memory.copy (i32.const 4096) (i32.load (local.get $row)) (local.get $size))
    (memory.copy (i32.add (i32.const 4096) (local.get $size)) (i32.load offset=4 (local.get $error))
      (i32.load offset=8 (local.get $error)))
    (call $say (i32.const 4096) (i32.add (local.get $size) (i32.load offset=8 (local.get $error)))))
  (func (export "on-message") (param $message i32) (result i32)
    (global.set $ptr (i32.load offset=68 (local.get $message)))
    (global.set $len (i32.load offset=72 (local.get $message)))
    (call $attack))
  (func (export "on-event") (param $event i32) (result i32) (i32.const 48))
"#;

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Forge {
    /// Before everything else in the component.
    pub before: String,
    /// Fields of the core module that has the memory and the allocator.
    pub libc: String,
    /// Component text after the contract's imports and `libc`: further imports, and what is lowered from them.
    pub around: String,
    /// Further functions for `main`: name, the lowered function in `around`, its core type (`(param i32) (result i32)`).
    pub host: Vec<(&'static str, &'static str, &'static str)>,
    /// Fields of the core module that handles messages. It must have `(func $attack (result i32))`, whose answer is the
    /// place of the handler's result: 48 for a good one. `$ptr` and `$len` are the message's content. It may call
    /// `$log $kv-get $kv-set $kv-delete $kv-incr $reply $send-to $http $config $fire`, `$say` (address and length of a
    /// text to reply with) and `$tell`, which replies with what a call answered: `ok`, or the error's word and text. Its
    /// arguments are where the answer was put and how far in it the error begins (4, or 8 when the answer may hold 64
    /// bits). Memory: 200 to 999 is for results, from 1,024 to 4,095 for the guest's data, from 4,096 for texts
    /// that `$tell` writes, from 16,384 for the guest again, from 65,536 the allocator's.
    pub main: String,
    /// Options of the lifted handlers beside memory and allocator, e.g. a `post-return`.
    pub lift: &'static str,
    /// Options of the lowered functions; `utf8` unless given.
    pub encoding: &'static str,
    /// After everything else in the component.
    pub after: String,
}

impl Forge {
    /// A guest with this `main`.
    pub fn of(main: impl Into<String>) -> Self {
        Self {
            before: String::new(),
            libc: LIBC.to_owned(),
            around: String::new(),
            host: Vec::new(),
            main: main.into(),
            lift: "",
            encoding: "string-encoding=utf8",
            after: String::new(),
        }
    }

    /// A guest that does this for each message, and then answers well.
    pub fn attack(body: impl AsRef<str>) -> Self {
        Self::of(format!(
            "(func $attack (result i32) (local $i i32) (local $j i32)\n{}\n(i32.const 48))",
            body.as_ref()
        ))
    }

    /// With data at an address of its memory.
    #[must_use]
    pub fn data(mut self, at: u32, bytes: &[u8]) -> Self {
        let _ = write!(self.main, "\n(data (i32.const {at}) \"{}\")", escaped(bytes));
        self
    }

    /// With further fields of `main`.
    #[must_use]
    pub fn and(mut self, fields: &str) -> Self {
        self.main.push_str(fields);
        self
    }

    /// With another allocator or memory.
    #[must_use]
    pub fn libc(mut self, libc: impl Into<String>) -> Self {
        self.libc = libc.into();
        self
    }

    /// With another function that gives out memory, beside a memory of two pages.
    #[must_use]
    pub fn realloc(self, body: &str) -> Self {
        let realloc = "(func $realloc (export \"realloc\") (param $old i32) (param $had i32) (param $align i32)";
        self.libc(format!("(memory (export \"memory\") 2)\n{realloc} (param $size i32) (result i32)\n{body})"))
    }

    /// The component's text.
    pub fn text(&self) -> String {
        // What is not called is not lowered: each function costs a few milliseconds of compiling.
        let code = format!("{LIBRARY}{}{}", self.around, self.main);
        let called = |name: &str| [' ', ')'].iter().any(|end| code.contains(&format!("${name}{end}")));
        let used: &Vec<_> = &FUNCTIONS.into_iter().filter(|(name, ..)| called(name)).collect();
        let mut text = format!("(component\n{}\n{IMPORTS}\n(core module $libc-module {})\n", self.before, self.libc);
        text.push_str("(core instance $libc (instantiate $libc-module))\n");
        let options = format!("(memory $libc \"memory\") (realloc (func $libc \"realloc\")) {}", self.encoding);
        for (name, instance, function, _) in used {
            let _ = writeln!(text, "(core func ${name} (canon lower (func {instance} \"{function}\") {options}))");
        }
        text.push_str(&self.around);
        text.push_str("\n(core module $main-module (import \"libc\" \"memory\" (memory $memory 1))\n");
        for (name, _, _, params) in used {
            let _ = writeln!(text, "(import \"host\" \"{name}\" (func ${name} (param {params})))");
        }
        for (name, _, kind) in &self.host {
            let _ = writeln!(text, "(import \"host\" \"{name}\" (func ${name} {kind}))");
        }
        let _ = writeln!(text, "{LIBRARY}\n{})", self.main);
        text.push_str("(core instance $main (instantiate $main-module (with \"libc\" (instance $libc)) (with \"host\" (instance\n");
        for (name, ..) in used {
            let _ = writeln!(text, "(export \"{name}\" (func ${name}))");
        }
        for (name, function, _) in &self.host {
            let _ = writeln!(text, "(export \"{name}\" (func {function}))");
        }
        text.push_str("))))\n");
        let lift = format!("(memory $libc \"memory\") (realloc (func $libc \"realloc\")) {}", self.lift);
        for (name, kind) in [("message", "$message"), ("event", "$event")] {
            let _ = writeln!(
                text,
                "(func $on-{name} (param \"{name}\" {kind}) (result (result (error string)))\n\
                 (canon lift (core func $main \"on-{name}\") {lift}))"
            );
        }
        text.push_str(
            "(instance $handler (export \"on-message\" (func $on-message)) (export \"on-event\" (func $on-event)))\n",
        );
        text.push_str("(export \"vumi:app/handler@0.1.0\" (instance $handler))\n");
        text.push_str(&self.after);
        text.push(')');
        text
    }

    /// The component.
    ///
    /// # Panics
    /// When its text cannot be read: that is a mistake in the test.
    pub fn bytes(&self) -> Vec<u8> {
        component(&self.text())
    }
}

/// The component that a text describes, valid or not.
///
/// # Panics
/// When the text cannot be read.
pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("the text of a forged guest cannot be read: {error}"))
}

/// Bytes as they stand in a string of the text format.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || *byte == b' ' {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "\\{byte:02x}");
        }
    }
    text
}
