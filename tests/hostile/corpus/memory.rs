//! Guests that take memory, and allocators that lie about it.

use vumi_core::Outcome::{Instantiate, MemoryLimit, Ok as Well, Trap};
use vumi_sandbox::ComponentCache;
use vumi_tests::forge::{Forge, LIBC};

use crate::kit::sandbox;

use super::case::{Case, forged, own};

const SUM: &str = "The limit `memory` counts all memories of an instance together, and growth beyond it fails.";
const CANONICAL: &str = "The engine checks every address, length and alignment that a guest hands over.";
const OWN: &str = "What an allocator breaks is its own guest's memory.";

fn grows(body: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || Forge::attack(body)
}

/// A guest whose handler answers with what is written here.
fn answers(body: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || Forge::of(format!("(func $attack (result i32) {body})"))
}

/// With these fields before the others of its main module.
fn with(fields: &'static str) -> impl Fn() -> Forge + Send + Sync {
    move || Forge::attack("(call $say (i32.const 128) (i32.const 2))").and(fields)
}

/// So many modules, each with these fields.
pub fn modules(fields: &'static str, count: usize) -> impl Fn() -> Forge + Send + Sync {
    move || {
        let mut forge = Forge::attack("(call $say (i32.const 128) (i32.const 2))");
        forge.around = format!("(core module $one {fields})") + &"(core instance (instantiate $one))".repeat(count);
        forge
    }
}

fn too_large() -> Result<(), String> {
    let folder = vumi_tests::guests::scratch();
    let path = folder.path().join("large.wasm");
    // A file with a hole takes no room.
    let made = std::fs::File::create(&path).and_then(|file| file.set_len((256 << 20) + 1));
    made.map_err(|error| error.to_string())?;
    match sandbox().load(&ComponentCache::none(), &path) {
        Err(error) if error.to_string().contains("at most 268435456 are taken") => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("it was loaded".to_owned()),
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = growth();
    cases.extend(declared());
    cases.extend(handed_over());
    cases
}

fn growth() -> Vec<Case> {
    vec![
        forged(
            "memory-one-step",
            "grows to 4 GiB in one step, and gives up when it may not",
            grows("(if (i32.eq (i32.const -1) (memory.grow (i32.const 65534))) (then (unreachable)))"),
        )
        .ends(MemoryLimit, "limit `memory`", SUM),
        forged(
            "memory-page-by-page",
            "grows a page at a time until it may not, and gives up",
            grows("(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 1))))) (unreachable)"),
        )
        .ends(MemoryLimit, "limit `memory`", SUM),
        forged(
            "memory-told-no",
            "asks for 4 GiB, is refused, and goes on without",
            grows("(drop (memory.grow (i32.const 65000))) (call $say (i32.const 128) (i32.const 2))"),
        )
        .says("ok", "A guest that copes with little memory is no offender."),
        forged(
            "memory-touch-all",
            "grows to the limit and writes to every page",
            grows(
                "(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
                 (memory.fill (i32.const 65536) (i32.const 7)
                   (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536)))",
            ),
        )
        .shown(
            "`ok`; at its peak it had 64 MiB",
            |answer| match (answer.outcome(), answer.run().peak_memory) {
                (Well, peak) if peak == 64 << 20 => Ok(()),
                (_, peak) => Err(format!("{peak} bytes")),
            },
            "What the limit allows may be used; the pool takes it back.",
        ),
        forged(
            "memory-fill-beyond",
            "fills more memory than it has",
            grows("(memory.fill (i32.const 0) (i32.const 7) (i32.const -1))"),
        )
        .ends(Trap, "out of bounds memory access", CANONICAL),
        forged("memory-read-beyond", "reads at the last address of 32 bits, with the largest offset", || {
            Forge::attack("(drop (i64.load offset=4294967288 (i32.const -1)))")
        })
        .ends(Trap, "out of bounds memory access", CANONICAL),
    ]
}

fn declared() -> Vec<Case> {
    vec![
        forged("memory-two", "has a module of two memories", with("(memory 1) (memory 1)")).refused(
            "exceeds the per-instance limit of 1",
            "The pool is made for one; more are refused before they run.",
        ),
        forged("memory-many", "has nine modules, each with a memory", modules("(memory 1)", 9))
            .refused("memories", "The pool has room for eight in one component; more are refused before they run."),
        forged("memory-together", "has three modules with a memory of 30 MiB each", modules("(memory 480)", 3)).ends(
            MemoryLimit,
            "limit `memory`",
            SUM,
        ),
        forged("memory-initial", "begins with 65 MiB", with("(memory 1040)")).ends(MemoryLimit, "limit `memory`", SUM),
        forged("memory-initial-4-gib", "begins with 4 GiB", with("(memory 65536)")).ends(
            MemoryLimit,
            "limit `memory`",
            SUM,
        ),
        forged("memory-shared", "declares a memory shared between threads", with("(memory 1 2 shared)"))
            .refused("is not a valid component", "There are no threads in a guest."),
        forged("memory-64", "has a memory with 64-bit addresses, of 65 MiB", with("(memory i64 1040)")).ends(
            MemoryLimit,
            "limit `memory`",
            "The engine takes such memories inside of a module; they count like all others.",
        ),
        forged("memory-64-beyond", "reads at the end of 64 bits in a memory with 64-bit addresses", || {
            Forge::attack("(drop (i64.load $big offset=18446744073709551608 (i64.const -1)))")
                .and("(memory $big i64 1)")
        })
        .ends(Trap, "out of bounds memory access", CANONICAL),
        forged("memory-page-size", "has a memory whose pages are a byte each", with("(memory 1 (pagesize 1))"))
            .refused("is not a valid component", "Features that the language has not settled are off."),
        forged("memory-gc", "makes objects for a garbage collector", with("(type $s (struct (field i32)))"))
            .refused("is not a valid component", "The host has no garbage collector for guests."),
        forged("memory-exceptions", "throws an exception", with("(tag $t) (func (throw $t))"))
            .refused("is not a valid component", "Features that the engine is not built with are off."),
        forged("memory-data-2-mib", "brings data of 2 MiB", || {
            let data = "x".repeat(2 << 20);
            Forge::attack("(call $say (i32.const 128) (i32.const 2))").libc(LIBC.replacen(
                "2)",
                &format!("200) (data (i32.const 131072) \"{data}\")"),
                1,
            ))
        })
        .says("ok", "Data are mapped, copy-on-write, and count as the memory that they lie in."),
        forged("memory-data-beyond", "brings data that do not fit into its memory", || {
            Forge::attack("").and("(data (i32.const 131070) \"xxxx\")")
        })
        .ends(
            Instantiate,
            "could not be started",
            "An instance that cannot be made is the component's fault.",
        ),
        forged("memory-dropped-data", "copies from a data segment that it has dropped", || {
            Forge::attack("(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4))")
                .and("(data $d \"xxxx\")")
        })
        .ends(Trap, "out of bounds memory access", CANONICAL),
        own(
            "memory-too-large-a-file",
            "is a file of 256 MiB and one byte",
            "refused: “… at most 268435456 are taken”, before it is read",
            "A file larger than any real component is not looked at.",
            Box::new(|_| Box::pin(async { too_large() })),
        ),
    ]
}

fn handed_over() -> Vec<Case> {
    let lie = |name: &str, what: &str, body: &'static str| {
        forged(name, what, move || Forge::attack("(call $say (i32.const 128) (i32.const 2))").realloc(body))
    };
    vec![
        forged("memory-answer-beyond", "says that its answer lies beyond its memory", answers("(i32.const -16)"))
            .ends(Trap, "", CANONICAL),
        forged("memory-answer-unaligned", "says that its answer lies at an odd address", answers("(i32.const 49)"))
            .ends(Trap, "align", CANONICAL),
        forged(
            "memory-error-beyond",
            "answers with an error text of 4 GiB",
            answers(
                "(i32.store (i32.const 300) (i32.const 1)) (i32.store (i32.const 304) (i32.const 16))
                 (i32.store (i32.const 308) (i32.const -1)) (i32.const 300)",
            ),
        )
        .ends(Trap, "", CANONICAL),
        forged(
            "memory-error-wraps",
            "answers with an error text whose end wraps around to address 0",
            answers(
                "(i32.store (i32.const 300) (i32.const 1)) (i32.store (i32.const 304) (i32.const -8))
                 (i32.store (i32.const 308) (i32.const 16)) (i32.const 300)",
            ),
        )
        .ends(Trap, "", CANONICAL),
        lie("memory-realloc-beyond", "has an allocator that gives out addresses beyond its memory", "(i32.const -64)")
            .ends(Trap, "", CANONICAL),
        lie("memory-realloc-last-byte", "has one that gives out the memory's last byte", "(i32.const 131071)")
            .ends(Trap, "", CANONICAL),
        lie("memory-realloc-unaligned", "has one that gives out odd addresses", "(i32.const 70001)")
            .ends(Trap, "align", CANONICAL),
        lie("memory-realloc-overlaps", "has one that always gives out the same address", "(i32.const 70000)").shown(
            "`ok` or `trap`",
            |answer| match answer.outcome() {
                Well | Trap => Ok(()),
                _ => Err("another end".into()),
            },
            OWN,
        ),
        lie("memory-realloc-zero", "has one that always gives out address 0", "(i32.const 0)").shown(
            "`ok` or `trap`",
            |answer| match answer.outcome() {
                Well | Trap => Ok(()),
                _ => Err("another end".into()),
            },
            OWN,
        ),
        lie("memory-realloc-traps", "has one that traps", "(unreachable)").ends(Trap, "unreachable", OWN),
        lie(
            "memory-realloc-grows",
            "has one that takes as much memory as there is at each call",
            "(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 1))))) (unreachable)",
        )
        .ends(MemoryLimit, "limit `memory`", SUM),
    ]
}
