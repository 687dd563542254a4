//! The contract's functions.

use rquickjs::{Ctx, Error, Function, Object, Persistent, Promise, Value};

use crate::bindings::exports::vumi::app::legacy::{CommandError, Guest as Legacy};
use crate::bindings::exports::vumi::app::script::{Dialect as WitDialect, Guest as Script, Source};
use crate::bindings::exports::vumi::app::{dialogue, handler};
use crate::bindings::vumi::app::types::{Event, Message};
use crate::bytecode::{self, Kind};
use crate::machine::{self, Dialect, Machine};
use crate::turns::{self, End};
use crate::{Engine, failure, message, system};

/// The first byte of what `compile` gives.
const MODULE: u8 = b'm';
const OLD: u8 = b'l';

impl Script for Engine {
    fn compile(source: Source) -> Result<Vec<u8>, String> {
        system::start();
        let code = source.code.strip_prefix('\u{feff}').unwrap_or(&source.code);
        machine::with(|machine| {
            machine.enter(|ctx| {
                let compile = |name: &str, code: &str, kind| {
                    failure::text(ctx, bytecode::compile(ctx, name, code, kind))
                        .map_err(|text| failure::syntax(name, &text))
                };
                match source.dialect {
                    WitDialect::Module => {
                        let bytes = compile(&source.name, code, Kind::Module)?;
                        Ok([&[MODULE], &bytes[..]].concat())
                    }
                    WitDialect::Legacy => {
                        let context = match &source.app_context {
                            Some(expression) => {
                                compile("app_context", &machine::context_code(expression), Kind::Script)?
                            }
                            None => Vec::new(),
                        };
                        let bytes = compile(&source.name, code, Kind::Script)?;
                        let length = u32::try_from(context.len()).map_err(|_| "the app context is too large")?;
                        Ok([&[OLD], &length.to_le_bytes()[..], &context, &bytes].concat())
                    }
                }
            })
        })?
    }

    fn load(bytes: Vec<u8>) -> Result<(), String> {
        system::start();
        machine::with(|machine| {
            machine.enter(|ctx| match bytes.split_first() {
                Some((&MODULE, module)) => load_module(machine, ctx, module),
                Some((&OLD, rest)) => load_old(machine, ctx, rest),
                _ => Err("this is not bytecode of this engine".into()),
            })
        })?
    }
}

fn load_module(machine: &Machine, ctx: &Ctx<'_>, bytes: &[u8]) -> Result<(), String> {
    machine.dialect.set(Dialect::Module);
    let run = || {
        let (exports, end) = bytecode::run_module(ctx, bytes)?;
        let how = turns::until_settled(ctx, &machine.step(ctx)?, &end)?;
        if how == End::Stalled {
            return Err(waits_for_ever(ctx, "the module"));
        }
        end.finish::<Value>()?;
        *machine.exports.borrow_mut() = Some(Persistent::save(ctx, exports));
        Ok(())
    };
    failure::text(ctx, run())
}

fn load_old(machine: &Machine, ctx: &Ctx<'_>, bytes: &[u8]) -> Result<(), String> {
    machine.dialect.set(Dialect::Old);
    let parts = bytes
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.split_at_checked(u32::from_le_bytes(*length) as usize));
    let (context, script) = parts.ok_or("this is not bytecode of this engine")?;
    let run = || {
        machine.old(ctx, "begin")?.call::<_, ()>(())?;
        if !context.is_empty() {
            machine.share(ctx, context)?;
        }
        bytecode::run_script(ctx, script).map(|_| ())
    };
    let result = run();
    // It may have ended the run; `on-command` then says how.
    if failure::ended().is_some() { Ok(()) } else { failure::text(ctx, result) }
}

fn waits_for_ever(ctx: &Ctx<'_>, what: &str) -> Error {
    let text = format!("{what} waits for a promise that nothing can settle any more");
    rquickjs::Exception::throw_message(ctx, &text)
}

impl handler::Guest for Engine {
    fn on_message(message: Message) -> Result<(), String> {
        call("onMessage", true, |ctx| message::message(ctx, message))
    }

    fn on_event(event: Event) -> Result<(), String> {
        call("onEvent", false, |ctx| message::event(ctx, event))
    }
}

/// Calls a handler of the loaded module and runs until it is done.
fn call(
    name: &str,
    needed: bool,
    argument: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<Object<'js>>,
) -> Result<(), String> {
    machine::with(|machine| {
        let exports = machine.exports.borrow().clone().ok_or("no module is loaded")?;
        machine.enter(|ctx| {
            let run = || {
                let Some((handler, this)) = exported(ctx, exports.restore(ctx)?, name)? else {
                    return if needed {
                        Err(rquickjs::Exception::throw_type(ctx, &format!("the module exports no function {name}")))
                    } else {
                        Ok(())
                    };
                };
                let value: Value = handler.call((rquickjs::function::This(this), argument(ctx)?))?;
                let Some(promise) = value.as_promise() else { return turns::jobs(ctx) };
                if turns::until_settled(ctx, &machine.step(ctx)?, promise)? == End::Stalled {
                    return Err(waits_for_ever(ctx, name));
                }
                promise.finish::<Value>().map(|_| ())
            };
            failure::text(ctx, run())
        })
    })?
}

/// A function that a module exports by name, or its default export has; and what it is to be called on.
fn exported<'js>(
    ctx: &Ctx<'js>,
    exports: Object<'js>,
    name: &str,
) -> rquickjs::Result<Option<(Function<'js>, Value<'js>)>> {
    let named: Value = exports.get(name)?;
    if let Some(function) = named.into_function() {
        return Ok(Some((function, Value::new_undefined(ctx.clone()))));
    }
    let default: Value = exports.get("default")?;
    let Some(object) = default.as_object() else { return Ok(None) };
    let method: Value = object.get(name)?;
    Ok(method.into_function().map(|function| (function, default)))
}

impl dialogue::Guest for Engine {
    fn graph() -> Option<String> {
        let graph = machine::with(|machine| {
            let exports = machine.exports.borrow().clone()?;
            machine.enter(|ctx| {
                let run = || {
                    let Some((graph, this)) = exported(ctx, exports.restore(ctx)?, "graph")? else { return Ok(None) };
                    let mut value: Value = graph.call((rquickjs::function::This(this),))?;
                    if let Some(promise) = value.as_promise().cloned() {
                        turns::until_settled(ctx, &machine.step(ctx)?, &promise)?;
                        value = Promise::finish(&promise)?;
                    }
                    if let Some(text) = value.as_string() {
                        return text.to_string().map(Some);
                    }
                    if value.is_null() || value.is_undefined() {
                        return Ok(None);
                    }
                    ctx.json_stringify(value)?.map(|text| text.to_string()).transpose()
                };
                // A dialogue that cannot be drawn is none.
                failure::text(ctx, run()).ok().flatten()
            })
        });
        graph.ok().flatten()
    }
}

impl Legacy for Engine {
    fn on_command(command: String) -> Result<(), CommandError> {
        let result = machine::with(|machine| {
            machine.enter(|ctx| {
                let run = || {
                    machine.old(ctx, "command")?.call::<_, ()>((command,))?;
                    turns::until_done(ctx, &machine.step(ctx)?)
                };
                let result = if failure::ended().is_some() { Ok(End::Reached) } else { run() };
                match failure::ended() {
                    Some(0) => Ok(End::Reached),
                    Some(status) => Err(format!("process ended with exit code {status}")),
                    None => failure::text(ctx, result),
                }
            })
        });
        match result {
            Ok(Ok(End::Reached)) => Ok(()),
            Ok(Ok(End::Stalled)) => Err(CommandError::Stalled),
            Ok(Err(text)) | Err(text) => Err(CommandError::Thrown(text)),
        }
    }
}
