//! What is wrong with a source is said, and where; nothing of it runs.

use crate::kit::{Outcome, module, old, run, run_old};

#[test]
fn a_syntax_error_says_where() {
    let error = module("export function onMessage() {\n  let a = ;\n}\n").unwrap_err();
    assert!(error.starts_with("app.mjs:2:11: SyntaxError: "), "{error}");
    let error = old("api.on_inbound_message = function ( {", None).unwrap_err();
    assert!(error.starts_with("app.js:1:"), "{error}");
    assert!(error.contains(": SyntaxError: "), "{error}");
}

#[test]
fn a_wrong_app_context_is_told_from_a_wrong_script() {
    let error = old("api.done();", Some("{a: }")).unwrap_err();
    assert!(error.starts_with("app_context:") && error.contains("SyntaxError"), "{error}");
}

#[test]
fn an_import_that_is_not_there_is_said_when_the_script_is_compiled() {
    let error = module("import fs from 'fs';\nexport function onMessage() {}").unwrap_err();
    assert!(error.contains("fs"), "{error}");
}

#[test]
fn compiling_runs_nothing() {
    assert!(module("throw new Error('ran');").is_ok());
    assert!(old("throw new Error('ran');", Some("{a: nothing()}")).is_ok());
}

#[test]
fn a_byte_order_mark_and_a_first_comment_are_no_part_of_the_script() {
    let (result, host) = run("\u{feff}// vumi-app: module\nexport function onMessage() { console.log('here'); }");
    assert_eq!((result, host.texts()), (Ok(()), vec!["here"]));
}

#[test]
fn lines_of_errors_are_those_of_the_source() {
    let (outcome, _) = run_old(
        "var x = 1;\n\nfunction fail() {\n  throw new Error('deep');\n}\napi.on_inbound_message = function () { fail(); };",
        None,
    );
    let Outcome::Thrown(text) = outcome else { panic!("{outcome:?}") };
    assert!(text.starts_with("Error: deep\n    at fail (app.js:4:"), "{text}");
    assert!(text.contains("(app.js:6:"), "{text}");
}
