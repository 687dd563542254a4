//! Checks 7 to 13: addresses, tags, providers.

use serde_json::{Value, json};
use vumi_core::Channel::{Inbound, Outbound};
use vumi_core::Stack;
use vumi_message::address::normalize_msisdn;

use super::rig::{build, pass, user, with};

fn stack(class: &str, options: &str) -> Stack {
    build(&format!("middleware: [m: {class}]\nm: {options}"), &vumi_tests::context::context()).unwrap()
}

#[tokio::test]
async fn check_07_addresses() {
    let stack = stack("vumi.middleware.address_translator.AddressTranslationMiddleware", "{outbound_map: {A: B}}");
    let sent = pass(&stack, Outbound, &user(Some("x"), Some("A"))).await;
    assert_eq!((sent.from_addr(), sent.to_addr()), (Some("x"), Some("B")));
    let got = pass(&stack, Inbound, &user(Some("B"), Some("A"))).await;
    assert_eq!((got.from_addr(), got.to_addr()), (Some("A"), Some("A")));
    let other = user(Some("A"), Some("x"));
    assert_eq!(pass(&stack, Inbound, &other).await, other);
}

const TAGS: &str = r#"
  incoming: {addr_pattern: '^\d+(\d{3})$', tagpool_template: p, tagname_template: 'n-\1'}
  outgoing:
    tagname_pattern: 'n-(\d{3})$'
    msg_template: {from_addr: 'f\1', helper_metadata: {x: {y: '\g<0>', z: 7}}}
"#;

#[tokio::test]
async fn check_08_tags_in() {
    let stack = stack("vumi.middleware.tagger.TaggingMiddleware", TAGS);
    let tagged = pass(&stack, Inbound, &user(Some("+1"), Some("55512"))).await;
    assert_eq!(tagged.get("helper_metadata"), Some(&json!({"tag": {"tag": ["p", "n-512"]}})));
    for to_addr in [Some("x55512"), None] {
        let bare = user(Some("+1"), to_addr);
        assert_eq!(pass(&stack, Inbound, &bare).await, bare);
        let old = with(bare, "helper_metadata", json!({"tag": {"tag": ["o", "l"]}}));
        assert_eq!(pass(&stack, Inbound, &old).await, old);
    }
}

#[tokio::test]
async fn check_09_tags_out() {
    let stack = stack("tagging", TAGS);
    let notes = json!({"tag": {"tag": ["q", "n-512"]}, "other": [1], "x": {"w": 0}});
    let message = with(user(Some("8007"), Some("+1")), "helper_metadata", notes);
    let filled = pass(&stack, Outbound, &message).await;
    assert_eq!(filled.from_addr(), Some("f512"));
    assert_eq!(
        filled.get("helper_metadata"),
        Some(&json!({"tag": {"tag": ["q", "n-512"]}, "other": [1], "x": {"w": 0, "y": "n-512", "z": 7}}))
    );
    let missing = "middleware: [m: tagging]\nm: {incoming: {}, outgoing: {}}";
    let error = build(missing, &vumi_tests::context::context()).err().unwrap();
    assert!(error.contains("does not contain the `addr_pattern` key."), "{error}");
}

#[tokio::test]
async fn check_10_one_provider() {
    for class in ["StaticProviderSettingMiddleware", "StaticProviderSetterMiddleware"] {
        let stack = stack(&format!("vumi.middleware.provider_setter.{class}"), "{provider: P}");
        let message = with(user(Some("+1"), Some("+2")), "provider", "Q");
        for channel in [Inbound, Outbound] {
            assert_eq!(pass(&stack, channel, &message).await.provider(), Some("P"));
        }
    }
}

/// The provider that a message from, and one to, this address gets.
async fn provider(options: &str, address: &str, before: Value) -> Option<String> {
    let stack = stack("vumi.middleware.provider_setter.AddressPrefixProviderSettingMiddleware", options);
    let inbound = pass(&stack, Inbound, &with(user(Some(address), Some("x")), "provider", before.clone())).await;
    let outbound = pass(&stack, Outbound, &with(user(Some("x"), Some(address)), "provider", before)).await;
    assert_eq!((inbound.from_addr(), outbound.to_addr()), (Some(address), Some(address)));
    assert_eq!(inbound.provider(), outbound.provider());
    inbound.provider().map(str::to_owned)
}

#[tokio::test]
async fn check_11_providers_by_prefix() {
    let options = r#"{provider_prefixes: {"+27": A, "+2783": B}}"#;
    assert_eq!(provider(options, "+27831", Value::Null).await.as_deref(), Some("B"));
    assert_eq!(provider(options, "+27711", Value::Null).await.as_deref(), Some("A"));
    assert_eq!(provider(options, "+1", Value::Null).await, None);
    assert_eq!(provider(options, "+27831", json!("Z")).await.as_deref(), Some("Z"));
}

#[tokio::test]
async fn check_12_providers_by_normal_prefix() {
    let plain = r#"{provider_prefixes: {"+27": A, "+2783": B}, normalize_msisdn: {country_code: "27"}}"#;
    assert_eq!(provider(plain, "0831234567", Value::Null).await.as_deref(), Some("B"));
    let without = r#"{provider_prefixes: {"2783": C}, normalize_msisdn: {country_code: "27", strip_plus: true}}"#;
    assert_eq!(provider(without, "0831234567", Value::Null).await.as_deref(), Some("C"));
}

#[test]
fn check_13_normal_numbers() {
    for (raw, normal) in [
        ("12345", "12345"),
        ("0027831234567", "+27831234567"),
        ("083 123 4567", "+27831234567"),
        ("27831234567", "+27831234567"),
        ("831234567", "831234567"),
    ] {
        assert_eq!(normalize_msisdn(raw, "27"), normal, "{raw}");
    }
}
