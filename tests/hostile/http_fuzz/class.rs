//! One class under fire: round after round a transport of its own, with the configuration of another golden case.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vumi_message::{Event, Failure, Status};
use vumi_tests::golden::{Bindings, Golden, Step};

use super::answer::Got;
use super::dice::Dice;
use super::exchange::{Exchange, LIMIT};
use super::mutate::mutate;
use super::network::Network;
use super::rig::{Ground, NAME, Rig, address, until};
use super::seeds::{self, Filler};
use super::shape::{Body, Shape};
use super::{documents, keys, replies};

/// Clients side by side.
const LANES: usize = 8;
/// Connections that a client makes in a round, at most.
const EACH: usize = 200;
/// How long a round may last.
const ROUND: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) rounds: usize,
    pub(super) connections: usize,
    pub(super) statuses: BTreeMap<u16, usize>,
    pub(super) messages: usize,
}

/// One class.
pub(super) struct Attack {
    pub(super) golden: Golden,
    pub(super) seed: u64,
    pub(super) time: Duration,
    /// Where it is written down what is being sent, for the case that nobody is left to tell.
    pub(super) notes: PathBuf,
}

/// What the clients of a round share.
struct Round {
    at: SocketAddr,
    name: String,
    seed: u64,
    number: usize,
    /// Of the case, in their order.
    own: Vec<Shape>,
    all: Vec<Shape>,
    allowed: BTreeSet<u16>,
    end: Instant,
    notes: PathBuf,
    tally: Arc<Mutex<Tally>>,
}

impl Attack {
    /// Goes on until its time is over, or something fails.
    pub(super) async fn run(&self) -> Result<Tally, String> {
        let cases = seeds::cases(&self.golden).len();
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (end, mut refused) = (Instant::now() + self.time, String::new());
        for number in 0.. {
            match self.round(number, end, &tally).await? {
                Ok(()) => tally.lock().rounds += 1,
                Err(why) => refused = why,
            }
            // Each class has at least one round, however long it takes to start.
            if Instant::now() > end && (tally.lock().rounds > 0 || number > 2 * cases) {
                break;
            }
        }
        let tally = tally.lock().clone();
        if tally.rounds == 0 {
            return Err(format!("no case of the file could be started; the last one: {refused}"));
        }
        Ok(tally)
    }

    /// One round; the inner error says that this case cannot be started here.
    async fn round(
        &self,
        number: usize,
        end: Instant,
        tally: &Arc<Mutex<Tally>>,
    ) -> Result<Result<(), String>, String> {
        let mut dice = Dice::new(self.seed, &format!("{} round {number}", self.golden.file));
        let cases = seeds::cases(&self.golden);
        if cases.is_empty() {
            return Err("the file has no case with a request or a message".to_owned());
        }
        let case = cases[(number + dice.below(2) * dice.below(cases.len())) % cases.len()];
        let (ground, filler, listener) =
            (Ground::new(), Mutex::new(Bindings::default()), TcpListener::bind("127.0.0.1:0").await);
        let listener = listener.map_err(|error| error.to_string())?;
        let remote = listener.local_addr().map_err(|error| error.to_string())?;
        {
            let mut bindings = filler.lock();
            bindings.bind("transport", NAME);
            bindings.bind("port", 0);
            bindings.bind("remote", format!("http://{remote}"));
            bindings.bind("closed", "http://127.0.0.1:1");
        }
        for step in &case.steps {
            if matches!(step.value, Step::PutKv(_) | Step::PutHash(_) | Step::PutList(_)) {
                let mut known = filler.lock().clone();
                let _ = keys::put(&step.value, &ground.keys, &mut known).await;
            }
        }
        let filler = Filler(filler.into_inner());
        let config = match filler.config(&self.golden.config_of(case)) {
            Ok(config) => hurried(config),
            Err(error) => return Ok(Err(error)),
        };
        let network = Network::start(listener, seeds::remotes(&self.golden, case), filler.clone(), dice.clone()).await;
        let mut rig = match ground.launch(&config).await {
            Ok(rig) => rig,
            Err(error) => return Ok(Err(format!("case {:?}: {error}", case.name))),
        };
        let at = match rig.ready().await {
            Ok(at) => address(&at),
            Err(error) => {
                rig.stop().await?;
                return Ok(Err(format!("case {:?}: {error}", case.name)));
            }
        };
        network.wild.store(true, Ordering::Relaxed);
        let mut known = filler.0.clone();
        known.bind("port", at.map_or(0, |at| at.port()));
        let filler = Filler(known);
        let told = |error: String| format!("case {:?}, round {number}: {error}", case.name);
        let mut all = seeds::all_requests(&self.golden, &filler);
        let mut own = seeds::requests(case, &filler);
        let path = config.get("web_path").and_then(Value::as_str).unwrap_or_default().trim_matches('/').to_owned();
        all.push(Shape::get(&format!("/{path}")));
        if own.is_empty() {
            own.clone_from(&all);
        }
        let mut allowed = self.golden.fuzz.allow.clone();
        allowed.extend([503, 504]);
        allowed.extend(
            config.get("request_timeout_status_code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()),
        );
        let round = at.map(|at| {
            Arc::new(Round {
                at,
                name: self.golden.file.clone(),
                seed: self.seed,
                number,
                own,
                all,
                allowed,
                end: end.min(Instant::now() + ROUND),
                notes: self.notes.clone(),
                tally: Arc::clone(tally),
            })
        });
        let mut lanes = JoinSet::new();
        if let Some(round) = &round {
            for lane in 0..LANES {
                lanes.spawn(Arc::clone(round).lane(lane));
            }
        }
        let talk = replies::Talk {
            replies: seeds::replies(&self.golden, &filler),
            sends: seeds::sends(&self.golden, &filler),
            tally: Arc::clone(tally),
        };
        let fired = async {
            let mut wrong = Vec::new();
            while let Some(ended) = lanes.join_next().await {
                wrong.extend(ended.map_err(|error| error.to_string()).and_then(|outcome| outcome).err());
            }
            if wrong.is_empty()
                && let Some(round) = &round
            {
                wrong.extend(round.forgotten(&config).await.err());
            }
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
        };
        let outcome = tokio::select! {
            outcome = fired => outcome,
            wrong = talk.go_on(&mut rig, &mut dice) => Err(wrong),
        };
        lanes.shutdown().await;
        outcome.map_err(told)?;
        finish(&mut rig).await.map_err(told)?;
        Ok(Ok(()))
    }
}

/// A configuration with short times, as far as the transport knows the keys.
fn hurried(mut config: Map<String, Value>) -> Map<String, Value> {
    config.entry("publish_status").or_insert(true.into());
    let short = [
        ("request_timeout", json!(1)),
        ("request_read_timeout_s", json!(1)),
        ("inbound_wait_ms", json!(500)),
        ("outbound_timeout_ms", json!(300)),
        ("outbound_tries", json!(1)),
    ];
    for (key, value) in short {
        let mut with = config.clone();
        with.insert(key.to_owned(), value);
        if Ground::check(&with).is_ok() {
            config = with;
        }
    }
    config
}

/// Stops the transport and looks at everything that it published.
async fn finish(rig: &mut Rig) -> Result<(), String> {
    rig.stop().await?;
    for message in rig.inbound.rest().await? {
        replies::read_message(message)?;
    }
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (what, mailbox) in [("event", &mut rig.event), ("failure", &mut rig.failure), ("status", &mut rig.status)] {
        for message in mailbox.rest().await? {
            let valid = match what {
                "event" => Event::from_payload(fields(message)).map(drop),
                "failure" => Failure::from_payload(fields(message)).map(drop),
                _ => Status::from_payload(fields(message)).map(drop),
            };
            valid.map_err(|error| format!("an invalid {what} was published: {error}; {message}"))?;
        }
    }
    match rig.dead().await {
        Some(reason) => Err(format!("a message went to the dead letters: {reason}")),
        None => Ok(()),
    }
}

impl Round {
    async fn lane(self: Arc<Self>, lane: usize) -> Result<(), String> {
        let mut dice = Dice::new(self.seed, &format!("{} round {} lane {lane}", self.name, self.number));
        let note = self.notes.join(format!("{}.{lane}", self.name));
        if lane == 0 && self.number == 0 {
            for exchange in self.attacks() {
                std::fs::write(&note, exchange.step()).map_err(|error| error.to_string())?;
                self.play(&exchange).await?;
            }
        }
        for turn in 0..EACH {
            if Instant::now() > self.end && turn > 0 {
                break;
            }
            let exchange = self.exchange(turn, &mut dice);
            std::fs::write(&note, exchange.step()).map_err(|error| error.to_string())?;
            self.play(&exchange).await?;
            if dice.one_in(10) {
                // The network is not sure that it came, and sends it again.
                self.play(&exchange).await?;
            }
        }
        let _ = std::fs::remove_file(&note);
        Ok(())
    }

    /// The worst documents, in some of the places where documents are expected.
    fn attacks(&self) -> Vec<Exchange> {
        let mut exchanges = Vec::new();
        let documents = self.all.iter().filter(|shape| matches!(shape.body, Body::Json(_) | Body::Xml(_)));
        for shape in documents.take(3) {
            for attack in documents::attacks(matches!(shape.body, Body::Xml(_))) {
                let shape = Shape { body: Body::Bytes(attack), ..shape.clone() };
                exchanges.push(Exchange::plain(&shape.bytes(&self.at.to_string(), true)));
            }
        }
        exchanges
    }

    fn exchange(&self, turn: usize, dice: &mut Dice) -> Exchange {
        let requests = *dice.pick(&[1, 1, 1, 1, 1, 1, 1, 2, 4]);
        let mut shapes = Vec::new();
        for number in 0..requests {
            let mut shape = match dice.below(3) {
                0 => dice.pick(&self.all).clone(),
                // As in the case, one after the other.
                1 => self.own[(turn + number) % self.own.len()].clone(),
                _ => dice.pick(&self.own).clone(),
            };
            mutate(&mut shape, dice);
            shapes.push(shape);
        }
        Exchange::new(&shapes, &self.at.to_string(), dice)
    }

    async fn play(&self, exchange: &Exchange) -> Result<(), String> {
        let told = |error: String| format!("{error}\n{}", exchange.step());
        let answers = exchange.play(self.at).await.map_err(told)?;
        let mut tally = self.tally.lock();
        tally.connections += 1;
        for Got { status, body, .. } in &answers {
            *tally.statuses.entry(*status).or_default() += 1;
            if *status >= 500 && !self.allowed.contains(status) {
                let body = String::from_utf8_lossy(body).chars().take(300).collect::<String>();
                return Err(told(format!("answered {status} {body:?}")));
            }
        }
        Ok(())
    }

    /// Nobody waits any more, so nothing may be kept for anybody.
    async fn forgotten(&self, config: &Map<String, Value>) -> Result<(), String> {
        let path = config.get("health_path").and_then(Value::as_str).unwrap_or("health").trim_matches('/').to_owned();
        let page = Exchange::plain(&Shape::get(&format!("/{path}")).bytes(&self.at.to_string(), true));
        until(LIMIT, || async {
            let answers = page.play(self.at).await?;
            let body: Value =
                answers.first().and_then(|got| serde_json::from_slice(&got.body).ok()).unwrap_or_default();
            match body.get("pending_requests").and_then(Value::as_u64) {
                None | Some(0) => Ok(()),
                Some(open) => Err(format!("{open} requests are open, and all clients have left")),
            }
        })
        .await
    }
}
