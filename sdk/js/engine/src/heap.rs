//! The memory of the engine, for QuickJS and for Rust: blocks in classes of size, a list of free blocks for each class,
//! and new ones from the end of what is used.
//!
//! An instance lives for one message, so it is made to be quick and to touch few pages: blocks of all sizes lie next to
//! each other in the order in which they were asked for, freed ones are used again at once while they are warm, and
//! nothing is ever merged or given back.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

use rquickjs::allocator::Allocator;

/// Stands before each block and keeps its class.
const HEADER: usize = 8;

/// Sizes up to this one have classes 16 bytes apart.
const SMALL: usize = 1024;
const SMALL_CLASSES: usize = SMALL / 16;
/// Beyond, four classes for each power of two.
const CLASSES: usize = SMALL_CLASSES + 4 * 22;

/// Free blocks of this size and more are still used after the snapshot.
const KEPT: usize = 16 << 10;

/// QuickJS keeps small objects in arenas of about a page. These lie among their like: a run writes to many objects of the
/// snapshot (it counts who refers to them), and to hardly any of the code and texts that would otherwise lie between.
const ARENA: std::ops::RangeInclusive<usize> = 3_584..=4_112;
/// How much memory is given to arenas at a time.
const ARENAS: usize = 128 << 10;

/// How many times at most that is remembered.
const ARENA_PLACES: usize = 32;

/// What the host wipes and copies memory in.
const HOST_PAGE: usize = 4 << 10;

/// How much memory is asked for at a time.
const CHUNK: usize = 1 << 20;

/// Memory that an instance has ready, so that most of them never ask for more.
const READY: usize = 3 << 20;

/// What WebAssembly counts memory in.
const PAGE: usize = 64 << 10;

struct State {
    free: [*mut u8; CLASSES],
    /// The next new block begins here.
    next: usize,
    end: usize,
    /// The next new arena begins here.
    arena: usize,
    arenas_end: usize,
    /// Where the arenas of the snapshot begin, `ARENAS` bytes each time.
    arenas: [usize; ARENA_PLACES],
    /// What is set aside for after the snapshot begins here.
    ready: usize,
}

/// The one heap.
pub(crate) struct Heap(UnsafeCell<State>);

// SAFETY: WebAssembly without threads has one thread.
unsafe impl Sync for Heap {}

#[global_allocator]
pub(crate) static HEAP: Heap = Heap(UnsafeCell::new(State {
    free: [null_mut(); CLASSES],
    next: 0,
    end: 0,
    arena: 0,
    arenas_end: 0,
    arenas: [0; ARENA_PLACES],
    ready: 0,
}));

/// The class for a size, and the size of its blocks.
fn class_of(size: usize) -> (usize, usize) {
    if size <= SMALL {
        let class = size.saturating_sub(1) / 16;
        return (class, (class + 1) * 16);
    }
    // 1025 to 1280 is the first of the four classes below 2048, and so on.
    let power = usize::BITS - 1 - (size - 1).leading_zeros();
    let quarter = 1_usize << (power - 2);
    let step = (size - 1 - (1 << power)) / quarter;
    (SMALL_CLASSES + (power as usize - 10) * 4 + step, (1 << power) + (step + 1) * quarter)
}

/// The size of the blocks of a class.
fn size_of_class(class: usize) -> usize {
    if class < SMALL_CLASSES {
        return (class + 1) * 16;
    }
    let (power, step) = ((class - SMALL_CLASSES) / 4 + 10, (class - SMALL_CLASSES) % 4);
    (1 << power) + (step + 1) * (1 << (power - 2))
}

impl Heap {
    fn take(&self, size: usize) -> *mut u8 {
        if size > 1 << 30 {
            return null_mut();
        }
        let (class, size) = class_of(size);
        // SAFETY: one thread, and nothing below calls back.
        let state = unsafe { &mut *self.0.get() };
        let Some(head) = state.free.get_mut(class) else { return null_mut() };
        if !head.is_null() {
            let block = *head;
            // SAFETY: a free block keeps the next one of its list in its first word.
            *head = unsafe { *block.cast::<*mut u8>() };
            return block;
        }
        let Some(at) = state.extend(HEADER + size) else { return null_mut() };
        let header = at as *mut u32;
        // SAFETY: `extend` gave these bytes to nobody else.
        unsafe {
            header.write(class as u32);
            header.cast::<u8>().add(HEADER)
        }
    }

    /// # Safety
    /// The block came from `take` and is not used again.
    unsafe fn give(&self, block: *mut u8) {
        // SAFETY: as above, so its header is there.
        unsafe {
            let state = &mut *self.0.get();
            if let Some(head) = state.free.get_mut(class(block)) {
                *block.cast::<*mut u8>() = *head;
                *head = block;
            }
        }
    }

    /// # Safety
    /// The block came from `take` and is not used again.
    unsafe fn resize(&self, block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            let there = size_of_class(class(block));
            if size <= there {
                return block;
            }
            let new = self.take(size);
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, there);
                self.give(block);
            }
            new
        }
    }

    /// Called before the snapshot. What freed blocks hold is wiped, so that the snapshot need not keep it; and small ones,
    /// which lie scattered over pages that would have to be copied, are forgotten: new blocks come from what was set
    /// aside at the beginning. It lies before all others because a host that wipes the pages an instance wrote to finds
    /// them from below, and takes only so many stretches of them one by one.
    pub(crate) fn seal(&self) {
        // SAFETY: one thread; the lists hold free blocks of their class, and each begins with the next one's address.
        unsafe {
            let state = &mut *self.0.get();
            for (class, head) in state.free.iter_mut().enumerate() {
                let size = size_of_class(class);
                let mut block = std::mem::replace(head, null_mut());
                while !block.is_null() {
                    let next = *block.cast::<*mut u8>();
                    block.write_bytes(0, size);
                    if size >= KEPT {
                        *block.cast::<*mut u8>() = *head;
                        *head = block;
                    }
                    block = next;
                }
            }
            (state.arena, state.arenas_end) = (0, 0);
            if state.ready != 0 {
                state.next = state.ready;
                state.end = state.ready + READY;
            }
        }
    }
}

impl Heap {
    /// Writes to every page of the snapshot's arenas, without changing it. For scripts that will write to very many of
    /// them: a host that wipes written pages one stretch after another then finds a few long ones, which it keeps, where
    /// it would give up after some tens of short ones and let each page cost a fault again.
    pub(crate) fn warm(&self) {
        // SAFETY: one thread; the arenas are the heap's own memory, and each byte is written as it was read.
        unsafe {
            let state = &mut *self.0.get();
            for start in state.arenas.into_iter().filter(|start| *start != 0) {
                for page in (start..start + ARENAS).step_by(HOST_PAGE) {
                    let byte = page as *mut u8;
                    byte.write_volatile(byte.read_volatile());
                }
            }
        }
    }

    /// Whether a block was taken after `seal`.
    pub(crate) fn is_new(&self, block: *const u8) -> bool {
        // SAFETY: one thread.
        let state = unsafe { &*self.0.get() };
        (state.ready..state.next).contains(&(block as usize))
    }
}

impl State {
    /// So many new bytes; a multiple of 8.
    fn extend(&mut self, size: usize) -> Option<usize> {
        if ARENA.contains(&size) {
            if self.arenas_end - self.arena < size {
                self.arena = self.take_new(ARENAS)?;
                self.arenas_end = self.arena + ARENAS;
                if let Some(place) = self.arenas.iter_mut().find(|place| **place == 0) {
                    *place = self.arena;
                }
            }
            let at = self.arena;
            self.arena += size;
            return Some(at);
        }
        self.take_new(size)
    }

    fn take_new(&mut self, size: usize) -> Option<usize> {
        if self.end - self.next < size {
            self.grow(size)?;
        }
        let at = self.next;
        self.next += size;
        Some(at)
    }

    fn grow(&mut self, size: usize) -> Option<()> {
        // The first time there is more: see `seal`.
        let aside = if self.ready == 0 { READY } else { 0 };
        let pages = (aside + size.max(CHUNK)).div_ceil(PAGE);
        let mut before = core::arch::wasm32::memory_grow::<0>(pages);
        let mut got = pages;
        if before == usize::MAX {
            // Close to the guest's limit: no more than needed.
            got = (aside + size).div_ceil(PAGE);
            before = core::arch::wasm32::memory_grow::<0>(got);
        }
        if before == usize::MAX {
            return None;
        }
        let start = before * PAGE;
        if start != self.end {
            self.next = start;
        }
        if self.ready == 0 {
            self.ready = start;
            self.next = start + READY;
        }
        self.end = start + got * PAGE;
        Some(())
    }
}

/// # Safety
/// The block came from `Heap::take`.
unsafe fn class(block: *mut u8) -> usize {
    // SAFETY: as above, so its header stands before it.
    unsafe { *block.sub(HEADER).cast::<u32>() as usize }
}

// SAFETY: blocks are as large as asked for and nobody else's; they are aligned to 8, which is refused below where it is
// not enough.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= 8 {
            return self.take(layout.size());
        }
        // Rare, and never freed: a larger block, within which there is an aligned place.
        let block = self.take(layout.size() + layout.align());
        if block.is_null() { block } else { (block as usize).next_multiple_of(layout.align()) as *mut u8 }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.align() <= 8 {
            // SAFETY: it came from `alloc`, so from `take`.
            unsafe { self.give(block) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= 8 {
            // SAFETY: it came from `alloc`, so from `take`.
            return unsafe { self.resize(block, size) };
        }
        // SAFETY: the same alignment with another size.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(size));
            }
            new
        }
    }
}

/// The heap as QuickJS sees it.
pub(crate) struct QuickJsHeap;

// SAFETY: all of it is the heap's; blocks are aligned to 8.
unsafe impl Allocator for QuickJsHeap {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        HEAP.take(size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(size) = count.checked_mul(size) else { return null_mut() };
        let block = HEAP.take(size);
        if !block.is_null() {
            // SAFETY: the block is at least that large. It may have been used before.
            unsafe { block.write_bytes(0, size) };
        }
        block
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        if !block.is_null() {
            // SAFETY: it came from here.
            unsafe { HEAP.give(block) }
        }
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return HEAP.take(size);
        }
        // SAFETY: it came from here.
        unsafe { HEAP.resize(block, size) }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        // SAFETY: it came from here.
        unsafe { size_of_class(class(block)) }
    }
}
