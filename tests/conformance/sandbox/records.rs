//! What the record of a run says, and where it is kept.

use vumi_core::Store;

use super::kit::{Rig, component, eventually, message};

#[tokio::test]
async fn what_a_run_used() {
    let mut rig = Rig::probe();
    let idle = rig.ask("echo x").await;
    let (idle, run) = (idle.run().clone(), rig.ask("grow 8000000").await);
    assert!(run.run().peak_memory >= 8_000_000 && run.run().peak_memory < 16_000_000, "{:?}", run.run());
    assert!(idle.peak_memory > 0 && idle.peak_memory < 2_000_000, "{idle:?}");
    assert!(idle.cpu_us > 0 && idle.cpu_us <= idle.wall_us + 1_000, "{idle:?}");
    assert_eq!((idle.host_calls, idle.sent, idle.log_bytes), (1, 1, 0));
    assert_eq!(idle.user.as_deref(), Some("+27710000001"));

    let calls = rig.ask("kv-calls 500").await;
    assert_eq!(calls.run().host_calls, 501);
    assert!(calls.run().host_us > 0 && calls.run().host_us <= calls.run().wall_us, "{:?}", calls.run());

    let busy = rig.ask("innocent 20000000").await;
    assert!(busy.run().cpu_us > 2 * idle.cpu_us, "{:?} after {idle:?}", busy.run());

    let sent = rig.ask("many-replies 3").await;
    assert_eq!((sent.run().sent, sent.finished.confirms.len()), (3, 3));
    assert_eq!(rig.ask("log abc").await.run().log_bytes, 3);
}

#[tokio::test]
async fn runs_and_lines_are_stored() {
    let mut rig = Rig::probe();
    let question = message("log hello");
    let answer = rig.give(question.clone()).await;
    let run =
        eventually("the run is stored", || async { rig.store.runs(Some("probe"), 10).await.unwrap().pop() }).await;
    assert_eq!(&run, answer.run());
    assert_eq!(run.message_id, question.message_id());
    let line =
        eventually("the line is stored", || async { rig.store.logs(Some("probe"), 10).await.unwrap().pop() }).await;
    assert_eq!((line.text.as_str(), line.message_id.as_deref()), ("hello", Some(question.message_id())));
}

#[tokio::test]
async fn the_same_message_sends_under_the_same_ids() {
    let ids = |sent: &[vumi_message::UserMessage]| sent.iter().map(|m| m.message_id().to_owned()).collect::<Vec<_>>();
    let mut first = Rig::with("first", |_| {});
    let mut other = Rig::with("other", |config| config.sandbox_id = Some("first".into()));
    let question = message("many-replies 3");
    let one = ids(&first.give(question.clone()).await.sent);
    assert_eq!(one, ids(&first.give(question.clone()).await.sent));
    assert_ne!(one[0], one[1]);
    let theirs = ids(&other.give(question).await.sent);
    assert!(one.iter().all(|id| !theirs.contains(id)), "two apps answer the same message under different ids");
    let later = ids(&first.ask("many-replies 3").await.sent);
    assert!(one.iter().all(|id| !later.contains(id)));
}

#[tokio::test]
async fn another_component_takes_over_with_the_next_message() {
    let mut rig = Rig::probe();
    let (before, _) = rig.app.component();
    assert_eq!(rig.ask("static").await.text(), "1");
    rig.app.replace(&component("echo"));
    assert_ne!(before, rig.app.component().0);
    let echoed = rig.ask("static").await;
    assert!(echoed.text().contains("static"), "{}", echoed.text());
}
