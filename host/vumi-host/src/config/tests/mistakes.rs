//! What the user sees for each mistake: the texts stand in `mistakes/*.txt`, a file each for YAML, values and the
//! system.
//!
//! A case is a name after `=== `, the configuration, `>>>` and what is shown. `<transports>` and `<dispatchers>` stand
//! for the lists of their classes, which grow.

use vumi_core::component::Kind;
use vumi_dispatch::RouterConfig;
use vumi_transport::TransportConfig;

use super::shown;

fn check(file: &str) {
    let known = |kinds: &[Kind]| {
        let classes: Vec<&str> = kinds.iter().map(|kind| kind.class).collect();
        classes.join(", ")
    };
    let (transports, dispatchers) = (known(TransportConfig::KINDS), known(RouterConfig::KINDS));
    let mut count = 0;
    for case in file.split("=== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let (yaml, expected) = rest.split_once(">>>\n").unwrap();
        let expected = expected.replace("<transports>", &transports).replace("<dispatchers>", &dispatchers);
        assert_eq!(shown(yaml), expected.trim_end(), "{name}");
        count += 1;
    }
    assert!(count >= 15, "{count}");
}

#[test]
fn of_yaml_and_variables() {
    check(include_str!("mistakes/yaml.txt"));
}

#[test]
fn of_keys_and_values() {
    check(include_str!("mistakes/values.txt"));
}

#[test]
fn of_the_system() {
    check(include_str!("mistakes/system.txt"));
}
