//! The words: the configured ones, or those that come with the game.

use std::hash::{BuildHasher, RandomState};

use vumi_sdk::config;

const WORDS: &str = "airtime baobab bicycle breakfast bridge camera cassava charcoal classroom coconut cricket daylight \
                     elephant festival football giraffe harvest hospital journey kitchen lantern lightning mango market \
                     minibus monsoon mosquito notebook orchestra papaya pineapple rainbow saxophone shadow spinach \
                     sunflower teacher thunder umbrella village waterfall weather wildlife zebra";

/// One of them.
pub fn pick() -> String {
    let configured = config("words").map(|text| words(&text)).filter(|words| !words.is_empty());
    let words = configured.unwrap_or_else(|| words(WORDS));
    let place = usize::try_from(random() % words.len() as u64).unwrap_or(0);
    words.into_iter().nth(place).unwrap_or_default()
}

/// Those of a text that can be guessed: letters from a to z, two at least.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).map(str::to_lowercase);
    words.filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase())).collect()
}

/// The standard library's maps are seeded with a random number; a fresh one for each game is all that is needed here.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_guessed_is_a_word() {
        assert_eq!(words("Zebra, x  mango,café"), ["zebra", "mango"]);
        assert!(words(WORDS).len() > 40);
    }
}
