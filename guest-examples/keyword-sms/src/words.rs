//! What a text means. People write `stop!`, `"TIPS"` and `Stop please`; the first word counts, whatever its case and
//! whatever stands around it.

use crate::service::{Service, Topic};

/// Words that end everything. Operators name them and check that each one works.
const STOP: [&str; 6] = ["STOP", "STOPALL", "END", "QUIT", "CANCEL", "UNSUBSCRIBE"];

/// Words that undo it.
const START: [&str; 3] = ["START", "UNSTOP", "SUBSCRIBE"];

/// Words that ask who this is; they work for everybody at any time.
const HELP: [&str; 3] = ["HELP", "INFO", "?"];

/// Longest part of an unknown word that is shown again, in characters.
const SHOWN: usize = 20;

/// What somebody wants.
#[derive(Debug, PartialEq)]
pub enum Order<'a> {
    /// To be reachable again.
    Start,
    /// No more messages at all.
    Stop,
    /// To know who this is and how to end it.
    Help,
    /// To get a topic.
    Join(&'a Topic),
    /// To get it no longer, but the others still.
    Leave(&'a Topic),
    /// To know what they get.
    List,
    /// The owner's: the rest is `<topic> <text>`.
    Send(&'a str),
    /// The owner's: on with what did not fit into one run.
    Next,
    /// None of these.
    Unknown(String),
}

impl<'a> Order<'a> {
    /// Reads a text. Only owners can send to others; for anybody else those words are unknown ones.
    pub fn of(text: &'a str, service: &'a Service, is_owner: bool) -> Self {
        let (first, rest) = split(text);
        let (first, second) = (clean(first), clean(split(rest).0));
        let is_one_word = split(rest).1.is_empty();
        match first.as_str() {
            "" | "HELP" => Self::Help,
            word if HELP.contains(&word) => Self::Help,
            // "STOP TIPS" ends one topic. "Stop please" ends everything: when in doubt, stop.
            word if STOP.contains(&word) => match service.topic(&second).filter(|_| is_one_word) {
                Some(topic) => Self::Leave(topic),
                None => Self::Stop,
            },
            word if START.contains(&word) => Self::Start,
            "LIST" => Self::List,
            "SEND" if is_owner => Self::Send(rest),
            "NEXT" if is_owner => Self::Next,
            word => match service.topic(word) {
                Some(topic) => Self::Join(topic),
                None => Self::Unknown(word.chars().take(SHOWN).collect()),
            },
        }
    }
}

/// The first word, and the rest without the white space between them.
pub fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// A word in capitals, without quotes and punctuation around it; a question mark alone stays.
pub fn clean(word: &str) -> String {
    match word {
        "?" => word.to_owned(),
        _ => word.trim_matches(|c: char| !c.is_alphanumeric()).to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        let topic = |keyword: &str| Topic { keyword: keyword.into(), title: keyword.to_lowercase() };
        Service { name: "S".into(), contact: "1".into(), topics: vec![topic("TIPS")], owners: vec![], batch: 1 }
    }

    #[test]
    fn every_word_that_operators_name_stops_however_it_is_written() {
        let service = service();
        for word in STOP {
            for text in
                [word.to_owned(), word.to_lowercase(), format!(" \"{word}!\" please, thank you"), format!("{word}.")]
            {
                assert_eq!(Order::of(&text, &service, false), Order::Stop, "{text}");
            }
        }
    }

    #[test]
    fn words_have_their_meaning() {
        let service = service();
        let tips = service.topic("TIPS").unwrap();
        for (text, order) in [
            ("", Order::Help),
            ("?", Order::Help),
            ("info", Order::Help),
            ("Start", Order::Start),
            ("tips", Order::Join(tips)),
            ("stop TIPS", Order::Leave(tips)),
            ("stop tips and all else", Order::Stop),
            ("list", Order::List),
            ("send tips hello", Order::Unknown("SEND".into())),
            ("next", Order::Unknown("NEXT".into())),
            ("helo there", Order::Unknown("HELO".into())),
        ] {
            assert_eq!(Order::of(text, &service, false), order, "{text}");
        }
        assert_eq!(Order::of("send  tips hello ", &service, true), Order::Send("tips hello"));
        assert_eq!(Order::of("Next", &service, true), Order::Next);
    }
}
