//! Each limit of a run with its own error code (specification: sandbox, section 9), and the limits of single calls,
//! which the guest is told of and survives.

use std::time::{Duration, Instant};

use vumi_core::Outcome;

use super::kit::{Rig, bytes, component};
use super::web;

#[tokio::test]
async fn cpu_time() {
    let mut rig = Rig::with("probe", |config| config.limits.cpu_ms = 100);
    let answer = rig.ask("loop").await;
    answer.ended(Outcome::CpuLimit);
    let cpu = answer.run().cpu_us;
    assert!((100_000..1_000_000).contains(&cpu), "{cpu} us");
    assert_eq!(answer.run().error.as_deref(), Some("it used more than 100 ms of CPU time"));
}

#[tokio::test]
async fn a_sleeping_guest_uses_wall_time_only() {
    let mut rig = Rig::with("probe", |config| {
        config.timeout = 1;
        config.limits.cpu_ms = 500;
    });
    let began = Instant::now();
    let answer = rig.ask("sleep 5000").await;
    answer.ended(Outcome::Deadline);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(answer.run().wall_us >= 990_000 && answer.run().cpu_us < 500_000, "{:?}", answer.run());
    assert!(answer.sent.is_empty());
}

#[tokio::test]
async fn a_request_that_hangs_ends_with_the_message() {
    let server = web::serve().await;
    let mut rig = Rig::with("probe", |config| {
        config.timeout = 1;
        config.http.allow = vec![format!("http://{server}")];
    });
    let began = Instant::now();
    let answer = rig.ask(&format!("http GET http://{server}/hang")).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // The request's own time and the message's end together: the guest may still learn of it, but not go on.
    if answer.outcome() == Outcome::Ok {
        assert!(answer.text().starts_with("error Unavailable"), "{}", answer.text());
    } else {
        answer.ended(Outcome::Deadline);
    }
}

#[tokio::test]
async fn a_request_has_a_time_of_its_own() {
    let server = web::serve().await;
    let mut rig = Rig::with("probe", |config| {
        config.http.timeout = 1;
        config.http.allow = vec![format!("http://{server}")];
    });
    let answer = rig.ask(&format!("http GET http://{server}/hang")).await;
    answer.ended(Outcome::Ok);
    assert!(answer.text().starts_with("error Unavailable"), "{}", answer.text());
    assert!(answer.run().host_us >= 990_000, "{:?}", answer.run());
}

#[tokio::test]
async fn memory() {
    let mut rig = Rig::with("probe", |config| config.limits.memory = bytes(16 << 20));
    let bomb = rig.ask("memory").await;
    bomb.ended(Outcome::MemoryLimit);
    assert!(bomb.run().peak_memory <= 16 << 20, "{:?}", bomb.run());
    rig.ask("grow 20000000").await.ended(Outcome::MemoryLimit);
    let fits = rig.ask("grow 10000000").await;
    assert_eq!(fits.text(), "10000000");
}

#[tokio::test]
async fn tables() {
    let mut rig = Rig::with("probe", |config| config.limits.table_elements = 1);
    rig.ask("echo hi").await.ended(Outcome::TableLimit);
}

#[tokio::test]
async fn host_calls() {
    let mut rig = Rig::with("probe", |config| config.limits.host_calls = 50);
    let answer = rig.ask("kv-calls 51").await;
    answer.ended(Outcome::HostCallLimit);
    assert!(answer.sent.is_empty());
    let exactly = rig.ask("kv-calls 49").await;
    exactly.ended(Outcome::Ok);
    assert_eq!(exactly.run().host_calls, 50, "49 and the reply");
}

#[tokio::test]
async fn bytes_of_one_call() {
    let mut rig = Rig::with("probe", |config| config.limits.transfer = bytes(100_000));
    let answer = rig.ask("huge-reply 200000").await;
    answer.ended(Outcome::TransferLimit);
    assert!(answer.sent.is_empty());
    assert_eq!(rig.ask("huge-reply 90000").await.text().len(), 90_000);
}

#[tokio::test]
async fn log_lines_count_as_output_does() {
    let mut rig = Rig::with("probe", |config| config.limits.log_bytes = bytes(1_000));
    // The guest logs the command's arguments: `10 ` and 97 letters are 100 bytes.
    let text = "x".repeat(97);
    let exactly = rig.ask(&format!("logs 10 {text}")).await;
    exactly.ended(Outcome::Ok);
    assert_eq!(exactly.run().log_bytes, 1_000);
    rig.ask(&format!("logs 11 {}", "x".repeat(97))).await.ended(Outcome::LogLimit);
}

#[tokio::test]
async fn messages_of_one_run() {
    let mut rig = Rig::with("probe", |config| config.limits.outbound_messages = 5);
    let answer = rig.ask("many-replies 6").await;
    answer.ended(Outcome::Ok);
    assert_eq!((answer.sent.len(), answer.run().sent), (5, 5));
    assert!(answer.logs.iter().any(|line| line.text.contains("limit outbound_messages")), "{:?}", answer.logs);
    assert_eq!(rig.ask("many-replies 5").await.sent.len(), 5);
}

#[tokio::test]
async fn web_requests_and_their_bytes() {
    let server = web::serve().await;
    let allow = vec![format!("http://{server}")];
    let get = format!("http GET http://{server}/status/200/fine");
    let mut rig = Rig::with("probe", |config| {
        config.http.allow = allow.clone();
        config.limits.http_requests = 0;
    });
    let refused = rig.ask(&get).await;
    assert!(
        refused.text().starts_with("error Quota") && refused.text().contains("http_requests"),
        "{}",
        refused.text()
    );

    let mut rig = Rig::with("probe", |config| {
        config.http.allow = allow;
        config.limits.http_bytes = bytes(100);
    });
    assert_eq!(rig.ask(&get).await.text(), "200 4 fine");
    let large = rig.ask(&format!("http GET http://{server}/bytes/101")).await;
    assert!(large.text().starts_with("error Quota"), "{}", large.text());
    let body = "b".repeat(101);
    let large = rig.ask(&format!("http POST http://{server}/status/200/fine {body}")).await;
    assert!(large.text().starts_with("error Quota"), "{}", large.text());
}

#[tokio::test]
async fn values_in_kv() {
    let mut rig = Rig::with("probe", |config| config.limits.kv_value = bytes(1_000));
    assert_eq!(rig.ask("kv-value 998").await.text(), "ok ()", "two quotation marks more");
    let refused = rig.ask("kv-value 999").await;
    assert!(
        refused.text().starts_with("error Error::Quota") && refused.text().contains("kv_value"),
        "{}",
        refused.text()
    );
    for bad in ["kv-set k {", "kv-set k ", "kv-set k 1,2", "kv-set k nan"] {
        let refused = rig.ask(bad).await;
        assert!(refused.text().starts_with("error Error::Invalid"), "{bad}: {}", refused.text());
    }
    let long = rig.ask(&format!("kv-set {} 1", "k".repeat(1_025))).await;
    assert!(long.text().starts_with("error Error::Invalid"), "{}", long.text());
}

#[tokio::test]
async fn names_of_metrics() {
    let mut rig = Rig::with("probe", |config| config.limits.metric_names = 2);
    for name in ["a", "b", "a"] {
        assert_eq!(rig.ask(&format!("metric {name} 1")).await.text(), "ok ()");
    }
    let third = rig.ask("metric c 1").await;
    assert!(
        third.text().starts_with("error Error::Quota") && third.text().contains("metric_names"),
        "{}",
        third.text()
    );
}

#[tokio::test]
async fn recursion() {
    let mut rig = Rig::probe();
    rig.ask("descend").await.ended(Outcome::StackOverflow);
    // Frames in linear memory run into its end before the engine's stack does.
    rig.ask("recurse").await.ended(Outcome::Trap);
}

#[tokio::test]
async fn a_panic() {
    let mut rig = Rig::probe();
    let answer = rig.ask("panic").await;
    answer.ended(Outcome::Trap);
    assert!(
        answer.logs.iter().any(|line| line.source == "stderr" && line.text.contains("on purpose")),
        "{:?}",
        answer.logs
    );
    assert_eq!(answer.finished.again, None);
}

#[tokio::test]
async fn an_error_of_the_handler() {
    let mut rig = Rig::probe();
    let answer = rig.ask("fail no such town").await;
    answer.ended(Outcome::HandlerError);
    assert_eq!(answer.run().error.as_deref(), Some("no such town"));
    assert_eq!(answer.finished.again, None, "it is not tried again");
}

#[tokio::test]
async fn the_error_text_of_a_handler_is_cut() {
    let mut rig = Rig::probe();
    let answer = rig.ask("fail-long 1500000").await;
    assert_eq!(answer.outcome(), Outcome::HandlerError);
    let kept = answer.run().error.as_deref().unwrap_or_default().len();
    assert!(kept < 10_000, "{kept} bytes of the guest's text are kept with the run");
}

#[tokio::test]
async fn an_instance_that_cannot_start() {
    let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), std::sync::Arc::new(vumi_core::SystemClock));
    let mut rig = Rig::of("never", &component("trap-at-start"), kv, |_| {});
    let answer = rig.ask("echo hi").await;
    answer.ended(Outcome::Instantiate);
    assert!(answer.sent.is_empty());
}

#[tokio::test]
async fn handles_and_large_calls_of_wasi() {
    let mut rig = Rig::probe();
    // A pollable of a clock takes two places of the thousand.
    assert_eq!(rig.ask("handles 400").await.text(), "400");
    rig.ask("handles 1001").await.ended(Outcome::Trap);
    assert_eq!(rig.ask("zeroes 1000").await.text(), "true");
    rig.ask("zeroes 4294967295").await.ended(Outcome::Trap);
    assert_eq!(rig.ask("rush 4096").await.text(), "true");
    rig.ask("rush 4097").await.ended(Outcome::Trap);
    assert_eq!(rig.ask("random 65536").await.text(), "65536");
    let large = rig.ask("random 60000000").await;
    assert_eq!(large.outcome(), Outcome::Trap);
    assert!(large.run().cpu_us < 1_000_000, "the host made the numbers first: {:?}", large.run());
}

#[tokio::test]
async fn many_short_lines_cost_no_more_than_few_long_ones() {
    let mut rig = Rig::with("probe", |config| config.limits.log_bytes = bytes(200_000));
    let answer = rig.ask("newlines 131072").await;
    answer.ended(Outcome::Ok);
    assert_eq!(answer.run().log_bytes, 131_072);
    // Work on lines within the host counts as the guest's own, and stops with it.
    let mut rig = Rig::with("probe", |config| config.limits.cpu_ms = 50);
    let answer = rig.ask("newlines 1000000").await;
    answer.ended(Outcome::CpuLimit);
    assert!(answer.run().cpu_us < 1_000_000, "{:?}", answer.run());
}
