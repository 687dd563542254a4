//! A table of bindings, made ready so that a choice costs a few look-ups, however many apps there are.

use std::collections::HashMap;
use std::sync::Arc;

use vumi_core::bindings::{BindingTable, BoundApp};

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: Arc<BindingTable>,
    /// Connectors of all apps, and whether they have bindings.
    apps: HashMap<String, bool>,
    /// Keyword in lower case → the apps of the bindings that have it.
    keywords: HashMap<String, Places<Arc<str>>>,
    /// Bytes of the longest keyword.
    longest: usize,
    /// The apps of bindings without keyword.
    addresses: Places<Arc<str>>,
    /// Where any keyword fits.
    with_keywords: Places<()>,
}

/// What a message fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice<'a> {
    /// A binding with a keyword, of this app.
    Keyword(&'a str),
    /// A binding without, of this app.
    Address(&'a str),
    /// No binding.
    Nothing,
}

impl Index {
    /// Apps that are called like a transport are left out.
    pub(super) fn new(table: Arc<BindingTable>, transports: &[String]) -> Self {
        let mut index = Self::default();
        let mut apps: Vec<&BoundApp> = table.apps.iter().filter(|app| !transports.contains(&app.connector)).collect();
        // Of two with the same binding, the one that is entered first has it.
        apps.sort_by(|one, other| one.connector.cmp(&other.connector));
        for app in apps {
            index.enter(app);
        }
        index.table = table;
        index
    }

    fn enter(&mut self, app: &BoundApp) {
        let connector: Arc<str> = app.connector.as_str().into();
        *self.apps.entry(app.connector.clone()).or_default() |= !app.bindings.is_empty();
        for binding in &app.bindings {
            let (to_addr, transport) = (binding.to_addr.as_deref(), binding.transport_name.as_deref());
            let places = match binding.folded_keyword() {
                Some(keyword) => {
                    self.longest = self.longest.max(keyword.len());
                    self.with_keywords.enter(to_addr, transport, ());
                    self.keywords.entry(keyword).or_default()
                }
                None => &mut self.addresses,
            };
            places.enter(to_addr, transport, Arc::clone(&connector));
        }
    }

    /// Whether this very table is indexed.
    pub(super) fn is_of(&self, table: &Arc<BindingTable>) -> bool {
        Arc::ptr_eq(&self.table, table)
    }

    /// Whether there is such an app.
    pub(super) fn is_there(&self, connector: &str) -> bool {
        self.apps.contains_key(connector)
    }

    /// Whether there is such an app, and anything reaches it.
    pub(super) fn is_bound(&self, connector: &str) -> bool {
        self.apps.get(connector).copied().unwrap_or_default()
    }

    /// Whether a keyword would mean anything in a message from there to there.
    pub(super) fn has_keywords(&self, transport: &str, to_addr: Option<&str>) -> bool {
        self.with_keywords.find(transport, to_addr).is_some()
    }

    /// The app that a message is for, by its bindings alone.
    pub(super) fn choose(&self, transport: &str, to_addr: Option<&str>, content: Option<&str>) -> Choice<'_> {
        if let Some(app) = self.keyword(content).and_then(|places| places.find(transport, to_addr)) {
            return Choice::Keyword(app);
        }
        self.addresses.find(transport, to_addr).map_or(Choice::Nothing, |app| Choice::Address(app))
    }

    fn keyword(&self, content: Option<&str>) -> Option<&Places<Arc<str>>> {
        let word = content?.split_whitespace().next()?;
        // A character has four bytes at most, and its lower case one at least: longer words fit nothing. So nobody
        // makes us turn a megabyte into lower case.
        if word.len() > self.longest.saturating_mul(4) {
            return None;
        }
        self.keywords.get(&word.to_lowercase())
    }
}

/// Values by address and transport, each of which may be left open.
#[derive(Debug)]
struct Places<T> {
    /// Address → transport → value.
    both: HashMap<String, HashMap<String, T>>,
    to_addr: HashMap<String, T>,
    transport: HashMap<String, T>,
    anywhere: Option<T>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { both: HashMap::new(), to_addr: HashMap::new(), transport: HashMap::new(), anywhere: None }
    }
}

impl<T> Places<T> {
    /// Enters a value, unless there is one already.
    fn enter(&mut self, to_addr: Option<&str>, transport: Option<&str>, value: T) {
        match (to_addr, transport) {
            (Some(to_addr), Some(transport)) => {
                self.both.entry(to_addr.to_owned()).or_default().entry(transport.to_owned()).or_insert(value);
            }
            (Some(to_addr), None) => drop(self.to_addr.entry(to_addr.to_owned()).or_insert(value)),
            (None, Some(transport)) => drop(self.transport.entry(transport.to_owned()).or_insert(value)),
            (None, None) => drop(self.anywhere.get_or_insert(value)),
        }
    }

    /// The value of the place that says most.
    fn find(&self, transport: &str, to_addr: Option<&str>) -> Option<&T> {
        let both = || self.both.get(to_addr?)?.get(transport);
        let addressed = || self.to_addr.get(to_addr?);
        both().or_else(addressed).or_else(|| self.transport.get(transport)).or(self.anywhere.as_ref())
    }
}
