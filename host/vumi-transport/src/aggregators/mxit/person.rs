//! What the headers of a request say about the one who asks.

use serde_json::Value;
use vumi_message::Payload;

use super::unescape::unescape;
use crate::http::{Refusal, Request};

const TEXTS: [&str; 4] = ["X-Device-User-Agent", "X-Mxit-Contact", "X-Mxit-USERID-R", "X-Mxit-Nick"];

/// The parts of `X-Mxit-Location`.
const LOCATION: [&str; 9] = [
    "country_code",
    "country_name",
    "subdivision_code",
    "subdivision_name",
    "city_code",
    "city",
    "network_operator_id",
    "client_features_bitset",
    "cell_id",
];

/// The parts of `X-Mxit-Profile`.
const PROFILE: [&str; 5] = ["language_code", "country_code", "date_of_birth", "gender", "tariff_plan"];

/// A header's value, if it is there.
///
/// # Errors
/// 400 when it is there twice, or no UTF-8.
pub(super) fn header(request: &Request, name: &str) -> Result<Option<String>, Refusal> {
    let mut values = request.headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::bad(format!("The header {name} is there more than once")));
    }
    let text = std::str::from_utf8(value.as_bytes());
    text.map(|text| Some(text.to_owned())).map_err(|_| Refusal::bad(format!("The header {name} is not UTF-8")))
}

/// Everything that MXit tells, by header.
///
/// # Errors
/// As [`header`].
pub(super) fn info(request: &Request) -> Result<Payload, Refusal> {
    let mut info = Payload::new();
    let mut put = |name: &str, read: &dyn Fn(String) -> Value| -> Result<(), Refusal> {
        if let Some(text) = header(request, name)? {
            info.insert(name.to_owned(), read(text));
        }
        Ok(())
    };
    for name in TEXTS {
        put(name, &Value::String)?;
    }
    put("X-Mxit-Location", &|text| parts(&text, &LOCATION))?;
    put("X-Mxit-Profile", &|text| parts(&text, &PROFILE))?;
    put("X-Mxit-User-Input", &|text| unescape(&text).into())?;
    Ok(info)
}

/// Parts between commas with their names; of more parts or names than there are of the other, the rest is dropped.
fn parts(text: &str, names: &[&str]) -> Value {
    names.iter().zip(text.split(',')).map(|(name, part)| ((*name).to_owned(), Value::from(part))).collect()
}
