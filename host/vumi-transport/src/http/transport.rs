//! One transport of the HTTP family at work: from a request to its answer.
//!
//! A request is checked in this order: method, credentials, size, the number of open requests. It is entered among the
//! open ones before the aggregator sees it, since the reply to its message may be faster than the aggregator's own
//! return. The aggregator works in a task of its own: a client that leaves does not stop it halfway.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Method;
use hyper::body::{Body, Incoming};
use hyper::header::AUTHORIZATION;
use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vumi_core::{Clock, Error, Keyspace, Link, Result, Sent, Sessions, Transport};
use vumi_message::{EdgeDetector, UserMessage, new_id};

use super::aggregator::Aggregator;
use super::body::{self, Response};
use super::client::Client;
use super::link::{HttpLink, Pace, Parts};
use super::params::Params;
use super::pending::{Handed, Pending};
use super::reply::{Answer, Refusal, Reply, shown};
use super::request::Request;
use super::site::{Limits, Site, trimmed};
use super::sites::{Found, Handler, Promise, Sites};

/// How long handlers may take to end when the transport does.
const GRACE: Duration = Duration::from_secs(5);

/// See the module's text.
pub(super) struct HttpTransport<T> {
    pub(super) own: Arc<T>,
    pub(super) site: Site,
    pub(super) limits: Limits,
    pub(super) sites: Sites,
    /// Its paths are known as long as it is there, also while it does not run.
    pub(super) _promise: Promise,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keys: Keyspace,
    pub(super) sessions: Sessions,
    pub(super) client: Arc<Client>,
    /// While it runs.
    pub(super) link: RwLock<Option<HttpLink>>,
}

impl<T: Aggregator> HttpTransport<T> {
    fn link(&self, link: Arc<dyn Link>, pending: Pending) -> HttpLink {
        let own = Arc::clone(&self.own);
        let timeout = self.site.timeout.unwrap_or_default().as_secs_f64();
        HttpLink(Arc::new(Parts {
            link,
            pending,
            clock: Arc::clone(&self.clock),
            keys: self.keys.clone(),
            sessions: self.sessions.clone(),
            client: Arc::clone(&self.client),
            pace: Pace { slow: self.site.slow, very_slow: self.site.very_slow, timeout },
            finished: Box::new(move |done| own.finished(done)),
            edge: Mutex::new(EdgeDetector::new()),
        }))
    }
}

#[async_trait]
impl<T: Aggregator> Transport for HttpTransport<T> {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        let pending = Pending::default();
        let http = self.link(Arc::clone(&link), pending.clone());
        self.own.start(&http).await?;
        let desk = Arc::new(Desk {
            own: Arc::clone(&self.own),
            site: self.site.clone(),
            limits: self.limits,
            link: http.clone(),
            pending: pending.clone(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        });
        let handler: Arc<dyn Handler> = Arc::<Desk<T>>::clone(&desk);
        let place = self.sites.open(&self.site, handler, self.limits.read).await?;
        *self.link.write() = Some(http.clone());
        let path = self.site.paths.first().map(|path| trimmed(path)).unwrap_or_default();
        link.ready(&format!("http://{}/{path}", place.at));
        link.shutdown().cancelled().await;

        desk.closing.cancel();
        // What handlers have begun, they end: a network that was told "not now" in the middle would come again.
        desk.tasks.close();
        let _ = tokio::time::timeout(GRACE, desk.tasks.wait()).await;
        // Nobody will answer these any more. Their users can try again.
        for id in pending.ids() {
            http.finish(&id, busy()).await;
        }
        place.close().await;
        self.own.stop(&http).await;
        *self.link.write() = None;
        Ok(())
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        let link = self.link.read().clone();
        let link = link.ok_or_else(|| Error::temporary("the transport is just starting or stopping"))?;
        self.own.send(message, &link).await
    }
}

/// Takes the requests of one transport.
struct Desk<T> {
    own: Arc<T>,
    site: Site,
    limits: Limits,
    link: HttpLink,
    pending: Pending,
    tasks: TaskTracker,
    closing: CancellationToken,
}

fn busy() -> Reply {
    Reply::status(503).header("retry-after", "5")
}

#[async_trait]
impl<T: Aggregator> Handler for Desk<T> {
    async fn serve(self: Arc<Self>, request: hyper::Request<Incoming>, found: Found, peer: SocketAddr) -> Response {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = match self.accept(request, found, peer).await {
            Ok(request) => Arc::clone(&self).answer(request).await,
            Err(refusal) => self.refuse(&refusal),
        };
        let (transport, status) = (self.link.name(), response.status().as_u16());
        if self.site.noisy {
            tracing::info!(transport, %peer, %method, path, status, "a request was answered");
        } else {
            tracing::debug!(transport, %peer, %method, path, status, "a request was answered");
        }
        let counted = metrics::counter!(
            "vumi_http_requests_total", "transport" => transport.to_owned(), "status" => status.to_string()
        );
        counted.increment(1);
        response
    }

    fn health(&self, pending: usize) -> Response {
        body::plain(&self.own.health(pending), "text/html")
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }
}

impl<T: Aggregator> Desk<T> {
    fn refuse(&self, refusal: &Refusal) -> Response {
        self.note(refusal);
        body::plain(&refusal.reply, T::CONTENT_TYPE)
    }

    fn note(&self, refusal: &Refusal) {
        let status = refusal.reply.status;
        tracing::warn!(transport = self.link.name(), status, "a request was refused: {}", shown(&refusal.reason));
    }

    /// Reads a request, unless it is refused before.
    async fn accept(
        &self,
        request: hyper::Request<Incoming>,
        found: Found,
        peer: SocketAddr,
    ) -> Result<Request, Refusal> {
        let (head, body) = request.into_parts();
        let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
        if !self.site.methods.contains(method) {
            let allow: Vec<&str> = self.site.methods.iter().map(Method::as_str).collect();
            let reply = Reply::status(405).body("Method Not Allowed").header("allow", &allow.join(", "));
            return Err(Refusal::new(reply, format!("the method {}", head.method)));
        }
        if let Some(auth) = &self.site.auth
            && !auth.admits(head.headers.get(AUTHORIZATION).map(|value| value.as_bytes()))
        {
            return Err(Refusal::new(auth.refusal(), "wrong or missing credentials"));
        }
        if self.closing.is_cancelled() {
            return Err(Refusal::new(busy(), "the transport is stopping"));
        }
        let body = self.read(body).await?;
        let form = Request::is_form(&head.method, &head.headers).then_some(&body[..]);
        let params = Params::read(head.uri.query().unwrap_or_default(), form);
        let params = params.map_err(|error| Refusal::bad(error.to_string()))?;
        Ok(Request {
            id: new_id(),
            route: found.route,
            rest: found.rest,
            path: head.uri.path().to_owned(),
            uri: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            method: head.method,
            headers: head.headers,
            body,
            peer,
            permissive: self.site.permissive,
            params,
        })
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Refusal> {
        let most = self.limits.body;
        let too_large = || {
            let reply = Reply::status(413).body("Request Entity Too Large").header("connection", "close");
            Refusal::new(reply, format!("its body has more than {most} bytes, see `max_body`"))
        };
        if body.size_hint().lower() > most as u64 {
            return Err(too_large());
        }
        match tokio::time::timeout(self.limits.read, Limited::new(body, most).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(error)) => {
                let reply = Reply::status(400).body("Bad Request").header("connection", "close");
                Err(Refusal::new(reply, format!("its body could not be read: {error}")))
            }
            Err(_) => {
                let reply = Reply::status(408).body("Request Timeout").header("connection", "close");
                Err(Refusal::new(reply, "its body did not arrive in time, see `request_read_timeout_s`"))
            }
        }
    }

    /// Lets the aggregator work on a request, and waits for the answer.
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let id = request.id.clone();
        let Some((_forget, answer)) = self.pending.open(&id, request.peer, self.limits.pending) else {
            let most = self.limits.pending;
            return self.refuse(&Refusal::new(busy(), format!("{most} requests are open, see `max_pending_requests`")));
        };
        let (this, bare) = (Arc::clone(&self), request.method == Method::HEAD);
        self.tasks.spawn(async move { this.receive(request).await });
        match self.wait(&id, answer).await {
            Some(Handed { reply, written }) if bare => {
                // The library drops the body without asking for it. Nobody may wait for it.
                let _ = written.send(());
                body::plain(&reply, T::CONTENT_TYPE)
            }
            Some(Handed { reply, written }) => body::tracked(&reply, T::CONTENT_TYPE, Some(written)),
            None => body::plain(&Reply::status(500), T::CONTENT_TYPE),
        }
    }

    /// The aggregator's part. What it answers or refuses goes the way of all answers.
    async fn receive(self: Arc<Self>, request: Request) {
        let (id, link) = (request.id.clone(), self.link.clone());
        let own = Arc::clone(&self.own);
        // A task of its own, so that a panic is seen.
        let received = tokio::spawn(async move { own.receive(&request, &link).await }).await;
        let reply = match received {
            Ok(Ok(Answer::Hold)) => return,
            Ok(Ok(Answer::Now(reply))) => reply,
            Ok(Err(refusal)) => {
                self.note(&refusal);
                refusal.reply
            }
            Err(panic) => {
                tracing::error!(transport = self.link.name(), "a request could not be handled: {panic}");
                Reply::status(500)
            }
        };
        self.link.finish(&id, reply).await;
    }

    async fn wait(&self, id: &str, mut answer: oneshot::Receiver<Handed>) -> Option<Handed> {
        if let Some(limit) = self.site.timeout {
            match tokio::time::timeout(limit, &mut answer).await {
                Ok(handed) => return handed.ok(),
                Err(_) => {
                    let (link, id, reply) = (self.link.clone(), id.to_owned(), self.site.timeout_reply.clone());
                    tokio::spawn(async move { link.time_out(&id, reply).await });
                }
            }
        }
        answer.await.ok()
    }
}
