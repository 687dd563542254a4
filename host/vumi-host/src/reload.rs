//! Reload on change: the app that is being worked on is built again and put in place while the host runs.
//!
//! What becomes of each build goes to the board, and so to the page: a person who writes an app looks at the phone, not
//! at the terminal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use vumi_admin::model::{BuildState, BuildView};
use vumi_message::Timestamp;
use vumi_sandbox::App;

use crate::apps::Loader;
use crate::board::Board;
use crate::project::Source;
use crate::views;

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(250);

/// Longest text of a compiler that goes to the page, in bytes. The first mistakes stand first.
const MOST_OUTPUT: usize = 32 << 10;

/// What watching an app needs.
pub(crate) struct Watch {
    pub(crate) source: Source,
    pub(crate) app: Arc<App>,
    pub(crate) loader: Loader,
    /// Where it is told what became of each build; an app that is only kept up to date tells nobody.
    pub(crate) board: Option<Arc<Board>>,
}

/// Blocks until a project builds; each change is another attempt. A source that is no project is left to whoever runs
/// it.
pub(crate) fn until_built(source: &Source) {
    loop {
        let seen = source.changed();
        match source.build() {
            Ok(_) => return,
            // Nothing is there that could change: the one who runs it says why.
            Err(_) if seen.is_none() => return,
            Err(failure) => eprintln!("error: {}\nwaiting for a change …", failure.error.report()),
        }
        while source.changed() == seen {
            std::thread::sleep(INTERVAL);
        }
    }
}

impl Watch {
    /// Watches an app's source until `stop`; each change is built, compiled and put in place. A source that does not
    /// build leaves the old version running.
    pub(crate) fn start(self, stop: CancellationToken) {
        let mut seen = self.source.changed();
        self.show(1, BuildState::Ready, None, None);
        tokio::spawn(async move {
            let mut version = 1;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(INTERVAL) => {}
                    () = stop.cancelled() => return,
                }
                let now = self.source.changed();
                if now.is_none() || now == seen {
                    continue;
                }
                seen = now;
                version = self.again(version).await;
            }
        });
    }

    /// Builds what has changed and puts it in place; the answer is the version that now runs.
    async fn again(&self, version: u64) -> u64 {
        let name = self.app.name();
        self.show(version, BuildState::Building, None, None);
        let began = Instant::now();
        let (source, loader) = (self.source.clone(), self.loader.clone());
        let built = tokio::task::spawn_blocking(move || {
            let path = source.build().map_err(|failure| failure.text())?;
            loader.load(&path).map_err(|error| error.to_string())
        });
        let built = match built.await {
            Ok(built) => built,
            Err(error) => Err(format!("the build ended in the middle: {error}")),
        };
        let took = Some(began.elapsed());
        match built {
            // The same app as before, after a comment was changed or a mistake taken back.
            Ok(component) if component.hash() == self.app.component().0 => {
                self.show(version, BuildState::Ready, took, None);
                version
            }
            Ok(component) => {
                self.app.replace(&component);
                let version = version + 1;
                tracing::info!(app = name, version, hash = component.hash(), "reloaded");
                self.show(version, BuildState::Ready, took, None);
                self.types(version, took).await;
                version
            }
            Err(reason) => {
                tracing::error!(app = name, "not reloaded, the old version goes on: {reason}");
                self.show(version, BuildState::Failed, took, Some(reason));
                version
            }
        }
    }

    /// Says which types do not fit, in an app that runs all the same.
    async fn types(&self, version: u64, took: Option<Duration>) {
        let source = self.source.clone();
        let checked = tokio::task::spawn_blocking(move || source.check().map_err(|failure| failure.text()));
        if let Ok(Err(complaints)) = checked.await {
            self.show(version, BuildState::Ready, took, Some(complaints));
        }
    }

    fn show(&self, version: u64, state: BuildState, took: Option<Duration>, output: Option<String>) {
        let Some(board) = &self.board else { return };
        board.build(BuildView {
            app: self.app.name().to_owned(),
            at: views::micros(Timestamp::now()),
            state,
            version,
            content_hash: self.app.component().0,
            took_ms: took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            output: output.map(|text| beginning(&text)),
        });
    }
}

/// The first lines of a text, as many as go to the page.
fn beginning(text: &str) -> String {
    if text.len() <= MOST_OUTPUT {
        return text.to_owned();
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MOST_OUTPUT).last().unwrap_or(0);
    format!("{}\n… (the rest stands in the terminal)", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_of_a_compiler_is_cut_between_letters() {
        assert_eq!(beginning("short"), "short");
        let long = beginning(&"é".repeat(MOST_OUTPUT));
        assert!(long.len() < MOST_OUTPUT + 100 && long.ends_with("in the terminal)"), "{}", long.len());
    }
}
