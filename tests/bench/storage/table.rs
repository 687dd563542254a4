//! The result: one row per kind of work, one column per engine, the median over the rounds, and the ratios to the last
//! engine.

use std::fmt;

use crate::work::Outcome;

const COLUMNS: usize = 3;

/// The figures of a run.
pub struct Table {
    engines: [&'static str; COLUMNS],
    rows: Vec<Row>,
}

struct Row {
    name: String,
    rates: [Vec<f64>; COLUMNS],
    operations: [u64; COLUMNS],
}

impl Table {
    pub fn new(engines: [&'static str; COLUMNS]) -> Self {
        Self { engines, rows: Vec::new() }
    }

    /// Adds the outcome of one phase of the work `name` by the engine in `column`.
    pub fn add(&mut self, name: &str, column: usize, outcome: Outcome) {
        let position = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            self.rows.push(Row { name: name.to_owned(), rates: Default::default(), operations: [0; COLUMNS] });
            self.rows.len() - 1
        });
        let row = &mut self.rows[position];
        row.operations[column] += outcome.operations;
        row.rates[column].push(outcome.rate());
    }

    /// All operations of the engine in `column` in rows whose names begin so.
    pub fn count(&self, prefix: &str, column: usize) -> u64 {
        self.rows.iter().filter(|row| row.name.starts_with(prefix)).map(|row| row.operations[column]).sum()
    }
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, last] = self.engines;
        writeln!(f, "\nconfirmed operations per second, 500-byte bodies, by number of concurrent callers:\n")?;
        writeln!(
            f,
            "| {:<22} | {first:>14} | {second:>14} | {last:>14} | {:>9} | {:>9} |",
            "work", "first/last", "2nd/last"
        )?;
        writeln!(f, "| {:-<22} | {:->14} | {:->14} | {:->14} | {:->9} | {:->9} |", "", ":", ":", ":", ":", ":")?;
        for row in &self.rows {
            let [a, b, c] = row.rates.each_ref().map(|rates| median(rates));
            writeln!(f, "| {:<22} | {a:>14.0} | {b:>14.0} | {c:>14.0} | {:>9.2} | {:>9.2} |", row.name, a / c, b / c)?;
        }
        Ok(())
    }
}
