//! What the JavaScript of the engine itself calls: the object `native` in `js/`. Scripts never see it.

use rquickjs::{
    ArrayBuffer, Ctx, Exception, Function, Object, Result, String as JsString, TypedArray, Value, function::Opt,
};

use crate::bindings::vumi::app::legacy_host;
use crate::bindings::vumi::app::log::{self, Level};
use crate::bytecode::{self, Kind};
use crate::machine::{self, Dialect};
use crate::{failure, system};

/// Makes the object.
pub(crate) fn object<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    let set = |name: &str, function: Result<Function<'js>>| native.set(name, function?);
    set("monotonic", Function::new(ctx.clone(), system::monotonic_ms))?;
    set("random", Function::new(ctx.clone(), system::random_number))?;
    set("randomBytes", Function::new(ctx.clone(), random_bytes))?;
    set("print", Function::new(ctx.clone(), print))?;
    set("request", Function::new(ctx.clone(), request))?;
    set("exit", Function::new(ctx.clone(), exit))?;
    set("encode", Function::new(ctx.clone(), encode))?;
    set("decode", Function::new(ctx.clone(), decode))?;
    set("compile", Function::new(ctx.clone(), compile))?;
    Ok(native)
}

fn random_bytes(ctx: Ctx<'_>, count: f64) -> Result<TypedArray<'_, u8>> {
    TypedArray::new(ctx, system::random_bytes(count as usize))
}

/// A line of `console`: an entry of the log; for an old script standard output or error, as it was.
fn print(level: std::string::String, text: std::string::String) {
    let old = machine::with(|machine| machine.dialect.get() == Dialect::Old).unwrap_or(false);
    match (old, level.as_str()) {
        (true, "error" | "warning") => system::print_error(&text),
        (true, _) => system::print(&text),
        (false, level) => log::log(level_of(level).unwrap_or(Level::Info), &text),
    }
}

/// The level of a name.
pub(crate) fn level_of(name: &str) -> Option<Level> {
    Some(match name {
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warning" => Level::Warning,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => return None,
    })
}

/// A command of an old script. When the host has no answer, the run ends.
fn request(ctx: Ctx<'_>, command: std::string::String) -> Result<std::string::String> {
    if failure::ended().is_some() {
        return Err(failure::end(&ctx, 0));
    }
    legacy_host::request(&command).ok_or_else(|| failure::end(&ctx, 0))
}

fn exit(ctx: Ctx<'_>, status: i32) -> Result<()> {
    Err(failure::end(&ctx, status))
}

fn encode<'js>(ctx: Ctx<'js>, text: JsString<'js>) -> Result<TypedArray<'js, u8>> {
    // A half of a surrogate pair has no UTF-8.
    let text = text.to_string().or_else(|_| Ok::<_, rquickjs::Error>(std::string::String::new()))?;
    TypedArray::new(ctx, text.into_bytes())
}

fn decode<'js>(
    ctx: Ctx<'js>,
    bytes: TypedArray<'js, u8>,
    encoding: std::string::String,
    fatal: Opt<bool>,
) -> Result<std::string::String> {
    // SAFETY: nothing of the script runs while they are read.
    let bytes = unsafe { bytes.as_bytes() }.unwrap_or_default();
    match encoding.as_str() {
        "utf-8" if fatal.0 == Some(true) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Exception::throw_type(&ctx, "The encoded data was not valid for encoding utf-8")),
        },
        "utf-16le" => {
            let units = bytes.as_chunks::<2>().0.iter().map(|&pair| u16::from_le_bytes(pair));
            Ok(char::decode_utf16(units).map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        "utf-8" => Ok(std::string::String::from_utf8_lossy(bytes).into_owned()),
        _ => Ok(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// A file of a library as a function of what a module of Node.js has around it.
fn compile<'js>(ctx: Ctx<'js>, path: std::string::String, source: std::string::String) -> Result<Value<'js>> {
    let code = format!(
        "(function (exports, require, module, __filename, __dirname, process, global, Buffer) {{ {source}\n}})"
    );
    let bytes = bytecode::compile(&ctx, &path, &code, Kind::Script)?;
    bytecode::run_script(&ctx, &bytes)
}

/// The bytes of a typed array or an array buffer.
pub(crate) fn bytes_of(value: &Value<'_>) -> Option<Vec<u8>> {
    let object = value.as_object()?;
    if let Ok(array) = TypedArray::<u8>::from_value(value.clone()) {
        // SAFETY: they are copied before anything of the script runs.
        return Some(unsafe { array.as_bytes() }?.to_vec());
    }
    let buffer: ArrayBuffer = ArrayBuffer::from_object(object.clone())?;
    // SAFETY: as above.
    Some(unsafe { buffer.as_bytes() }?.to_vec())
}
