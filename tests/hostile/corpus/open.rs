//! What is still open: cases that state the right outcome, which the host does not yet give.

/// Name of the case, and what is wrong. Each must go on failing: a case that no longer does is to be taken from here.
pub const KNOWN_OPEN: &[(&str, &str)] = &[
    ("log-forged-line", "the host's own log as text prints line breaks of a guest as they are."),
    ("log-function-names", "the reason of a run shows the names of functions with their control characters."),
    ("log-function-name-long", "the reason of a run has no bound when it shows names of functions."),
    ("shape-nested-types-deeper", "the engine's validator recurses, and the stack of the thread that compiles ends."),
    (
        "shape-crossed-handler",
        "the types of the handlers are checked when the first message comes, not when it is loaded.",
    ),
    ("shape-long-import", "the sentence has the whole name."),
    ("shape-escapes-in-import", "the sentence has the name as it is."),
    ("shape-escapes-in-module", "the sentence has the name as it is."),
    ("shape-long-name-in-module", "the sentence has the whole name."),
    ("cache-code", "the cache trusts who owns a file; it does not notice when machine code in it has changed."),
];

/// What is wrong with a case, if that is known.
pub fn known(name: &str) -> Option<&'static str> {
    KNOWN_OPEN.iter().find(|(known, _)| *known == name).map(|(_, problem)| *problem)
}
