//! Plays all conversations of some files, side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use vumi_core::{Error, Feed, Result};
use vumi_sandbox::{Company, LoadedComponent, Sandbox};

use crate::outcome::{FilePlayed, Played, Rehearsal};
use crate::play::Playhouse;
use crate::script::{Conversation, Script};

/// How conversations are played.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A conversation goes on after a text that differs, so that all of them can be written anew.
    pub goes_on: bool,
    /// Conversations at a time; as many as there are processors when 0.
    pub side_by_side: usize,
}

/// Plays all conversations of some files against one component. They are dealt out to as many tasks as there are
/// processors; what comes back is in the order of the files.
///
/// # Errors
/// When a task could not go on to its end, which is a fault of this program.
pub async fn rehearse(
    sandbox: &Arc<Sandbox>,
    component: &LoadedComponent,
    scripts: &[Script],
    options: Options,
) -> Result<Rehearsal> {
    let began = Instant::now();
    let house = Playhouse {
        sandbox: Arc::clone(sandbox),
        component: component.clone(),
        feed: Feed::default(),
        company: Company::default(),
        io: tokio::runtime::Handle::current(),
        goes_on: options.goes_on,
    };
    let all: Arc<[Arc<Conversation>]> = scripts.iter().flat_map(|script| &script.conversations).cloned().collect();
    let next = Arc::new(AtomicUsize::new(0));
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let tasks = if options.side_by_side == 0 { processors() } else { options.side_by_side };
    let tasks: Vec<_> = (0..tasks.min(all.len()))
        .map(|_| tokio::spawn(take_and_play(house.clone(), Arc::clone(&all), Arc::clone(&next))))
        .collect();
    let mut played: Vec<Option<Played>> = all.iter().map(|_| None).collect();
    for task in tasks {
        let done = task.await.map_err(|error| Error::permanent("a conversation could not be played").because(error))?;
        for (index, one) in done {
            if let Some(place) = played.get_mut(index) {
                *place = Some(one);
            }
        }
    }
    let mut played = played.into_iter().flatten();
    let files = scripts.iter().map(|script| FilePlayed {
        name: Arc::clone(&script.name),
        conversations: played.by_ref().take(script.len()).collect(),
    });
    Ok(Rehearsal { files: files.collect(), took: began.elapsed() })
}

/// Plays one after the other until none is left.
async fn take_and_play(
    house: Playhouse,
    all: Arc<[Arc<Conversation>]>,
    next: Arc<AtomicUsize>,
) -> Vec<(usize, Played)> {
    let mut done = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(conversation) = all.get(index) else { return done };
        done.push((index, house.play(conversation).await));
    }
}
