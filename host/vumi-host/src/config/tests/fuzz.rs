//! Files that nobody would write: the answer is a configuration or an error, never a panic and never a long wait.

use std::time::{Duration, Instant};

use super::{env, folder};
use crate::config::{explain, from_text};

/// Texts to begin with.
const SEEDS: [&str; 5] = [
    r#"
broker: embedded
data_dir: ./data
admin: { listen: 127.0.0.1:8080, token: "${SECRET}" }
transports:
  telnet: { class: telnet, telnet_port: 9010 }
dispatchers:
  main: { class: simple, transport_names: [telnet], exposed_names: [echo], route_mappings: { telnet: [echo] } }
apps:
  echo: { component: echo.wasm, limits: { memory: 32MiB }, http: { allow: ["https://api.example.org"] } }
"#,
    r#"
transports:
  sms: &base
    class: simulator
    middleware:
      - log: logging
      - late: {class: logging, consume_priority: '5'}
    log: {log_level: debug}
  other: {<<: *base, publish_status: true}
"#,
    r#"
apps:
  a:
    component: echo.wasm
    timeout: ${PORT:-5}
    config: {x: 'y', z: "w\n"}
    send_to: {default: {transport_name: t, n: [1, 2.5, ~, true]}}
    inbound_endpoints: [a, b]
"#,
    r#"
log: |
  info
shutdown_timeout: 0x1F
queues: {max_messages: 5, max_bytes: 64 MiB}
durability: process
"#,
    r#"
? key
: value
---
- !!str 5
- *alias
- &anchor [*anchor]
- "unclosed
"#,
];

/// Pieces that mean something to YAML or to us.
const PIECES: [&str; 34] = [
    ": ",
    ":",
    "- ",
    "\n",
    "\n  ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "#",
    " #",
    "&a ",
    "*a",
    "<<: *a",
    "!x ",
    "!!str ",
    "? ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "${",
    "${SECRET}",
    "$${",
    "${file:echo.wasm}",
    "\u{feff}",
    "é€𝄞",
    "99999999999999999999",
    "\r",
];

/// Xorshift: the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

fn mutate(text: &str, dice: &mut Dice) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(chars.len() + 1);
        let to = (at + dice.roll(20)).min(chars.len());
        match dice.roll(6) {
            0 => drop(chars.drain(at..to)),
            1 => drop(chars.splice(at..at, PIECES[dice.roll(PIECES.len())].chars())),
            2 => drop(chars.splice(at..to, PIECES[dice.roll(PIECES.len())].chars())),
            3 => {
                let copy = chars[at..to].to_vec();
                let into = dice.roll(chars.len() + 1);
                drop(chars.splice(into..into, copy));
            }
            4 => chars.truncate(at),
            _ => {
                if let Some(c) = chars.get_mut(at) {
                    *c = char::from(u8::try_from(dice.roll(128)).unwrap());
                }
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn twenty_thousand_broken_files() {
    let folder = folder();
    let name = folder.path().join("vumi.yaml").to_string_lossy().into_owned();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut good, mut bad) = (0, 0);
    for round in 0..20_000 {
        let text = mutate(SEEDS[round % SEEDS.len()], &mut dice);
        let begin = Instant::now();
        match from_text(&text, &name, &env) {
            Ok(_) => good += 1,
            Err(error) => {
                let shown = error.to_string();
                assert!(!error.problems().is_empty() && shown.contains("vumi.yaml:"), "{text:?}: {shown}");
                assert!(!shown.contains("hunter2hunter2"), "{text:?}: {shown}");
                assert!(shown.len() < 100_000, "{text:?}");
                bad += 1;
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{text:?}");
    }
    assert!(good > 500 && bad > 5_000, "{good} good, {bad} bad");
}

#[test]
fn any_path_can_be_asked_about() {
    let mut dice = Dice(7);
    for _ in 0..300 {
        let path = mutate("transports.telnet.telnet_port apps.echo.limits.memory", &mut dice);
        explain(&path);
    }
}
