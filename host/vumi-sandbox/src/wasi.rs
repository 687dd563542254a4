//! What a guest sees of a system: clocks, random numbers, standard output. No files, no sockets, no environment, no
//! arguments.
//!
//! Standard output becomes log lines at level info as they are completed; standard error is collected and becomes
//! one entry at level error when the run ends (specification: sandbox, section 2, rule 7).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use crate::logbook::{Logbook, Stdio};
use crate::meter::Stop;
use crate::stage::{self, Stage};
use crate::tape::{Tape, body_value, equip};

/// Handles that a guest may hold at a time (streams, pollables).
const MAX_HANDLES: usize = 1_000;

/// Bytes that a guest may write in one call. Each may be a line of its own, and the guest's limits are looked at
/// between calls only.
const WRITE_SIZE: usize = 4 << 10;

/// Random bytes that a guest may ask for in one call: the host makes them without a look at the guest's limits.
const RANDOM_SIZE: u64 = 1 << 20;

/// A table for the guest's handles.
pub(crate) fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_HANDLES);
    table
}

/// The context of one run.
pub(crate) fn context(logbook: &Arc<Logbook>, tape: Option<&Tape>, stage: Option<&Arc<dyn Stage>>) -> WasiCtx {
    let stream = |stdio| LogStream { logbook: Arc::clone(logbook), stdio, tape: tape.cloned() };
    let mut builder = WasiCtxBuilder::new();
    match (tape, stage) {
        (Some(tape), _) => equip(&mut builder, tape),
        (None, Some(stage)) => stage::equip(&mut builder, stage),
        (None, None) => {}
    }
    builder
        .stdout(stream(Stdio::Out))
        .stderr(stream(Stdio::Err))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(RANDOM_SIZE)
        .build()
}

/// Standard output or error of one run.
#[derive(Clone)]
struct LogStream {
    logbook: Arc<Logbook>,
    stdio: Stdio,
    tape: Option<Tape>,
}

impl LogStream {
    fn put(&self, bytes: &[u8]) -> Result<(), Stop> {
        let write = || self.logbook.stdio(self.stdio, bytes);
        match &self.tape {
            None => write(),
            Some(tape) => tape.around(self.stdio.name(), vec![body_value(bytes)], write),
        }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_SIZE {
            return Err(StreamError::trap("it wrote more bytes to a stream than check-write had allowed"));
        }
        self.put(&bytes).map_err(|stop| StreamError::Trap(wasmtime::Error::new(stop)))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_SIZE)
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
