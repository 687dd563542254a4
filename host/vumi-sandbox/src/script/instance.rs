//! Running either kind of app: what a message needs to be given an instance, and how that instance is called.
//!
//! A component is instantiated as it is. For a script the shared engine is instantiated and handed the script's bytecode;
//! what the app then is asked depends on its dialect. Nothing else in the sandbox tells the two apart.

use std::sync::Arc;

use serde_json::json;
use vumi_bindings::app::vumi::app::types;
use vumi_bindings::app::{App as AppWorld, AppPre};
use vumi_bindings::script_engine::ScriptEngine;
use vumi_bindings::script_engine::exports::vumi::app::legacy::CommandError;
use vumi_core::Input;
use wasmtime::Store;

use super::engine::EnginePre;
use super::legacy::ended_badly;
use super::source::Dialect;
use super::traces::Traces;
use crate::convert;
use crate::run::beginning;
use crate::state::Guest;

/// What an app did that neither said that it is done nor waits for anything.
const STALLED: &str = "it neither called done() nor waits for anything: Vumi would have waited for its timeout";

/// A script in memory.
pub(crate) struct Script {
    pub(crate) engine: Arc<EnginePre>,
    pub(crate) dialect: Dialect,
    pub(crate) bytecode: Arc<[u8]>,
    pub(crate) traces: Arc<Traces>,
}

/// What a message needs to be given an instance.
#[derive(Clone)]
pub(crate) enum Runnable {
    /// A component of the world `app`.
    Component(Arc<AppPre<Guest>>),
    /// A script.
    Script(Arc<Script>),
}

/// One that has begun.
pub(crate) enum Instance {
    Component(AppWorld),
    Script(ScriptEngine),
}

/// What an instance is asked to handle.
pub(crate) enum Handler {
    Message(types::Message),
    Event(types::Event),
    /// For an app of Vumi's sandbox: a command of its protocol, as JSON text.
    Command(String),
}

impl Handler {
    /// An input, as this app takes it.
    pub(crate) fn of(input: &Input, app: &Runnable) -> Self {
        let is_legacy = matches!(app, Runnable::Script(script) if script.dialect == Dialect::Legacy);
        match input {
            _ if is_legacy => Self::Command(command(input)),
            Input::Message(message) => Self::Message(convert::message(message)),
            Input::Event(event) => Self::Event(convert::event(event)),
        }
    }
}

/// The first command of a run.
fn command(input: &Input) -> String {
    let (cmd, id, msg) = match input {
        Input::Message(message) => ("inbound-message", message.message_id(), message.payload()),
        Input::Event(event) => ("inbound-event", event.event_id(), event.payload()),
    };
    json!({ "cmd": cmd, "cmd_id": id, "reply": false, "msg": msg }).to_string()
}

impl Runnable {
    /// Makes an instance. The text is what a script threw while it was loaded.
    pub(crate) async fn instance(&self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Instance, String>> {
        match self {
            Self::Component(pre) => {
                Ok(Ok(Instance::Component(pre.instantiate_async(&mut *store).await.map_err(beginning)?)))
            }
            Self::Script(script) => {
                store.data_mut().traces = Some(Arc::clone(&script.traces));
                let instance = script.engine.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
                let loaded = instance.vumi_app_script().call_load(&mut *store, &script.bytecode).await?;
                Ok(match loaded {
                    Ok(()) => Ok(Instance::Script(instance)),
                    Err(text) if script.dialect == Dialect::Legacy => Err(ended_badly(store.data(), &text)),
                    Err(text) => Err(store.data().traced(text)),
                })
            }
        }
    }

    /// What it takes in memory beside its mapped code, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        /// The engine's own tables about a component. Measured.
        const TABLES: u64 = 64 << 10;
        match self {
            Self::Component(_) => TABLES,
            Self::Script(script) => script.bytecode.len() as u64,
        }
    }
}

impl Instance {
    /// Has it handle something. The text is the app's own error.
    pub(crate) async fn call(&self, what: &Handler, store: &mut Store<Guest>) -> wasmtime::Result<Result<(), String>> {
        match (self, what) {
            (Self::Component(app), Handler::Message(message)) => {
                app.vumi_app_handler().call_on_message(store, message).await
            }
            (Self::Component(app), Handler::Event(event)) => app.vumi_app_handler().call_on_event(store, event).await,
            (Self::Script(engine), Handler::Message(message)) => {
                let answer = engine.vumi_app_handler().call_on_message(&mut *store, message).await?;
                Ok(answer.map_err(|text| store.data().traced(text)))
            }
            (Self::Script(engine), Handler::Event(event)) => {
                let answer = engine.vumi_app_handler().call_on_event(&mut *store, event).await?;
                Ok(answer.map_err(|text| store.data().traced(text)))
            }
            (Self::Script(engine), Handler::Command(command)) => {
                let answer = engine.vumi_app_legacy().call_on_command(&mut *store, command).await?;
                Ok(answer.map_err(|error| match error {
                    CommandError::Thrown(text) => ended_badly(store.data(), &text),
                    CommandError::Stalled => STALLED.to_owned(),
                }))
            }
            // Handlers are made for the app that they are given to.
            (Self::Component(_), Handler::Command(_)) => Ok(Err("components take no commands".to_owned())),
        }
    }

    /// The dialogue of a script, as JSON text; a component's is asked for in another way, since it may have none.
    pub(crate) async fn graph(&self, store: &mut Store<Guest>) -> wasmtime::Result<Option<String>> {
        match self {
            Self::Component(_) => Ok(None),
            Self::Script(engine) => engine.vumi_app_dialogue().call_graph(store).await,
        }
    }
}

impl Guest {
    /// A text of the app in which places in its bundle have become places in its sources.
    pub(crate) fn traced(&self, text: String) -> String {
        match &self.traces {
            Some(traces) => traces.mapped(text),
            None => text,
        }
    }
}
