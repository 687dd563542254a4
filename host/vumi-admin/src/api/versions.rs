//! The components of deployed apps: sent in as new versions, fetched, removed.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ApiState, checks, params};
use crate::caller::Caller;
use crate::control::ControlError;
use crate::deployments::Upload;
use crate::etag;
use crate::extract::{ApiPath, ApiQuery};
use crate::model::Uploaded;
use crate::problem::Problem;
use crate::transfer;

const WASM: &str = "application/wasm";
const BYTES: &str = "application/octet-stream";
const SCRIPT: &str = "text/javascript";

/// What goes with a component.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParams {
    /// Whether the version is to answer messages at once; it is only kept unless this is true.
    activate: Option<bool>,
    /// What to say about the version, at most 1024 bytes.
    note: Option<String>,
    /// Where it came from, at most 1024 bytes; `upload` unless given.
    source: Option<String>,
    /// Settings to go with it, in the same step: the JSON text of an object, at most 16 KiB. Those that are there
    /// stay unless given.
    settings: Option<String>,
}

/// Upload a component or a script as a new version
///
/// A script is JavaScript text: a module of the JavaScript SDK when its first line is `// vumi-app: module`, otherwise an
/// app for Vumi's sandbox. The app is made when it is not there. The component is checked and compiled before it is kept; a component that
/// the app has already is not kept twice. At most 64 MiB, 2 uploads at a time; something must come every 30 seconds.
#[utoipa::path(
    post, path = "/deployments/{app}/versions", tag = "deployments", operation_id = "upload_version",
    params(("app" = String, Path, description = "The app's name"), UploadParams),
    request_body(
        description = "The component or script",
        content(("application/wasm"), ("text/javascript"), ("application/octet-stream")),
    ),
    responses(
        (status = 201, body = Uploaded, description = "A new version"),
        (status = 200, body = Uploaded, description = "The app had this component already"),
        (status = 400, body = Problem, description = "No component that this host can run, or wrong parameters"),
        (status = 408, body = Problem, description = "The body came too slowly"),
        (status = 409, body = Problem),
        (status = 413, body = Problem, description = "Larger than 64 MiB"),
        (status = 415, body = Problem, description = "None of application/wasm, text/javascript and application/octet-stream"),
        (status = 503, body = Problem, description = "2 components are being uploaded; `Retry-After` says when to try again",
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
)]
pub(crate) async fn upload(
    State(state): State<ApiState>,
    ApiPath(app): ApiPath<String>,
    ApiQuery(params): ApiQuery<UploadParams>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Uploaded>), Problem> {
    // Everything that can be wrong without the body is said before it is read.
    checks::app(&app)?;
    check_type(&headers)?;
    let note = checks::readable("note", params::text("note", params.note)?)?;
    let source = checks::readable("source", params::text("source", params.source)?)?;
    let settings = params.settings.as_deref().filter(|text| !text.is_empty()).map(checks::settings_text).transpose()?;
    let _permit = state.transfers.incoming()?;
    let component = transfer::receive(body, announced(&headers), &transfer::UPLOAD).await?;
    let upload = Upload {
        app,
        component,
        by: caller.map_or_else(|| "local".to_owned(), |Extension(caller)| caller.name.to_string()),
        note,
        source: source.unwrap_or_else(|| "upload".to_owned()),
        activate: params.activate.unwrap_or(false),
        settings,
    };
    let uploaded = state.control.deployments().upload(upload).await?;
    let status = if uploaded.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(uploaded)))
}

/// The component of a version
#[utoipa::path(
    get, path = "/deployments/{app}/versions/{number}/component", tag = "deployments", operation_id = "component",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("number" = u32, Path, description = "The version"),
    ),
    responses(
        (status = 200, content_type = "application/wasm", description = "The component's bytes, or a script's text as text/javascript; `ETag` is their SHA-256"),
        (status = 304, description = "The caller has it, as it says in `If-None-Match`"),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem, description = "4 components are being fetched"),
    ),
)]
pub(crate) async fn component(
    State(state): State<ApiState>,
    ApiPath((app, number)): ApiPath<(String, u32)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    checks::app(&app)?;
    let deployments = state.control.deployments();
    let known = deployments.one(&app).await?;
    let version = known.versions.iter().find(|version| version.number == number);
    let version = version.ok_or_else(|| ControlError::NotFound(format!("the app {app:?} has no version {number}")))?;
    let tag = format!("\"{}\"", version.hash);
    let mut response = if etag::is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let permit = state.transfers.outgoing()?;
        let component = deployments.component(&app, number).await?;
        let length = component.len();
        let (kind, ending) = if component.starts_with(b"\0asm") { (WASM, "wasm") } else { (SCRIPT, "js") };
        let mut response = transfer::send(component, permit).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        insert(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{app}-{number}.{ending}\""));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    insert(headers, header::ETAG, &tag);
    Ok(response)
}

/// Remove a version that is not in use
#[utoipa::path(
    delete, path = "/deployments/{app}/versions/{number}", tag = "deployments", operation_id = "remove_version",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("number" = u32, Path, description = "The version"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It answers, is the canary or runs in the shadow"),
    ),
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    ApiPath((app, number)): ApiPath<(String, u32)>,
) -> Result<StatusCode, Problem> {
    checks::app(&app)?;
    state.control.deployments().remove_version(&app, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if [WASM, SCRIPT, BYTES].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail =
        format!("the content type is {given:?}; send a component as {WASM}, a script as {SCRIPT}, either as {BYTES}");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// How large the body is going to be, where the caller says so.
fn announced(headers: &HeaderMap) -> Option<usize> {
    let length: u64 = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

/// Sets a header whose value was put together; names and hashes of ours always fit into one.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
