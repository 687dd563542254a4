//! Reading files of golden cases: what is read, and that every mistake has its line.

use super::*;

const HEAD: &str = "spec: x\nchecks: 2\nclass: x\nconfig: {a: 1, b: 2}\ncases:\n";

fn told(cases: &str) -> String {
    read("x", &format!("{HEAD}{cases}")).map(|_| "nothing is wrong".to_owned()).unwrap_or_else(|error| error)
}

#[test]
fn mistakes_have_a_file_and_a_line() {
    for (cases, text, line) in [
        ("  - name: a\n    stesp: []\n", "stesp", "line 7"),
        ("  - name: a\n    steps: [{request: GET /, bodi: x}]\n", "bodi", "line 7"),
        ("  - name: a\n    steps:\n      - request: GET /\n      - respons: {}\n", "respons", "line 9"),
        ("  - name: a\n    steps:\n      - response: {stat: 200}\n", "stat", "line 8"),
        (
            "  - name: a\n    steps:\n      - as: x\n        request: GET /\n",
            "begins with one of request, raw",
            "line 8",
        ),
        ("  - name: a\n    steps:\n      - request: GET\n", "is not a method", "line 8"),
        ("  - name: a\n    steps:\n      - {request: POST /, body: x, form: {}}\n", "one body", "line 8"),
        ("  - name: a\n    steps:\n      - {remote: POST /, answer: never}\n", "`reset`", "line 8"),
        ("  - name: a\n    steps:\n      - hash: {key: k}\n", "needs `has` or `is`", "line 8"),
        ("  - name: a\n    steps:\n      - kv: {key: k}\n", "is", "line 8"),
        ("  - name: a\n    steps:\n      - nothing: [inbuond]\n", "inbuond", "line 8"),
        ("  - name: a\n    steps:\n      - stop: false\n", "left out", "line 8"),
        ("  - name: a\n    steps: []\n", "no steps", "line 6"),
        ("  - name: a\n    check: 3\n    steps: [{stop: true}]\n", "no check 3", "line 6"),
        ("  - &a\n    name: a\n    steps: [{stop: true}]\n  - *a\n", "a second case", "line 9"),
    ] {
        let error = told(cases);
        assert!(error.starts_with("x.yaml: ") && error.contains(text) && error.contains(line), "{cases}: {error}");
    }
    assert!(read("x", &format!("e2e: [{{stop: true}}]\n{HEAD}  []\n")).unwrap_err().contains("line 1"));
}

#[test]
fn what_is_read() {
    let text = concat!(
        "  - check: [1, 2]\n    name: a\n    config: {b: null, c: {d: no}}\n    steps:\n",
        "      - request: POST /\n        form: {n: +27831, z: 007, y: Y, e: '', none: null}\n",
        "      - kv: {key: k, is: null}\n",
        "      - remote: GET /\n        answer: none\n",
    );
    let golden = read("x", &format!("{HEAD}{text}")).unwrap();
    let case = &golden.cases[0].value;
    let config = serde_json::to_string(&golden.config_of(case)).unwrap();
    assert_eq!(config, r#"{"class":"x","a":1,"c":{"d":"no"}}"#);
    assert_eq!(case.check.0, [1, 2]);
    let (_, request) = golden.requests().next().unwrap();
    let given: Vec<(&str, &str)> = request.form.as_ref().unwrap().given().collect();
    assert_eq!(given, [("n", "+27831"), ("z", "007"), ("y", "Y"), ("e", "")]);
    assert_eq!(case.steps[2].referenced.line(), 13);
    assert!(matches!(&case.steps[1].value, Step::Kv(step) if step.kv.is == Some(serde_json::Value::Null)));
    assert!(matches!(&case.steps[2].value, Step::Remote(step) if matches!(step.answer, expect::Answer::Hold)));
}

#[test]
fn every_file_can_be_read() {
    assert!(!load_all().unwrap().is_empty());
}
