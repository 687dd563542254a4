//! `rlimits`: the limits of a sandbox's process. They have no meaning here; a name that never had one is a mistake all
//! the same.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The names, as Python has them.
const NAMES: [&str; 16] = [
    "RLIMIT_CORE",
    "RLIMIT_CPU",
    "RLIMIT_FSIZE",
    "RLIMIT_DATA",
    "RLIMIT_STACK",
    "RLIMIT_RSS",
    "RLIMIT_NPROC",
    "RLIMIT_NOFILE",
    "RLIMIT_OFILE",
    "RLIMIT_MEMLOCK",
    "RLIMIT_AS",
    "RLIMIT_VMEM",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_RTPRIO",
    "RLIMIT_SIGPENDING",
];

/// Numbers of limits on Linux.
const NUMBERS: std::ops::Range<u32> = 0..16;

pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let given = Option::<Map<String, Value>>::deserialize(deserializer)?.unwrap_or_default();
    let is_known = |key: &str| NAMES.contains(&key) || key.parse().is_ok_and(|number| NUMBERS.contains(&number));
    match given.keys().find(|key| !is_known(key)) {
        Some(key) => Err(D::Error::custom(format!("Unknown resource limit key '{key}'"))),
        None => Ok(()),
    }
}
