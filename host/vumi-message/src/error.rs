//! What can be wrong with a message.
//!
//! Every error is one sentence for the person who has to mend the message or the program that made it: which
//! field, what is wrong with it, what would be right. Workers that read from a broker put such a message aside
//! together with this sentence and go on.

use crate::Kind;

/// Why a payload is not a valid message, or why a message may not be changed like this
/// (messages.md §2 to §7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The bytes are not JSON text in UTF-8, or are nested deeper than [`crate::json::MAX_DEPTH`].
    #[error("the message is not JSON: {reason}")]
    NotJson {
        /// What is wrong and where, e.g. `a value is expected at line 1 column 2`.
        reason: String,
    },
    /// The JSON is fine but is not an object, e.g. a list.
    #[error("the message is JSON but not an object: it must start with '{{'")]
    NotAnObject,
    /// A field that this kind of message must have is absent.
    #[error("the field '{field}' is missing")]
    MissingField {
        /// Name of the absent field.
        field: &'static str,
    },
    /// A field is there but its value is not allowed.
    #[error("the field '{field}' is invalid: {reason}")]
    InvalidField {
        /// Name of the field.
        field: &'static str,
        /// What is wrong with the value and what would be right.
        reason: String,
    },
    /// Lists and objects inside the message are nested deeper than readers accept.
    #[error("the message is nested too deeply: at most {limit} lists and objects may lie in one another")]
    TooDeep {
        /// How deep it may be.
        limit: usize,
    },
    /// The extra fields of a reply or send name a field that follows from the original message.
    #[error("the field '{field}' may not be overridden here: its value follows from the message and the call")]
    NotOverridable {
        /// Name of the field.
        field: &'static str,
    },
    /// A valid `message_type`, but not the one that was asked for.
    #[error("the message is of type '{found}' where '{expected}' is expected")]
    WrongKind {
        /// The kind that was asked for.
        expected: Kind,
        /// The message's own `message_type`.
        found: Kind,
    },
}
