//! Any network that speaks HTTP, by configuration alone: where values stand in its requests, what it is sent and
//! answered. `docs/http-generic.md` is the guide.
//!
//! [`template`](Template) and `body` write, [`value`](Find) and `source` read, `condition` decides; they know of each
//! other by `context` alone, which says what there is to be filled in or looked at. On them stand the routes (`route`):
//! `inbound` with its `fields` and its `session`, `reports`; and `outbound`. `check` looks at a whole configuration.

mod body;
mod check;
mod condition;
mod context;
mod fields;
mod inbound;
mod keys;
mod outbound;
mod page;
mod reports;
mod route;
mod secrets;
mod session;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Error, RedisManager, Result, Secret, Sent};
use vumi_message::{SessionEvent, UserMessage};

use crate::base::values;
use crate::http::keys::ServerKeys;
use crate::http::{Aggregator, Answer, Finish, HttpLink, Keeps, Refusal, Reply, Request, Site, outcome};

use check::Checker;
use context::Context;
use route::{admit, expected, takes};
use secrets::Named;
use session::Open;
use source::Asked;

pub use body::{JsonBody, Pairs, XmlBody};
pub use condition::{Algorithm, Condition, Encoding, Hmac};
pub use fields::Fields;
pub use inbound::Inbound;
pub use keys::GenericKeys;
pub use outbound::{Basic, Outbound, StatusCodes};
pub use page::{Answering, Page};
pub use reports::Reports;
pub use route::{Pointer, Routes};
pub use session::{Session, Step};
pub use template::Template;
pub use value::{Find, FindKeys};

/// Any network that speaks HTTP, described by this configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpGeneric {
    /// The transport type of users' messages; `sms` unless given.
    pub transport_type: String,
    /// Secrets by name: `{{secret.NAME}}` in what is sent, `secret: NAME` in what must hold. They are not shown in logs,
    /// nor to apps.
    #[schemars(with = "BTreeMap<String, String>")]
    pub secrets: BTreeMap<String, Secret>,
    /// Secrets of which a field of the message chooses one: `{{secret.password[from_addr]}}` is the one for the
    /// message's `from_addr` under `password`.
    #[schemars(with = "BTreeMap<String, BTreeMap<String, String>>")]
    pub secrets_by: BTreeMap<String, BTreeMap<String, Secret>>,
    /// Values that follow from a message to a user, by name: `{{value.NAME}}` in what is sent.
    pub values: BTreeMap<String, Find>,
    /// Requests that are messages from users: a route, or a list of them.
    pub inbound: Routes<Inbound>,
    /// Requests that are delivery reports: a route, or a list of them.
    pub delivery_reports: Routes<Reports>,
    /// How the app's reply to a held request is written.
    pub reply: Option<Page>,
    /// How a reply is written that closes the session; as `reply` unless given.
    pub last_reply: Option<Page>,
    /// How messages to users are sent, other than replies to held requests.
    pub outbound: Option<Outbound>,
    /// Where sessions are kept; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub session_timeout_s: u64,
    /// Seconds that the network's ids of messages are known, for delivery reports; a week unless given.
    #[serde(deserialize_with = "values::id_lifetime")]
    #[schemars(range(min = 1))]
    pub message_id_lifetime: u64,
    #[serde(skip)]
    #[schemars(skip)]
    open: Open,
}

impl Default for HttpGeneric {
    fn default() -> Self {
        Self {
            transport_type: "sms".to_owned(),
            secrets: BTreeMap::new(),
            secrets_by: BTreeMap::new(),
            values: BTreeMap::new(),
            inbound: Routes::default(),
            delivery_reports: Routes::default(),
            reply: None,
            last_reply: None,
            outbound: None,
            redis_manager: RedisManager::default(),
            session_timeout_s: 600,
            message_id_lifetime: values::week(),
            open: Open::default(),
        }
    }
}

/// A route, whichever kind it is.
#[derive(Clone, Copy)]
enum Route<'a> {
    Inbound(&'a Inbound),
    Reports(&'a Reports),
}

#[async_trait]
impl Aggregator for HttpGeneric {
    const CLASS: &'static str = "http-generic";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: http-generic
web_path: /acme
web_port: 8080
secrets: { token: t0ken }
inbound:
  path: sms
  require: [{ of: { header: X-Token }, secret: token }]
  message:
    from_addr: { json: /from }
    to_addr: { json: /to }
    content: { json: /text }
  network_id: { json: /id }
outbound:
  url: https://api.acme.example/messages
  headers: { Authorization: \"Bearer {{secret.token}}\" }
  json: { to: \"{{to_addr}}\", from: \"{{from_addr}}\", text: \"{{content}}\" }
  id: { json: /message/id }
delivery_reports:
  path: reports
  require: [{ of: { header: X-Token }, secret: token }]
  network_id: { json: /id }
  status: { json: /status, map: { sent: pending, delivered: delivered, undelivered: failed } }
";
    type Keys = GenericKeys;

    fn site(&self, keys: &GenericKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.paths = self.paths().into_iter().map(|path| keys.path(path)).collect();
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        let checker = Checker { named: self.named() };
        checker.values()?;
        let routes = self.routes();
        if routes.is_empty() && self.outbound.is_none() {
            return Err(Error::permanent("it does nothing: give it `inbound`, `outbound`, or both"));
        }
        let key =
            |name: &str, number: usize, all: usize| if all > 1 { format!("{name}[{number}]") } else { name.to_owned() };
        for (number, route) in self.inbound.0.iter().enumerate() {
            checker.inbound(&key("inbound", number, self.inbound.0.len()), route, self.reply.is_some())?;
        }
        for (number, route) in self.delivery_reports.0.iter().enumerate() {
            let key = key("delivery_reports", number, self.delivery_reports.0.len());
            checker.reports(&key, route, self.outbound.as_ref())?;
        }
        if let Some(outbound) = &self.outbound {
            checker.outbound(outbound)?;
        }
        for (key, page) in [("reply", &self.reply), ("last_reply", &self.last_reply)] {
            let Some(page) = page else { continue };
            if !self.inbound.0.iter().any(Inbound::holds) {
                let text = format!("{key}: no request waits for a reply; write `answer: hold` in a route of `inbound`");
                return Err(Error::permanent(text));
            }
            checker.reply(key, page)?;
        }
        for (number, route) in routes.iter().enumerate() {
            let taken = routes.iter().take(number).any(|other| other.when().is_empty() && other.path() == route.path());
            if taken {
                let text = format!(
                    "no request comes to a route of the path `{}`, since one before it takes all of them: give that one \
                     `when`, or another path",
                    route.path()
                );
                return Err(Error::permanent(text));
            }
        }
        Ok(())
    }

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::sessions(&self.redis_manager, format!("http-generic:{name}"), self.session_timeout_s)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let named = self.named();
        let path = self.paths().get(request.route).copied().unwrap_or_default();
        let of_path: Vec<Route<'_>> = self.routes().into_iter().filter(|route| route.path() == path).collect();
        let route = {
            let asked = Asked::new(request);
            let route = of_path.iter().find(|route| takes(route.when(), &asked, named, &request.body));
            let route = *route.ok_or_else(|| Refusal::bad("No route takes this request"))?;
            admit(route.require(), &asked, named, &request.body)?;
            route
        };
        let choosing = of_path.iter().flat_map(|route| route.when()).map(|condition| &condition.of);
        match route {
            Route::Inbound(route) => {
                let answer = route.page().map(Page::parameters);
                expected(request, choosing.chain(route.finds()), answer, &route.ignore)?;
                let opened = |session: &str| self.open.note(&request.id, session, link);
                route.receive(request, &self.transport_type, named, link, opened).await
            }
            Route::Reports(route) => {
                let answer = Some(route.answer.parameters());
                expected(request, choosing.chain(route.finds()), answer, &route.ignore)?;
                route.receive(request, named, link).await
            }
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let waits = message.in_reply_to().is_some_and(|id| link.is_pending(id));
        match (&self.reply, &self.outbound) {
            (Some(reply), None) => self.answer(reply, message, link).await,
            (Some(reply), Some(_)) if waits => self.answer(reply, message, link).await,
            (_, Some(outbound)) => {
                let needed = self.delivery_reports.0.iter().any(|route| route.network_id.is_some());
                let remembered = needed.then(|| Duration::from_secs(self.message_id_lifetime));
                outbound.send(message, self.named(), remembered, link).await
            }
            (None, None) => Ok(outcome::refused(message, "This transport sends no messages: it has no `outbound`")),
        }
    }
}

impl Route<'_> {
    fn path(&self) -> &str {
        let path = match self {
            Self::Inbound(route) => &route.path,
            Self::Reports(route) => &route.path,
        };
        path.trim_matches('/')
    }

    fn when(&self) -> &[Condition] {
        match self {
            Self::Inbound(route) => &route.when,
            Self::Reports(route) => &route.when,
        }
    }

    fn require(&self) -> &[Condition] {
        match self {
            Self::Inbound(route) => &route.require,
            Self::Reports(route) => &route.require,
        }
    }
}

impl HttpGeneric {
    fn named(&self) -> Named<'_> {
        Named { secrets: &self.secrets, secrets_by: &self.secrets_by, values: &self.values }
    }

    /// All routes, in the order in which they are tried.
    fn routes(&self) -> Vec<Route<'_>> {
        let inbound = self.inbound.0.iter().map(Route::Inbound);
        inbound.chain(self.delivery_reports.0.iter().map(Route::Reports)).collect()
    }

    /// The paths of the routes, each once: the site's paths, in their order.
    fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = Vec::new();
        let inbound = self.inbound.0.iter().map(|route| &route.path);
        for path in inbound.chain(self.delivery_reports.0.iter().map(|route| &route.path)) {
            let path = path.trim_matches('/');
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }

    /// Answers the request that a message is the reply to.
    async fn answer(&self, reply: &Page, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = outcome::missing(message, &["in_reply_to", "content"]) {
            return Ok(missing);
        }
        let closes = message.session_event() == Some(SessionEvent::Close);
        let page = if closes { self.last_reply.as_ref().unwrap_or(reply) } else { reply };
        let context = Context::to_user(self.named(), message.payload());
        let reply: Reply = page.reply(&context, 200).map_err(|wrong| Error::permanent(wrong.0))?;
        let request_id = message.in_reply_to().unwrap_or_default();
        let session = self.open.take(request_id).filter(|_| closes);
        // First the session: the next request may come as soon as this one is answered.
        if let Some(session) = session {
            link.sessions().clear(&session).await?;
        }
        match link.finish(request_id, reply).await {
            Finish::Written(_) => Ok(outcome::accepted(message)),
            Finish::Gone | Finish::NotPending => {
                Ok(outcome::refused(message, "The user's request is not open any more"))
            }
        }
    }
}
