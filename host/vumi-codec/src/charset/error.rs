//! What can go wrong between text and bytes, and what to do about it.
//!
//! Text that does not fit a character set, or bytes that mean nothing in it, are everyday input for a transport.
//! The caller chooses with an [`ErrorMode`] whether such a *fault* fails the whole text, is dropped, or is
//! replaced by a substitute character.

/// Why a text could not be encoded, or bytes not decoded, or why no such encoding exists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// No encoding has this name.
    #[error(
        "unknown encoding \"{name}\": use one of {}",
        crate::charset::Encoding::NAMES.join(", ")
    )]
    UnknownEncoding {
        /// The name as it was given.
        name: String,
    },

    /// A character that the character set does not have (mode `strict`).
    #[error(
        "{codec} cannot encode the character {character:?} (U+{:04X}) at position {position}: change the text, \
         choose another encoding, or set errors to ignore or replace",
        u32::from(*.character)
    )]
    Unencodable {
        /// Name of the encoding.
        codec: &'static str,
        /// The character that has no code.
        character: char,
        /// Its place in the text, in characters, counted from 0.
        position: usize,
    },

    /// Bytes that mean nothing in the character set (mode `strict`).
    #[error(
        "{codec} cannot decode the input at position {position}: {reason}; choose another encoding, or set errors \
         to ignore or replace"
    )]
    Undecodable {
        /// Name of the encoding.
        codec: &'static str,
        /// Where the faulty sequence starts, counted from 0: in bytes, or in septets for `gsm0338_packed`.
        position: usize,
        /// What is wrong there, without a full stop.
        reason: &'static str,
    },

    /// A fault was met and the errors type is none of the three that exist. Clean input never gives this error.
    #[error("Invalid errors type {name} for the {codec} codec: use strict, ignore or replace")]
    InvalidErrorsType {
        /// Name of the encoding that met the fault.
        codec: &'static str,
        /// The errors type as it was given.
        name: String,
    },

    /// More fill bits than can stand between a header and the first septet.
    #[error("{fill_bits} fill bits before the first septet: use 0 to 6")]
    FillBits {
        /// The number as it was given.
        fill_bits: u8,
    },
}

/// What to do with a fault in the input (`errors` in the specification of the codecs, §1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ErrorMode {
    /// Fail, naming the codec and the position.
    #[default]
    Strict,
    /// Leave the fault out.
    Ignore,
    /// Put a substitute in its place: `?` when encoding and for GSM 03.38 both ways, U+FFFD when decoding
    /// anything else.
    Replace,
    /// A word that is none of the three. It is kept, because Vumi complained about it only when a fault
    /// occurred; a configuration that names it keeps working on clean input.
    Invalid(String),
}

/// How to go on after a fault that is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Add nothing to the output.
    Drop,
    /// Add the substitute.
    Substitute,
}

impl ErrorMode {
    /// The mode called `strict`, `ignore` or `replace`; any other word gives [`ErrorMode::Invalid`], which fails
    /// only when it is needed.
    pub fn from_name(name: &str) -> Self {
        match name {
            "strict" => Self::Strict,
            "ignore" => Self::Ignore,
            "replace" => Self::Replace,
            other => Self::Invalid(other.to_owned()),
        }
    }

    /// Decides about a character that `codec` does not have; `position` counts characters.
    pub(crate) fn unencodable(
        &self,
        codec: &'static str,
        character: char,
        position: usize,
    ) -> Result<Recovery, CodecError> {
        self.recover(codec, CodecError::Unencodable { codec, character, position })
    }

    /// Decides about input that means nothing in `codec`.
    pub(crate) fn undecodable(
        &self,
        codec: &'static str,
        position: usize,
        reason: &'static str,
    ) -> Result<Recovery, CodecError> {
        self.recover(codec, CodecError::Undecodable { codec, position, reason })
    }

    fn recover(&self, codec: &'static str, fault: CodecError) -> Result<Recovery, CodecError> {
        match self {
            Self::Strict => Err(fault),
            Self::Ignore => Ok(Recovery::Drop),
            Self::Replace => Ok(Recovery::Substitute),
            Self::Invalid(name) => Err(CodecError::InvalidErrorsType { codec, name: name.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_found_by_its_exact_name() {
        assert_eq!(ErrorMode::from_name("strict"), ErrorMode::Strict);
        assert_eq!(ErrorMode::from_name("ignore"), ErrorMode::Ignore);
        assert_eq!(ErrorMode::from_name("replace"), ErrorMode::Replace);
        assert_eq!(ErrorMode::from_name("Strict"), ErrorMode::Invalid("Strict".to_owned()));
    }

    #[test]
    fn an_error_names_codec_position_and_cure() {
        let error = ErrorMode::Strict.unencodable("gsm0338", 'ï', 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "gsm0338 cannot encode the character 'ï' (U+00EF) at position 2: change the text, choose another \
             encoding, or set errors to ignore or replace"
        );
        let error = ErrorMode::from_name("xml").undecodable("ascii", 0, "the byte is above 0x7F").unwrap_err();
        assert_eq!(error.to_string(), "Invalid errors type xml for the ascii codec: use strict, ignore or replace");
    }
}
