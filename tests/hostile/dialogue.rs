//! Apps that show a dialogue, and some that only pretend to.

use vumi_sandbox::LoadedComponent;
use vumi_tests::forge::Forge;

use crate::kit::{cache, component, sandbox};

/// The dialogue of an app that answers `graph` with this code; the address of an `option<string>` is its result.
fn showing(body: &str, text: &[u8]) -> LoadedComponent {
    let mut forge = Forge::attack("").and(&format!("(func (export \"graph\") (result i32)\n{body})"));
    let length = u32::try_from(text.len()).expect("a short text");
    let answer: Vec<u8> = [1, 16_384, length].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    forge = forge.data(1_024, &answer).data(16_384, text);
    forge.after = r#"
        (func $graph (result (option string))
          (canon lift (core func $main "graph") (memory $libc "memory") (realloc (func $libc "realloc"))))
        (instance $dialogue (export "graph" (func $graph)))
        (export "vumi:app/dialogue@0.1.0" (instance $dialogue))
    "#
    .to_owned();
    sandbox().load_bytes(&cache(), &forge.bytes(), "forged").unwrap_or_else(|error| panic!("{error}"))
}

async fn refused(app: &LoadedComponent) -> String {
    sandbox().graph(app).await.expect_err("the dialogue makes no sense").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_is_shown() {
    let graph = r#"{"start":"menu","states":[],"transitions":[]}"#;
    let app = showing("(i32.const 1024)", graph.as_bytes());
    assert_eq!(sandbox().graph(&app).await.expect("a graph").as_deref(), Some(graph));
    // Nothing at 200: no dialogue.
    let app = showing("(i32.const 200)", graph.as_bytes());
    assert_eq!(sandbox().graph(&app).await.expect("no graph"), None);
    assert_eq!(sandbox().graph(&component("echo")).await.expect("an app without one"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_dialogue_is_refused_in_one_sentence() {
    let error = refused(&showing("(i32.const 1024)", b"{")).await;
    assert!(error.contains("the app's dialogue makes no sense: it is no JSON"), "{error}");
    let error = refused(&showing("unreachable", b"")).await;
    assert!(error.contains("the app's dialogue cannot be shown (trap)"), "{error}");
    let error = refused(&showing("(loop $l (br $l)) (i32.const 200)", b"")).await;
    assert!(error.contains("(cpu-limit)"), "{error}");
}

/// Whatever it does meanwhile reaches nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_sends_nothing() {
    // The answer to the call is written to 200.
    let app = showing("(call $say (i32.const 1024) (i32.const 1)) (i32.const 1100)", b"");
    assert_eq!(sandbox().graph(&app).await.expect("the refused call is the guest's affair"), None);
}
