//! Components that are dear to compile, at sizes that are not; `vumi_tests::blowup` makes them as large as one likes.

use vumi_tests::blowup;

use super::case::{Case, bytes};

const SMALL: &str = "At this size compiling takes well under a second; how much a larger one may use is bounded where \
                     components are compiled, since the engine does not bound it.";

pub fn cases() -> Vec<Case> {
    vec![
        bytes("compile-nested-loops", "has 20 loops in each other over 100 locals", || blowup::nested_loops(20))
            .says("ok", SMALL),
        bytes("compile-loads", "has a function of 50 kB of loads", || blowup::loads(50_000)).says("ok", SMALL),
        bytes("compile-br-table", "has a `br_table` of 10,000 entries", || blowup::br_table(10_000)).says("ok", SMALL),
        bytes("compile-many-functions", "has 2,000 functions", || blowup::many_functions(2_000)).says("ok", SMALL),
        bytes("compile-locals", "has a function with 500 locals that all live across a loop", || blowup::locals(500))
            .says("ok", SMALL),
        bytes("compile-data-segments", "has 1,000 data segments at one place", || blowup::data_segments(1_000))
            .says("ok", SMALL),
        bytes("compile-too-many-locals", "has a function with 50,001 locals", || blowup::locals(50_001))
            .refused("too many locals", "The validator bounds what a function may have."),
    ]
}

/// What the large ones cost, for whoever sets the limits of compilation.
#[test]
#[ignore = "takes minutes of a processor; prints a table"]
fn what_they_cost() {
    type Make = fn(usize) -> Vec<u8>;
    let sizes: [(&str, Make, [usize; 3]); 7] = [
        ("nested_loops", blowup::nested_loops, [20, 60, 200]),
        ("loads", blowup::loads, [50_000, 500_000, 2_300_000]),
        ("br_table", blowup::br_table, [10_000, 30_000, 60_000]),
        ("many_functions", blowup::many_functions, [2_000, 20_000, 100_000]),
        ("locals", blowup::locals, [500, 2_000, 8_000]),
        ("data_segments", blowup::data_segments, [1_000, 4_000, 16_000]),
        ("nested_components", blowup::nested_components, [500, 2_000, 8_000]),
    ];
    for (name, make, sizes) in sizes {
        for size in sizes {
            let bytes = make(size);
            let began = std::time::Instant::now();
            let loaded = crate::kit::sandbox().load_bytes(&vumi_sandbox::ComponentCache::none(), &bytes, name);
            println!("{name}({size}): {} bytes, {:?}, taken: {}", bytes.len(), began.elapsed(), loaded.is_ok());
        }
    }
}
