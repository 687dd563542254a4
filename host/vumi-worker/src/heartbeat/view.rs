//! What the monitor shows: as JSON for programs, as plain tables for a browser (specification: metrics, section 8).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};
use vumi_message::Timestamp;

use super::components::Component;
use super::roster::Issue;

/// Columns for the extra fields of components; what has no column stands together in one more.
const MAX_COLUMNS: usize = 40;

/// `{"systems": […], "components": […], "issues": […]}`; `issues` are by worker id.
pub(super) fn json(systems: &[Value], components: &[Component<'_>], issues: &BTreeMap<String, Issue>) -> Value {
    let components: Vec<Value> = components
        .iter()
        .map(|component| {
            json!({
                "name": component.name, "uuid": component.uuid, "age_s": component.age_s, "state": component.state,
                "fields": component.fields,
            })
        })
        .collect();
    let issues: Vec<Value> = issues
        .iter()
        .map(|(worker_id, issue)| {
            json!({
                "worker_id": worker_id, "issue_type": issue.issue_type, "start_time": issue.start_time,
                "procs_count": issue.procs_count,
            })
        })
        .collect();
    json!({"systems": systems, "components": components, "issues": issues})
}

/// The same as a page.
pub(super) fn html(systems: &[Value], components: &[Component<'_>], issues: &BTreeMap<String, Issue>) -> String {
    let mut page = Page(String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Status</title>\
         <style>body{font-family:sans-serif}table{border-collapse:collapse}td,th{border:1px solid;padding:.2em .5em;\
         text-align:left}</style></head><body>\n",
    ));
    for system in systems {
        page.system(system, issues);
    }
    page.components(components);
    page.0.push_str("</body></html>\n");
    page.0
}

/// Text as HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// HTML in the making; everything that goes in through its methods is escaped.
struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "<h2>{}</h2>", escape(text));
    }

    fn row(&mut self, tag: &str, cells: impl IntoIterator<Item = String>) {
        self.0.push_str("<tr>");
        for cell in cells {
            let _ = write!(self.0, "<{tag}>{}</{tag}>", escape(&cell));
        }
        self.0.push_str("</tr>\n");
    }

    fn table(&mut self, columns: Vec<String>, rows: Vec<Vec<String>>) {
        self.0.push_str("<table>\n");
        self.row("th", columns);
        for row in rows {
            self.row("td", row);
        }
        self.0.push_str("</table>\n");
    }

    fn system(&mut self, system: &Value, issues: &BTreeMap<String, Issue>) {
        let text = |value: &Value, key: &str| value.get(key).map(plain).unwrap_or_default();
        let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        self.heading(&format!("System {}", text(system, "id")));
        let columns = ["worker", "processes needed", "hosts", "issue"].map(str::to_owned).to_vec();
        let rows = list(system, "workers").into_iter().map(|worker| {
            let hosts: Vec<String> = list(&worker, "hosts")
                .iter()
                .map(|host| format!("{} ({})", text(host, "host"), text(host, "proc_count")))
                .collect();
            let issue = issues.get(&text(&worker, "id")).map(|issue| {
                let since = Timestamp::from_micros((issue.start_time * 1e6) as i64).iso_seconds();
                format!("{}: {} since {since}", issue.issue_type, issue.procs_count)
            });
            vec![text(&worker, "name"), text(&worker, "min_procs"), hosts.join(", "), issue.unwrap_or_default()]
        });
        self.table(columns, rows.collect());
    }

    fn components(&mut self, components: &[Component<'_>]) {
        self.heading("Components");
        let keys: BTreeSet<&str> =
            components.iter().flat_map(|component| component.fields.keys().map(String::as_str)).collect();
        let shown: Vec<&str> = keys.iter().take(MAX_COLUMNS).copied().collect();
        let rest = keys.len() > shown.len();
        let mut columns: Vec<String> =
            ["name", "uuid", "age_s", "state"].into_iter().chain(shown.iter().copied()).map(str::to_owned).collect();
        if rest {
            columns.push("…".to_owned());
        }
        let rows = components.iter().map(|component| {
            let mut row = vec![
                component.name.to_owned(),
                component.uuid.to_owned(),
                component.age_s.to_string(),
                component.state.to_owned(),
            ];
            row.extend(shown.iter().map(|key| component.fields.get(*key).map(plain).unwrap_or_default()));
            if rest {
                let more = component.fields.iter().filter(|(key, _)| !shown.contains(&key.as_str()));
                row.push(more.map(|(key, value)| format!("{key}: {}", plain(value))).collect::<Vec<_>>().join("; "));
            }
            row
        });
        self.table(columns, rows.collect());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn columns_are_bounded_and_nothing_is_left_out() {
        let fields: Map<String, Value> = (0..50).map(|n| (format!("key{n:02}"), json!(format!("<v{n:02}>")))).collect();
        let component = Component { name: "n", uuid: "u", age_s: 1, state: "ok", fields: &fields };
        let page = html(&[], &[component], &BTreeMap::new());
        assert_eq!(page.matches("<th>").count(), 4 + MAX_COLUMNS + 1);
        assert!(!page.contains("<v"));
        assert!((0..50).all(|n| page.contains(&format!("&lt;v{n:02}&gt;"))));
    }

    #[test]
    fn a_system_is_a_table() {
        let system = json!({"id": "s", "workers": [
            {"id": "s:w", "name": "w", "min_procs": 2, "hosts": [{"host": "h&", "proc_count": 1}]}]});
        let issue = Issue { issue_type: "min-procs-fail".into(), start_time: 5.0, procs_count: 1 };
        let page = html(&[system], &[], &BTreeMap::from([("s:w".to_owned(), issue)]));
        assert!(page.contains("<h2>System s</h2>"));
        assert!(
            page.contains(
                "<td>w</td><td>2</td><td>h&amp; (1)</td><td>min-procs-fail: 1 since 1970-01-01T00:00:05</td>"
            ),
            "{page}"
        );
    }
}
