//! The web as a guest sees it: outgoing HTTP, to the places that the app's owner allowed and nowhere else.
//!
//! A guest hands over a URL that may have come from a stranger's text message, so every request is treated as hostile.
//! [`WebPolicy`] is the parsed allow-list and says which URLs and addresses are open. [`WebClient`] carries a request
//! out: it validates the headers, checks the URL, resolves the name itself and connects only to addresses that passed
//! the check, follows redirects by hand (each hop is a new check), and reads the body under limits that hold while
//! the bytes arrive. What stops a request is a [`WebError`] with one sentence that is safe to show: it names the
//! origin at most, never a path, a query or a password.
//!
//! The rules come from the Vumi HTTP resource and are stricter where that was open to abuse:
//!
//! | Subject | Rule |
//! |---|---|
//! | Places | the allow-list; an empty one reaches nothing; see [`WebPolicy::parse`] |
//! | Addresses | public ones only, unless named or within a listed range; see [`WebPolicy::check_address`] |
//! | Redirects | 301, 302, 307, 308 for GET and HEAD only; 303 becomes GET for every method; at most 20 |
//! | Cookies | live for one request including its redirects |
//! | gzip | decoded; neither the encoded nor the decoded body may pass the limit |
//! | Proxies, credentials | none are taken from the environment |
//! | Response heads | HTTP/1: 100 headers and 408 KiB; HTTP/2: 16 KiB (the defaults of hyper); not counted as body |
//!
//! Every app has a client of its own, so that a connection opened under one policy is never used under another.

mod address;
mod body;
mod client;
mod entry;
mod error;
mod headers;
mod policy;
mod redirect;
mod resolve;
#[cfg(test)]
mod tests;

pub use client::{DATA_LIMIT, Method, TIMEOUT, WebBudget, WebClient, WebRequest, WebResponse};
pub use entry::PolicyError;
pub use error::{Blocked, WebError};
pub use policy::WebPolicy;
pub use resolve::{Lookup, SystemLookup};
