//! A stage: what stands in for the world while an app is tested.
//!
//! Tests of an app (see the crate `vumi-rehearsal`) run it in the real sandbox. What would make a run depend on the
//! day or on the network is the stage's: the clocks, the random numbers, and what comes back from the web. All else is
//! as always: the limits, the allow-list, the budgets. A sleep is over at once, and the stage's clock has then moved on.
//!
//! An app without a stage pays for one look at an empty option where it asks for one of these.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use vumi_core::Result;
use vumi_message::Timestamp;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder, WasiView};

use crate::app::App;
use crate::state::Guest;
use crate::tape::random_numbers;
use crate::turns::Account;
use crate::web::{WebBudget, WebError, WebRequest, WebResponse};

/// See the module's text.
pub trait Stage: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// The monotonic clock, in nanoseconds; never goes back.
    fn elapsed_ns(&self) -> u64;

    /// The app sleeps for so many nanoseconds: the clocks are to show that they have passed.
    fn sleep(&self, ns: u64);

    /// What the random numbers of the run that is under way follow from.
    fn seed(&self) -> [u8; 32];

    /// Answers a request that the app's settings allow, and that may take so long.
    ///
    /// # Errors
    /// What the app is told instead of a response.
    fn answer(&self, request: &WebRequest, timeout: Duration) -> std::result::Result<WebResponse, WebError>;
}

/// Apps on stages that count as one when turns are given out. Each conversation of a test has an app of its own, and
/// none of them is a neighbour whom the others could harm.
#[derive(Clone, Debug, Default)]
pub struct Company(Arc<Account>);

/// The stage of an app, if it has one.
#[derive(Clone, Default)]
pub(crate) struct MaybeStage(Option<Arc<dyn Stage>>);

impl fmt::Debug for MaybeStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a stage" } else { "no stage" })
    }
}

impl MaybeStage {
    pub(crate) fn get(&self) -> Option<&Arc<dyn Stage>> {
        self.0.as_ref()
    }

    /// The time, where the stage says what it is.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.0.as_ref().map(|stage| stage.now())
    }
}

impl App {
    /// Puts the app on a stage, as one of a company. To be done before its first run.
    ///
    /// # Errors
    /// When the app is running already.
    pub fn staged(mut self, stage: Arc<dyn Stage>, company: &Company) -> Result<Self> {
        let Some(shared) = self.shared_mut() else {
            return Err(vumi_core::Error::permanent("an app that runs already cannot be put on a stage"));
        };
        shared.stage = MaybeStage(Some(stage));
        shared.account = Arc::clone(&company.0);
        Ok(self)
    }
}

/// Gives a run the clocks and random numbers of a stage.
pub(crate) fn equip(builder: &mut WasiCtxBuilder, stage: &Arc<dyn Stage>) {
    random_numbers(builder, stage.seed());
    builder.wall_clock(Wall(Arc::clone(stage))).monotonic_clock(Monotonic(Arc::clone(stage)));
}

struct Wall(Arc<dyn Stage>);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().micros()).unwrap_or_default())
    }
}

struct Monotonic(Arc<dyn Stage>);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.elapsed_ns()
    }
}

/// A sleep on a stage: over when it is first waited for, and then the clock shows its end.
struct Slept {
    stage: Arc<dyn Stage>,
    until: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Slept {
    async fn ready(&mut self) {
        let left = self.until.saturating_sub(self.stage.elapsed_ns());
        if left > 0 {
            self.stage.sleep(left);
        }
        // A guest that waits in a loop must not keep its thread from others.
        tokio::task::yield_now().await;
    }
}

impl Guest {
    /// A sleep until a reading of the monotonic clock begins; none where the app is on no stage.
    pub(crate) fn sleeps_on_stage(&mut self, until: u64) -> wasmtime::Result<Option<Resource<DynPollable>>> {
        let Some(stage) = self.app.stage.get() else { return Ok(None) };
        let slept = Slept { stage: Arc::clone(stage), until };
        let table = self.ctx().table;
        let slept = table.push(slept)?;
        subscribe(table, slept).map(Some)
    }

    /// The stage's answer to a request; none where the app is on no stage. What the app may reach is checked as always.
    pub(crate) fn answered_on_stage(
        &self,
        request: &WebRequest,
        budget: &mut WebBudget,
    ) -> Option<std::result::Result<WebResponse, WebError>> {
        let stage = self.app.stage.get()?;
        Some(self.app.web.check(request).and_then(|()| {
            let sent = request.body.as_ref().map_or(0, |body| body.len() as u64);
            spend(budget, sent)?;
            let mut response = stage.answer(request, budget.timeout)?;
            let received = response.body.len() as u64;
            if received > budget.data_limit {
                let limit = budget.data_limit;
                return Err(WebError::TooLarge(format!(
                    "Received {received} bytes, maximum of {limit} bytes allowed."
                )));
            }
            spend(budget, received)?;
            response.bytes_used = sent.saturating_add(received);
            Ok(response)
        }))
    }
}

/// Takes the bytes of a body off what is left for the run.
fn spend(budget: &mut WebBudget, bytes: u64) -> std::result::Result<(), WebError> {
    let left = budget.bytes_left;
    budget.bytes_left = left.checked_sub(bytes).ok_or_else(|| {
        WebError::TooLarge(format!(
            "A body of {bytes} bytes is more than the {left} that were left for this run's HTTP bodies."
        ))
    })?;
    Ok(())
}
