//! What the app answers, and what a run of it leaves behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vumi_admin::model::*;

use super::deployments::tape;
use super::{Fake, keep, now, text_of};

const MENU: &str = "Welcome to Echo!\n1. Repeat after me\n2. How often was I here?\n3. Goodbye";
const LONG: &str = "This answer is long on purpose: it does not fit into one short message, so the network cuts it \
    into several parts and the phone puts them together again. Each part of a longer message holds 153 characters, \
    because a few bytes say which part it is.";

impl Fake {
    /// A message from a phone, as the simulator's transport would make it; answers with its id.
    pub(super) fn accept(self: &Arc<Self>, addr: &str, send: PhoneSend) -> String {
        let session_event = send.action.map(|action| match action {
            SessionAction::New => "new",
            SessionAction::Resume => "resume",
            SessionAction::Close => "close",
        });
        let transport_type = match send.kind {
            PhoneKind::Ussd => "ussd",
            PhoneKind::Sms => "sms",
        };
        let id = format!("{:032x}", u128::from(self.next()) << 64 | u128::from(now()));
        let message = json!({
            "message_version": "20110921", "message_type": "user_message", "message_id": id, "timestamp": timestamp(),
            "from_addr": addr, "to_addr": send.to_addr, "content": send.content, "session_event": session_event,
            "in_reply_to": null, "transport_name": "simulator", "transport_type": transport_type,
            "transport_metadata": {}, "helper_metadata": {}, "routing_metadata": {}, "group": null, "provider": null,
        });
        self.pass(Direction::Inbound, Some(addr), message.clone());
        let fake = Arc::clone(self);
        tokio::spawn(async move { fake.run(message).await });
        id
    }

    async fn run(self: Arc<Self>, message: Value) {
        tokio::time::sleep(self.delay).await;
        let content = text_of(&message, "content");
        let visits = self.count_visit(&text_of(&message, "from_addr"));
        let user = text_of(&message, "from_addr");
        self.log(LogLevel::Debug, "loaded the visitor's counter", Some(&message));
        self.log(LogLevel::Info, &format!("{user} says {content:?}"), Some(&message));
        let session_event = message["session_event"].as_str();
        let answer = match (session_event, &*content) {
            (Some("close"), _) | (_, "silent") => None,
            (_, "fail") => {
                let error = "wasm trap: unreachable\n  0: echo::answer\n  1: vumi:app/handler#on-message";
                self.log(LogLevel::Error, "I was told to fail", Some(&message));
                self.ended(&message, Some(("trap", error)), None);
                return;
            }
            (Some("new"), _) => Some((MENU.to_owned(), None)),
            (Some(_), "1") => Some(("Say something.".to_owned(), None)),
            (Some(_), "2") => Some((format!("You wrote {visits} times."), None)),
            (Some(_), "3") => Some(("Goodbye, see you soon!".to_owned(), Some("close"))),
            (_, "long") => Some((LONG.to_owned(), None)),
            (_, other) => Some((format!("You said: {other}"), None)),
        };
        if let Some((text, session_event)) = &answer {
            self.reply(&message, text, *session_event, content == "nack");
        }
        self.ended(&message, None, answer.as_ref().map(|(text, _)| &**text));
    }

    fn reply(&self, to: &Value, content: &str, session_event: Option<&str>, nack: bool) {
        let user = text_of(to, "from_addr");
        let mut reply = to.clone();
        let id = format!("r{}", text_of(to, "message_id"));
        reply["message_id"] = json!(id);
        reply["in_reply_to"] = to["message_id"].clone();
        reply["to_addr"] = to["from_addr"].clone();
        reply["from_addr"] = to["to_addr"].clone();
        reply["content"] = json!(content);
        reply["session_event"] = json!(session_event);
        self.pass(Direction::Outbound, Some(&user), reply);
        let mut event = json!({
            "message_version": "20110921", "message_type": "event", "event_id": format!("e{id}"),
            "timestamp": timestamp(), "user_message_id": id, "transport_name": "simulator",
        });
        if nack {
            event["event_type"] = json!("nack");
            event["nack_reason"] = json!("the network is busy");
        } else {
            event["event_type"] = json!("ack");
            event["sent_message_id"] = json!(id);
        }
        self.pass(Direction::Event, Some(&user), event);
    }

    fn count_visit(&self, user: &str) -> u64 {
        let mut state = self.state.lock();
        let key = format!("visits.{user}");
        let visits = state.kv.get(&key).and_then(|(count, _)| count.parse().ok());
        let visits = visits.unwrap_or(0_u64) + 1;
        state.kv.insert(key, (visits.to_string(), None));
        let session = json!({"user": user, "step": visits, "language": "en"}).to_string();
        let expiry = Instant::now() + Duration::from_secs(600);
        state.kv.insert(format!("session.{user}"), (session, Some(expiry)));
        visits
    }

    fn ended(&self, message: &Value, failure: Option<(&str, &str)>, answer: Option<&str>) {
        let replies = u64::from(answer.is_some());
        let seq = self.next();
        let run = RunView {
            seq,
            at: now(),
            app: "echo".into(),
            message_id: text_of(message, "message_id"),
            user: Some(text_of(message, "from_addr")),
            transport_name: Some("simulator".into()),
            outcome: if failure.is_some() { RunOutcome::Failed } else { RunOutcome::Ok },
            reason: failure.map(|(reason, _)| reason.into()),
            error: failure.map(|(_, error)| error.into()),
            cpu_us: 180 + seq * 37 % 400,
            peak_memory_bytes: 1_245_184 + seq * 65_536 % 524_288,
            host_calls: 4 + replies,
            host_time_us: 620 + seq * 91 % 900,
            wall_us: 1_050 + seq * 113 % 1_700,
            replies,
        };
        {
            let mut state = self.state.lock();
            if let Some((reason, error)) = failure {
                *state.failures.entry(reason.into()).or_default() += 1;
                state.last_error = Some(LastError { at: run.at, reason: reason.into(), message: error.into() });
            }
            keep(&mut state.runs, run.clone());
        }
        let tape = tape(&run.message_id, &text_of(message, "content"), answer);
        self.deployments.record(RecordingView { info: recorded(&run), tape });
        self.hub.publish(SystemEvent::Run(run));
    }
}

fn recorded(run: &RunView) -> RecordingInfo {
    RecordingInfo {
        id: format!("{:032x}", run.seq),
        at: run.at - run.wall_us,
        app: run.app.clone(),
        version: None,
        hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        message_id: run.message_id.clone(),
        user: run.user.clone(),
        outcome: run.outcome,
        reason: run.reason.clone(),
        sent: run.replies,
        cpu_us: run.cpu_us,
        wall_us: run.wall_us,
    }
}

/// Now, as messages write it: `2026-03-01 08:30:00.123456`. Days to a date: the algorithm of Howard Hinnant's
/// `civil_from_days`.
fn timestamp() -> String {
    let micros = now();
    let (seconds, days) = (micros / 1_000_000 % 86_400, micros / 86_400_000_000);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = micros % 1_000_000;
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:06}")
}
