//! The worlds of the contract: what a component must offer, and may use, to be an app, a router or a middleware.
//!
//! The engine's own complaints about a component that does not fit speak of instances and functions. Owners get a
//! sentence about the interface that is missing or not allowed.

use std::path::Path;

use vumi_bindings::app::AppPre;
use vumi_bindings::middleware::MiddlewarePre;
use vumi_bindings::router::RouterPre;
use wasmtime::component::{InstancePre, types};

use crate::cache::{Compiled, ComponentCache, LoadError, one_line, shown};
use crate::engine::Sandbox;
use crate::state::Guest;

/// Each world, the interface that makes a component fit it, and what such a component is called.
const EXPORTS: [(&str, &str, &str); 3] = [
    ("app", "vumi:app/handler@0.1.0", "an app"),
    ("router", "vumi:app/routing@0.1.0", "a router"),
    ("middleware", "vumi:app/hooks@0.1.0", "a middleware"),
];

/// The functions of an app's handler, and a field of what each is given.
const HANDLERS: [(&str, &str); 2] = [("on-message", "message-id"), ("on-event", "event-id")];

/// The interface that only apps may use: the host's linker has it for all.
const OUTBOUND: &str = "vumi:app/outbound@";

/// A component of one world, ready to be instantiated.
pub(crate) trait World: Sized {
    /// The world's name.
    const NAME: &'static str;

    /// Finds what the world exports.
    fn of(ready: InstancePre<Guest>) -> wasmtime::Result<Self>;
}

impl World for AppPre<Guest> {
    const NAME: &'static str = "app";

    fn of(ready: InstancePre<Guest>) -> wasmtime::Result<Self> {
        Self::new(ready)
    }
}

impl World for RouterPre<Guest> {
    const NAME: &'static str = "router";

    fn of(ready: InstancePre<Guest>) -> wasmtime::Result<Self> {
        Self::new(ready)
    }
}

impl World for MiddlewarePre<Guest> {
    const NAME: &'static str = "middleware";

    fn of(ready: InstancePre<Guest>) -> wasmtime::Result<Self> {
        Self::new(ready)
    }
}

impl Sandbox {
    /// Compiles a component, or takes it from the cache, and checks that it fits a world.
    pub(crate) fn load_world<W: World>(&self, cache: &ComponentCache, path: &Path) -> Result<W, LoadError> {
        let compiled = cache.load_file(self.engine(), path)?;
        self.ready(&compiled, &path.display().to_string())
    }

    /// Checks that a compiled component fits a world; `what` names it in errors.
    pub(crate) fn ready<W: World>(&self, compiled: &Compiled, what: &str) -> Result<W, LoadError> {
        let wrong = |reason| LoadError::WrongWorld { what: what.to_owned(), world: W::NAME, reason };
        let ready = self.linker().instantiate_pre(&compiled.component).map_err(|error| {
            match self.unknown_import(compiled) {
                Some(import) => LoadError::UnknownImport { what: what.to_owned(), import: shown(&import) },
                None => wrong(one_line(&error)),
            }
        })?;
        if let Some(reason) = self.misfit(compiled, W::NAME) {
            return Err(wrong(reason));
        }
        W::of(ready).map_err(|error| wrong(one_line(&error)))
    }

    /// The first import that nobody offers.
    fn unknown_import(&self, compiled: &Compiled) -> Option<String> {
        let offered =
            ["wasi:io/", "wasi:clocks/", "wasi:random/", "wasi:cli/", "wasi:filesystem/", "wasi:sockets/", "vumi:app/"];
        let component = compiled.component.component_type();
        let mut names = component.imports(self.engine()).map(|(name, _)| name.to_owned());
        names.find(|name| !offered.iter().any(|prefix| name.starts_with(prefix)))
    }

    /// Whether an app's handlers take something else than messages and events: the engine would only find out with the
    /// first message.
    fn crossed(&self, component: &types::Component, interface: &str) -> Option<String> {
        let mut exports = component.exports(self.engine());
        let handler = exports.find_map(|(name, found)| match found.ty {
            types::ComponentItem::ComponentInstance(instance) if name == interface => Some(instance),
            _ => None,
        })?;
        let wrong = HANDLERS.iter().find(|(name, field)| {
            let takes = match handler.get_export(self.engine(), name).map(|found| found.ty) {
                Some(types::ComponentItem::ComponentFunc(function)) => function.params().next().map(|(_, taken)| taken),
                _ => None,
            };
            !matches!(takes, Some(types::Type::Record(record)) if record.fields().any(|found| found.name == *field))
        })?;
        Some(format!("its `{}` in `{interface}` does not take what it is given", wrong.0))
    }

    /// Why a component is not of a world, where its interfaces tell.
    fn misfit(&self, compiled: &Compiled, world: &str) -> Option<String> {
        let component = compiled.component.component_type();
        let exports = |interface: &str| component.exports(self.engine()).any(|(name, _)| name == interface);
        let (_, needed, _) = EXPORTS.iter().find(|(name, ..)| *name == world)?;
        if !exports(needed) {
            let other = EXPORTS.iter().find(|(_, interface, _)| exports(interface));
            let but = other.map(|(_, interface, kind)| format!(" but `{interface}`: it is {kind}"));
            return Some(format!("it does not export `{needed}`{}", but.unwrap_or_default()));
        }
        if world == "app"
            && let Some(reason) = self.crossed(&component, needed)
        {
            return Some(reason);
        }
        let outbound =
            component.imports(self.engine()).map(|(name, _)| name).find(|name| name.starts_with(OUTBOUND))?;
        (world != "app").then(|| format!("it imports `{outbound}`, but only apps send messages of their own"))
    }
}
