//! The pages: plain HTML, CSS and JavaScript modules, embedded in the program and served as they are.

use std::fmt::Write;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::etag;
use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// `GET /`: the simulator.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

/// `GET /assets/{path}`: everything that the page loads.
pub(crate) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(&path, &headers)
}

fn serve(path: &str, headers: &HeaderMap) -> Response {
    let (Some(file), Some(content_type)) = (Files::get(path), content_type(path)) else {
        return Problem::new(StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    let tag = tag(&file.metadata.sha256_hash());
    // Always asked for again, almost never sent again: a new version of the host shows at once.
    let mut response = if etag::is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type)], file.data).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The kinds of files that we have; anything else is not served.
fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

fn tag(hash: &[u8; 32]) -> String {
    let mut tag = String::from('"');
    for byte in hash.iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}
