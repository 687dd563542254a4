//! Small closed sets of names, such as the session events.
//!
//! On the wire each is a word; in the program it is an enum. The macro writes the two directions once, and one
//! error type says which words would have been right.

/// A word that is not in a closed set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not a {what}: it must be one of {known}")]
pub struct UnknownName {
    /// What the word should have been, e.g. `session event`.
    pub what: &'static str,
    /// The word found; cut when it is long.
    pub given: String,
    /// The words allowed, separated by commas.
    pub known: String,
}

/// Declares an enum with `as_str`, `ALL`, `Display` and `FromStr` from its words on the wire.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$vmeta:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// All values, in the order of the specification.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $name::ALL.iter().copied().find(|name| name.as_str() == text).ok_or_else(|| $crate::UnknownName {
                    what: $what,
                    given: $crate::fields::shorten(text),
                    known: [$($text),+].join(", "),
                })
            }
        }
    };
}
pub(crate) use names;

#[cfg(test)]
mod tests {
    use crate::SessionEvent;

    #[test]
    fn words_and_values_fit_each_other() {
        for event in SessionEvent::ALL {
            assert_eq!(event.as_str().parse(), Ok(*event));
            assert_eq!(event.to_string(), event.as_str());
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        let error = "paused".parse::<SessionEvent>().unwrap_err();
        assert_eq!(error.to_string(), "'paused' is not a session event: it must be one of new, resume, close");
        assert!("New".parse::<SessionEvent>().is_err());
    }
}
