//! Which runs are recorded, and what never stands in a recording.

use std::sync::Arc;

use vumi_core::{Outcome, SystemClock};
use vumi_sandbox::{RecordRule, Secret};
use vumi_store::MemoryBounds;

use super::super::faults::Shaky;
use super::super::kit::{Rig, component, config};
use super::super::web;
use super::{only, replay, tape};

#[tokio::test]
async fn what_is_not_asked_for_is_not_recorded() {
    let mut rig = Rig::probe();
    for text in ["kv-set k 1", "chance", "panic", "echo x"] {
        rig.ask(text).await;
    }
    rig.app.record(Some(RecordRule::of_user("+27710000002"))).unwrap();
    rig.ask("echo not theirs").await;
    assert!(rig.tapes.take().is_empty());

    rig.app.record(Some(RecordRule::of_user("+27710000001"))).unwrap();
    rig.ask("echo theirs").await;
    assert_eq!(tape(&only(&rig)).sent[0]["content"], "theirs");
    rig.app.record(None).unwrap();
    rig.ask("echo over").await;
    assert!(rig.tapes.take().is_empty());

    let wrong = RecordRule { mask: vec!["contnet".into()], ..RecordRule::everything() };
    assert!(rig.app.record(Some(wrong.clone())).unwrap_err().to_string().contains("contnet"));
    assert_eq!(rig.app.record_rule(), RecordRule::default());
    let mut config = config();
    config.record = wrong;
    let refused = Rig::try_of("probe", &component("probe"), Shaky::new(), &config).err().map(|error| error.to_string());
    assert!(refused.as_deref().is_some_and(|text| text.contains("probe") && text.contains("contnet")), "{refused:?}");
}

#[tokio::test]
async fn masked_texts_and_secrets_stand_nowhere() {
    let address = web::serve().await;
    let mut rig = Rig::with("probe", |config| {
        config.record =
            RecordRule { mask: vec!["content".into(), "from_addr".into(), "kv".into()], ..RecordRule::everything() };
        config.http.allow = vec![format!("http://{address}")];
        config.config.insert("key".into(), "Bearer s3cr3t-key".into());
        config.send_to.insert("other".into(), [("x_key".to_owned(), "s3cr3t-key".into())].into());
    });
    rig.app.hide(vec![Secret { name: "api".into(), value: "s3cr3t-key".into() }]);
    let probe = component("probe");
    for text in [
        "echo my-pin-is-4711".to_owned(),
        r#"kv-set k {"name":"Thandi"}"#.to_owned(),
        "kv-get k".to_owned(),
        "log my-pin-is-4711 s3cr3t-key".to_owned(),
        "stdout my-pin-is-4711 s3cr3t-key".to_owned(),
        "fail my-pin-is-4711 s3cr3t-key".to_owned(),
        "config key".to_owned(),
        format!("http POST http://{address}/status/200/s3cr3t-key my-pin-is-4711"),
        "send +27710000001 other s3cr3t-key".to_owned(),
    ] {
        rig.ask(&text).await;
        let recording = only(&rig);
        let kept = format!("{recording:?}");
        for hidden in ["s3cr3t-key", "27710000001", "Thandi", text.as_str()] {
            assert!(!kept.contains(hidden), "{hidden} stands in the recording of {text}: {}", recording.tape);
        }
        assert!(recording.tape.contains("[masked]"));
        assert_eq!(recording.user.as_deref(), Some("[masked]"));
        assert!(tape(&recording).sent.iter().all(|sent| sent["to_addr"] == "[masked]"), "{}", recording.tape);
        // A masked recording can be run again; the guest then sees masked texts.
        replay(&probe, &recording).await;
    }
}

#[tokio::test]
async fn an_app_that_does_not_decide_on_masked_texts_does_not_depart() {
    let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    let echo = component("echo");
    let mut rig = Rig::of("echo", &echo, kv, |config| {
        let mask = vec!["content".into(), "from_addr".into()];
        config.record = RecordRule { mask, ..RecordRule::everything() };
    });
    // `message` also stands in what the app itself writes to its log.
    for text in ["my number is 0823334444", "message", "1", "ok", "text", "a \"b\"\n\u{e9}"] {
        rig.ask(text).await.ended(Outcome::Ok);
        let recording = only(&rig);
        assert!(!recording.tape.contains("0823334444"));
        assert_eq!(replay(&echo, &recording).await.departures, [], "{text}: {}", recording.tape);
    }
}
