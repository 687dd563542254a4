//! What the build calls while it makes the snapshot (`xtask/engine`): libraries are put in and loaded. No instance that
//! a host makes ever calls this.

use rquickjs::Ctx;

use crate::failure;
use crate::machine::{self, Machine};

/// Memory for a text. It goes to the function that the text is passed to.
#[unsafe(export_name = "engine-buffer")]
extern "C" fn buffer(length: usize) -> *mut u8 {
    Box::leak(vec![0; length].into_boxed_slice()).as_mut_ptr()
}

/// Puts a file of a library in.
#[unsafe(export_name = "engine-put")]
extern "C" fn put(path: *mut u8, path_length: usize, text: *mut u8, text_length: usize) -> u64 {
    // SAFETY: both come from `buffer`.
    let (path, text) = unsafe { (taken(path, path_length), taken(text, text_length)) };
    answer(|machine, ctx| machine.put(ctx, &path, &text))
}

/// Loads a library.
#[unsafe(export_name = "engine-require")]
extern "C" fn require(name: *mut u8, length: usize) -> u64 {
    // SAFETY: it comes from `buffer`.
    let name = unsafe { taken(name, length) };
    answer(|machine, ctx| machine.require(ctx, &name))
}

/// The last call before the snapshot is taken.
#[unsafe(export_name = "engine-settle")]
extern "C" fn settle() {
    let _ = machine::with(Machine::settle);
}

/// # Safety
/// The memory comes from `buffer` with this length.
unsafe fn taken(text: *mut u8, length: usize) -> String {
    // SAFETY: as above.
    let bytes = unsafe { Vec::from_raw_parts(text, length, length) };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// 0, or where the text of an error is: the address above, the length below.
fn answer(work: impl for<'js> FnOnce(&Machine, &Ctx<'js>) -> rquickjs::Result<()>) -> u64 {
    let done = machine::with(|machine| machine.enter(|ctx| failure::text(ctx, work(machine, ctx))));
    match done.and_then(|done| done) {
        Ok(()) => 0,
        Err(text) => {
            let text = text.leak();
            ((text.as_ptr() as u64) << 32) | text.len() as u64
        }
    }
}
