//! Counting, apart from the messages, so that it can be tested like any other Rust.

/// `3 words, 14 chars`: words stand between white space, characters are code points.
pub fn sentence(text: &str) -> String {
    let words = text.split_whitespace().count();
    let chars = text.chars().count();
    format!("{}, {}", amount(words, "word"), amount(chars, "char"))
}

fn amount(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
