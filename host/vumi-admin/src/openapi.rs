//! The frame of the OpenAPI document; the routes themselves are described where they are written.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::model::SystemEvent;
use crate::problem::Problem;

/// Title, tags and security of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "vumi-host admin API",
        description = "What runs, what passes, what failed; and phones to try an application with.\n\n\
            Times are microseconds since 1970-01-01T00:00:00Z. Errors are `application/problem+json` (RFC 9457)."
    ),
    components(schemas(SystemEvent, Problem)),
    modifiers(&Token),
    security((), ("token" = [])),
    tags(
        (name = "system", description = "The host and its workers"),
        (name = "apps", description = "Applications: their runs, logs and values"),
        (name = "deployments", description = "Apps that were deployed to the running host, and their versions"),
        (name = "recordings", description = "Recorded runs"),
        (name = "queues", description = "Queues and dead letters"),
        (name = "messages", description = "What passed through the host"),
        (name = "simulator", description = "Phones to try an application with"),
        (name = "probes", description = "For machines"),
    )
)]
pub(crate) struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}
