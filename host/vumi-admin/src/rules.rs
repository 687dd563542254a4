//! What each route asks of its callers, and under which word the audit log has it. Both stand in one table, so that a
//! new route that changes something cannot be forgotten in either: a test holds it against the OpenAPI document.
//!
//! What is not in the table: looking needs the scope `read`, anything else `admin`.

use axum::http::Method;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;

use crate::model::Scope;
use crate::openapi::SECURITY_SCHEME;

/// How the audit log has a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The action, e.g. `secret.set`.
    pub(crate) action: &'static str,
    /// What the second variable part of the path is, e.g. `secret`; the first one is the subject.
    pub(crate) detail: Option<&'static str>,
}

/// What a request needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The least scope; `None` is open to everybody.
    pub(crate) scope: Option<Scope>,
    /// How it is recorded, if it is.
    pub(crate) recorded: Option<&'static Recorded>,
}

struct Rule {
    method: Method,
    path: &'static str,
    scope: Option<Scope>,
    recorded: Option<Recorded>,
}

const fn open(path: &'static str) -> Rule {
    Rule { method: Method::GET, path, scope: None, recorded: None }
}

const fn look(scope: Scope, path: &'static str) -> Rule {
    Rule { method: Method::GET, path, scope: Some(scope), recorded: None }
}

const fn change(scope: Scope, method: Method, path: &'static str, action: &'static str) -> Rule {
    Rule { method, path, scope: Some(scope), recorded: Some(Recorded { action, detail: None }) }
}

const fn change_of(
    scope: Scope,
    method: Method,
    path: &'static str,
    action: &'static str,
    detail: &'static str,
) -> Rule {
    Rule { method, path, scope: Some(scope), recorded: Some(Recorded { action, detail: Some(detail) }) }
}

const fn unrecorded(scope: Scope, method: Method, path: &'static str) -> Rule {
    Rule { method, path, scope: Some(scope), recorded: None }
}

/// The names in braces are for readers: a variable part is the same as any other.
static RULES: &[Rule] = &[
    open("/"),
    open("/assets/{*path}"),
    open("/health"),
    look(Scope::Admin, "/api/v1/audit"),
    look(Scope::Admin, "/api/v1/tokens"),
    change(Scope::Admin, Method::POST, "/api/v1/tokens", "token.create"),
    change(Scope::Admin, Method::DELETE, "/api/v1/tokens/{id}", "token.remove"),
    change_of(Scope::Admin, Method::POST, "/api/v1/queues/{name}/dead/{id}/requeue", "dead-letter.requeue", "letter"),
    change_of(Scope::Admin, Method::DELETE, "/api/v1/queues/{name}/dead/{id}", "dead-letter.drop", "letter"),
    // What a phone sends is a message, which is in the store like every other, and no change.
    unrecorded(Scope::Deploy, Method::POST, "/api/v1/simulator/phones/{addr}/messages"),
    // These show an app's code, and what users wrote: for whoever may replace the app.
    look(Scope::Deploy, "/api/v1/deployments/{app}/versions/{version}/component"),
    look(Scope::Deploy, "/api/v1/recordings/{id}"),
    change(Scope::Deploy, Method::POST, "/api/v1/deployments/{app}/versions", "app.upload"),
    change_of(
        Scope::Deploy,
        Method::DELETE,
        "/api/v1/deployments/{app}/versions/{version}",
        "version.remove",
        "version",
    ),
    change(Scope::Deploy, Method::POST, "/api/v1/deployments/{app}/activate", "app.activate"),
    change(Scope::Deploy, Method::POST, "/api/v1/deployments/{app}/rollback", "app.roll-back"),
    change(Scope::Deploy, Method::PUT, "/api/v1/deployments/{app}/canary", "app.canary"),
    change(Scope::Deploy, Method::DELETE, "/api/v1/deployments/{app}/canary", "app.canary"),
    change(Scope::Deploy, Method::PUT, "/api/v1/deployments/{app}/shadow", "app.shadow"),
    change(Scope::Deploy, Method::DELETE, "/api/v1/deployments/{app}/shadow", "app.shadow"),
    change(Scope::Deploy, Method::PUT, "/api/v1/deployments/{app}/settings", "app.settings"),
    change_of(Scope::Deploy, Method::PUT, "/api/v1/deployments/{app}/secrets/{name}", "secret.set", "secret"),
    change_of(Scope::Deploy, Method::DELETE, "/api/v1/deployments/{app}/secrets/{name}", "secret.remove", "secret"),
    change(Scope::Deploy, Method::DELETE, "/api/v1/deployments/{app}", "app.remove"),
];

/// What a request needs. `path` is the route that it matched, e.g. `/api/v1/tokens/{id}`; `None` where there is none,
/// which every caller is told and nobody else.
pub(crate) fn needs(method: &Method, path: Option<&str>) -> Needs {
    let Some(path) = path else { return Needs { scope: Some(Scope::Read), recorded: None } };
    match find(method, path) {
        Some(rule) => Needs { scope: rule.scope, recorded: rule.recorded.as_ref() },
        None if looks(method) => Needs { scope: Some(Scope::Read), recorded: None },
        None => Needs { scope: Some(Scope::Admin), recorded: None },
    }
}

fn looks(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn find(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if looks(method) { &Method::GET } else { method };
    RULES.iter().find(|rule| rule.method == *method && same_route(rule.path, path))
}

fn same_route(one: &str, other: &str) -> bool {
    let variable = |part: &str| part.starts_with('{');
    let same = |(a, b): (&str, &str)| a == b || (variable(a) && variable(b));
    one.split('/').count() == other.split('/').count() && one.split('/').zip(other.split('/')).all(same)
}

/// Calls `visit` with every operation of a document, its method and its path.
fn each(document: &mut OpenApi, mut visit: impl FnMut(&Method, &str, &mut Operation)) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
            (Method::PATCH, &mut item.patch),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                visit(&method, path, operation);
            }
        }
    }
}

/// Says in the document which scope each operation needs.
pub(crate) fn describe(mut document: OpenApi) -> OpenApi {
    each(&mut document, |method, path, operation| {
        if let Some(scope) = needs(method, Some(path)).scope {
            operation.security = Some(vec![SecurityRequirement::new(SECURITY_SCHEME, [scope.as_str()])]);
        }
    });
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_that_changes_something_stands_in_the_table() {
        let mut document = crate::openapi();
        let mut changes = 0;
        each(&mut document, |method, path, _| {
            if !looks(method) {
                changes += 1;
                assert!(find(method, path).is_some(), "src/rules.rs has no entry for {method} {path}");
            }
        });
        assert!(changes >= 5, "{changes}");
    }

    #[test]
    fn every_entry_is_for_a_route() {
        let document = crate::openapi();
        let routes: Vec<&String> = document.paths.paths.keys().collect();
        for rule in RULES.iter().filter(|rule| rule.path.starts_with("/api/")) {
            let collection: Vec<&str> = rule.path.split('/').take(4).collect();
            // Entries of a part of the API that is not there yet may stand ready.
            if routes.iter().any(|route| route.starts_with(&collection.join("/"))) {
                assert!(routes.iter().any(|route| same_route(rule.path, route)), "{} {}", rule.method, rule.path);
            }
        }
    }

    #[test]
    fn the_table_says_what_the_scopes_promise() {
        let scope = |method: Method, path: &str| needs(&method, Some(path)).scope;
        for open in ["/", "/health", "/assets/{*path}"] {
            assert_eq!((scope(Method::GET, open), scope(Method::HEAD, open)), (None, None), "{open}");
            assert_eq!(scope(Method::POST, open), Some(Scope::Admin), "{open}");
        }
        for read in ["/metrics", "/api/v1/system", "/api/v1/recordings", "/api/v1/deployments/{x}", "/api/v1/events"] {
            assert_eq!(scope(Method::GET, read), Some(Scope::Read), "{read}");
        }
        for deploy in ["/api/v1/deployments/{x}/versions/{y}/component", "/api/v1/recordings/{x}"] {
            assert_eq!(scope(Method::HEAD, deploy), Some(Scope::Deploy), "{deploy}");
        }
        for admin in ["/api/v1/tokens", "/api/v1/audit"] {
            assert_eq!(scope(Method::GET, admin), Some(Scope::Admin), "{admin}");
        }
        assert_eq!(scope(Method::PATCH, "/api/v1/system"), Some(Scope::Admin), "what nobody thought of");
        assert_eq!(needs(&Method::POST, None), Needs { scope: Some(Scope::Read), recorded: None });
        assert!(RULES.iter().filter(|rule| looks(&rule.method)).all(|rule| rule.recorded.is_none()));
    }
}
