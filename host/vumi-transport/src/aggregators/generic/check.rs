//! Mistakes of a configuration that one key alone does not show: names that stand for nothing, values that are not to be
//! had where they are used, routes that nothing reaches.

use vumi_core::{Error, Result};
use vumi_message::DeliveryStatus;

use super::body::{Body, Pairs};
use super::condition::Condition;
use super::fields::Fields;
use super::inbound::Inbound;
use super::outbound::Outbound;
use super::page::Page;
use super::reports::Reports;
use super::secrets::Named;
use super::session::KEPT;
use super::template::{Place, Template};
use super::value::{Find, From};

/// Fields of a message that a placeholder may name.
const FIELDS: [&str; 15] = [
    "message_id",
    "to_addr",
    "from_addr",
    "content",
    "session_event",
    "in_reply_to",
    "transport_name",
    "transport_type",
    "provider",
    "group",
    "timestamp",
    "to_addr_type",
    "from_addr_type",
    "transport_metadata",
    "helper_metadata",
];

/// What a text may name in one place.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope {
    /// Parts of a request of the network.
    request: bool,
    /// Parts of the network's answer.
    answer: bool,
    /// Fields of a message.
    message: bool,
    /// What a condition looked at.
    given: bool,
    secrets: bool,
    values: bool,
}

/// In the fields of a message from a user.
const READING: Scope =
    Scope { request: true, answer: false, message: false, given: false, secrets: false, values: false };
/// In the answer to a request.
const ANSWERING: Scope = Scope { message: true, secrets: true, ..READING };
/// In the refusal of a request.
const REFUSING: Scope = Scope { given: true, ..READING };
/// In what is made of a message to a user.
const WRITING: Scope =
    Scope { request: false, answer: false, message: true, given: false, secrets: true, values: true };
/// In what is made of the network's answer to it; it is reported, so it must hold no secrets.
const HEARING: Scope = Scope { answer: true, secrets: false, values: false, ..WRITING };
/// In `values`.
const NAMING: Scope = Scope { values: false, ..WRITING };

/// Looks for mistakes.
pub(super) struct Checker<'a> {
    pub(super) named: Named<'a>,
}

fn wrong(key: &str, why: impl std::fmt::Display) -> Error {
    Error::permanent(format!("{key}: {why}"))
}

impl Checker<'_> {
    pub(super) fn values(&self) -> Result<()> {
        self.named.values.iter().try_for_each(|(name, find)| self.find(&format!("values.{name}"), find, NAMING))
    }

    pub(super) fn inbound(&self, key: &str, route: &Inbound, has_reply: bool) -> Result<()> {
        self.conditions(key, &route.when, &route.require)?;
        self.fields(&format!("{key}.message"), &route.message)?;
        if route.message.from_addr.is_none() {
            return Err(wrong(
                &format!("{key}.message.from_addr"),
                "it is required: say where the user's address stands",
            ));
        }
        let kept = route.session.as_ref().is_some_and(|session| session.needs_one() && session.keeps("to_addr"));
        let first = route.session.as_ref().is_some_and(|session| session.first.to_addr.is_some());
        if route.message.to_addr.is_none() && !kept && !first {
            return Err(wrong(
                &format!("{key}.message.to_addr"),
                "it is required: say where it stands, or give one, as `{const: \"8123\"}`",
            ));
        }
        if let Some(find) = &route.network_id {
            self.find(&format!("{key}.network_id"), find, READING)?;
        }
        if let Some(session) = &route.session {
            self.find(&format!("{key}.session.id"), &session.id, READING)?;
            self.fields(&format!("{key}.session.first"), &session.first)?;
            if let Some(name) = session.keep.iter().find(|name| !KEPT.contains(&name.as_str())) {
                let why = format!("`{name}` cannot be kept; a session keeps any of {}", KEPT.join(", "));
                return Err(wrong(&format!("{key}.session.keep"), why));
            }
            if let Some(page) = &session.unknown {
                self.page(&format!("{key}.session.unknown"), page, Scope { secrets: true, ..READING })?;
            }
        }
        if let Some(page) = route.page() {
            self.page(&format!("{key}.answer"), page, ANSWERING)?;
        }
        let because = |what: &str, why: &str| Err(wrong(&format!("{key}.{what}"), why));
        match route {
            _ if route.holds() && !has_reply => {
                because("answer", "`hold` needs the key `reply`, which says how replies are written")
            }
            Inbound { network_id: Some(_), .. } if route.holds() => because(
                "network_id",
                "a request that is held for its reply cannot be answered a second time; take this key away",
            ),
            Inbound { each: Some(_), .. } if route.holds() => {
                because("each", "a request with several messages cannot be held for a reply")
            }
            Inbound { each: Some(_), session: Some(_), .. } => {
                because("each", "a request with several messages has no `session`")
            }
            Inbound { each: Some(_), network_id: None, .. } => {
                because("each", "it needs `network_id`: should one message fail, the network sends all of them again")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn reports(&self, key: &str, route: &Reports, outbound: Option<&Outbound>) -> Result<()> {
        self.conditions(key, &route.when, &route.require)?;
        let ids = [("network_id", &route.network_id), ("message_id", &route.message_id)];
        for (name, find) in ids {
            if let Some(find) = find {
                self.find(&format!("{key}.{name}"), find, READING)?;
            }
        }
        match ids.iter().filter(|(_, find)| find.is_some()).count() {
            1 => {}
            _ => return Err(wrong(key, "one of `network_id` and `message_id` says which message a report is about")),
        }
        if route.network_id.is_some() && outbound.is_none_or(|outbound| outbound.id.is_none()) {
            return Err(wrong(
                &format!("{key}.network_id"),
                "no message is known by it unless `outbound.id` says where the network gives it",
            ));
        }
        let at = format!("{key}.status");
        self.find(&at, &route.status, READING)?;
        let needs = "it needs a `map` from the network's words to pending, failed or delivered";
        for word in route.status.choices().ok_or_else(|| wrong(&at, needs))? {
            if word.parse::<DeliveryStatus>().is_err() {
                return Err(wrong(&at, format!("`{word}` is none of pending, failed, delivered")));
            }
        }
        for (name, find) in &route.transport_metadata {
            self.find(&format!("{key}.transport_metadata.{name}"), find, READING)?;
        }
        self.page(&format!("{key}.answer"), &route.answer, Scope { secrets: true, ..READING })
    }

    pub(super) fn outbound(&self, outbound: &Outbound) -> Result<()> {
        let key = |name: &str| format!("outbound.{name}");
        self.template(&key("url"), &outbound.url, WRITING)?;
        self.pairs(&key("query"), &outbound.query, WRITING)?;
        self.headers(&key("headers"), &outbound.headers, WRITING)?;
        if let Some(basic) = &outbound.basic {
            self.template(&key("basic.username"), &basic.username, WRITING)?;
            self.template(&key("basic.password"), &basic.password, WRITING)?;
        }
        self.body("outbound", outbound.body(), WRITING)?;
        if let Some(name) = outbound.requires.iter().find(|name| !FIELDS.contains(&name.as_str())) {
            return Err(wrong(
                &key("requires"),
                format!("`{name}` is no field of a message; they are {}", FIELDS.join(", ")),
            ));
        }
        for condition in &outbound.success {
            if condition.secret().is_some() || condition.refuse.is_some() {
                return Err(wrong(&key("success"), "an answer has no `secret`, `hmac` and `refuse`"));
            }
            self.find(&key("success"), &condition.of, HEARING)?;
        }
        for (name, find) in [("id", &outbound.id), ("reason", &outbound.reason)] {
            if let Some(find) = find {
                self.find(&key(name), find, HEARING)?;
            }
        }
        Ok(())
    }

    /// How replies are written.
    pub(super) fn reply(&self, key: &str, page: &Page) -> Result<()> {
        self.page(key, page, WRITING)
    }

    fn conditions(&self, key: &str, when: &[Condition], require: &[Condition]) -> Result<()> {
        for (name, conditions) in [("when", when), ("require", require)] {
            let key = format!("{key}.{name}");
            for condition in conditions {
                self.find(&key, &condition.of, READING)?;
                if let Some(secret) = condition.secret() {
                    self.place(&key, &Place::Secret(secret.to_owned(), None), "secret", ANSWERING)?;
                    if name == "when" {
                        return Err(wrong(
                            &key,
                            "a `secret` or `hmac` stands under `require`, so that its absence is refused",
                        ));
                    }
                }
                match &condition.refuse {
                    Some(_) if name == "when" => return Err(wrong(&key, "`refuse` stands under `require`")),
                    Some(page) => self.page(&format!("{key}.refuse"), page, REFUSING)?,
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn fields(&self, key: &str, fields: &Fields) -> Result<()> {
        for (name, find, _) in fields.named() {
            self.find(&format!("{key}.{name}"), find, READING)?;
        }
        for (name, find) in &fields.transport_metadata {
            self.find(&format!("{key}.transport_metadata.{name}"), find, READING)?;
        }
        let events = fields.session_event.as_ref().and_then(Find::choices).unwrap_or_default();
        match events.iter().find(|event| !matches!(**event, "new" | "resume" | "close" | "")) {
            Some(event) => {
                let why = format!(
                    "`{event}` is no step of a session; they are new, resume, close, and the empty text for none"
                );
                Err(wrong(&format!("{key}.session_event"), why))
            }
            None => Ok(()),
        }
    }

    fn page(&self, key: &str, page: &Page, scope: Scope) -> Result<()> {
        if let Some(status) = page.status.filter(|status| !(200..600).contains(status)) {
            return Err(wrong(
                &format!("{key}.status"),
                format!("{status} is no status code of an answer (200 to 599)"),
            ));
        }
        self.headers(&format!("{key}.headers"), &page.headers, scope)?;
        self.body(key, page.body(), scope)
    }

    fn body(&self, key: &str, body: std::result::Result<Body<'_>, &'static str>, scope: Scope) -> Result<()> {
        let body = body.map_err(|why| wrong(key, why))?;
        let name = match body {
            Body::Nothing => return Ok(()),
            Body::Text(_) => "text",
            Body::Form(_) => "form",
            Body::Json(_) => "json",
            Body::Xml(_) => "xml",
        };
        body.templates().into_iter().try_for_each(|template| self.template(&format!("{key}.{name}"), template, scope))
    }

    fn headers(&self, key: &str, headers: &Pairs, scope: Scope) -> Result<()> {
        for (name, _) in &headers.0 {
            super::source::header(name).map_err(|why| wrong(key, why))?;
        }
        self.pairs(key, headers, scope)
    }

    fn pairs(&self, key: &str, pairs: &Pairs, scope: Scope) -> Result<()> {
        pairs.0.iter().try_for_each(|(name, template)| self.template(&format!("{key}.{name}"), template, scope))
    }

    fn find(&self, key: &str, find: &Find, scope: Scope) -> Result<()> {
        match &find.from {
            From::Source(source) => self.place(key, &Place::Source(source.clone()), &find.label(), scope)?,
            From::Field(way) => self.place(key, &Place::Field(way.clone()), &find.label(), scope)?,
            From::Constant(_) | From::Text(_) => {}
        }
        find.templates().try_for_each(|template| self.template(key, template, scope))
    }

    fn template(&self, key: &str, template: &Template, scope: Scope) -> Result<()> {
        template.places().try_for_each(|place| self.place(key, place, template.as_str(), scope))
    }

    /// Whether something may be named here. `shown` is where it stands.
    fn place(&self, key: &str, place: &Place, shown: &str, scope: Scope) -> Result<()> {
        let why = match place {
            Place::Field(_) if !scope.message => {
                format!(
                    "`{shown}` names a field of a message, and there is none here; write where the value stands, as `param NAME`"
                )
            }
            Place::Field(way) => return self.field(key, way),
            Place::Source(source) if source.is_of_requests() && !scope.request => {
                format!("`{shown}` reads a request of the network, and there is none here")
            }
            Place::Source(_) | Place::Body if !scope.request && !scope.answer => {
                format!("`{shown}` reads a request or an answer of the network, and there is none here")
            }
            Place::Status if !scope.answer => {
                format!("`{shown}` reads an answer of the network, and there is none here")
            }
            Place::Given if !scope.given => format!("`{shown}`: `given` is for `refuse` only"),
            Place::Secret(..) if !scope.secrets => {
                format!("`{shown}`: no secret may be here, where it would be published")
            }
            Place::Secret(name, None) if !self.named.secrets.contains_key(name) => {
                format!("there is no secret `{name}` under `secrets`")
            }
            Place::Secret(name, Some(_)) if !self.named.secrets_by.contains_key(name) => {
                format!("there is no `{name}` under `secrets_by`")
            }
            Place::Secret(_, Some(way)) => return self.field(key, way),
            Place::Named(_) if !scope.values => {
                format!("`{shown}`: `values` follow from messages to users, and there is none here")
            }
            Place::Named(name) if !self.named.values.contains_key(name) => {
                format!("there is no `{name}` under `values`")
            }
            _ => return Ok(()),
        };
        Err(wrong(key, why))
    }

    fn field(&self, key: &str, way: &[String]) -> Result<()> {
        let first = way.first().map(String::as_str).unwrap_or_default();
        let deep = first.ends_with("_metadata");
        if FIELDS.contains(&first) && (deep || way.len() == 1) {
            return Ok(());
        }
        let text = way.join(".");
        Err(wrong(key, format!("`{text}` is no field of a message; they are {}", FIELDS.join(", "))))
    }
}
