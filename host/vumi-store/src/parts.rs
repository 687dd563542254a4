//! Splitting something that holds keys into parts: a map that grows moves all that it holds at once, and a lock is held
//! for as long.

/// A fixed number of parts; each key belongs to one of them.
pub(crate) struct Parts<T> {
    /// All but the last, which stands alone so that there is always one to be had.
    others: Vec<T>,
    last: T,
}

impl<T> Parts<T> {
    /// So many parts, at least one.
    pub(crate) fn new(count: usize, make: impl Fn() -> T) -> Self {
        Self { others: (1..count).map(|_| make()).collect(), last: make() }
    }

    /// The part of a key.
    pub(crate) fn of(&self, key: &str) -> &T {
        self.at(self.place(key))
    }

    /// The part of a key, to be changed.
    pub(crate) fn of_mut(&mut self, key: &str) -> &mut T {
        let place = self.place(key);
        self.others.get_mut(place).unwrap_or(&mut self.last)
    }

    /// A part by its number, counted from 0.
    pub(crate) fn at(&self, place: usize) -> &T {
        self.others.get(place).unwrap_or(&self.last)
    }

    /// By the key's end, which differs more than its beginning.
    fn place(&self, key: &str) -> usize {
        // FNV-1a; the lowest bits are the least mixed.
        let mix = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        let hash = key.as_bytes().iter().rev().take(16).fold(0x811c_9dc5, mix);
        (hash >> 8) as usize % (self.others.len() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_spread_over_all_parts() {
        let mut parts = Parts::new(64, || 0);
        for n in 0..64_000 {
            *parts.of_mut(&format!("sandboxes#app#session:+2782{n:07}")) += 1;
        }
        let counts: Vec<i32> = (0..64).map(|place| *parts.at(place)).collect();
        assert_eq!(counts.iter().sum::<i32>(), 64_000);
        assert!(counts.iter().all(|&count| (500..2_000).contains(&count)), "{counts:?}");
        assert_eq!(Parts::new(0, || 7).of(""), &7);
    }
}
