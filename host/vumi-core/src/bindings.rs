//! Which addresses reach which deployed app: the table that the `bindings` dispatcher routes by.
//!
//! Apps come and go while the host runs, so the table is watched: every change is a new table, whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// One way to reach an app. What is left open fits everything; a binding that says more goes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Binding {
    /// The transport that a message comes from.
    pub transport_name: Option<String>,
    /// The address that it was sent to: a short code, a USSD code, a number.
    pub to_addr: Option<String>,
    /// The first word of its content, whatever its case. Later messages of the session, and of the user until another
    /// keyword fits, go to the same app.
    pub keyword: Option<String>,
}

impl Binding {
    /// The keyword as it is compared with the first word of a message: both in lower case, by Unicode's rules.
    pub fn folded_keyword(&self) -> Option<String> {
        self.keyword.as_deref().map(str::to_lowercase)
    }
}

/// In words, for warnings.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("keyword", &self.keyword), ("address", &self.to_addr), ("transport", &self.transport_name)];
        let given: Vec<String> =
            parts.iter().filter_map(|(part, text)| text.as_ref().map(|text| format!("{part} `{text}`"))).collect();
        if given.is_empty() { f.write_str("everything") } else { f.write_str(&given.join(", ")) }
    }
}

/// An app and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundApp {
    /// The app's connector.
    pub connector: String,
    /// How it is reached; nothing reaches an app without bindings.
    pub bindings: Vec<Binding>,
}

/// All deployed apps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingTable {
    /// The apps, sorted by connector.
    pub apps: Vec<BoundApp>,
}

impl BindingTable {
    /// The app with this connector.
    pub fn app(&self, connector: &str) -> Option<&BoundApp> {
        let at = self.apps.binary_search_by(|app| app.connector.as_str().cmp(connector));
        let found = at.ok().and_then(|at| self.apps.get(at));
        // Somebody's table that is not sorted is slow, and not wrong.
        found.or_else(|| self.apps.iter().find(|app| app.connector == connector))
    }
}

/// What whoever deploys should know of a table: one sentence for each binding that several apps have. Such a binding
/// reaches the app whose connector sorts first, and no other. (Two bindings that are not the same never tie: the one
/// that says more goes first.)
pub fn conflicts(table: &BindingTable) -> Vec<String> {
    let mut holders = BTreeMap::<[Option<String>; 3], (&Binding, BTreeSet<&str>)>::new();
    for app in &table.apps {
        for binding in &app.bindings {
            let same = [binding.folded_keyword(), binding.to_addr.clone(), binding.transport_name.clone()];
            holders.entry(same).or_insert_with(|| (binding, BTreeSet::new())).1.insert(&app.connector);
        }
    }
    let tied = holders.into_values().filter(|(_, apps)| apps.len() > 1);
    tied.map(|(binding, apps)| {
        let names: Vec<String> = apps.iter().map(|app| format!("`{app}`")).collect();
        let first = apps.first().copied().unwrap_or_default();
        format!(
            "{} have the same binding ({binding}): what fits it goes to `{first}` alone; change the binding of the others",
            names.join(", ")
        )
    })
    .collect()
}

/// The table as it is now, and a notice of every change.
pub type BindingsWatch = watch::Receiver<Arc<BindingTable>>;

/// A table without apps, for systems to which nothing is deployed.
pub fn no_bindings() -> BindingsWatch {
    watch::channel(Arc::default()).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(connector: &str, bindings: &[[&str; 3]]) -> BoundApp {
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let binding = |[keyword, to_addr, transport]: &[&str; 3]| Binding {
            keyword: part(keyword),
            to_addr: part(to_addr),
            transport_name: part(transport),
        };
        BoundApp { connector: connector.to_owned(), bindings: bindings.iter().map(binding).collect() }
    }

    #[test]
    fn the_same_binding_of_two_apps_is_a_conflict() {
        let apps = vec![
            bound("c", &[["join", "8007", ""]]),
            bound("a", &[["JOIN", "8007", ""], ["Join", "8007", ""]]),
            bound("b", &[["", "", ""], ["joIN", "8007", ""]]),
            bound("d", &[["", "", ""]]),
        ];
        assert_eq!(
            conflicts(&BindingTable { apps }),
            [
                "`b`, `d` have the same binding (everything): what fits it goes to `b` alone; change the binding of the \
                 others",
                "`a`, `b`, `c` have the same binding (keyword `join`, address `8007`): what fits it goes to `a` alone; \
                 change the binding of the others",
            ]
        );
    }

    #[test]
    fn bindings_that_differ_in_anything_are_none() {
        let apps = vec![
            bound("a", &[["join", "8007", "t"], ["join", "8007", "t"], ["straße", "", ""]]),
            bound("b", &[["join", "8007", ""], ["STRASSE", "", ""]]),
            bound("c", &[["join", "", "t"]]),
            bound("d", &[["", "8007", "t"], ["", "t", "8007"]]),
            bound("e", &[]),
        ];
        assert_eq!(conflicts(&BindingTable { apps }), Vec::<String>::new());
        assert_eq!(conflicts(&BindingTable::default()), Vec::<String>::new());
    }

    #[test]
    fn an_app_is_found_in_any_order() {
        for names in [["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]] {
            let table = BindingTable { apps: names.iter().map(|name| bound(name, &[])).collect() };
            for name in names {
                assert_eq!(table.app(name).map(|app| app.connector.as_str()), Some(name), "{names:?}");
            }
            assert_eq!(table.app("d"), None);
        }
    }
}
