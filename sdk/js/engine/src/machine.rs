//! QuickJS, set up: the runtime and its one context with everything that a script finds in it.

use std::cell::{Cell, OnceCell, RefCell};

use rquickjs::{Array, Context, Ctx, FromJs, Function, Object, Persistent, Result, Runtime, Value, qjs};

use crate::bytecode::{self, Kind};
use crate::heap::{HEAP, QuickJsHeap};
use crate::{natives, vumi_host};

/// Bytes of the stack that scripts may use: a recursion beyond it throws a `RangeError`. It lies in the instance's
/// memory. WebAssembly's own stack, of which the host gives 512 KiB, grows beside it, up to 3.3 times as fast when
/// functions call each other (measured); were it to overflow first, the run would end without a word for the script.
const STACK: usize = 144 << 10;

/// Bytes of new objects after which the first collection of cycles comes. It looks at every object of the snapshot too,
/// so most runs end before it.
const COLLECT_AFTER: usize = 12 << 20;

/// Which rules the script follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// An ES module.
    Module,
    /// A script for Vumi's sandbox.
    Old,
}

/// The runtime, its context, and what of it is called from here.
pub(crate) struct Machine {
    context: Context,
    step: Persistent<Function<'static>>,
    old: Persistent<Object<'static>>,
    node: Persistent<Object<'static>>,
    /// What the module exports, once it is loaded.
    pub(crate) exports: RefCell<Option<Persistent<Object<'static>>>>,
    pub(crate) dialect: Cell<Dialect>,
}

thread_local! {
    static MACHINE: OnceCell<Machine> = const { OnceCell::new() };
}

/// Works with the machine, which is set up if it is not yet.
pub(crate) fn with<T>(work: impl FnOnce(&Machine) -> T) -> std::result::Result<T, String> {
    MACHINE.with(|cell| {
        if cell.get().is_none() {
            let machine = Machine::new().map_err(|error| format!("QuickJS could not be set up: {error}"))?;
            let _ = cell.set(machine);
        }
        cell.get().map(work).ok_or_else(|| "QuickJS is not set up".into())
    })
}

impl Machine {
    fn new() -> Result<Self> {
        let runtime = Runtime::new_with_alloc(QuickJsHeap)?;
        runtime.set_max_stack_size(STACK);
        // Nothing is collected while the snapshot is made, so that nothing moves.
        runtime.set_gc_threshold(usize::MAX);
        let context = Context::full(&runtime)?;
        // The context keeps the runtime alive.
        context.with(|ctx| {
            let native = natives::object(&ctx)?;
            let inspect: Value = part(&ctx, "inspect.js", include_str!("js/inspect.js"))?.call(())?;
            let queues: Object = part(&ctx, "loop.js", include_str!("js/loop.js"))?.call((native.clone(),))?;
            part(&ctx, "globals.js", include_str!("js/globals.js"))?
                .call::<_, Value>((native.clone(), inspect.clone()))?;
            let assert: Value = part(&ctx, "assert.js", include_str!("js/assert.js"))?.call((inspect.clone(),))?;
            let node: Object =
                part(&ctx, "node.js", include_str!("js/node.js"))?.call((native.clone(), inspect, assert))?;
            let old: Object =
                part(&ctx, "old_api.js", include_str!("js/old_api.js"))?.call((native, queues.clone()))?;
            vumi_host::declare(&ctx)?;
            Ok(Self {
                context: context.clone(),
                step: Persistent::save(&ctx, queues.get::<_, Function>("step")?),
                old: Persistent::save(&ctx, old),
                node: Persistent::save(&ctx, node),
                exports: RefCell::new(None),
                dialect: Cell::new(Dialect::Module),
            })
        })
    }

    /// Works with the context.
    pub(crate) fn enter<T>(&self, work: impl FnOnce(&Ctx<'_>) -> T) -> T {
        self.context.with(|ctx| work(&ctx))
    }

    /// `step` of `js/loop.js`.
    pub(crate) fn step<'js>(&self, ctx: &Ctx<'js>) -> Result<Function<'js>> {
        self.step.clone().restore(ctx)
    }

    /// A function of `js/old_api.js`.
    pub(crate) fn old<'js>(&self, ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
        self.old.clone().restore(ctx)?.get(name)
    }

    /// Runs the expression of an app's owner, given as the bytecode of [`context_code`], and makes its properties
    /// globals.
    pub(crate) fn share<'js>(&self, ctx: &Ctx<'js>, bytes: &[u8]) -> Result<()> {
        // Whoever is given something has libraries, and these count who refers to each of their objects.
        HEAP.warm();
        let expression = Function::from_js(ctx, bytecode::run_script(ctx, bytes)?)?;
        let scope: Array = self.node.clone().restore(ctx)?.get::<_, Function>("scope")?.call(())?;
        let mut arguments = rquickjs::function::Args::new(ctx.clone(), scope.len());
        for value in scope.iter::<Value>() {
            arguments.push_arg(value?)?;
        }
        let context: Value = expression.call_arg(arguments)?;
        self.old(ctx, "share")?.call((context,))
    }

    /// Puts a file of a library in, for `require`.
    pub(crate) fn put(&self, ctx: &Ctx<'_>, path: &str, source: &str) -> Result<()> {
        self.node.clone().restore(ctx)?.get::<_, Function>("put")?.call((path, source))
    }

    /// Loads a library.
    pub(crate) fn require(&self, ctx: &Ctx<'_>, name: &str) -> Result<()> {
        self.node.clone().restore(ctx)?.get::<_, Function>("require")?.call::<_, Value>((name,)).map(|_| ())
    }

    /// The last thing before the snapshot.
    pub(crate) fn settle(&self) {
        let runtime = self.context.runtime();
        runtime.run_gc();
        let used = runtime.memory_usage().malloc_size;
        runtime.set_gc_threshold(usize::try_from(used).unwrap_or(0) + COLLECT_AFTER);
        HEAP.seal();
        self.context.with(|ctx| fill_arenas(&ctx));
    }
}

/// Uses up what is free in QuickJS' arenas of small blocks, which lie all over the snapshot, so that what instances make
/// lies together in new ones.
fn fill_arenas(ctx: &Ctx<'_>) {
    const STEP: usize = 8;
    const LARGEST: usize = 504;
    const AT_MOST: usize = 1 << 14;
    for size in (STEP..=LARGEST).step_by(STEP) {
        for _ in 0..AT_MOST {
            // SAFETY: the context lives; the block is never used, nor given back.
            let block = unsafe { qjs::js_malloc(ctx.as_raw().as_ptr(), size as _) };
            if block.is_null() || HEAP.is_new(block.cast()) {
                break;
            }
        }
    }
}

/// The expression of an app's owner, as code. In the names that Vumi's runner had around it.
pub(crate) fn context_code(expression: &str) -> String {
    format!(
        "(function (require, process, Buffer, module, exports, __filename, __dirname) {{ return (\n{expression}\n); }})"
    )
}

/// A part of the engine that is written in JavaScript: a function. It goes through bytecode, which leaves its text
/// behind.
fn part<'js>(ctx: &Ctx<'js>, name: &str, code: &str) -> Result<Function<'js>> {
    let bytes = bytecode::compile(ctx, &format!("engine:{name}"), code, Kind::Script)?;
    Function::from_js(ctx, bytecode::run_script(ctx, &bytes)?)
}
