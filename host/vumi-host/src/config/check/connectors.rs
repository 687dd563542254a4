//! Who talks to whom.
//!
//! A connector is a name with queues. Its transport's side publishes `<name>.inbound` and consumes `<name>.outbound`,
//! its app's side the other way round (specification: routing names, section 4). So a transport and an app of the
//! same name talk to each other directly, and two consumers on the same side would take each other's messages.

use std::collections::BTreeMap;

use vumi_dispatch::DispatcherShared;

use super::Report;
use crate::config::backend::BrokerChoice;
use crate::config::system::{self, SystemConfig};

/// Connector → who has it.
type Owners<'a> = BTreeMap<&'a str, &'a str>;

const NAMES: &str = "use lower-case letters, digits, `_` and `-`";

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    for (dispatcher, _) in &config.dispatchers {
        valid(&["dispatchers", dispatcher], dispatcher, report);
    }
    let transports = owners("transports", system::transports(config), report);
    let apps = owners("apps", system::apps(config), report);
    let (consumed, exposed) = dispatchers(config, report);
    let ends = Ends { transports, apps, consumed, exposed };
    // Other processes may hold the other ends when the broker is not in this one.
    let alone = config.broker == BrokerChoice::Embedded;
    if alone {
        ends.meet(report);
    }
    for (dispatcher, item) in &config.dispatchers {
        if alone {
            ends.lists(dispatcher, &item.shared, report);
        }
        if let Err(error) = item.component.check(&item.shared) {
            let help = "use the same names in all keys of a dispatcher";
            report.wrong_key(&["dispatchers", dispatcher], error.report(), help);
        }
    }
}

/// All ends of connectors.
struct Ends<'a> {
    transports: Owners<'a>,
    apps: Owners<'a>,
    /// Consumed by dispatchers on the transports' side.
    consumed: Owners<'a>,
    /// Consumed by dispatchers on the apps' side.
    exposed: Owners<'a>,
}

impl Ends<'_> {
    /// Each transport and app needs exactly one at the other end.
    fn meet(&self, report: &mut Report<'_>) {
        for (connector, app) in &self.apps {
            match (self.transports.get(connector), self.consumed.get(connector)) {
                (Some(transport), Some(dispatcher)) => report.wrong_key(
                    &["apps", app],
                    format!(
                        "the dispatcher `{dispatcher}` takes the messages of `{transport}` too, so each would miss some"
                    ),
                    format!("give the app another transport_name, and add that one to exposed_names of `{dispatcher}`"),
                ),
                (Some(_), None) => {}
                (None, _) if self.exposed.contains_key(connector) => {}
                (None, _) => {
                    let who = "no transport and no dispatcher has the connector";
                    report.warn(&["apps", app], format!("nothing sends messages to this app: {who} `{connector}`"));
                }
            }
        }
        for (connector, transport) in &self.transports {
            if !self.consumed.contains_key(connector) && !self.apps.contains_key(connector) {
                let who = "no dispatcher and no app has the connector";
                let sentence = format!("nothing takes the messages of this transport: {who} `{connector}`");
                report.warn(&["transports", transport], sentence);
            }
        }
    }

    /// The names that a dispatcher lists are those of somebody.
    fn lists(&self, dispatcher: &str, shared: &DispatcherShared, report: &mut Report<'_>) {
        for (index, name) in shared.transport_names.iter().enumerate() {
            let place = ["dispatchers", dispatcher, "transport_names", &format!("[{index}]")];
            let chained = self.exposed.get(name.as_str()).is_some_and(|other| *other != dispatcher);
            if !self.transports.contains_key(name.as_str()) && !chained {
                let known: Vec<&str> = self.transports.keys().copied().collect();
                let help = match known.as_slice() {
                    [] => "add it to `transports`".to_owned(),
                    known => format!("known are {}", known.join(", ")),
                };
                report.wrong(&place, format!("there is no transport `{name}`"), help);
            }
        }
        for (index, name) in shared.exposed_names.iter().enumerate() {
            let place = ["dispatchers", dispatcher, "exposed_names", &format!("[{index}]")];
            if self.transports.contains_key(name.as_str()) {
                let sentence =
                    format!("`{name}` is a transport, so the dispatcher would send its messages back into it");
                let help = "name an app's connector here; transports belong into transport_names";
                report.wrong(&place, sentence, help);
            } else if !self.apps.contains_key(name.as_str()) && !self.consumed.contains_key(name.as_str()) {
                let sentence =
                    format!("no app of this file has the connector `{name}`: its messages wait for one elsewhere");
                report.warn(&place, sentence);
            }
        }
    }
}

fn valid(place: &[&str], name: &str, report: &mut Report<'_>) {
    if let Err(error) = vumi_core::names::check(name) {
        report.wrong_key(place, error.to_string(), NAMES);
    }
}

/// Checks the connectors of a section: each valid, and no two the same.
fn owners<'a>(
    section: &'static str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    report: &mut Report<'_>,
) -> Owners<'a> {
    let mut seen = Owners::new();
    for (connector, name) in pairs {
        valid(&[section, name], name, report);
        if connector != name {
            valid(&[section, name, "transport_name"], connector, report);
        }
        if let Some(other) = seen.insert(connector, name) {
            let sentence = format!(
                "`{other}` and `{name}` have the same connector `{connector}` and would take each other's messages"
            );
            report.wrong_key(&[section, name], sentence, "give each a transport_name of its own");
        }
    }
    seen
}

/// The connectors that dispatchers consume on the transports' side, and those on the apps' side.
fn dispatchers<'a>(config: &'a SystemConfig, report: &mut Report<'_>) -> (Owners<'a>, Owners<'a>) {
    let (mut consumed, mut exposed) = (Owners::new(), Owners::new());
    for (dispatcher, item) in &config.dispatchers {
        let sides = [
            ("transport_names", &item.shared.transport_names, &mut consumed),
            ("exposed_names", &item.shared.exposed_names, &mut exposed),
        ];
        for (key, names, seen) in sides {
            for (index, name) in names.iter().enumerate() {
                let Some(other) = seen.insert(name, dispatcher) else { continue };
                let sentence = if other == dispatcher {
                    format!("`{name}` stands twice in {key}")
                } else {
                    let clash = "the two would take each other's messages";
                    format!("`{name}` is also in {key} of the dispatcher `{other}`: {clash}")
                };
                report.wrong(&["dispatchers", dispatcher, key, &format!("[{index}]")], sentence, "name it once");
            }
        }
    }
    (consumed, exposed)
}
