//! The headers of a request, as far as the guest may set them.
//!
//! Names and values are checked by the rules of RFC 9110 (section 5), so that nothing in them can end a line and begin
//! another header or request. Headers that belong to the connection are refused: they are the host's business, and
//! with `Host` a guest could reach another site on an allowed server. `Content-Length` is ignored and written anew
//! from the body, because programs that run unchanged from elsewhere tend to set it.

use reqwest::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, RANGE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

use super::error::{WebError, shortened};

/// How many headers a request may have (hyper's default for responses).
const MAX_HEADERS: usize = 100;
/// Names and values of a request together, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Headers of the connection (RFC 9110, section 7.6.1) and old companions that have no constant.
const REFUSED: [&str; 3] = ["keep-alive", "proxy-connection", "http2-settings"];

/// Checks the guest's headers and adds `Accept-Encoding: gzip` where that can work.
///
/// # Errors
/// [`WebError::Invalid`] for a name or value that HTTP does not allow, a header that only the host sets, or too many.
pub(super) fn validate(given: &[(String, String)]) -> Result<HeaderMap, WebError> {
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if given.len() > MAX_HEADERS || bytes > MAX_BYTES {
        let limits = format!("at most {MAX_HEADERS} headers of {MAX_BYTES} bytes together are allowed");
        return Err(WebError::Invalid(format!("The request has too many headers: {limits}.")));
    }
    let mut headers = HeaderMap::with_capacity(given.len() + 2);
    for (name, value) in given {
        let shown = shortened(name);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            WebError::Invalid(format!("{shown:?} is not a header name: letters, digits and hyphens only."))
        })?;
        // The value may be a secret and is not shown.
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            WebError::Invalid(format!(
                "The value of header {shown:?} has a character that is not allowed, such as a line break."
            ))
        })?;
        if is_refused(&name) {
            return Err(WebError::Invalid(format!("The header {shown:?} is set by the host; leave it out.")));
        }
        if name != CONTENT_LENGTH {
            headers.append(name, value);
        }
    }
    // Part of a compressed body cannot be decoded.
    if !headers.contains_key(ACCEPT_ENCODING) && !headers.contains_key(RANGE) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(headers)
}

fn is_refused(name: &HeaderName) -> bool {
    [CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name) || REFUSED.contains(&name.as_str())
}

/// The headers of a response for the guest: names in lower case, values as UTF-8 where they are, else as ISO 8859-1
/// (RFC 9110, section 5.5).
pub(super) fn for_guest(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    }
}
