//! Recorded runs: listed by app and user, page by page, and shown with their tapes.

use std::time::{Duration, Instant};

use serde_json::Value;
use vumi_admin::model::{Page, RecordingInfo, RecordingView, RunOutcome};

use crate::http::Server;

const LIST: &str = "/api/v1/recordings";

impl Server {
    async fn recordings(&self, query: &str) -> Page<RecordingInfo> {
        serde_json::from_value(self.get(&format!("{LIST}{query}")).await.json()).unwrap()
    }
}

#[tokio::test]
async fn runs_are_listed_by_app_and_user_and_paged() {
    let server = Server::start().await;
    for user in ["1", "2", "1"] {
        let path = format!("/api/v1/simulator/phones/{user}/messages");
        server.post(&path, r#"{"kind":"sms","content":"hi","to_addr":"8007"}"#).await;
    }
    server.runs_to_reach(3).await;
    let ids = |page: Page<RecordingInfo>| page.items.into_iter().map(|item| item.id).collect::<Vec<_>>();
    // The recording of a run is kept after the run is counted.
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.recordings("").await.items.len() < 5 {
        assert!(Instant::now() < deadline, "5 recordings in time");
    }
    let whole = ids(server.recordings("").await);
    assert_eq!(whole.len(), 5);
    let of_shop = server.recordings("?app=shop").await;
    assert_eq!((of_shop.items.len(), of_shop.items[0].outcome), (2, RunOutcome::Failed));
    assert_eq!(of_shop.items[0].reason.as_deref(), Some("trap"));
    assert_eq!(of_shop.items[0].version, Some(2));
    assert_eq!(server.recordings("?app=echo&user=1").await.items.len(), 2);
    assert_eq!(server.recordings("?app=none").await.items.len(), 0);
    let first = server.recordings("?app=shop&limit=1").await;
    let next = first.next.expect("there is one more");
    let second = server.recordings(&format!("?app=shop&limit=1&before={next}")).await;
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!([ids(first), ids(second)].concat(), ids(of_shop));
}

#[tokio::test]
async fn a_recording_comes_with_its_tape_and_the_list_comes_without() {
    let server = Server::start().await;
    let listed = server.get(LIST).await.json();
    assert!(listed["items"][0].get("tape").is_none());
    let id = listed["items"][0]["id"].as_str().unwrap();
    let answer = server.get(&format!("{LIST}/{id}")).await.json();
    let shown: RecordingView = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!((shown.info.id.as_str(), &answer["app"]), (id, &Value::from("shop")));
    assert_eq!(shown.tape["calls"][1]["call"], "kv.get");
}

#[tokio::test]
async fn wrong_questions_get_one_clear_sentence() {
    let server = Server::start().await;
    for (query, says) in [
        ("?limit=0", "limit is 0"),
        ("?limit=1001", "limit is 1001"),
        ("?before=yesterday", "before"),
        ("?version=1", "unknown field `version`"),
    ] {
        let problem = server.get(&format!("{LIST}{query}")).await.problem(400);
        assert!(problem.contains(says), "{query}: {problem}");
    }
    let endless = format!("{LIST}?app={}", "x".repeat(2000));
    assert!(server.get(&endless).await.problem(400).contains("app is longer"));
    for bad in ["1", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"g".repeat(32), &"é".repeat(16)] {
        let answer = server.get(&format!("{LIST}/{}", bad.replace('é', "%C3%A9"))).await;
        assert!(answer.problem(400).contains("32 digits"), "{bad}");
    }
    server.get(&format!("{LIST}/{}", "0".repeat(32))).await.problem(404);
    server.post(LIST, "{}").await.problem(405);
}
