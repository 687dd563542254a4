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
            Times are microseconds since 1970-01-01T00:00:00Z. Errors are `application/problem+json` (RFC 9457).\n\n\
            Each operation names the scope that it needs; `read` is part of `deploy`, and `deploy` of `admin`. \
            Without a token the answer is 401, with one that may do too little 403, and 429 with `Retry-After` after \
            too many wrong ones. A host that listens on its own machine only and has no `admin.token` asks for none."
    ),
    components(schemas(SystemEvent, Problem)),
    modifiers(&Token),
    tags(
        (name = "system", description = "The host and its workers"),
        (name = "apps", description = "Applications: their runs, logs and values"),
        (name = "deployments", description = "Apps that were deployed to the running host, and their versions"),
        (name = "recordings", description = "Recorded runs"),
        (name = "queues", description = "Queues and dead letters"),
        (name = "messages", description = "What passed through the host"),
        (name = "simulator", description = "Phones to try an application with"),
        (name = "access", description = "Tokens, and the log of what was changed"),
        (name = "probes", description = "For machines"),
    )
)]
pub(crate) struct Document;

/// What the document calls the way in which callers show who they are.
pub(crate) const SECURITY_SCHEME: &str = "token";

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let description = "The token set as `admin.token`, or one made with `POST /api/v1/tokens`, which looks like \
            `vh_<id>_<secret>`: sent as `Authorization: Bearer …`.";
        let http = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        components.add_security_scheme(SECURITY_SCHEME, SecurityScheme::Http(http));
    }
}
