//! The rules: a word, what was tried, and what follows from that.

use serde::{Deserialize, Serialize};

/// So many misses, and it is lost.
const MISSES: usize = 6;

/// A game under way.
#[derive(Debug, Serialize, Deserialize)]
pub struct Game {
    /// The word, in small letters.
    pub word: String,
    /// Guesses so far, in order: letters and whole words.
    pub tried: Vec<String>,
}

impl Game {
    /// A game with this word.
    pub fn new(word: String) -> Self {
        Self { word, tried: Vec::new() }
    }

    /// Guesses that were wrong.
    fn misses(&self) -> Vec<&str> {
        let is_miss = |guess: &&str| if guess.len() == 1 { !self.word.contains(*guess) } else { *guess != self.word };
        self.tried.iter().map(String::as_str).filter(is_miss).collect()
    }

    fn is_known(&self, letter: char) -> bool {
        self.tried.iter().any(|guess| guess.len() == 1 && guess.contains(letter) || *guess == self.word)
    }

    /// Whether the word has been found.
    pub fn is_won(&self) -> bool {
        self.word.chars().all(|letter| self.is_known(letter))
    }

    /// Whether there is nothing left to guess.
    pub fn is_over(&self) -> bool {
        self.is_won() || self.misses().len() >= MISSES
    }

    /// What the player sees.
    pub fn screen(&self) -> String {
        let shown: Vec<String> =
            self.word.chars().map(|letter| if self.is_known(letter) { letter } else { '_' }.to_string()).collect();
        let misses = self.misses();
        let wrong = if misses.is_empty() { String::new() } else { format!("\nWrong: {}", misses.join(", ")) };
        let left = MISSES - misses.len().min(MISSES);
        let left = if left == 1 { "1 miss left".to_owned() } else { format!("{left} misses left") };
        format!("{}{wrong}\n{left}. A letter, or the whole word?", shown.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(guesses: &[&str]) -> Game {
        Game { word: "banana".into(), tried: guesses.iter().map(|&guess| guess.to_owned()).collect() }
    }

    #[test]
    fn letters_show_where_they_are() {
        assert_eq!(after(&[]).screen(), "_ _ _ _ _ _\n6 misses left. A letter, or the whole word?");
        let screen = after(&["a", "z", "orange", "b"]).screen();
        assert_eq!(screen, "b a _ a _ a\nWrong: z, orange\n4 misses left. A letter, or the whole word?");
    }

    #[test]
    fn it_is_won_by_letters_or_at_once_and_lost_by_six_misses() {
        assert!(after(&["a", "n", "b"]).is_won());
        assert!(after(&["banana"]).is_won());
        let almost = after(&["c", "d", "e", "f", "a", "g"]);
        assert!(!almost.is_over() && almost.screen().contains("\n1 miss left."));
        let lost = after(&["c", "d", "e", "f", "g", "orange"]);
        assert!(lost.is_over() && !lost.is_won());
    }
}
