//! What is still open: cases that state the right outcome, which the host does not yet give.

/// Name of the case, and what is wrong. Each must go on failing: a case that no longer does is to be taken from here.
pub const KNOWN_OPEN: &[(&str, &str)] = &[];

/// What is wrong with a case, if that is known.
pub fn known(name: &str) -> Option<&'static str> {
    KNOWN_OPEN.iter().find(|(known, _)| *known == name).map(|(_, problem)| *problem)
}
