//! Who may do what: everything that comes in passes here first.
//!
//! Callers show a token, the configured one or a kept one, and [`rules`](crate::rules) says which scope a route needs;
//! only the pages' files and `/health` are open. Without a configured token the server listens on this machine alone
//! and everybody on it may do everything, so that nothing has to be set up to try an app; then the danger is a web page
//! in the same machine's browser (see [`browser`](crate::browser)). Whoever shows a token all the same is held to it.
//!
//! What a request changes goes to the audit log once it is answered (see [`audit`](crate::audit)).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::audit::Attempt;
use crate::browser;
use crate::caller::Caller;
use crate::clock;
use crate::connections::Peer;
use crate::control::{Control, ControlError};
use crate::failures::Failures;
use crate::options::Secret;
use crate::refusal::Refusal;
use crate::rules;
use crate::tokens;

/// How long looking up a token may take.
const LOOK_UP: Duration = Duration::from_secs(10);

/// What requests are checked against.
pub(crate) struct Guard {
    token: Option<Secret>,
    listen: SocketAddr,
    control: Arc<dyn Control>,
    failures: Failures,
}

impl Guard {
    /// `token` is the configured one, `listen` the address that the server really has.
    pub(crate) fn new(token: Option<Secret>, listen: SocketAddr, control: Arc<dyn Control>) -> Self {
        Self { token, listen, control, failures: Failures::default() }
    }

    /// Who sent a request that shows this token, from this address.
    async fn caller(&self, shown: Option<String>, address: IpAddr) -> Result<Caller, Refusal> {
        let candidate = match (&shown, &self.token) {
            (Some(candidate), _) => candidate,
            (None, None) => return Ok(Caller::local()),
            (None, Some(_)) => return Err(Refusal::Missing),
        };
        if self.token.as_ref().is_some_and(|token| token.matches(candidate)) {
            return Ok(Caller::admin());
        }
        let looked_up = tokens::check(self.control.access(), candidate, clock::now());
        let kept = match tokio::time::timeout(LOOK_UP, looked_up).await {
            Ok(kept) => kept.map_err(Refusal::Unavailable)?,
            Err(_) => {
                let detail = "looking up the token took too long; try again".into();
                return Err(Refusal::Unavailable(ControlError::Unavailable(detail)));
            }
        };
        match kept {
            Some(token) => Ok(Caller::with(token)),
            None => match self.failures.count(address, Instant::now()) {
                Ok(()) => Err(Refusal::Wrong),
                Err(wait) => Err(Refusal::Limited { wait }),
            },
        }
    }

    async fn answer(&self, mut request: Request, next: Next) -> Response {
        let address = address(&request);
        if self.token.is_none()
            && let Err(detail) = browser::check(&request, self.listen)
        {
            return Refusal::Browser(detail).answer(address);
        }
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let needs = rules::needs(request.method(), path);
        let Some(needed) = needs.scope else { return next.run(request).await };
        let caller = match self.caller(bearer(request.headers()), address).await {
            Ok(caller) => caller,
            Err(refusal) => return refusal.answer(address),
        };
        let attempt = match needs.recorded {
            Some(recorded) => Some(Attempt::new(recorded, &caller, &mut request).await),
            None => None,
        };
        if caller.scope < needed {
            if let Some(attempt) = attempt {
                attempt.refused(self.control.access()).await;
            }
            return Refusal::Scope { needed, has: caller.scope, name: caller.name }.answer(address);
        }
        request.extensions_mut().insert(caller);
        match attempt {
            Some(attempt) => attempt.carry_out(Arc::clone(&self.control), next.run(request)).await,
            None => next.run(request).await,
        }
    }
}

/// The token that a request shows. Other kinds of `Authorization` are somebody else's, e.g. that of a proxy before us.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(header::AUTHORIZATION)?.as_bytes());
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

/// Where a request came from.
fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    // The server always says; all that it did not say of would share one address.
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(Peer(peer))| peer.ip())
}

/// Checks a request and adds the headers to its answer, whatever the answer is.
pub(crate) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = guard.answer(request, next).await;
    let headers = response.headers_mut();
    headers.extend(browser::HEADERS);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_count_as_tokens() {
        let shown = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            bearer(&headers)
        };
        assert_eq!(shown("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(shown("bEARER   abc ").as_deref(), Some("abc"));
        for none in ["", "abc", "Bearer", "Bearer ", "Basic YTpi", "Bearerabc def"] {
            assert_eq!(shown(none), None, "{none}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
