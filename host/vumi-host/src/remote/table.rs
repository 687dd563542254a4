//! Tables and times, as they stand on a terminal.

use vumi_message::Timestamp;

/// A point in time.
pub(crate) fn when(micros: u64) -> String {
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)).to_string()
}

/// A text without line breaks and control characters, 200 characters at most.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if line.len() < text.len() { format!("{line}…") } else { line }
}

/// The beginning of a hash, enough to tell two apart.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// Rows below a head, each column as wide as it needs to be. What stands in a cell comes from outside, and is kept to
/// one line without control characters.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned))
        .chain(rows.into_iter().map(|row| row.map(|cell| one_line(&cell))))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = [["a".to_owned(), "1".to_owned()], ["ärger\u{1b}[2J".to_owned(), "2\n3".to_owned()]];
        assert_eq!(table(["app", "n"], rows), "app        n\na          1\närger [2J  2 3");
        assert_eq!(table(["app", "n"], []), "app  n");
        assert_eq!((short("0123456789abcdef"), short("01")), ("0123456789ab", "01"));
    }
}
