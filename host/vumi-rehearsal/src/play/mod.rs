//! Plays a conversation: an app of its own in the real sandbox, with an empty kv, on a stage.

mod capture;
mod check;
mod compare;
mod input;
mod performance;
mod scene;
mod web;

use std::sync::Arc;
use std::time::Instant;

use vumi_core::Feed;
use vumi_sandbox::{Company, LoadedComponent, Sandbox};

use crate::outcome::{Failure, Played, Problem};
use crate::script::Conversation;
use performance::Performance;

/// What all conversations share.
#[derive(Clone)]
pub(crate) struct Playhouse {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) component: LoadedComponent,
    pub(crate) feed: Feed,
    pub(crate) company: Company,
    pub(crate) io: tokio::runtime::Handle,
    /// Goes on after a text that differs, so that all of them are found.
    pub(crate) goes_on: bool,
}

impl Playhouse {
    /// Plays one.
    pub(crate) async fn play(&self, conversation: &Conversation) -> Played {
        let began = Instant::now();
        let mut played = Played {
            name: conversation.name.clone(),
            place: conversation.place.clone(),
            skipped: conversation.skip.clone(),
            steps: 0,
            runs: 0,
            took: began.elapsed(),
            failures: Vec::new(),
            visits: Vec::new(),
            edits: Vec::new(),
        };
        if played.skipped.is_some() {
            return played;
        }
        match Performance::open(self, conversation).await {
            Ok(mut performance) => {
                (played.steps, played.failures) = performance.play(self.goes_on).await;
                played.runs = performance.runs;
                played.visits = performance.visits;
                played.edits = performance.edits;
            }
            Err(error) => played.failures.push(Failure {
                place: conversation.place.clone(),
                what: "before the first step".to_owned(),
                problems: vec![Problem::Says(error.report())],
                log: Vec::new(),
            }),
        }
        played.took = began.elapsed();
        played
    }
}
