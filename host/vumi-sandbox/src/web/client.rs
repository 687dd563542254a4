//! The client of one app: a request in, a response or one sentence out.
//!
//! Everything that could act without being asked is off: proxies from the environment, cookies kept between requests,
//! referers, retries, redirects by the library. The library's client is built when the app sends its first request,
//! since reading the system's root certificates takes milliseconds, and apps that never use the web should not pay.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::retry;
use tokio::sync::OnceCell;

use super::body;
use super::error::{WebError, shortened};
use super::headers;
use super::policy::WebPolicy;
use super::redirect::{Hop, MAX_REDIRECTS};
use super::resolve::{Lookup, PolicyResolver, SystemLookup};

/// Default of [`WebBudget::timeout`] (Vumi's sandbox resource `http`).
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// Default of [`WebBudget::data_limit`], in bytes (Vumi's sandbox resource `http`).
pub const DATA_LIMIT: u64 = 131_072;

/// Shared by all addresses of a name, so that one that does not answer leaves time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept, and how many of them per origin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_PER_ORIGIN: usize = 2;

/// The methods that a guest may use (`wit/http.wit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Put => Self::PUT,
            Method::Delete => Self::DELETE,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Patch => Self::PATCH,
        }
    }
}

/// A request as the guest made it; nothing in it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebRequest {
    /// The method.
    pub method: Method,
    /// `http://` or `https://`, at most 16 KiB.
    pub url: String,
    /// At most 100, 64 KiB together; names may repeat. `Content-Length` is ignored; `Host` and the headers of the
    /// connection are refused.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// The final response: any status counts, a redirect that was followed does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebResponse {
    /// The status code.
    pub status: u16,
    /// Names are in lower case and may repeat.
    pub headers: Vec<(String, String)>,
    /// The body, decoded if it was gzip.
    pub body: Vec<u8>,
    /// By how much [`WebBudget::bytes_left`] shrank.
    pub bytes_used: u64,
}

/// What an exchange may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebBudget {
    /// For the whole exchange: DNS, connecting, redirects and body included.
    pub timeout: Duration,
    /// For the response body, in bytes; exactly this many are allowed.
    pub data_limit: u64,
    /// For the bodies of all requests and responses of the run, in bytes. [`WebClient::request`] subtracts what it
    /// used, also when it fails and when it is dropped half-way.
    pub bytes_left: u64,
}

/// Carries out the requests of one app under its policy.
///
/// One per app and per state of its allow-list: connections are pooled within it, and a pool must not outlive the
/// policy that opened its connections.
pub struct WebClient {
    policy: Arc<WebPolicy>,
    lookup: Arc<dyn Lookup>,
    verified: OnceCell<reqwest::Client>,
    /// Looks at no certificates, nor at the names in them.
    unverified: OnceCell<reqwest::Client>,
}

impl WebClient {
    /// A client that resolves names as the operating system does. Cheap: nothing is built before the first request.
    pub fn new(policy: WebPolicy) -> Self {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    /// A client with its own source of addresses.
    pub fn with_lookup(policy: WebPolicy, lookup: Arc<dyn Lookup>) -> Self {
        Self { policy: Arc::new(policy), lookup, verified: OnceCell::new(), unverified: OnceCell::new() }
    }

    /// Sends a request, follows its redirects, and reads the response.
    ///
    /// # Errors
    /// See [`WebError`]; [`WebBudget::bytes_left`] has shrunk by what the attempt used.
    pub async fn request(&self, request: WebRequest, budget: &mut WebBudget) -> Result<WebResponse, WebError> {
        self.within_time(request, budget, true).await
    }

    /// As [`Self::request`], with any certificate taken: for apps of Vumi's sandbox that ask for it (`verify_options`).
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn request_unverified(
        &self,
        request: WebRequest,
        budget: &mut WebBudget,
    ) -> Result<WebResponse, WebError> {
        self.within_time(request, budget, false).await
    }

    async fn within_time(
        &self,
        request: WebRequest,
        budget: &mut WebBudget,
        verified: bool,
    ) -> Result<WebResponse, WebError> {
        let timeout = budget.timeout;
        match tokio::time::timeout(timeout, self.exchange(request, budget, verified)).await {
            Ok(result) => result,
            Err(_) => Err(WebError::Timeout(format!("The exchange did not end within {} ms.", timeout.as_millis()))),
        }
    }

    /// Checks a request as [`Self::request`] does before it sends anything.
    pub(crate) fn check(&self, request: &WebRequest) -> Result<(), WebError> {
        let headers = headers::validate(&request.headers)?;
        Hop::first(&self.policy, request.method.into(), &request.url, headers, None).map(drop)
    }

    async fn exchange(
        &self,
        request: WebRequest,
        budget: &mut WebBudget,
        verified: bool,
    ) -> Result<WebResponse, WebError> {
        let at_start = budget.bytes_left;
        let headers = headers::validate(&request.headers)?;
        let body = request.body.map(Bytes::from);
        let mut hop = Hop::first(&self.policy, request.method.into(), &request.url, headers, body)?;
        let mut redirects = 0;
        loop {
            spend(hop.body.as_ref(), &mut budget.bytes_left)?;
            let client = self.client(verified).await?;
            let sent = client.execute(hop.request()).await;
            let mut response = sent.map_err(|error| WebError::from_reqwest(&hop.url, &error))?;
            if hop.follow(&self.policy, &response)? {
                redirects += 1;
                if redirects > MAX_REDIRECTS {
                    return Err(WebError::TooManyRedirects(format!("More than {MAX_REDIRECTS} redirects.")));
                }
                continue;
            }
            let body = body::read(&mut response, budget.data_limit, &mut budget.bytes_left).await?;
            return Ok(WebResponse {
                status: response.status().as_u16(),
                headers: headers::for_guest(response.headers()),
                body,
                bytes_used: at_start.saturating_sub(budget.bytes_left),
            });
        }
    }

    /// The library's client, built on first use. A failure is not kept: the next request tries again.
    async fn client(&self, verified: bool) -> Result<&reqwest::Client, WebError> {
        let build = || async {
            let policy = Arc::clone(&self.policy);
            let lookup = Arc::clone(&self.lookup);
            // Reads and parses certificate files.
            let built = tokio::task::spawn_blocking(move || build(policy, lookup, verified)).await;
            built.map_err(|error| WebError::Network(format!("The HTTP client could not be built: {error}.")))?
        };
        let cell = if verified { &self.verified } else { &self.unverified };
        cell.get_or_try_init(build).await
    }
}

/// Takes the request's body from what the run has left.
fn spend(body: Option<&Bytes>, bytes_left: &mut u64) -> Result<(), WebError> {
    let size = body.map_or(0, |body| body.len() as u64);
    match bytes_left.checked_sub(size) {
        Some(left) => {
            *bytes_left = left;
            Ok(())
        }
        None => Err(WebError::TooLarge(format!(
            "The request body has {size} bytes, {bytes_left} bytes are left for this run's HTTP bodies."
        ))),
    }
}

fn build(policy: Arc<WebPolicy>, lookup: Arc<dyn Lookup>, verified: bool) -> Result<reqwest::Client, WebError> {
    // With wildcards a guest chooses how many origins there are, and each would keep connections open: no pool then.
    let idle = if policy.is_finite() { IDLE_PER_ORIGIN } else { 0 };
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_gzip()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(idle);
    if !policy.has_https() {
        // No certificate will ever be looked at: skip loading the system's roots, which may also be missing.
        builder = builder.tls_certs_only([]);
    }
    if !verified {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.dns_resolver(PolicyResolver::new(policy, lookup)).build().map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| shortened(&cause.to_string()));
        WebError::Network(format!("The HTTP client could not be built ({cause}); check the system's CA certificates."))
    })
}
