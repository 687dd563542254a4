//! What goes wrong with a registry, in one sentence each.

use oci_client::errors::{DigestError, OciDistributionError as Fault, OciErrorCode};
use vumi_core::Error;

use super::place::Place;
use crate::remote::table::one_line;

/// The sentence for a failure of the client.
pub(super) fn explain(place: &Place, fault: Fault) -> Error {
    let registry = place.registry();
    match fault {
        Fault::RequestError(error) => match error.status() {
            Some(status) => answered(place, status.as_u16()),
            None => Error::temporary(format!("the registry {registry} cannot be reached")).because(error.without_url()),
        },
        Fault::UnauthorizedError { .. } | Fault::AuthenticationFailure(_) => refused(place),
        Fault::RegistryError { envelope, .. } => {
            let code = envelope.errors.first().map(|error| &error.code);
            match code {
                Some(OciErrorCode::ManifestUnknown | OciErrorCode::NotFound | OciErrorCode::NameUnknown) => {
                    missing(place)
                }
                Some(OciErrorCode::Unauthorized | OciErrorCode::Denied) => refused(place),
                _ => {
                    let said = envelope.errors.first().map_or_else(String::new, |error| one_line(&error.message));
                    Error::permanent(format!("{place}: the registry refuses: {said}"))
                }
            }
        }
        Fault::ImageManifestNotFoundError(_) => missing(place),
        Fault::ServerError { code, .. } => answered(place, code),
        Fault::DigestError(error) => false_digest(place).because(error),
        Fault::IoError(error) => broken(place, error),
        other => Error::permanent(format!("{place}: the registry answers differently from what the standard says"))
            .because(other),
    }
}

/// The sentence for a download that breaks off.
pub(super) fn broken(place: &Place, error: std::io::Error) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<DigestError>()) {
        return false_digest(place).because(error);
    }
    Error::temporary(format!("{place}: the download broke off")).because(error)
}

/// An answer of which only the status is known.
fn answered(place: &Place, status: u16) -> Error {
    match status {
        401 | 403 => refused(place),
        404 => missing(place),
        429 | 500.. => Error::temporary(format!("{place}: the registry is busy or broken (status {status})")),
        _ => Error::permanent(format!("{place}: the registry refuses (status {status})")),
    }
}

fn refused(place: &Place) -> Error {
    let registry = place.registry();
    Error::permanent(format!(
        "{place}: the registry does not let you: set VUMI_REGISTRY_USER and VUMI_REGISTRY_PASSWORD, or run `docker login {registry}` (without a credential helper)"
    ))
}

fn missing(place: &Place) -> Error {
    Error::permanent(format!("{place}: the registry has nothing of this name"))
}

fn false_digest(place: &Place) -> Error {
    Error::permanent(format!("{place}: what the registry sent is not what its digest says, so it was thrown away"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_client::errors::{OciEnvelope, OciError};

    #[test]
    fn each_fault_is_one_sentence_about_the_place() {
        let place = Place::parse("oci://reg.example/shop:1").unwrap();
        let said = |code, message: &str| {
            let error = OciError { code, message: message.into(), detail: serde_json::Value::Null };
            Fault::RegistryError { envelope: OciEnvelope { errors: vec![error] }, url: "https://reg.example/v2".into() }
        };
        let server = |code| Fault::ServerError { code, url: String::new(), message: "<html>".into() };
        let other = OciErrorCode::Other("LOCKED".into());
        for (fault, part) in [
            (said(OciErrorCode::ManifestUnknown, "x"), "has nothing of this name"),
            (said(OciErrorCode::Denied, "x"), "docker login reg.example"),
            (said(other, "is \u{1b}[31mlocked\n"), "the registry refuses: is  [31mlocked "),
            (server(404), "has nothing of this name"),
            (server(403), "docker login reg.example"),
            (server(502), "is busy or broken (status 502)"),
            (server(418), "refuses (status 418)"),
            (Fault::AuthenticationFailure("no".into()), "docker login reg.example"),
            (Fault::RegistryNoLocationError, "differently from what the standard says"),
        ] {
            let text = explain(&place, fault).to_string();
            assert!(text.contains(part) && text.starts_with("oci://reg.example/shop:1: "), "{text}");
        }
    }
}
