//! What came beside what was expected.

use vumi_message::{SessionEvent, UserMessage};

use crate::outcome::{Edit, Pair, Problem, Screen};
use crate::script::{ExpectedMessage, TextRule, Users};

/// What a message of a step is judged by.
pub(super) struct Occasion<'a> {
    /// The user of the step, where there is one.
    pub(super) user: Option<&'a str>,
    /// The message of the step.
    pub(super) message_id: &'a str,
    /// Whether messages belong to sessions.
    pub(super) has_sessions: bool,
    pub(super) users: &'a Users,
}

/// What came of a comparison.
pub(super) struct Compared {
    pub(super) problem: Option<Problem>,
    pub(super) edits: Vec<Edit>,
}

/// Compares the messages of a step, one by one.
pub(super) fn compare(expected: &[ExpectedMessage], seen: &[UserMessage], occasion: &Occasion<'_>) -> Compared {
    let (mut sentence, mut pairs, mut edits) = (None, Vec::new(), Vec::new());
    for index in 0..expected.len().max(seen.len()) {
        let (wanted, came) = (expected.get(index), seen.get(index));
        let differs = match (wanted, came) {
            (Some(wanted), Some(came)) => {
                edits.extend(edit(wanted, came));
                occasion.misfit(wanted, came).map(|what| numbered(index, expected.len().max(seen.len()), &what))
            }
            (Some(_), None) => Some(match (index, seen.len()) {
                (0, 0) => "the app sends nothing".to_owned(),
                _ => format!("the app sends {}, and {} are expected", messages(seen.len()), expected.len()),
            }),
            (None, Some(_)) => Some(match expected.len() {
                0 => "the app sends something, and nothing is expected".to_owned(),
                count => format!("the app sends {}, and {count} {} expected", messages(seen.len()), are(count)),
            }),
            (None, None) => None,
        };
        pairs.push(Pair {
            expected: wanted.map(|wanted| occasion.expected_screen(wanted)),
            seen: came.map(|came| occasion.seen_screen(came, wanted)),
            differs: differs.is_some(),
        });
        sentence = sentence.or(differs);
    }
    Compared { problem: sentence.map(|sentence| Problem::Screens { sentence, pairs }), edits }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn numbered(index: usize, count: usize, what: &str) -> String {
    if count == 1 { what.to_owned() } else { format!("message {}: {what}", index + 1) }
}

/// The text that would make it pass, where it stands in the file as a text.
fn edit(wanted: &ExpectedMessage, came: &UserMessage) -> Option<Edit> {
    let (TextRule::Exactly(text), Some(written), Some(content)) = (&wanted.text, wanted.written, came.content()) else {
        return None;
    };
    (text != content).then(|| Edit { range: (written.from, written.to), text: content.to_owned() })
}

impl Occasion<'_> {
    /// In what a message differs.
    fn misfit(&self, wanted: &ExpectedMessage, came: &UserMessage) -> Option<String> {
        if !wanted.text.fits(came.content()) {
            return Some(match (&wanted.text, came.content()) {
                (_, None) => "it has no text".to_owned(),
                (TextRule::Exactly(_), _) => "the text differs".to_owned(),
                (TextRule::Absent, _) => "it has a text, and none is expected".to_owned(),
                (TextRule::Matches(pattern), _) => format!("the text does not match `{pattern}`"),
                (rule, _) => format!("the text is expected to be {}", rule.describe()),
            });
        }
        let closes = came.session_event() == Some(SessionEvent::Close);
        match wanted.closes {
            Some(true) if !closes => return Some("it does not close the session".to_owned()),
            None if closes && !self.has_sessions => {}
            Some(false) | None if closes => {
                return Some("it closes the session: expect that with `session: close`".to_owned());
            }
            _ => {}
        }
        self.misdirected(wanted, came).or_else(|| self.other_field(wanted, came))
    }

    fn misdirected(&self, wanted: &ExpectedMessage, came: &UserMessage) -> Option<String> {
        if let Some(group) = &wanted.group {
            let whole = came.group() == Some(group.as_str()) && came.to_addr().is_none();
            return (!whole).then(|| format!("it does not go to the whole group {group}"));
        }
        let to = wanted.to.as_deref().or(self.user)?;
        match came.to_addr() {
            Some(address) if address == to => None,
            Some(address) => Some(format!("it goes to {}, not to {}", self.users.shown(address), self.users.shown(to))),
            None => Some("it goes to a whole group".to_owned()),
        }
    }

    fn other_field(&self, wanted: &ExpectedMessage, came: &UserMessage) -> Option<String> {
        if let Some(endpoint) = &wanted.endpoint
            && endpoint != came.endpoint()
        {
            return Some(format!("it goes through the endpoint {}, not {endpoint}", came.endpoint()));
        }
        let replies = came.in_reply_to() == Some(self.message_id);
        match wanted.reply {
            Some(true) if !replies => return Some("it is no reply to this message".to_owned()),
            Some(false) if replies => return Some("it is a reply to this message".to_owned()),
            _ => {}
        }
        for (field, text) in &wanted.fields {
            let seen = came.get(field).and_then(|value| value.as_str());
            if seen != Some(text) {
                return Some(format!("its {field} is {}, not {text}", seen.unwrap_or("nothing")));
            }
        }
        let metadata = came.helper_metadata();
        wanted.helper_metadata.iter().find(|(key, rule)| !rule.fits(metadata.get(key))).map(|(key, rule)| {
            let seen = metadata.get(key).map_or_else(|| "nothing".to_owned(), ToString::to_string);
            format!("its helper_metadata has {seen} as {key}, expected is {}", rule.describe())
        })
    }

    fn expected_screen(&self, wanted: &ExpectedMessage) -> Screen {
        let (text, exact) = match &wanted.text {
            TextRule::Any => (Some("(any text)".to_owned()), false),
            TextRule::Absent => (None, true),
            TextRule::Exactly(text) => (Some(text.clone()), true),
            TextRule::Contains(parts) => {
                (Some(parts.iter().map(|part| format!("… {part} …")).collect::<Vec<_>>().join("\n")), false)
            }
            TextRule::Matches(pattern) => (Some(format!("/{pattern}/")), false),
        };
        let mut notes = Vec::new();
        if let Some(to) = wanted.to.as_deref().filter(|to| Some(*to) != self.user) {
            notes.push(format!("to {}", self.users.shown(to)));
        }
        notes.extend(wanted.group.iter().map(|group| format!("to the group {group}")));
        notes.extend(wanted.endpoint.iter().map(|endpoint| format!("endpoint {endpoint}")));
        notes.extend(wanted.fields.iter().map(|(field, text)| format!("{field} {text}")));
        notes.extend((wanted.closes == Some(true)).then(|| "closes the session".to_owned()));
        Screen { text, exact, notes }
    }

    fn seen_screen(&self, came: &UserMessage, wanted: Option<&ExpectedMessage>) -> Screen {
        let mut notes = Vec::new();
        match (came.to_addr(), came.group()) {
            (Some(to), _) if Some(to) != self.user => notes.push(format!("to {}", self.users.shown(to))),
            (None, Some(group)) => notes.push(format!("to the group {group}")),
            _ => {}
        }
        if came.endpoint() != "default" || wanted.is_some_and(|wanted| wanted.endpoint.is_some()) {
            notes.push(format!("endpoint {}", came.endpoint()));
        }
        for (field, _) in wanted.into_iter().flat_map(|wanted| &wanted.fields) {
            let seen = came.get(field).and_then(|value| value.as_str());
            notes.push(format!("{field} {}", seen.unwrap_or("nothing")));
        }
        let closes = came.session_event() == Some(SessionEvent::Close);
        notes.extend(
            (closes && (self.has_sessions || wanted.is_some_and(|wanted| wanted.closes.is_some())))
                .then(|| "closes the session".to_owned()),
        );
        Screen { text: came.content().map(str::to_owned), exact: true, notes }
    }
}
