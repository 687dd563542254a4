//! Networks that speak HTTP, a file each: how their requests become messages, and messages their requests.
//!
//! Each file follows one specification (transport specifications, the file of the same name) and stands on
//! [`crate::http`]. Adding one is its file, a line here and one in [`crate::registry`].

pub mod airtel;
pub mod http_api;
pub mod old_simple_http;
pub mod old_template_http;
