//! Which endpoints an application may send to (specification: applications, section 5).

use vumi_core::{Error, Result};
use vumi_message::DEFAULT_ENDPOINT;

/// The endpoints for messages that are no replies. (A reply goes where its original came from.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// Any.
    Any,
    /// These only.
    Only(Vec<String>),
}

impl Default for Endpoints {
    /// `default` only.
    fn default() -> Self {
        Self::Only(vec![DEFAULT_ENDPOINT.to_owned()])
    }
}

impl Endpoints {
    /// The endpoint that is meant (none means `default`), if it is allowed.
    ///
    /// # Errors
    /// `Endpoint 'x' not defined in list of allowed endpoints ['default']`.
    pub fn check<'a>(&self, endpoint: Option<&'a str>) -> Result<&'a str> {
        let endpoint = endpoint.unwrap_or(DEFAULT_ENDPOINT);
        match self {
            Self::Only(allowed) if !allowed.iter().any(|one| one == endpoint) => {
                let allowed: Vec<String> = allowed.iter().map(|one| format!("'{one}'")).collect();
                Err(Error::permanent(format!(
                    "Endpoint '{endpoint}' not defined in list of allowed endpoints [{}]",
                    allowed.join(", ")
                )))
            }
            _ => Ok(endpoint),
        }
    }
}
