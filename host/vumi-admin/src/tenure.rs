//! How long a caller stays who they were. A request is checked when it comes in; an event stream lasts much longer than
//! that, and must end with the token that it was opened with.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::access_store::KeptToken;
use crate::caller::Caller;
use crate::clock;
use crate::control::Control;
use crate::tokens;

/// How often a token is looked up again: it may have been removed by another process than this one.
const PERIOD: Duration = Duration::from_secs(5);

/// Ends when the caller's token is removed or expires: at once when this server is told to remove it, else within
/// [`PERIOD`]. Never ends for callers without a kept token. `removals` changes with every token that is removed.
pub(crate) async fn over(caller: Caller, control: Arc<dyn Control>, removals: watch::Receiver<u64>) {
    match caller.kept {
        Some(token) => until_gone(&token, control, removals, PERIOD).await,
        None => std::future::pending().await,
    }
}

async fn until_gone(
    token: &KeptToken,
    control: Arc<dyn Control>,
    mut removals: watch::Receiver<u64>,
    period: Duration,
) {
    loop {
        let left = token.info.expires_at.map(|at| Duration::from_micros(at.saturating_sub(clock::now())));
        let wait = sleep(left.map_or(period, |left| left.min(period)));
        tokio::select! {
            () = wait => {}
            // The sender lives as long as the server does.
            Ok(()) = removals.changed() => {}
        }
        if !still_holds(token, &*control, period).await {
            return;
        }
    }
}

async fn still_holds(token: &KeptToken, control: &dyn Control, patience: Duration) -> bool {
    if tokens::has_expired(&token.info, clock::now()) {
        return false;
    }
    match timeout(patience, control.access().token(&token.info.id)).await {
        Ok(Ok(found)) => found.is_some_and(|found| found.hash == token.hash),
        // It was right a moment ago, and a store that is away for a while should not end all streams.
        Ok(Err(_)) | Err(_) => true,
    }
}
