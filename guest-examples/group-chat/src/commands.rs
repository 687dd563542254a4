//! What a text means: a command begins with a slash, everything else is for the room.

/// What somebody wants.
#[derive(Debug, PartialEq)]
pub enum Command<'a> {
    /// `/join football`
    Join(&'a str),
    /// `/leave`
    Leave,
    /// `/who`: who is in this room.
    Who,
    /// `/rooms`
    Rooms,
    /// `/name Anna`: to be called otherwise.
    Name(&'a str),
    /// `/help`
    Help,
    /// Another word after the slash.
    Unknown(&'a str),
    /// Not a command.
    Say(&'a str),
}

impl<'a> Command<'a> {
    /// Reads a text.
    pub fn of(text: &'a str) -> Self {
        let text = text.trim();
        let Some(rest) = text.strip_prefix('/') else { return Self::Say(text) };
        let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let rest = rest.trim();
        match word.to_lowercase().as_str() {
            "join" => Self::Join(rest),
            "leave" => Self::Leave,
            "who" => Self::Who,
            "rooms" => Self::Rooms,
            "name" => Self::Name(rest),
            "help" | "" => Self::Help,
            _ => Self::Unknown(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_makes_a_command() {
        for (text, command) in [
            ("/join football", Command::Join("football")),
            (" /JOIN  football ", Command::Join("football")),
            ("/join", Command::Join("")),
            ("/leave now", Command::Leave),
            ("/name Anna B", Command::Name("Anna B")),
            ("/", Command::Help),
            ("/dance", Command::Unknown("dance")),
            ("join football", Command::Say("join football")),
            ("1/2", Command::Say("1/2")),
            ("", Command::Say("")),
        ] {
            assert_eq!(Command::of(text), command, "{text}");
        }
    }
}
