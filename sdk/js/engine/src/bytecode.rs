//! Scripts as bytecode: compiled once by one instance, run by all others. Whoever has bytecode run vouches for it.

use std::ffi::CString;

use rquickjs::{Ctx, Error, Object, Promise, Result, Value, qjs};

/// What a source is parsed as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A script whose variables are globals.
    Script,
    /// An ES module.
    Module,
}

/// Parses a source and gives its bytecode. For a module, everything that it imports must be there.
pub(crate) fn compile(ctx: &Ctx<'_>, name: &str, code: &str, kind: Kind) -> Result<Vec<u8>> {
    let (name, length) = (CString::new(name)?, code.len());
    // The parser wants a zero behind the end; one before it is for the parser to complain about.
    let mut code = code.as_bytes().to_vec();
    code.push(0);
    let flags = qjs::JS_EVAL_FLAG_COMPILE_ONLY
        | match kind {
            Kind::Script => qjs::JS_EVAL_TYPE_GLOBAL,
            Kind::Module => qjs::JS_EVAL_TYPE_MODULE,
        };
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: both texts end with a zero and outlive the call; what is written is copied before it is freed.
    unsafe {
        let value = qjs::JS_Eval(raw, code.as_ptr().cast(), length as _, name.as_ptr(), flags as i32);
        let compiled = owned(ctx, value)?;
        let mut size = 0;
        let flags = qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE;
        let bytes = qjs::JS_WriteObject(raw, &mut size, compiled.as_raw(), flags as i32);
        if bytes.is_null() {
            return Err(Error::Exception);
        }
        let copy = std::slice::from_raw_parts(bytes, size as usize).to_vec();
        qjs::js_free(raw, bytes.cast());
        if kind == Kind::Module && qjs::JS_ResolveModule(raw, compiled.as_raw()) < 0 {
            return Err(Error::Exception);
        }
        Ok(copy)
    }
}

/// Runs the bytecode of a script and gives its value.
pub(crate) fn run_script<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    let script = read(ctx, bytes)?;
    evaluate(ctx, &script)
}

/// Runs the bytecode of a module as far as its first `await` and gives what it exports, and the promise of its end.
pub(crate) fn run_module<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<(Object<'js>, Promise<'js>)> {
    let module = read(ctx, bytes)?;
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: the value lives in this context, and is a module.
    unsafe {
        if qjs::JS_VALUE_GET_TAG(module.as_raw()) != qjs::JS_TAG_MODULE {
            return Err(Error::Unknown);
        }
        if qjs::JS_ResolveModule(raw, module.as_raw()) < 0 {
            return Err(Error::Exception);
        }
        let end = evaluate(ctx, &module)?;
        // Only now does it have what it exports.
        let namespace = qjs::JS_GetModuleNamespace(raw, qjs::JS_VALUE_GET_PTR(module.as_raw()).cast());
        Ok((owned(ctx, namespace)?.get()?, end.get()?))
    }
}

fn read<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    let flags = qjs::JS_READ_OBJ_BYTECODE;
    // SAFETY: the host vouches for the bytes.
    unsafe { owned(ctx, qjs::JS_ReadObject(ctx.as_raw().as_ptr(), bytes.as_ptr(), bytes.len() as _, flags as i32)) }
}

fn evaluate<'js>(ctx: &Ctx<'js>, compiled: &Value<'js>) -> Result<Value<'js>> {
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: the value lives in this context. What runs it frees it, so that it gets a reference of its own.
    unsafe { owned(ctx, qjs::JS_EvalFunction(raw, qjs::JS_DupValue(raw, compiled.as_raw()))) }
}

/// # Safety
/// The value was just made in this context and belongs to nobody else.
unsafe fn owned<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: as above.
    unsafe { if qjs::JS_IsException(value) { Err(Error::Exception) } else { Ok(Value::from_raw(ctx.clone(), value)) } }
}
