//! The dialogue of an app, as the app itself shows it: `vumi:app/dialogue`.
//!
//! The component, or the engine with the script, is run once for it, under the limits of a run with default settings, and
//! reaches nothing: its keys and messages fail, there is no place that it may ask on the web. Only apps made with a
//! dialogue kit have this; for any other there is no graph, and that is no mistake.

use std::sync::Arc;
use std::time::Duration;

use vumi_core::{Error, Result};
use wasmtime::Store;

use crate::app::{AppShared, LoadedComponent};
use crate::engine::Sandbox;
use crate::limits::Limits;
use crate::run::{self, About, Entry, beginning};
use crate::script::{Dialect, Runnable};
use crate::state::{Cause, Guest};

/// The interface that shows it.
const INTERFACE: &str = "vumi:app/dialogue@0.1.0";

/// Time for it, start included.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest graph that is taken, in bytes.
const LARGEST: usize = 1 << 20;

/// The call of `graph`.
struct Show<'a>(&'a Runnable);

impl Entry for Show<'_> {
    type Answer = Option<String>;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<std::result::Result<Option<String>, String>> {
        let pre = match self.0 {
            Runnable::Component(pre) => pre,
            Runnable::Script(_) => {
                return Ok(match self.0.instance(store).await? {
                    Ok(instance) => Ok(instance.graph(store).await?),
                    Err(text) => Err(text),
                });
            }
        };
        let instance = pre.instance_pre().instantiate_async(&mut *store).await.map_err(beginning)?;
        let inner = instance.get_export_index(&mut *store, None, INTERFACE);
        let graph = inner.and_then(|inner| instance.get_export_index(&mut *store, Some(&inner), "graph"));
        let Some(graph) = graph else { return Ok(Ok(None)) };
        let graph = instance.get_typed_func::<(), (Option<String>,)>(&mut *store, graph)?;
        let (text,) = graph.call_async(&mut *store, ()).await?;
        Ok(Ok(text))
    }
}

impl Sandbox {
    /// The graph of an app's dialogue, as JSON text (see `wit/dialogue.wit`); `None` for an app that shows none.
    ///
    /// # Errors
    /// One sentence: it failed while it showed the graph, passed a limit, or what it showed is no JSON.
    pub async fn graph(&self, component: &LoadedComponent) -> Result<Option<String>> {
        let ready = component.version().ready().await.map_err(Error::permanent)?;
        let shows = match &ready {
            Runnable::Component(pre) => pre.instance_pre().component().get_export_index(None, INTERFACE).is_some(),
            Runnable::Script(script) => script.dialect == Dialect::Module,
        };
        if !shows {
            return Ok(None);
        }
        let shared = AppShared::nowhere("app", Limits::default(), PATIENCE);
        let about = About { cause: Cause::Event { id: String::new() }, user: None, version: None };
        let place = self.place().await;
        let (answer, finished) = run::run(self, &Arc::new(shared), place, about, Show(&ready), None).await;
        let Some(answer) = answer else {
            let (code, error) = (finished.run.outcome.code(), finished.run.error.unwrap_or_default());
            return Err(Error::permanent(format!("the app's dialogue cannot be shown ({code}): {error}")));
        };
        let wrong = |what: String| Err(Error::permanent(format!("the app's dialogue makes no sense: {what}")));
        match answer {
            Some(text) if text.len() > LARGEST => wrong(format!("it has more than {LARGEST} bytes")),
            Some(text) => match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                Ok(_) => Ok(Some(text)),
                Err(error) => wrong(format!("it is no JSON: {error}")),
            },
            None => Ok(None),
        }
    }
}
