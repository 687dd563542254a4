//! The questions that the addressed variant asks before a session begins.

/// The first question, asked at once.
pub(super) const ASK_TO: &str = "Please provide \"to_addr\":\n";

const ASK_FROM: &str = "Please provide \"from_addr\":\n";

/// The two addresses of a conversation, as the user sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parties {
    pub(super) from: String,
    pub(super) to: String,
}

/// How far the questions have got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialog {
    /// Asked for the address to write to.
    #[default]
    AskedTo,
    /// Asked for the address to write from.
    AskedFrom {
        /// The address to write to.
        to: String,
    },
}

/// What follows from a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: the question stands.
    Wait(Dialog),
    /// The next question.
    Ask(Dialog, &'static str),
    /// The session begins, with this text.
    Begin(Parties, String),
}

impl Dialog {
    /// Takes the user's next line.
    pub(super) fn line(self, line: String) -> Step {
        if line.is_empty() {
            return Step::Wait(self);
        }
        match self {
            Self::AskedTo => Step::Ask(Self::AskedFrom { to: line }, ASK_FROM),
            Self::AskedFrom { to } => {
                let text = format!("[Sending all messages to: {to} and from: {line}]\n");
                Step::Begin(Parties { from: line, to }, text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_answers_begin_a_session_and_empty_lines_are_none() {
        let step = Dialog::default().line(String::new());
        assert_eq!(step, Step::Wait(Dialog::AskedTo));
        let Step::Ask(dialog, ASK_FROM) = Dialog::default().line("t1".into()) else { panic!() };
        let Step::Wait(dialog) = dialog.line(String::new()) else { panic!() };
        assert_eq!(
            dialog.line("/quit".into()),
            Step::Begin(
                Parties { from: "/quit".into(), to: "t1".into() },
                "[Sending all messages to: t1 and from: /quit]\n".into()
            )
        );
    }
}
