//! Modules on the script engine: what is true of components is true of them.

use std::sync::Arc;

use serde_json::{Value, json};
use vumi_core::{Outcome, SystemClock};
use vumi_sandbox::{AppConfig, Instances, LoadedComponent, ScriptSource};
use vumi_store::MemoryBounds;

use super::kit::{Rig, cache, sandbox};

/// Counts its messages in memory, and can be made to misbehave.
const COUNTER: &str = "
import { reply } from 'vumi:host';
let count = 0;
export async function onMessage(message) {
    if (message.content === 'loop') while (true) {}
    if (message.content === 'hoard') { const all = []; while (true) all.push(new Uint8Array(1 << 20).fill(1)); }
    if (message.content === 'throw') throw new TypeError('as asked');
    await null;
    count += 1;
    reply(`${count}`, {});
}
export function graph() { return { start: 'a', states: [{ name: 'a', kind: 'end' }], transitions: [] }; }
";

fn module(code: &str) -> LoadedComponent {
    let source = ScriptSource::new("app.mjs", code);
    sandbox().load_script(&cache(), &source, "app.mjs").unwrap_or_else(|error| panic!("{error}"))
}

fn counter(change: impl FnOnce(&mut AppConfig)) -> Rig {
    let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    Rig::of("counter", &module(COUNTER), kv, change)
}

#[tokio::test]
async fn each_message_gets_a_fresh_instance_unless_the_owner_says_otherwise() {
    let mut fresh = counter(|_| {});
    assert_eq!((fresh.ask("x").await.text(), fresh.ask("x").await.text()), ("1", "1"));
    let mut reused = counter(|config| config.instances = Instances::Reuse);
    assert_eq!(reused.ask("x").await.text(), "1");
    assert_eq!(reused.ask("x").await.text(), "2");
    reused.ask("loop").await.ended(Outcome::CpuLimit);
    assert_eq!(reused.ask("x").await.text(), "1", "what was stopped is thrown away");
}

#[tokio::test]
async fn limits_hold_and_errors_are_told() {
    let mut rig = counter(|config| config.limits.cpu_ms = 300);
    rig.ask("loop").await.ended(Outcome::CpuLimit);
    let hoarded = rig.ask("hoard").await;
    assert_ne!(hoarded.outcome(), Outcome::Ok);
    assert!(hoarded.run().peak_memory <= 64 << 20, "{}", hoarded.run().peak_memory);
    let thrown = rig.ask("throw").await;
    thrown.ended(Outcome::HandlerError);
    let error = thrown.run().error.clone().unwrap_or_default();
    assert!(error.contains("TypeError: as asked") && error.contains("app.mjs:7:"), "{error}");
    assert_eq!(rig.ask("x").await.text(), "1");
}

#[tokio::test]
async fn bytecode_is_made_once_and_belongs_to_its_text() {
    let code = format!("{COUNTER}// {}", std::process::id());
    let first = module(&code);
    assert!(!first.from_cache);
    let again = module(&code);
    assert!(again.from_cache && again.hash() == first.hash());
    assert!(!module(&format!("{code}.")).from_cache);
    let wrong = sandbox().load_script(&cache(), &ScriptSource::new("app.mjs", "let x = ;"), "app.mjs").err().unwrap();
    assert!(wrong.to_string().starts_with("app.mjs: is no JavaScript that can be run: app.mjs:1:"), "{wrong}");
}

#[tokio::test]
async fn a_module_shows_its_dialogue() {
    let graph = sandbox().graph(&module(COUNTER)).await.unwrap().expect("it has one");
    let graph: Value = serde_json::from_str(&graph).unwrap();
    assert_eq!(graph["states"], json!([{ "name": "a", "kind": "end" }]));
    let none = module("export function onMessage() {}");
    assert_eq!(sandbox().graph(&none).await.unwrap(), None);
}
