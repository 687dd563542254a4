//! The listeners of a process: one for each address, shared by all transports that are configured for it, each with
//! its own paths.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Incoming;
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_core::{Error, Result};

use super::body::Response;
use super::server;
use super::site::{Site, trimmed};

/// What answers requests to a path.
#[async_trait]
pub(super) trait Handler: Send + Sync + 'static {
    /// A request to one of the site's paths.
    async fn serve(self: Arc<Self>, request: hyper::Request<Incoming>, found: Found, peer: SocketAddr) -> Response;

    /// The health page, where `pending` requests are open.
    fn health(&self, pending: usize) -> Response;

    /// Open requests.
    fn pending(&self) -> usize;
}

/// Where a path led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Which of the site's paths.
    pub(super) route: usize,
    /// The segments below it, decoded.
    pub(super) rest: Vec<String>,
}

/// Host and port as they are configured.
type Address = (String, u16);

/// The listeners of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Sites {
    listeners: Arc<Mutex<HashMap<Address, Arc<Listener>>>>,
    promises: Promises,
}

/// The paths of all transports that are configured, whether they run or not. Beside others on its address, a transport
/// that is just starting is not to look as if there were none: networks give a message up over a 404.
#[derive(Clone, Default)]
struct Promises(Arc<RwLock<Vec<Promised>>>);

struct Promised {
    id: u64,
    address: Address,
    segments: Vec<String>,
}

/// Keeps a transport's paths known until it is dropped.
pub(super) struct Promise {
    id: u64,
    promises: Promises,
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.promises.0.write().retain(|promised| promised.id != self.id);
    }
}

impl std::fmt::Debug for Sites {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sites").finish_non_exhaustive()
    }
}

/// One address that is listened on.
struct Listener {
    at: SocketAddr,
    table: Arc<Table>,
    stop: CancellationToken,
    server: Mutex<Option<JoinHandle<()>>>,
}

/// A transport's place on a listener.
pub(super) struct Place {
    pub(super) at: SocketAddr,
    sites: Sites,
    key: Address,
    listener: Arc<Listener>,
    tenant: u64,
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Sites {
    /// Makes the paths of a site known before it is served.
    pub(super) fn promise(&self, site: &Site) -> Promise {
        let (id, address) = (next_id(), (site.listen.host.clone(), site.listen.port));
        let promised = |path: &String| Promised { id, address: address.clone(), segments: split(path) };
        self.promises.0.write().extend(site.paths.iter().map(promised));
        Promise { id, promises: self.promises.clone() }
    }

    /// Begins to serve a site; listens on its address unless that is done already.
    ///
    /// # Errors
    /// A temporary one when the address is not to be had, a permanent one when somebody serves the path already.
    pub(super) async fn open(&self, site: &Site, handler: Arc<dyn Handler>, read: Duration) -> Result<Place> {
        // With port 0 each transport gets a port of its own.
        let tenant = next_id();
        let mut key = (site.listen.host.clone(), site.listen.port);
        if key.1 == 0 {
            key.0 = format!("{} for {tenant}", key.0);
        }
        let mut listeners = self.listeners.lock().await;
        let listener = match listeners.get(&key) {
            Some(listener) => Arc::clone(listener),
            None => Arc::new(Listener::start(site, read, self.promises.clone()).await?),
        };
        if let Err(error) = listener.table.admit(tenant, site, &handler) {
            if !listeners.contains_key(&key) {
                listener.end().await;
            }
            return Err(error);
        }
        listeners.insert(key.clone(), Arc::clone(&listener));
        Ok(Place { at: listener.at, sites: self.clone(), key, listener, tenant })
    }
}

impl Place {
    /// Gives the place up. The last one on a listener ends it.
    pub(super) async fn close(self) {
        let mut listeners = self.sites.listeners.lock().await;
        if self.listener.table.dismiss(self.tenant) {
            listeners.remove(&self.key);
            self.listener.end().await;
        }
    }
}

impl Listener {
    async fn start(site: &Site, read: Duration, promises: Promises) -> Result<Self> {
        let listen = &site.listen;
        let failed = |error: std::io::Error| {
            let text = format!(
                "cannot listen on {listen} (see `{}`): another program may use the port, or the address is not one of \
                 this machine",
                site.key
            );
            Error::temporary(text).because(error)
        };
        let listener = TcpListener::bind((listen.host.as_str(), listen.port)).await.map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        let address = (listen.host.clone(), listen.port);
        let (table, stop) = (Arc::new(Table { promises, address, ..Table::default() }), CancellationToken::new());
        let server = tokio::spawn(server::serve(listener, Arc::clone(&table), stop.clone(), read));
        Ok(Self { at, table, stop, server: Mutex::new(Some(server)) })
    }

    async fn end(&self) {
        self.stop.cancel();
        if let Some(server) = self.server.lock().await.take() {
            // It has a limit of its own, and a panic there must not stop the stopping.
            let _ = server.await;
        }
    }
}

/// Without [`Place::close`], as when a task is dropped, the listener ends as well.
impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Which path leads to whom.
#[derive(Default)]
pub(super) struct Table {
    rows: RwLock<Vec<Row>>,
    promises: Promises,
    address: Address,
}

struct Row {
    tenant: u64,
    segments: Vec<String>,
    kind: Kind,
    handler: Arc<dyn Handler>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Path(usize),
    Health,
}

/// Who answers.
pub(super) enum Way {
    Handler(Arc<dyn Handler>, Found),
    /// A health page: whose, and how many requests are open at all who share it.
    Health(Arc<dyn Handler>, usize),
    /// A transport that does not run at this moment.
    Later,
    Nobody,
}

impl Table {
    fn admit(&self, tenant: u64, site: &Site, handler: &Arc<dyn Handler>) -> Result<()> {
        let mut rows = self.rows.write();
        for path in &site.paths {
            let segments = split(path);
            if rows.iter().any(|row| row.kind != Kind::Health && row.segments == segments) {
                let text = format!(
                    "another transport serves the path /{} on {}: give each its own",
                    trimmed(path),
                    site.listen
                );
                return Err(Error::permanent(text));
            }
        }
        let paths = site.paths.iter().enumerate().map(|(route, path)| (path, Kind::Path(route)));
        for (path, kind) in paths.chain(site.health.iter().map(|path| (path, Kind::Health))) {
            rows.push(Row { tenant, segments: split(path), kind, handler: Arc::clone(handler) });
        }
        Ok(())
    }

    /// True when nobody is left.
    fn dismiss(&self, tenant: u64) -> bool {
        let mut rows = self.rows.write();
        rows.retain(|row| row.tenant != tenant);
        rows.is_empty()
    }

    /// The longest path that the request's path begins with, segment by segment. Health pages match as a whole.
    pub(super) fn find(&self, path: &str) -> Way {
        let segments = split(path);
        let rows = self.rows.read();
        let mut health: Option<&Row> = None;
        let mut best: Option<(&Row, usize)> = None;
        for row in rows.iter() {
            match row.kind {
                Kind::Health if row.segments == segments => health = health.or(Some(row)),
                Kind::Path(route)
                    if segments.starts_with(&row.segments)
                        && best.is_none_or(|(other, _)| other.segments.len() < row.segments.len()) =>
                {
                    best = Some((row, route));
                }
                _ => {}
            }
        }
        let later = self.promised(&segments);
        match (best, health) {
            (best, None) if later.is_some_and(|later| best.is_none_or(|(row, _)| row.segments.len() < later)) => {
                Way::Later
            }
            // A path of exactly this name is meant before a health page.
            (Some((row, route)), _) if health.is_none() || row.segments == segments => {
                let rest = segments.get(row.segments.len()..).unwrap_or_default().to_vec();
                Way::Handler(Arc::clone(&row.handler), Found { route, rest })
            }
            (_, Some(health)) => {
                let sharing = rows.iter().filter(|row| row.kind == Kind::Health && row.segments == segments);
                let pending = sharing.map(|row| row.handler.pending()).sum();
                Way::Health(Arc::clone(&health.handler), pending)
            }
            _ => Way::Nobody,
        }
    }
}

impl Table {
    /// The length of the longest configured path that a request's path begins with.
    fn promised(&self, segments: &[String]) -> Option<usize> {
        let promises = self.promises.0.read();
        let here = promises.iter().filter(|promised| promised.address == self.address);
        here.filter(|promised| segments.starts_with(&promised.segments)).map(|promised| promised.segments.len()).max()
    }
}

/// The segments of a path, decoded. Slashes at both ends have no meaning, and what is no UTF-8 is shown as such.
fn split(path: &str) -> Vec<String> {
    let path = trimmed(path);
    if path.is_empty() {
        return Vec::new();
    }
    path.split('/').map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::endpoint::Listen;
    use crate::http::body;

    struct Nobody(usize);

    #[async_trait]
    impl Handler for Nobody {
        async fn serve(self: Arc<Self>, _: hyper::Request<Incoming>, _: Found, _: SocketAddr) -> Response {
            self.health(0)
        }

        fn health(&self, _: usize) -> Response {
            body::plain(&crate::http::Reply::ok("x"), "text/plain")
        }

        fn pending(&self) -> usize {
            self.0
        }
    }

    fn site(paths: &[&str], health: Option<&str>) -> Site {
        let mut site = Site::new("web_port", Listen::at(None, 0), paths);
        site.health = health.map(str::to_owned);
        site
    }

    fn way(table: &Table, path: &str) -> String {
        match table.find(path) {
            Way::Handler(handler, Found { route, rest }) => format!("{} {route} {rest:?}", handler.pending()),
            Way::Health(handler, pending) => format!("health of {}: {pending}", handler.pending()),
            Way::Later => "later".to_owned(),
            Way::Nobody => "nobody".to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_transports() {
        let table = Table::default();
        let handler = |number| Arc::new(Nobody(number)) as Arc<dyn Handler>;
        table.admit(1, &site(&["/a/b/"], Some("health")), &handler(1)).unwrap();
        table.admit(2, &site(&["a", "a/c"], Some("/health/")), &handler(2)).unwrap();
        assert!(table.admit(3, &site(&["x", "/a/c/"], None), &handler(3)).is_err());
        for (path, expected) in [
            ("/a/b", "1 0 []"),
            ("/a/b/c%20d/", "1 0 [\"c d\"]"),
            ("/a/bc", "2 0 [\"bc\"]"),
            ("//a/c/", "2 1 []"),
            ("/health", "health of 1: 3"),
            ("/health/x", "nobody"),
            ("/", "nobody"),
            ("/x", "nobody"),
        ] {
            assert_eq!(way(&table, path), expected, "{path}");
        }
        assert!(!table.dismiss(1));
        assert_eq!(way(&table, "/health"), "health of 2: 2");
        assert!(table.dismiss(2));
        table.admit(4, &site(&[""], Some("health")), &handler(4)).unwrap();
        assert_eq!(way(&table, "/q/r"), "4 0 [\"q\", \"r\"]");
        assert_eq!(way(&table, "/health"), "health of 4: 4");
    }

    #[test]
    fn a_transport_that_does_not_run_is_not_unknown() {
        let sites = Sites::default();
        let all = site(&[""], Some("health"));
        let address = (all.listen.host.clone(), all.listen.port);
        let table = Table { promises: sites.promises.clone(), address, ..Table::default() };
        let handler = Arc::new(Nobody(1)) as Arc<dyn Handler>;
        let promise = sites.promise(&site(&["/a", "/b/c"], None));
        let elsewhere = sites.promise(&Site::new("web_port", Listen::at(Some("0.0.0.0"), 0), &["/d"]));
        let ways = |expected: [&str; 4]| {
            assert_eq!(["/a/x", "/b/c", "/b", "/d"].map(|path| way(&table, path)), expected);
        };
        ways(["later", "later", "nobody", "nobody"]);
        // Others do not get what is meant for it.
        table.admit(1, &all, &handler).unwrap();
        ways(["later", "later", "1 0 [\"b\"]", "1 0 [\"d\"]"]);
        assert_eq!(way(&table, "/health"), "health of 1: 1");
        table.admit(2, &site(&["/a"], None), &handler).unwrap();
        ways(["1 0 [\"x\"]", "later", "1 0 [\"b\"]", "1 0 [\"d\"]"]);
        drop((promise, elsewhere));
        ways(["1 0 [\"x\"]", "1 0 [\"b\", \"c\"]", "1 0 [\"b\"]", "1 0 [\"d\"]"]);
    }
}
