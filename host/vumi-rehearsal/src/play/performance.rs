//! A conversation while it is being played: step by step, each judged when it is over.

use std::collections::HashMap;
use std::sync::Arc;

use vumi_core::{Input, KeyQuota, KvStore, Outcome, Result, Run, Store};
use vumi_message::{SessionEvent, UserMessage};
use vumi_sandbox::{App, MetricSink, Stage, Surroundings};
use vumi_store::{MemoryBounds, MemoryKv};

use super::Playhouse;
use super::capture::{Capture, Deeds};
use super::check;
use super::compare::{Compared, Occasion, compare};
use super::scene::Scene;
use super::web::Stubs;
use crate::outcome::{Edit, Failure, Problem};
use crate::script::{Act, Conversation, Place, Shift, Step};

/// The app's name in a test, and so its namespace.
const NAME: &str = "app";

/// Most keys that are looked at.
const MOST_KEYS: usize = 100_000;

/// Most log lines that are shown of one step.
const SHOWN_LINES: usize = 50;

/// A conversation that is being played.
pub(super) struct Performance<'a> {
    pub(super) conversation: &'a Conversation,
    app: App,
    pub(super) scene: Arc<Scene>,
    capture: Arc<Capture>,
    kv: Arc<MemoryKv>,
    /// Who is in a session.
    pub(super) in_session: HashMap<String, bool>,
    /// All that the app has sent, for events about it.
    pub(super) sent: Vec<UserMessage>,
    metrics_prefix: String,
    /// Messages and events so far.
    pub(super) inputs: u64,
    pub(super) runs: usize,
    pub(super) visits: Vec<(String, String)>,
    pub(super) edits: Vec<Edit>,
}

impl<'a> Performance<'a> {
    pub(super) async fn open(house: &Playhouse, conversation: &'a Conversation) -> Result<Self> {
        let scene = Arc::new(Scene::new(conversation.clock, conversation.seed, Stubs::new(&conversation.http)));
        let capture = Arc::new(Capture::default());
        let kv = Arc::new(MemoryKv::new(MemoryBounds::default(), Arc::clone(&scene) as _));
        let around = Surroundings {
            kv: Arc::clone(&kv) as Arc<dyn KvStore>,
            store: Arc::clone(&capture) as Arc<dyn Store>,
            feed: house.feed.clone(),
            outbox: Arc::clone(&capture) as _,
            metrics: Arc::clone(&capture) as Arc<dyn MetricSink>,
            io: house.io.clone(),
            recordings: None,
        };
        let config = &conversation.app;
        let app = App::new(&house.sandbox, NAME, config, &house.component, around)?;
        let app = app.staged(Arc::clone(&scene) as Arc<dyn Stage>, &house.company)?;
        let counter = format!("count#{}", app.sandbox_id());
        for (key, value) in &conversation.kv {
            let quota = KeyQuota { counter: &counter, soft: u64::MAX, hard: u64::MAX };
            kv.set_within(&format!("{}{key}", app.kv_prefix()), &value.to_string(), None, quota).await?;
        }
        let metrics_prefix = format!("{}.stores.default.", config.metrics_prefix.as_deref().unwrap_or(NAME));
        Ok(Self {
            conversation,
            app,
            scene,
            capture,
            kv,
            in_session: HashMap::new(),
            sent: Vec::new(),
            metrics_prefix,
            inputs: 0,
            runs: 0,
            visits: Vec::new(),
            edits: Vec::new(),
        })
    }

    /// How many steps were played, and what was not as expected.
    pub(super) async fn play(&mut self, goes_on: bool) -> (usize, Vec<Failure>) {
        let (conversation, mut failures) = (self.conversation, Vec::new());
        for (index, step) in conversation.steps.iter().enumerate() {
            if let Some(failure) = self.step(index, step).await {
                let only_screens = failure.problems.iter().all(|problem| matches!(problem, Problem::Screens { .. }));
                failures.push(failure);
                if !(goes_on && only_screens) {
                    return (index + 1, failures);
                }
            }
        }
        let mut problems = check::unused(&self.scene.web.lock().unused());
        if !conversation.kv_after.is_empty() {
            problems.extend(check::keys(&conversation.kv_after, &self.held().await));
        }
        if !problems.is_empty() {
            let places = conversation.kv_after.first().map(|rule| &rule.place);
            let place = places.unwrap_or(&conversation.place).clone();
            failures.push(Failure { place, what: "at the end".to_owned(), problems, log: Vec::new() });
        }
        (conversation.steps.len(), failures)
    }

    async fn step(&mut self, index: usize, step: &Step) -> Option<Failure> {
        match step.shift {
            Some(Shift::By(time)) => self.scene.pass(time),
            Some(Shift::To(moment)) => self.scene.set(moment),
            None => {}
        }
        self.scene.web.lock().push_front(&step.http);
        let told = match &step.act {
            None => Ok(None),
            Some(Act::Says(said)) => self.message(said).map(Some),
            Some(Act::Event(happened)) => self.event(happened).map(Some),
        };
        let (mut problems, mut place, mut log) = (Vec::new(), step.place.clone(), Vec::new());
        let mut what = format!("step {}", index + 1);
        match told {
            Err(reason) => problems.push(Problem::Says(reason)),
            Ok(None) => {}
            Ok(Some(told)) => {
                what = format!("{what}: {}", told.words);
                let (run, deeds) = self.run(&told.input).await;
                let judged = self.judge(step, &told.input, run.as_ref(), &deeds);
                if let Some(better) = judged.place {
                    place = better;
                }
                problems.extend(judged.problems);
                self.follow(told.input, &deeds);
                log = shown(&deeds);
                self.sent.extend(deeds.sent);
            }
        }
        problems.extend(check::unexpected(self.scene.unexpected()));
        let left = self.scene.web.lock().pop_front(step.http.len());
        problems.extend(check::unused(&left));
        if !step.kv.is_empty() {
            problems.extend(check::keys(&step.kv, &self.held().await));
        }
        (!problems.is_empty()).then_some(Failure { place, what, problems, log })
    }

    /// Runs the app. It is not told of events that its settings say it does not look at.
    async fn run(&mut self, input: &Input) -> (Option<Run>, Deeds) {
        self.scene.next_run();
        if matches!(input, Input::Event(_)) && !self.conversation.app.events {
            return (None, Deeds::default());
        }
        self.runs += 1;
        let finished = self.app.run(input).await;
        (Some(finished.run), self.capture.take())
    }

    fn judge(&mut self, step: &Step, input: &Input, run: Option<&Run>, deeds: &Deeds) -> Judged {
        let ended = run.and_then(|run| check::ending(run, step.fails.as_ref()));
        let failed = run.is_some_and(|run| run.outcome != Outcome::Ok);
        let has_failed = ended.is_some() && failed;
        let mut judged = Judged { place: None, problems: ended.into_iter().collect() };
        let occasion = self.occasion(input);
        if let Some(expected) = step.app.as_deref().filter(|_| !has_failed) {
            let Compared { problem, edits } = compare(expected, &deeds.sent, &occasion);
            if problem.is_some() {
                judged.place = expected.first().map(|first| first.place.clone());
            }
            judged.problems.extend(problem);
            self.edits.extend(edits);
        }
        for text in deeds.sent.iter().filter_map(UserMessage::content) {
            let length = text.chars().count();
            if let Some(longest) = self.conversation.longest.filter(|longest| length > *longest) {
                judged
                    .problems
                    .push(Problem::Says(format!("a text has {length} characters, more than {longest}:\n{text}")));
            }
        }
        judged.problems.extend(check::metrics(&step.metrics, &deeds.metrics, &self.metrics_prefix));
        judged.problems.extend(check::log(&step.log, &deeds.log));
        judged
    }

    fn occasion<'b>(&'b self, input: &'b Input) -> Occasion<'b>
    where
        'a: 'b,
    {
        let users = &self.conversation.users;
        match input {
            Input::Message(message) => Occasion {
                user: message.from_addr(),
                message_id: message.message_id(),
                has_sessions: message.session_event().is_some(),
                users,
            },
            Input::Event(event) => Occasion { user: None, message_id: event.event_id(), has_sessions: false, users },
        }
    }

    /// Follows the sessions, and the states that were entered.
    fn follow(&mut self, input: Input, deeds: &Deeds) {
        let Input::Message(message) = input else { return };
        let Some(user) = message.from_addr() else { return };
        let opened = matches!(message.session_event(), Some(SessionEvent::New | SessionEvent::Resume));
        let closed = deeds.sent.iter().any(|sent| {
            sent.session_event() == Some(SessionEvent::Close) && sent.to_addr().is_none_or(|to| to == user)
        });
        self.in_session.insert(user.to_owned(), opened && !closed);
        for point in &deeds.metrics {
            let name = point.name.strip_prefix(&self.metrics_prefix).unwrap_or_default();
            if let Some(state) = name.strip_prefix("states.").and_then(|name| name.strip_suffix(".entered")) {
                self.visits.push((user.to_owned(), state.to_owned()));
            }
        }
    }

    /// The app's keys.
    async fn held(&self) -> HashMap<String, String> {
        let prefix = self.app.kv_prefix();
        let entries = self.kv.list(prefix, MOST_KEYS).await.unwrap_or_default();
        let own = |key: &str| key.strip_prefix(prefix).map(str::to_owned);
        entries.into_iter().filter_map(|entry| Some((own(&entry.key)?, entry.value))).collect()
    }
}

/// What is wrong with a step, and where it is best shown.
struct Judged {
    place: Option<Place>,
    problems: Vec<Problem>,
}

/// The log of a step, for a person.
fn shown(deeds: &Deeds) -> Vec<String> {
    let line = |line: &vumi_core::LogLine| format!("{} {}: {}", line.level.as_str(), line.source, line.text);
    let mut lines: Vec<String> = deeds.log.iter().take(SHOWN_LINES).map(line).collect();
    if let Some(more) = deeds.log.len().checked_sub(SHOWN_LINES).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more"));
    }
    lines
}
