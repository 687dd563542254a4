//! A user with a phone, and an app for Vumi's sandbox behind it: dials, answers, hangs up, one message at a time. The app
//! runs as on a host, in a fresh instance of the script engine for each message.

use std::sync::Arc;

use serde_json::Value;
use vumi_core::{Outcome, SystemClock};
use vumi_message::{NewUserMessage, SessionEvent, UserMessage};
use vumi_sandbox::{AppConfig, EngineOptions, ScriptSource};
use vumi_store::MemoryBounds;
use vumi_tests::guests::guest;

use crate::kit::{Answer, Rig, cache, sandbox_of};

/// What the owner of an app on Vumi Go let it use: the modules of the toolkit, and some of node.
pub const CONTEXT: &str = "({ require: require, Buffer: Buffer })";

/// See the module's text.
pub struct Phone {
    /// The app and everything around it.
    pub rig: Rig,
    /// Whether a session is going on.
    session: bool,
}

impl Phone {
    /// A phone with an app of `js/features`, configured so.
    pub fn feature(name: &str, config: &Value, change: impl FnOnce(&mut AppConfig)) -> Self {
        Self::with(name, crate::bundles::feature(name), CONTEXT, config, change)
    }

    /// A phone with this app. `config` is what its `config.get` finds under `config`, as the toolkit expects it.
    pub fn with(name: &str, code: String, context: &str, config: &Value, change: impl FnOnce(&mut AppConfig)) -> Self {
        let mut script = ScriptSource::new(format!("{name}.js"), code);
        script.app_context = Some(context.to_owned());
        let loaded = sandbox_of(&options())
            .load_script(&cache(), &script, name)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        let rig = Rig::of(name, &loaded, kv, |settings| {
            settings.config.insert("config".into(), config.to_string());
            change(settings);
        });
        Self { rig, session: false }
    }

    /// Begins a session.
    pub async fn dials(&mut self) -> Answer {
        self.sends(None, Some(SessionEvent::New)).await
    }

    /// Answers within the session; without one, as by SMS.
    pub async fn says(&mut self, text: &str) -> Answer {
        let event = self.session.then_some(SessionEvent::Resume);
        self.sends(Some(text), event).await
    }

    /// Ends the session.
    pub async fn hangs_up(&mut self) -> Answer {
        self.sends(None, Some(SessionEvent::Close)).await
    }

    async fn sends(&mut self, text: Option<&str>, event: Option<SessionEvent>) -> Answer {
        let answer = self.rig.give(message(text, event)).await;
        let closed = answer.sent.iter().any(|sent| sent.session_event() == Some(SessionEvent::Close));
        self.session = event != Some(SessionEvent::Close) && (self.session || event.is_some()) && !closed;
        answer
    }

    /// A whole conversation: what the user sends (nothing: dials) and what the app answers.
    ///
    /// # Panics
    /// When it answers something else.
    pub async fn talks(&mut self, turns: &[(&str, &str)]) {
        for (user, app) in turns {
            let answer = if user.is_empty() { self.dials().await } else { self.says(user).await };
            answer.ended(Outcome::Ok);
            assert_eq!(answer.text(), *app, "to {user:?}");
        }
    }
}

/// A sandbox with the script engine that `cargo xtask engine` makes.
fn options() -> EngineOptions {
    EngineOptions { script_engine: Some(guest("script-engine")), ..EngineOptions::default() }
}

/// What a user sends.
pub fn message(text: Option<&str>, event: Option<SessionEvent>) -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("*120*7#".into()),
        from_addr: Some("+27710000001".into()),
        transport_name: Some("ussd_1".into()),
        transport_type: Some("ussd".into()),
        content: text.map(str::to_owned),
        session_event: event,
        ..NewUserMessage::default()
    })
}
