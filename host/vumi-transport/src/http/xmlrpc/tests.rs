//! Calls and answers of networks, read; calls and answers written line for line, and read again.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn call(text: &str) -> Result<Call, Problem> {
    read_call(text.as_bytes())
}

/// The value that stands between `<value>` and `</value>`.
fn value(inside: &str) -> Result<Value, Problem> {
    let text = format!(
        "<methodCall><methodName>m</methodName><params><param><value>{inside}</value></param></params></methodCall>"
    );
    call(&text).map(|call| call.params.into_iter().next().unwrap())
}

#[test]
fn a_call_of_a_network_is_read() {
    let read = call(
        "<?xml version='1.0'?><methodCall><methodName>handleUSSD</methodName><params><param><value><struct>
<member><name>TransactionId</name><value><string>0001</string></value></member>
<member><name>MSISDN</name><value>250780000001</value></member>
<member><name>USSDRequestString</name><value><string> *543# </string></value></member>
</struct></value></param></params></methodCall>",
    )
    .unwrap();
    assert_eq!(read.method, "handleUSSD");
    let members =
        Value::texts([("TransactionId", "0001"), ("MSISDN", "250780000001"), ("USSDRequestString", " *543# ")]);
    assert_eq!(read.params, std::slice::from_ref(&members));
    assert_eq!(members.get("MSISDN").and_then(Value::as_str), Some("250780000001"));
    assert_eq!(members.get("USSDEncoding"), None);
    assert_eq!(call("<methodCall><methodName> m </methodName></methodCall>").unwrap().params, []);
}

#[test]
fn every_type_is_read() {
    for (inside, expected) in [
        ("", Value::from("")),
        (" a b\n", Value::from(" a b\n")),
        ("<string/>", Value::from("")),
        (" <string> &lt;é </string> ", Value::from(" <é ")),
        ("<int> -12 </int>", Value::Int(-12)),
        ("<i4>+7</i4>", Value::Int(7)),
        ("<i8>9223372036854775807</i8>", Value::Int(i64::MAX)),
        ("<boolean>1</boolean>", Value::Boolean(true)),
        ("<boolean>0</boolean>", Value::Boolean(false)),
        ("<double>-1.5e3</double>", Value::Double(-1500.0)),
        ("<dateTime.iso8601>20240203T04:05:06</dateTime.iso8601>", Value::DateTime("20240203T04:05:06".into())),
        ("<base64>\nw7\nw=\n</base64>", Value::Base64("ü".into())),
        ("<base64>w7w</base64>", Value::Base64("ü".into())),
        ("<base64/>", Value::Base64(vec![])),
        ("<nil/>", Value::Nil),
        ("<array><data/></array>", Value::Array(vec![])),
        (
            "<array><data><value>a</value><value><array><data><value><int>1</int></value></data></array></value></data></array>",
            Value::Array(vec!["a".into(), Value::Array(vec![Value::Int(1)])]),
        ),
        ("<struct/>", Value::Struct(vec![])),
        (
            "<struct><member><name>b</name><value>1</value></member><member><name>a</name><value>2</value></member>\
             <member><name>b</name><value>3</value></member></struct>",
            Value::texts([("b", "3"), ("a", "2")]),
        ),
    ] {
        assert_eq!(value(inside), Ok(expected), "{inside}");
    }
    assert_eq!(value("<int>5</int>").unwrap().to_text().as_deref(), Some("5"));
    assert_eq!(value("<base64>w7w=</base64>").unwrap().to_text().as_deref(), Some("ü"));
    assert_eq!(value("<base64>/w==</base64>").unwrap().to_text(), None);
}

#[test]
fn what_is_wrong_is_named() {
    for (inside, sentence) in [
        ("<int>5.5</int>", "a `int` is not a whole number"),
        ("<int></int>", "a `int` is not a whole number"),
        ("<i4>99999999999999999999</i4>", "a `i4` is not a whole number"),
        ("<boolean>true</boolean>", "a `boolean` is not 0 or 1"),
        ("<double>nan</double>", "a `double` is not a number"),
        ("<base64>*</base64>", "a `base64` is not base64"),
        ("<array/>", "an `array` has no `data`"),
        ("<struct><member><value/></member></struct>", "a `member` has no `name`"),
        ("<struct><member><name>a</name></member></struct>", "a `member` has no `value`"),
        ("<string/><int>1</int>", "a `value` has more than one type"),
        ("<other/>", "a type that XML-RPC does not know"),
    ] {
        let problem = value(inside).unwrap_err().to_string();
        assert!(problem.contains(sentence), "{inside}: {problem}");
    }
    for (text, sentence) in [
        ("<x/>", "a call must be a `methodCall`"),
        ("<methodCall/>", "the call has no `methodName`"),
        ("<methodCall><methodName/></methodCall>", "the call has no `methodName`"),
        ("<methodCall><methodName>m</methodName><params><param/></params></methodCall>", "a `param` has no `value`"),
        ("not XML", "line 1, column 1: "),
    ] {
        let problem = call(text).unwrap_err();
        assert!(problem.to_string().contains(sentence), "{text}: {problem}");
        assert!(Fault::unreadable(&problem).text.starts_with("Can't deserialize input: "));
    }
    let deep = "<array><data><value>".repeat(50_000);
    assert!(matches!(value(&deep), Err(Problem::Xml(_))));
}

#[test]
fn answers_are_told_apart() {
    let read = |text: &str| read_response(text.as_bytes());
    assert_eq!(read(&write_response(&Value::from("x1"))), Ok(Value::from("x1")));
    let fault = Fault { code: 503, text: "busy & <sad>".to_owned() };
    assert_eq!(read(&fault.write()), Err(ResponseProblem::Fault(fault)));
    let text_code = "<methodResponse><fault><value><struct><member><name>faultCode</name><value>4</value></member>\
        <member><name>faultString</name><value>s</value></member></struct></value></fault></methodResponse>";
    assert_eq!(read(text_code), Err(ResponseProblem::Fault(Fault { code: 4, text: "s".to_owned() })));
    for text in [
        "",
        "<html/>",
        "<methodResponse/>",
        "<methodResponse><params/></methodResponse>",
        "<methodResponse><fault/></methodResponse>",
        "<methodResponse><fault><value>x</value></fault></methodResponse>",
        "<methodCall><methodName>m</methodName></methodCall>",
    ] {
        assert!(matches!(read(text), Err(ResponseProblem::Unreadable(_))), "{text}");
    }
}

#[test]
fn answers_are_written_line_for_line() {
    let answer = Value::texts([("session", "1"), ("type", "cont"), ("message", "H\u{e4} < 2")]);
    assert_eq!(
        write_response(&answer),
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><struct>\n\
         <member>\n<name>session</name>\n<value><string>1</string></value>\n</member>\n\
         <member>\n<name>type</name>\n<value><string>cont</string></value>\n</member>\n\
         <member>\n<name>message</name>\n<value><string>Hä &lt; 2</string></value>\n</member>\n\
         </struct></value>\n</param>\n</params>\n</methodResponse>\n"
    );
    assert_eq!(
        Fault::error().write(),
        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n\
         <member>\n<name>faultCode</name>\n<value><int>8002</int></value>\n</member>\n\
         <member>\n<name>faultString</name>\n<value><string>error</string></value>\n</member>\n\
         </struct></value>\n</fault>\n</methodResponse>\n"
    );
    let missing = Fault::unknown_procedure("USSD.X");
    assert_eq!((missing.code, missing.text.as_str()), (8001, "procedure USSD.X not found"));
}

#[test]
fn a_call_is_written() {
    let message = Value::Struct(vec![
        ("SMSText".into(), Value::Base64("ü".into())),
        ("Delivery".into(), Value::DateTime("20240203T04:05:06".into())),
        ("MaxSegments".into(), Value::Int(9)),
        ("Large".into(), Value::Int(1 << 40)),
        ("Rest".into(), Value::Array(vec![Value::Nil, Value::Boolean(true), Value::Double(1.5)])),
    ]);
    let text = write_call("EAPIGateway.SendSMS", std::slice::from_ref(&message));
    for part in [
        "<?xml version='1.0'?>\n<methodCall>\n<methodName>EAPIGateway.SendSMS</methodName>\n<params>\n<param>\n",
        "<name>SMSText</name>\n<value><base64>w7w=</base64></value>",
        "<value><dateTime.iso8601>20240203T04:05:06</dateTime.iso8601></value>",
        "<value><int>9</int></value>",
        "<value><i8>1099511627776</i8></value>",
        "<value><array><data>\n<value><nil/></value>\n<value><boolean>1</boolean></value>\n<value><double>1.5</double></value>\n</data></array></value>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(call(&text).unwrap(), Call { method: "EAPIGateway.SendSMS".into(), params: vec![message] });
}

/// Text that XML can carry.
fn text() -> impl Strategy<Value = String> {
    vec(any::<char>().prop_filter("XML", |c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')), 0..8)
        .prop_map(String::from_iter)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(Value::String),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Double),
        "[0-9]{8}T[0-9:]{8}".prop_map(Value::DateTime),
        vec(any::<u8>(), 0..20).prop_map(Value::Base64),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::Array),
            btree_map(text(), inner, 0..5).prop_map(|members| Value::Struct(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in any_value(), method in "[A-Za-z.]{1,12}") {
        prop_assert_eq!(read_response(write_response(&value).as_bytes()), Ok(value.clone()));
        let params = vec![value.clone(), value];
        prop_assert_eq!(read_call(write_call(&method, &params).as_bytes()), Ok(Call { method, params }));
    }
}
