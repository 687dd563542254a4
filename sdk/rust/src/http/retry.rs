//! Trying again: how often, how long between, and how long in all.

use std::time::Duration;

use super::Response;
use crate::bindings::vumi::app::http::HttpRequest;
use crate::{Error, Result, host};

/// When to try a request again, and when to give up.
///
/// Tried again are failed exchanges and the statuses 429, 502, 503 and 504. The pause doubles each time; a `Retry-After`
/// in seconds is heeded where it is longer. The limit of time holds for everything together, so that the user is not
/// kept waiting longer than a session lives, nor the run longer than the host allows.
///
/// ```
/// use std::time::Duration;
/// use vumi_sdk::http::{self, Response, Retry};
/// use vumi_sdk::testing;
///
/// let mut tries = 0;
/// testing::on_http(move |_| {
///     tries += 1;
///     Ok(Response::of(if tries < 3 { 503 } else { 200 }, "done"))
/// });
/// let response = http::get("https://clinic.example/").retry(Retry::default()).send()?;
/// assert_eq!(response.text()?, "done");
/// assert_eq!(testing::slept(), [Duration::from_millis(200), Duration::from_millis(400)]);
/// # Ok::<(), vumi_sdk::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    pause: Duration,
    within: Duration,
}

impl Default for Retry {
    /// 3 attempts, 200 ms before the second, 10 s in all.
    fn default() -> Self {
        Self { attempts: 3, pause: Duration::from_millis(200), within: Duration::from_secs(10) }
    }
}

impl Retry {
    /// So many attempts, the first included.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The pause before the second attempt.
    #[must_use]
    pub fn pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The time for all attempts and pauses together.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    pub(super) fn run(self, mut request: HttpRequest) -> Result<Response> {
        let begun = host::elapsed();
        let own = request.timeout_ms.unwrap_or(u32::MAX);
        let mut pause = self.pause;
        let mut attempt = 1;
        loop {
            let left = self.within.saturating_sub(host::elapsed().saturating_sub(begun));
            request.timeout_ms = Some(own.min(u32::try_from(left.as_millis()).unwrap_or(u32::MAX)).max(1));
            let result = host::request(&request).map_err(Error::from).map(|fields| Response { fields });
            let asked = match &result {
                Ok(response) if matches!(response.status(), 429 | 502 | 503 | 504) => retry_after(response),
                Err(Error::Unavailable(_)) => None,
                _ => return result,
            };
            let wait = asked.map_or(pause, |asked| asked.max(pause));
            let left = self.within.saturating_sub(host::elapsed().saturating_sub(begun));
            if attempt >= self.attempts || wait >= left {
                return result;
            }
            host::sleep(wait);
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    response.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::{http, testing};

    fn tries(retry: Retry, answer: impl Fn(u32) -> Result<Response> + 'static) -> (Result<Response>, u32) {
        testing::reset();
        testing::on_http(move |_| answer(crate::kv::incr("tries", 1)? as u32));
        let result = http::get("https://a.example/").retry(retry).send();
        (result, crate::kv::get("tries").unwrap().unwrap())
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for (status, expected) in [(200, 1), (404, 1), (500, 1), (429, 3), (502, 3), (503, 3), (504, 3)] {
            let (result, count) = tries(Retry::default(), move |_| Ok(Response::of(status, "")));
            assert_eq!((result.unwrap().status(), count), (status, expected));
        }
        let (result, count) = tries(Retry::default(), |_| Err(Error::Unavailable("away".into())));
        assert_eq!((result.unwrap_err(), count), (Error::Unavailable("away".into()), 3));
        let (result, count) = tries(Retry::default(), |_| Err(Error::Denied("no".into())));
        assert_eq!((result.unwrap_err(), count), (Error::Denied("no".into()), 1));
    }

    #[test]
    fn the_time_for_all_of_it_is_kept() {
        let retry = Retry::default().attempts(100).pause(Duration::from_secs(1)).within(Duration::from_secs(10));
        let (_, count) = tries(retry, |_| Ok(Response::of(503, "")));
        // Pauses of 1, 2 and 4 s; 8 s more would be too long.
        assert_eq!(count, 4);
        assert_eq!(testing::slept().iter().sum::<Duration>(), Duration::from_secs(7));
        let (_, count) = tries(retry, |_| Ok(Response::of(503, "").with_header("Retry-After", "3")));
        assert_eq!((count, testing::slept()), (3, vec![Duration::from_secs(3); 2]));
    }

    #[test]
    fn errors_show_no_query_and_no_password() {
        let error = http::get("https://u:secret@a.example/p?key=secret").fetch::<u8>().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Denied);
        testing::on_http(|_| Ok(Response::of(500, "")));
        let error = http::get("https://u:secret@a.example/p?key=secret").fetch::<u8>().unwrap_err();
        assert_eq!(error, Error::Status(500, "a.example/p answered 500".into()));
    }
}
