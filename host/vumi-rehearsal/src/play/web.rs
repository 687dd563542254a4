//! Answers to requests: the first that fits and is not used up.

use std::time::Duration;

use serde_json::Value;
use vumi_sandbox::web::{WebError, WebRequest, WebResponse};

use crate::script::{Answer, METHODS, Place, RequestRule, Stub};

/// The answers of a conversation.
pub(super) struct Stubs {
    list: Vec<(Stub, u32)>,
    pub(super) unexpected: Vec<Unexpected>,
}

/// A request that no answer fits.
pub(super) struct Unexpected {
    /// The request, in one line and, with a body, a second.
    pub(super) request: String,
    /// The answer that comes nearest, and in what the request differs from it.
    pub(super) nearest: Option<(Place, String)>,
}

impl Stubs {
    pub(super) fn new(stubs: &[Stub]) -> Self {
        Self { list: stubs.iter().map(|stub| (stub.clone(), 0)).collect(), unexpected: Vec::new() }
    }

    /// Puts the answers of a step before all others.
    pub(super) fn push_front(&mut self, stubs: &[Stub]) {
        let rest = std::mem::take(&mut self.list);
        self.list = stubs.iter().map(|stub| (stub.clone(), 0)).chain(rest).collect();
    }

    /// Takes the first `count` away, and names those that were needed and not used.
    pub(super) fn pop_front(&mut self, count: usize) -> Vec<Stub> {
        self.list.drain(..count.min(self.list.len())).filter_map(unused).collect()
    }

    /// Those that were needed and not used.
    pub(super) fn unused(&mut self) -> Vec<Stub> {
        std::mem::take(&mut self.list).into_iter().filter_map(unused).collect()
    }

    /// The answer to a request, and how long it takes.
    pub(super) fn answer(&mut self, request: &WebRequest) -> (Result<WebResponse, WebError>, Duration) {
        let mut nearest: Option<(usize, &Stub, String)> = None;
        for (stub, used) in &mut self.list {
            match misfit(&stub.request, request) {
                None if stub.times.is_none_or(|times| *used < times) => {
                    *used += 1;
                    return (answer(&stub.answer), stub.takes);
                }
                None => {
                    let times = if stub.times == Some(1) { "once".to_owned() } else { format!("{used} times") };
                    nearest.get_or_insert((usize::MAX, stub, format!("it fits, but answers only {times}")));
                }
                Some((fitting, what)) => {
                    // With another place it is about something else altogether.
                    if fitting > 0 && nearest.as_ref().is_none_or(|(best, ..)| fitting > *best) {
                        nearest = Some((fitting, stub, what));
                    }
                }
            }
        }
        let nearest = nearest.map(|(_, stub, what)| (stub.place.clone(), what));
        self.unexpected.push(Unexpected { request: describe(request), nearest });
        (Err(WebError::Network("the test has no answer to this request".into())), Duration::ZERO)
    }
}

fn unused((stub, used): (Stub, u32)) -> Option<Stub> {
    (stub.needed && stub.times.is_some_and(|times| used < times)).then_some(stub)
}

fn answer(answer: &Answer) -> Result<WebResponse, WebError> {
    match answer {
        Answer::Response { status, headers, body } => {
            Ok(WebResponse { status: *status, headers: headers.clone(), body: body.clone(), bytes_used: 0 })
        }
        Answer::Error(reason) => Err(WebError::Network(reason.clone())),
    }
}

/// In what a request differs from what is expected, and how much of it fits.
fn misfit(rule: &RequestRule, request: &WebRequest) -> Option<(usize, String)> {
    if !rule.url.fits(Some(&request.url)) {
        return Some((0, format!("its url is {}", rule.url.describe())));
    }
    if let Some(method) = rule.method
        && method != request.method
    {
        return Some((1, format!("its method is {}", name_of(method))));
    }
    for (name, expected) in &rule.headers {
        let mut values =
            request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let value = values.next();
        if !expected.fits(value.map(String::as_str)) {
            let seen = value.map_or_else(|| "is missing".to_owned(), |value| format!("is {value:?}"));
            return Some((2, format!("the header {name} {seen}, expected is {}", expected.describe())));
        }
    }
    let body = request.body.as_deref().map(String::from_utf8_lossy);
    if let Some(expected) = &rule.body
        && !expected.fits(Some(body.as_deref().unwrap_or_default()))
    {
        return Some((3, format!("the body is expected to be {}", expected.describe())));
    }
    if let Some(expected) = &rule.json {
        let value = body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        if !expected.fits(value.as_ref()) {
            return Some((3, format!("the body is expected to be {}", expected.describe())));
        }
    }
    None
}

fn name_of(method: vumi_sandbox::web::Method) -> &'static str {
    METHODS.iter().find(|(_, known)| *known == method).map_or("GET", |(name, _)| name)
}

/// Longest part of a body that is shown, in characters.
const SHOWN: usize = 500;

/// A request for a person.
fn describe(request: &WebRequest) -> String {
    let mut text = format!("{} {}", name_of(request.method), request.url);
    if let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) {
        let body = String::from_utf8_lossy(body);
        text.push_str(" with the body ");
        text.extend(body.chars().take(SHOWN));
        if body.chars().nth(SHOWN).is_some() {
            text.push('…');
        }
    }
    text
}
