//! How what a script threw becomes a text: `Name: message` and the stack below it, as Node.js would show it.

use std::cell::Cell;

use rquickjs::{CatchResultExt, CaughtError, Ctx, Exception, FromJs, Object, Result, Value, qjs};

thread_local! {
    /// Set when the run is to end at once, whatever the script is doing.
    static ENDED: Cell<Option<i32>> = const { Cell::new(None) };
}

/// The exit status with which the run was ended from within, if it was.
pub(crate) fn ended() -> Option<i32> {
    ENDED.get()
}

/// Ends the run: an error that no `catch` or `finally` of the script sees. Returns the error to be passed on.
pub(crate) fn end<'js>(ctx: &Ctx<'js>, status: i32) -> rquickjs::Error {
    ENDED.set(Some(status));
    match Exception::from_message(ctx.clone(), "the run was ended") {
        Ok(exception) => {
            let value = exception.into_object().into_value();
            // SAFETY: the value lives in this context.
            unsafe { qjs::JS_SetUncatchableError(ctx.as_raw().as_ptr(), value.as_raw()) };
            ctx.throw(value)
        }
        Err(error) => error,
    }
}

/// What went wrong, as a text.
pub(crate) fn text<'js, T>(ctx: &Ctx<'js>, result: Result<T>) -> std::result::Result<T, String> {
    result.catch(ctx).map_err(|caught| match caught {
        CaughtError::Exception(exception) => of_value(ctx, &exception.into_object().into_value()),
        CaughtError::Value(value) => of_value(ctx, &value),
        CaughtError::Error(error) => format!("Error: {error}"),
    })
}

/// A thrown value, as a text.
pub(crate) fn of_value<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    let shown = || -> Option<String> {
        let object: &Object<'js> = value.as_object()?;
        if !object.is_error() {
            return None;
        }
        let part =
            |name: &str| object.get::<_, Option<rquickjs::Coerced<String>>>(name).ok().flatten().map(|text| text.0);
        let (name, message) = (part("name").unwrap_or_else(|| "Error".into()), part("message").unwrap_or_default());
        let head = if message.is_empty() { name } else { format!("{name}: {message}") };
        let stack = part("stack").unwrap_or_default();
        let stack = stack.trim_end();
        Some(match stack {
            "" => head,
            _ if stack.starts_with(&head) => stack.to_owned(),
            _ => format!("{head}\n{stack}"),
        })
    };
    let text = shown().or_else(|| {
        let text = rquickjs::Coerced::<String>::from_js(ctx, value.clone()).ok()?.0;
        Some(format!("Uncaught {text}"))
    });
    // A getter or toString of the value may have thrown.
    let _ = ctx.catch();
    text.unwrap_or_else(|| "Uncaught value that cannot be shown".into())
}

/// `name:line:column: text` for what is wrong with a source.
pub(crate) fn syntax(name: &str, text: &str) -> String {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let place = lines.next().map(|line| line.trim().trim_start_matches("at ")).filter(|place| place.starts_with(name));
    match place {
        Some(place) => format!("{place}: {head}"),
        None => format!("{name}:1:1: {head}"),
    }
}
