//! Starts the engine, puts the libraries in and keeps the memory as it is then.
//!
//! While this happens there is no host: a call of any import fails, so nothing of this machine, its clock or its random
//! numbers can come into the snapshot.

use futures_util::FutureExt;
use wasmparser::ValType;
use wasmtime::error::Context;
use wasmtime::{Engine, Instance, Linker, Memory, Module, Result, Store, Val, bail};
use wasmtime_wizer::{InstanceState, SnapshotVal, Wizer};

use crate::libraries::Libraries;

/// The function that the set-up ends with; the result has it no more.
const SETTLE: &str = "engine-settle";

/// The module, started.
pub(crate) fn take(module: &[u8], libraries: &Libraries) -> Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(SETTLE);
    let (context, instrumented) = wizer.instrument(module)?;
    let engine = Engine::default();
    let compiled = Module::new(&engine, &instrumented)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&compiled)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &compiled)?;
    let mut started = Started { store, instance };
    for (path, text) in &libraries.files {
        started.put(path, text)?;
    }
    for name in &libraries.loaded {
        started.require(name).with_context(|| format!("while the library {name} was loaded"))?;
    }
    let settle = started.instance.get_typed_func::<(), ()>(&mut started.store, SETTLE)?;
    settle.call(&mut started.store, ())?;
    wizer.snapshot(&context, &mut started).now_or_never().context("reading memory does not wait")?
}

struct Started {
    store: Store<()>,
    instance: Instance,
}

impl Started {
    fn put(&mut self, path: &str, text: &str) -> Result<()> {
        let (path, text) = (self.copy(path)?, self.copy(text)?);
        let put = self.instance.get_typed_func::<(u32, u32, u32, u32), u64>(&mut self.store, "engine-put")?;
        let answer = put.call(&mut self.store, (path.0, path.1, text.0, text.1))?;
        self.look(answer)
    }

    fn require(&mut self, name: &str) -> Result<()> {
        let name = self.copy(name)?;
        let require = self.instance.get_typed_func::<(u32, u32), u64>(&mut self.store, "engine-require")?;
        let answer = require.call(&mut self.store, name)?;
        self.look(answer)
    }

    /// A text in the engine's memory: where, and how long. It belongs to the function that it is passed to.
    fn copy(&mut self, text: &str) -> Result<(u32, u32)> {
        let length = u32::try_from(text.len())?;
        let buffer = self.instance.get_typed_func::<u32, u32>(&mut self.store, "engine-buffer")?;
        let at = buffer.call(&mut self.store, length)?;
        let memory = self.memory()?;
        memory.write(&mut self.store, at as usize, text.as_bytes())?;
        Ok((at, length))
    }

    /// An answer is 0, or where the text of an error is: the address above, the length below.
    fn look(&mut self, answer: u64) -> Result<()> {
        if answer == 0 {
            return Ok(());
        }
        let mut text = vec![0; (answer & 0xffff_ffff) as usize];
        self.memory()?.read(&self.store, (answer >> 32) as usize, &mut text)?;
        bail!("{}", String::from_utf8_lossy(&text))
    }

    fn memory(&mut self) -> Result<Memory> {
        self.instance.get_memory(&mut self.store, "memory").context("the module has no memory")
    }
}

impl InstanceState for Started {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let value = self.instance.get_global(&mut self.store, name).map(|global| global.get(&mut self.store));
        match value {
            Some(Val::I32(number)) => SnapshotVal::I32(number),
            Some(Val::I64(number)) => SnapshotVal::I64(number),
            Some(Val::F32(bits)) => SnapshotVal::F32(bits),
            Some(Val::F64(bits)) => SnapshotVal::F64(bits),
            Some(Val::V128(number)) => SnapshotVal::V128(number.as_u128()),
            _ => unreachable!("the instrumented module exports its globals, and numbers only: {name}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.instance.get_memory(&mut self.store, name) {
            Some(memory) => contents(memory.data(&self.store)),
            None => unreachable!("the instrumented module exports its memories: {name}"),
        }
    }
}
