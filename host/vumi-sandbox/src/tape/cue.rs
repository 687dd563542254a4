//! What a host function says to the tape: that it begins, and what it answers.

use serde_json::Value;
use vumi_bindings::app::vumi::app::types::Error;
use vumi_core::Outcome;

use super::document::{TapeCall, TapeStop};
use super::values::Taped;
use super::{Begun, Delivery, Reel, Tape};
use crate::meter::Stop;
use crate::state::Guest;

impl Guest {
    /// A host call begins that a tape can answer. An answer is the guest's, and the host does nothing; `neutral` is
    /// that of a call that the tape does not know.
    #[inline]
    pub(crate) fn cue<T: Taped>(
        &mut self,
        call: &'static str,
        args: impl FnOnce() -> Vec<Value>,
        neutral: impl FnOnce() -> T,
    ) -> wasmtime::Result<Option<T>> {
        match self.tape.clone() {
            None => Ok(None),
            Some(tape) => self.cue_of(&tape, call, args(), neutral),
        }
    }

    #[cold]
    fn cue_of<T: Taped>(
        &mut self,
        tape: &Tape,
        call: &str,
        args: Vec<Value>,
        neutral: impl FnOnce() -> T,
    ) -> wasmtime::Result<Option<T>> {
        let known = match tape.begin(call, args) {
            Begun::Noted => return Ok(None),
            Begun::Known(known) => Some(known),
            Begun::Unknown => None,
        };
        // The call counts as it did when the host answered it.
        let began = self.begin()?;
        let answer = match known {
            None => neutral(),
            Some(TapeCall { stop: Some(stop), .. }) => return Err(wasmtime::Error::new(Stop::from(stop))),
            Some(known) => {
                // Only kv tells of faults that the message is tried again for.
                if known.fault.is_some() {
                    self.host_fault = known.fault;
                }
                T::take(&known.answer).unwrap_or_else(|| {
                    tape.unreadable(&known.answer);
                    neutral()
                })
            }
        };
        tape.end(Ok(Value::Null), None);
        self.budget.end(began);
        Ok(Some(answer))
    }

    /// A host call begins that the host answers from what the tape says of the app's settings, or that has no answer.
    #[inline]
    pub(crate) fn listen(&mut self, call: &'static str, args: impl FnOnce() -> Vec<Value>) -> wasmtime::Result<()> {
        match &self.tape {
            None => Ok(()),
            Some(tape) => match tape.begin(call, args()) {
                Begun::Known(TapeCall { stop: Some(stop), .. }) => Err(wasmtime::Error::new(Stop::from(stop))),
                _ => Ok(()),
            },
        }
    }

    /// The host call that began has ended with this answer.
    #[inline]
    pub(crate) fn note<T: Taped>(&self, answer: &wasmtime::Result<T>) {
        if let Some(tape) = &self.tape {
            let ended = answer.as_ref().map(Taped::put).map_err(stop_of);
            let unavailable = matches!(&ended, Ok(answer) if answer.pointer("/error/unavailable").is_some());
            let fault = self.lost_message.as_ref().or(self.host_fault.as_ref()).filter(|_| unavailable);
            tape.end(ended, fault.cloned());
        }
    }

    /// What becomes of a message when a tape plays; none when the host is to send it.
    #[inline]
    pub(crate) fn taped_delivery(&mut self, message: &vumi_message::UserMessage) -> Option<Result<String, Error>> {
        match self.tape.as_ref()?.deliver(message)? {
            Delivery::Sent => {
                self.budget.numbered += 1;
                self.budget.sent += 1;
                Some(Ok(message.message_id().to_owned()))
            }
            Delivery::Failed(error, fault) => {
                if let Some(fault) = fault {
                    self.lose(fault);
                }
                Some(Err(error))
            }
        }
    }
}

impl Tape {
    /// The answer of the call that is under way makes no sense.
    fn unreadable(&self, answer: &Value) {
        if let Reel::Playing(player) = &mut *self.0.lock() {
            player.unreadable(answer);
        }
    }
}

/// Why a call stopped the run.
fn stop_of(error: &wasmtime::Error) -> TapeStop {
    match error.downcast_ref::<Stop>() {
        Some(stop) => TapeStop::from(stop),
        None => TapeStop { outcome: Outcome::Trap, error: error.to_string() },
    }
}
