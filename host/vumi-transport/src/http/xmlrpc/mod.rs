//! XML-RPC, both as the one who calls and as the one who is called.
//!
//! The format is that of xmlrpc.com; where real programs differ, what Python's xmlrpclib and Twisted accept is accepted
//! and what they write is written, line for line. A value without a type is a string, and white space in strings is
//! kept. The two fault codes are Twisted's: 8001 for a procedure that is not there, 8002 for everything else.

mod read;
#[cfg(test)]
mod tests;
mod value;
mod write;

use thiserror::Error;

use super::reply::{Refusal, Reply};
use super::xml::XmlError;

pub use read::{read_call, read_response};
pub use value::Value;
pub use write::{CONTENT_TYPE, write_call, write_fault, write_response};

/// A call: what to do, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The procedure's name, for example `handleUSSD`.
    pub method: String,
    /// Its values, in order.
    pub params: Vec<Value>,
}

/// The answer to a call that failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("fault {code}: {text}")]
pub struct Fault {
    /// What kind of failure, as a number of whoever answered.
    pub code: i64,
    /// The failure in words.
    pub text: String,
}

impl Fault {
    /// Twisted's code for a procedure that is not there.
    pub const NOT_FOUND: i64 = 8001;
    /// Twisted's code for every other failure.
    pub const FAILURE: i64 = 8002;

    /// The called procedure is not there.
    #[must_use]
    pub fn unknown_procedure(name: &str) -> Self {
        Self { code: Self::NOT_FOUND, text: format!("procedure {name} not found") }
    }

    /// The call cannot be read.
    #[must_use]
    pub fn unreadable(problem: &Problem) -> Self {
        Self { code: Self::FAILURE, text: format!("Can't deserialize input: {problem}") }
    }

    /// The procedure failed, and why is nothing to the caller.
    #[must_use]
    pub fn error() -> Self {
        Self { code: Self::FAILURE, text: "error".to_owned() }
    }

    /// The fault as a refusal, with a reason for the log. XML-RPC says with 200 that a call failed.
    #[must_use]
    pub fn refusal(&self, reason: impl Into<String>) -> Refusal {
        Refusal::new(Reply::ok(self.write()), reason)
    }

    /// The fault as the body of an answer.
    #[must_use]
    pub fn write(&self) -> String {
        write_fault(self.code, &self.text)
    }
}

/// Why a document is no XML-RPC; one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// It is no XML to begin with.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is XML, but not of the right form.
    #[error("{0}")]
    Form(String),
}

impl Problem {
    fn form(text: impl Into<String>) -> Self {
        Self::Form(text.into())
    }
}

/// Why there is no value in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResponseProblem {
    /// The answer says that the call failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// What came is no answer at all.
    #[error(transparent)]
    Unreadable(#[from] Problem),
}

impl From<XmlError> for ResponseProblem {
    fn from(error: XmlError) -> Self {
        Self::Unreadable(error.into())
    }
}
