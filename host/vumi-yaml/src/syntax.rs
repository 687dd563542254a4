//! What the parser complains about, in plain words and with the usual way to mend it.

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use super::fault::Fault;
use super::node::Mark;

/// Turns a parser's error into ours. `file` is the file's number, `line` the source line on which the parser stopped.
pub(crate) fn fault(error: &ScanError, file: u16, line: &str) -> Fault {
    let mark = Mark { file, line: error.marker().line().max(1), column: error.marker().col() + 1 };
    match words(error.kind(), line) {
        Some((what, help)) => Fault::says(what).at(mark).help(help),
        None => Fault::says(format!("this is no valid YAML: {}", error.info())).at(mark),
    }
}

fn words(kind: &ErrorKind, line: &str) -> Option<(String, &'static str)> {
    use ErrorKind as K;
    let in_braces = line.find("${").is_some_and(|at| line.get(..at).is_some_and(|before| before.contains(['{', '['])));
    let (what, help) = match kind {
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabAtBlockScalarStart => {
            ("a tab stands where YAML wants spaces", "indent with spaces")
        }
        _ if in_braces => ("`${` cannot stand without quotes inside `{ }` or `[ ]`", "write it in quotes: \"${NAME}\""),
        K::UnclosedQuotedScalar | K::InvalidQuotedScalarIndent | K::DocumentIndicatorInQuotedScalar => {
            ("a quote is opened and not closed before this place", "close the quote")
        }
        K::UnclosedFlowCollection { .. }
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofImplicitFlowMapping => ("a bracket is opened and never closed", "close it with `}` or `]`"),
        K::ExpectedFlowMappingSeparator => {
            ("this map in braces goes on without a `,` or its `}`", "put `,` between two keys and `}` at the end")
        }
        K::ExpectedFlowSequenceSeparator => {
            ("this list in brackets goes on without a `,` or its `]`", "put `,` between two items and `]` at the end")
        }
        K::MisplacedFlowCollectionEnd => ("this closing bracket fits no opening one", "remove it"),
        K::MismatchedFlowCollectionEnd { open, close } => {
            return Some((format!("this `{open}` is closed with `{close}`"), "close `{` with `}` and `[` with `]`"));
        }
        K::MappingValueNotAllowed | K::InvalidColonPlacement => (
            "a `:` stands where no key can be",
            "put a text that holds `: ` in quotes, a space behind each key's `:`, and mind the indentation",
        ),
        K::SimpleKeyExpected | K::InvalidSimpleKey => {
            ("this line is no `key: value`", "write `key: value`, with a space after the `:`")
        }
        K::ExpectedBlockMappingKey
        | K::InvalidIndentation
        | K::MappingKeyNotAllowed
        | K::ExpectedBlockSequenceEntry => {
            ("this line does not fit the lines above it", "give all keys of one map the same indentation")
        }
        K::UnknownAnchor => ("this `*alias` names an anchor that is not defined above it", "define it as `&name`"),
        K::RecursionLimitExceeded => ("the maps and lists are nested too deeply", "use fewer levels"),
        _ => return None,
    };
    Some((what.to_owned(), help))
}
