//! WASI as the standard library does not use it: large writes, large reads of random numbers, many handles.

use std::collections::HashMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use vumi_sdk::prelude::*;

mod bindings {
    wit_bindgen::generate!({
        inline: "
            package probe:wants@0.1.0;

            world wants {
                import wasi:io/poll@0.2.1;
                import wasi:io/streams@0.2.1;
                import wasi:cli/stdout@0.2.1;
                import wasi:clocks/monotonic-clock@0.2.1;
                import wasi:random/random@0.2.1;
                import wasi:random/insecure@0.2.1;
            }

            package wasi:io@0.2.1 {
                interface error { resource error; }
                interface poll { resource pollable; }
                interface streams {
                    use error.{error};
                    variant stream-error { last-operation-failed(error), closed }
                    resource output-stream {
                        check-write: func() -> result<u64, stream-error>;
                        write: func(contents: list<u8>) -> result<_, stream-error>;
                        write-zeroes: func(len: u64) -> result<_, stream-error>;
                    }
                }
            }

            package wasi:cli@0.2.1 {
                interface stdout {
                    use wasi:io/streams@0.2.1.{output-stream};
                    get-stdout: func() -> output-stream;
                }
            }

            package wasi:clocks@0.2.1 {
                interface monotonic-clock {
                    type duration = u64;
                    use wasi:io/poll@0.2.1.{pollable};
                    subscribe-duration: func(when: duration) -> pollable;
                }
            }

            package wasi:random@0.2.1 {
                interface random { get-random-bytes: func(len: u64) -> list<u8>; }
                interface insecure { get-insecure-random-u64: func() -> u64; }
            }
        ",
        world: "wants",
        generate_all,
    });
}

use bindings::wasi::cli::stdout::get_stdout;
use bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use bindings::wasi::random::insecure::get_insecure_random_u64;
use bindings::wasi::random::random::get_random_bytes;

/// Writes to standard output in the largest pieces that the host takes.
pub fn print(bytes: &[u8]) {
    let stream = get_stdout();
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = stream.check_write().unwrap_or_default() as usize;
        let (piece, later) = rest.split_at(rest.len().min(room));
        if stream.write(piece).is_err() {
            return;
        }
        rest = later;
    }
}

/// Writes so much to standard output in one call, without asking how much may be written.
pub fn rush(message: &Message, count: usize) -> Result<()> {
    let written = get_stdout().write(&vec![b'\n'; count]).is_ok();
    message.reply(format!("{written}")).map(drop)
}

/// Asks for so many zeroes on standard output in one call.
pub fn zeroes(message: &Message, count: usize) -> Result<()> {
    let written = get_stdout().write_zeroes(count as u64).is_ok();
    message.reply(format!("{written}")).map(drop)
}

/// Asks for so many random bytes in one call.
pub fn random(count: usize) -> usize {
    get_random_bytes(count as u64).len()
}

/// What no two runs have in common: random numbers of both kinds, the order of a hash map, the clocks.
pub fn chance() -> String {
    let began = Instant::now();
    let order: HashMap<u8, ()> = (0..20).map(|key| (key, ())).collect();
    let order: Vec<u8> = order.into_keys().collect();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_nanos());
    let (secure, insecure) = (get_random_bytes(8), get_insecure_random_u64());
    format!("{secure:?} {insecure} {order:?} {since:?} {:?}", began.elapsed())
}

/// Opens so many handles and keeps them.
pub fn handles(count: usize) -> usize {
    let held: Vec<_> = (0..count).map(|_| subscribe_duration(1_000_000_000)).collect();
    held.len()
}
