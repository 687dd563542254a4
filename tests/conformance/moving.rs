//! The page "Moving from Vumi" knows every class path of Vumi that is accepted, and names no other.

use vumi_core::component::Kind;
use vumi_dispatch::{MiddlewareConfig, RouterConfig};
use vumi_tests::guests::root;
use vumi_transport::TransportConfig;
use vumi_worker::{NativeAppConfig, WorkerConfig};

/// Paths that are understood by `vumi-host worker` itself and stand in no registry.
const OF_THE_COMMAND: [&str; 4] = [
    "vumi.dispatchers.BaseDispatchWorker",
    "vumi.dispatchers.base.BaseDispatchWorker",
    "vumi.multiworker.MultiWorker",
    "vumi.MultiWorker",
];

#[test]
fn the_page_has_every_class_path_and_no_other() {
    let page = std::fs::read_to_string(root().join("docs/moving-from-vumi.md")).expect("the page is there");
    let registries: [&[Kind]; 5] = [
        TransportConfig::KINDS,
        RouterConfig::KINDS,
        MiddlewareConfig::KINDS,
        NativeAppConfig::KINDS,
        WorkerConfig::KINDS,
    ];
    let accepted: Vec<&str> =
        registries.iter().flat_map(|kinds| kinds.iter()).flat_map(|kind| kind.aliases).copied().collect();
    assert!(accepted.len() > 30, "{accepted:?}");
    for path in &accepted {
        assert!(page.contains(&format!("`{path}`")), "the page lacks {path}");
    }
    for class in registries.iter().flat_map(|kinds| kinds.iter()).map(|kind| kind.class) {
        assert!(page.contains(&format!("`{class}`")), "the page lacks the class {class}");
    }
    let named = page.split('`').skip(1).step_by(2).filter(|code| code.starts_with("vumi.") && !code.contains(' '));
    let classes = named.filter(|code| code.rsplit('.').next().is_some_and(|last| last.starts_with(char::is_uppercase)));
    for path in classes {
        assert!(accepted.contains(&path) || OF_THE_COMMAND.contains(&path), "nothing is called {path}");
    }
}
