//! Components that are small, valid, and dear to compile: each function makes one, as large as it is told.
//!
//! WebAssembly bounds how large a program is, not how long a compiler thinks about it. What these cost was measured
//! with the engine's Cranelift on one core; a limit on compilation is tested with sizes that pass it, and the hostile
//! corpus compiles each at a size that takes well under a second.

use std::fmt::Write;

use crate::forge::Forge;

/// A guest that answers `ok` and has these functions besides.
fn beside(functions: &str) -> Vec<u8> {
    Forge::attack("(call $say (i32.const 128) (i32.const 2))").and(functions).bytes()
}

/// Stores all of the locals, so that none is found to be of no use.
fn all_used(locals: usize) -> String {
    (0..locals).map(|n| format!("(i32.store (i32.const 0) (local.get {n}))")).collect()
}

/// `depth` loops in each other over 100 locals, each loop changing half of them: at each loop's head all values meet
/// again, so that their number grows with depth times locals, and where they live with its square.
pub fn nested_loops(depth: usize) -> Vec<u8> {
    const LOCALS: usize = 100;
    let mut body = String::new();
    for level in 0..depth {
        let _ = write!(body, "(loop $l{level} ");
        for n in 0..LOCALS / 2 {
            let (to, from) = ((level + n * 2) % LOCALS, (level * 13 + n * 7 + 1) % LOCALS);
            let _ = write!(body, "(local.set {to} (i32.add (local.get {from}) (local.get {to})))");
        }
    }
    for level in (0..depth).rev() {
        let _ = write!(body, "(br_if $l{level} (local.get {})))", level % LOCALS);
    }
    beside(&format!("(func (local {}) {body} {})", "i32 ".repeat(LOCALS), all_used(LOCALS)))
}

/// A function of about `bytes` bytes that does nothing but load from memory: every load may trap, and each is another
/// value that lives to the end.
pub fn loads(bytes: usize) -> Vec<u8> {
    // A load, its constant address and the addition take about 8 bytes.
    let one = "(local.set 0 (i32.add (local.get 0) (i32.load offset=1000 (local.get 0))))";
    let count = bytes / 10;
    // One function holds 7.6 MB at most.
    let per_function = 600_000.min(count.max(1));
    let mut functions = String::new();
    for _ in 0..count.div_ceil(per_function) {
        let _ = write!(functions, "(func (local i32) {})", one.repeat(per_function));
    }
    beside(&functions)
}

/// A `br_table` with `targets` entries over 100 blocks, each entry another way to merge the locals.
pub fn br_table(targets: usize) -> Vec<u8> {
    const BLOCKS: usize = 100;
    let table: String = (0..targets).map(|n| format!("{} ", n % BLOCKS)).collect();
    let (open, mut close) = ("(block ".repeat(BLOCKS), String::new());
    for n in 0..BLOCKS {
        let _ = write!(close, ") (local.set {} (i32.add (local.get 0) (i32.const {n})))", n % 20);
    }
    let used = all_used(20);
    beside(&format!("(func (local {}) {open} (br_table {table} 0 (local.get 1)) {close} {used})", "i32 ".repeat(20)))
}

/// `count` small functions that differ.
pub fn many_functions(count: usize) -> Vec<u8> {
    let mut functions = String::new();
    for n in 0..count {
        let _ = write!(functions, "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const {n})))");
    }
    beside(&functions)
}

/// A function with `count` locals (50,000 at most), all of which live across a loop.
pub fn locals(count: usize) -> Vec<u8> {
    let mut body = String::new();
    for n in 0..count {
        let _ = write!(body, "(local.set {n} (i32.add (local.get {n}) (local.get {})))", (n * 7 + 1) % count.max(1));
    }
    let used = all_used(count);
    beside(&format!("(func (local {}) (loop $l {body} (br_if $l (local.get 0))) {used})", "i32 ".repeat(count)))
}

/// `count` data segments of one byte at one place of the memory.
pub fn data_segments(count: usize) -> Vec<u8> {
    beside(&"(data (i32.const 16384) \"x\")".repeat(count))
}

/// What every component begins with.
const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// A number as binaries have it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A type of a component, within a type of a component, so deep; three bytes each. Read by recursion, it takes the
/// stack of whoever reads it.
pub fn nested_types(depth: usize) -> Vec<u8> {
    let types = [&[1], [0x41, 1, 1].repeat(depth).as_slice(), &[0x41, 0]].concat();
    [HEADER, &[7], leb(types.len()).as_slice(), types.as_slice()].concat()
}

/// A component within a component, so deep; about twelve bytes each.
pub fn nested_components(depth: usize) -> Vec<u8> {
    // From the inside: the sizes, and then, from the outside, the bytes.
    let mut sizes = Vec::with_capacity(depth);
    let mut size = HEADER.len();
    for _ in 0..depth {
        sizes.push(size);
        size += HEADER.len() + 1 + leb(size).len();
    }
    let mut whole = Vec::with_capacity(size);
    for size in sizes.into_iter().rev() {
        whole.extend_from_slice(HEADER);
        whole.push(4);
        whole.extend_from_slice(&leb(size));
    }
    whole.extend_from_slice(HEADER);
    whole
}
