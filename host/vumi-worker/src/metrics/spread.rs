//! Which bucket a value belongs to (specification: metrics, section 4).
//!
//! Any number of time bucket workers may run: all of them choose the same bucket for the same metric and stretch of
//! time, by MD5.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use super::message::Datapoint;
use super::number::Number;

/// The stretch of time that a timestamp falls into: `floor(timestamp) div bucket_size`.
pub(super) fn stretch(timestamp: Number, bucket_size: u32) -> i64 {
    stretch_of_second(timestamp.floor(), bucket_size)
}

/// [`stretch`] of a whole second.
pub(super) fn stretch_of_second(second: i64, bucket_size: u32) -> i64 {
    second.div_euclid(i64::from(bucket_size.max(1)))
}

/// The bucket of a metric and a stretch of time, among `buckets`.
pub fn bucket_of(name: &str, stretch: i64, buckets: u32) -> u32 {
    let digest: [u8; 16] = Md5::digest(format!("{name}:{stretch}").as_bytes()).into();
    let bucket = u128::from_be_bytes(digest) % u128::from(buckets.max(1));
    // It is below `buckets`.
    u32::try_from(bucket).unwrap_or_default()
}

/// Divides a datapoint by stretches of time of `bucket_size` seconds: for each the number of its bucket and the
/// datapoint with the values that fall into it. Nothing for a datapoint without values.
pub fn spread(point: Datapoint, bucket_size: u32, buckets: u32) -> Vec<(u32, Datapoint)> {
    let mut groups: BTreeMap<i64, Vec<(Number, Number)>> = BTreeMap::new();
    for value in point.values {
        groups.entry(stretch(value.0, bucket_size)).or_default().push(value);
    }
    let (name, aggregators) = (point.name, point.aggregators);
    let divided = groups.into_iter().map(|(stretch, values)| {
        let part = Datapoint { name: name.clone(), aggregators: aggregators.clone(), values };
        (bucket_of(&name, stretch, buckets), part)
    });
    divided.collect()
}
