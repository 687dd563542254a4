//! What is deployed to the fake system from the beginning: a shop whose fourth version runs in the shadow while the
//! third one answers a tenth of the conversations, and a survey with a single version.

use std::collections::BTreeMap;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use vumi_admin::model::*;

use super::{App, FakeDeployments, hash};
use crate::fake::now;

const HOUR: u64 = 3_600_000_000;

impl Default for FakeDeployments {
    fn default() -> Self {
        let mut apps = BTreeMap::from([("shop".to_owned(), shop()), ("survey".to_owned(), survey())]);
        for app in apps.values_mut() {
            app.info.generation = 7;
        }
        Self {
            apps: Mutex::new(apps),
            recordings: Mutex::new(vec![
                recording(1, "shop", RunOutcome::Ok),
                recording(2, "shop", RunOutcome::Failed),
            ]),
            last_upload: Mutex::default(),
            last_secret: Mutex::default(),
        }
    }
}

fn version(app: &mut App, hours_ago: u64, by: &str, note: Option<&str>, source: &str) {
    let number = u32::try_from(app.components.len()).unwrap() + 1;
    let component = Bytes::from(format!("\0asm{}{number}", app.info.name));
    let version = VersionInfo {
        number,
        hash: hash(&component),
        // As large as a real one, for the page.
        bytes: 1_400_000 + u64::from(number) * 31_337,
        created_at: now() - hours_ago * HOUR,
        created_by: by.into(),
        note: note.map(str::to_owned),
        source: source.into(),
    };
    app.components.insert(number, component);
    app.info.versions.insert(0, version);
}

fn shop() -> App {
    let mut app = App::new("shop");
    version(&mut app, 700, "thandi", Some("First version"), "upload");
    version(&mut app, 170, "thandi", Some("Prices in rand"), "upload");
    version(
        &mut app,
        26,
        "ci",
        Some("Faster menu: one question less before the price is shown"),
        "ghcr.io/example/shop:1.3",
    );
    version(&mut app, 2, "ci", None, "ghcr.io/example/shop:1.4-rc1");
    app.info.active = Some(2);
    app.info.previous = Some(1);
    app.info.canary = Some(CanaryInfo { version: 3, percent: 10.0 });
    app.info.shadow = Some(4);
    app.info.created_at = now() - 700 * HOUR;
    let settings = json!({"config": {"currency": "ZAR"}, "limits": {"memory": "32MiB"}});
    app.info.settings = serde_json::from_value(settings).unwrap();
    let secret = |name: &str| SecretInfo { name: name.into(), updated_at: now() - 26 * HOUR };
    app.info.secrets = vec![secret("PAYMENT_KEY"), secret("STOCK_TOKEN")];
    let difference = |seq, kind: &str, live: &str, shadow: &str| DifferenceView {
        seq,
        at: now() - (10 - seq) * 60_000_000,
        live_version: 2,
        shadow_version: 4,
        message_id: format!("{seq:032x}"),
        user: Some("+27820000001".into()),
        kind: kind.into(),
        live: live.into(),
        shadow: shadow.into(),
    };
    app.differences = vec![
        difference(1, "time", "1.2 ms", "48 ms"),
        difference(2, "outcome", "ok", "failed: trap\nwasm trap: unreachable"),
        difference(3, "replies", "Welcome to the shop!\n1. Prices\n2. Order", "Welcome!\n1. Prices\n2. Order\n3. Help"),
    ];
    app
}

fn survey() -> App {
    let mut app = App::new("survey");
    version(&mut app, 50, "local", None, "upload");
    app.info.active = Some(1);
    app
}

fn recording(number: u64, app: &str, outcome: RunOutcome) -> RecordingView {
    let failed = outcome == RunOutcome::Failed;
    let message_id = format!("{number:032x}");
    let info = RecordingInfo {
        id: format!("{:032x}", 0xfeed_0000 + number),
        at: now() - HOUR + number,
        app: app.into(),
        version: Some(2),
        hash: "2".repeat(64),
        message_id: message_id.clone(),
        user: Some("+27820000001".into()),
        outcome,
        reason: failed.then(|| "trap".into()),
        sent: u64::from(!failed),
        cpu_us: 240,
        wall_us: 1_900,
    };
    RecordingView { info, tape: tape(&message_id, "1", if failed { None } else { Some("A bag of maize is R 92.") }) }
}

/// Everything that a run was given, asked for and sent.
pub fn tape(message_id: &str, content: &str, answer: Option<&str>) -> Value {
    let sent: Vec<Value> = answer.iter().map(|text| json!({"content": text, "in_reply_to": message_id})).collect();
    json!({
        "format": 1,
        "message": {"message_id": message_id, "content": content, "transport_type": "ussd", "session_event": "resume"},
        "calls": [
            {"call": "clock.now", "answer": 1_772_353_800_000_000_u64},
            {"call": "kv.get", "arguments": ["session.+27820000001"], "answer": "{\"step\":2}"},
            {"call": "log.log", "arguments": ["info", "asked for a price"], "answer": null},
            {"call": "kv.set", "arguments": ["session.+27820000001", "{\"step\":3}", 600], "answer": null},
        ],
        "sent": sent,
    })
}
