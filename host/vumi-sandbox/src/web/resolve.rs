//! Names to addresses, with the policy in between.
//!
//! The HTTP library asks this resolver for addresses and connects to exactly those that it hands out. There is no
//! second look-up between the check and the connection, which is what "DNS rebinding" would need.
//!
//! The system's resolver blocks a thread until it has an answer or gives up, and cannot be cancelled. Look-ups that
//! nobody waits for any more therefore keep their place in two counts, of the app and of the whole host, until they
//! have really ended: a guest that asks for dead names cannot use up the threads that others need.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::entry::LOCALHOST;
use super::policy::{LOOPBACKS, WebPolicy};

/// Look-ups of one app at a time.
const LOOKUPS_PER_APP: usize = 8;
/// Look-ups of all apps at a time; the runtime has 512 threads for blocking work.
const LOOKUPS: usize = 64;
/// Addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 32;

static ALL_LOOKUPS: Semaphore = Semaphore::const_new(LOOKUPS);

/// Where names are looked up.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `host`, in the order in which they are to be tried. The policy is applied afterwards.
    ///
    /// # Errors
    /// When the name does not exist or nobody could be asked.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver (`getaddrinfo`: hosts file, DNS, whatever the machine is set up for).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.take(MAX_ADDRESSES).map(|found| found.ip()).collect())
    }
}

/// Gives the HTTP library the addresses that the policy opens.
pub(super) struct PolicyResolver {
    policy: Arc<WebPolicy>,
    lookup: Arc<dyn Lookup>,
    running: Arc<Semaphore>,
}

impl PolicyResolver {
    pub(super) fn new(policy: Arc<WebPolicy>, lookup: Arc<dyn Lookup>) -> Self {
        Self { policy, lookup, running: Arc::new(Semaphore::new(LOOKUPS_PER_APP)) }
    }
}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        let lookup = Arc::clone(&self.lookup);
        let running = Arc::clone(&self.running);
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let mut found = match name.as_str() {
                LOCALHOST => LOOPBACKS.to_vec(),
                _ => look_up(lookup, running, name.clone()).await?,
            };
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no addresses").into());
            }
            found.truncate(MAX_ADDRESSES);
            let open = policy.filter(&name, found)?;
            // Port 0 is replaced by the URL's port.
            Ok(Box::new(open.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

async fn look_up(lookup: Arc<dyn Lookup>, running: Arc<Semaphore>, name: String) -> io::Result<Vec<IpAddr>> {
    let of_app = running.acquire_owned().await.map_err(io::Error::other)?;
    let of_all = ALL_LOOKUPS.acquire().await.map_err(io::Error::other)?;
    // A task of its own: when the request is given up, the look-up goes on and the permits stay with it.
    let task = tokio::spawn(async move {
        let answer = lookup.lookup(&name).await;
        drop((of_app, of_all));
        answer
    });
    task.await.map_err(io::Error::other)?
}
