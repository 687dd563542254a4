//! The guide's examples are configurations that work. What the transport does with one is told by the golden cases in
//! `tests/fixtures/transports/http_generic*.yaml`.

use crate::aggregators::generic::HttpGeneric;
use crate::http::Http;
use crate::registry::TransportComponent;

const GUIDE: &str = include_str!("../../../../../docs/http-generic.md");

fn checked(yaml: &str) -> Result<(), String> {
    let keys = yaml.strip_prefix("class: http-generic\n").expect("an example begins with its class");
    let config: Http<HttpGeneric> = serde_saphyr::from_str(keys).map_err(|error| error.to_string())?;
    config.check("acme").map(drop).map_err(|error| error.to_string())
}

#[test]
fn what_the_guide_shows_works() {
    let blocks: Vec<&str> = GUIDE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```\n").next()).collect();
    assert_eq!(blocks.len(), 6);
    for block in blocks {
        checked(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
}

#[test]
fn every_key_of_a_value_is_in_the_guide() {
    let schema = schemars::schema_for!(super::FindKeys).to_value();
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(GUIDE.contains(&format!("| `{key}: ")), "{key}");
    }
}

#[test]
fn paths_of_routes_are_below_the_transports_own() {
    let yaml = "{web_path: /a/, web_port: 1, inbound: [{path: b/, message: {from_addr: {param: f}, to_addr: {const: t}}}, {message: {from_addr: {param: f}, to_addr: {const: t}}}]}";
    let config: Http<HttpGeneric> = serde_saphyr::from_str(yaml).unwrap();
    let [listening] = &config.check("t").unwrap()[..] else { panic!() };
    assert_eq!(listening.paths.as_deref(), Some(&["a/b".to_owned(), "a".to_owned()][..]));
}
