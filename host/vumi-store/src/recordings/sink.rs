//! Recordings and differences on their way from the recorder's buffer into their tables, and the bounds there.

use std::sync::Arc;

use rusqlite::{Connection, Result};
use vumi_core::{Clock, Difference, Recording, RecordingBounds};

use super::differences::{self, DifferenceRow};
use super::tapes::{self, RecordingRow};
use crate::recorder::{Record, Sink, Words};

/// A recording or a difference.
pub(super) enum Finding {
    Recording(Recording),
    Difference(Difference),
}

impl Record for Finding {
    fn kind(&self) -> &'static str {
        match self {
            Self::Recording(_) => "recording",
            Self::Difference(_) => "difference",
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Recording(recording) => recording.tape.len(),
            Self::Difference(difference) => difference.live.len().saturating_add(difference.shadow.len()),
        }
    }
}

/// One of them, ready to be written.
pub(super) enum Row {
    Recording(RecordingRow),
    Difference(DifferenceRow),
}

/// How much is kept, by which clock.
#[derive(Clone)]
pub(super) struct Limits {
    pub(super) bounds: RecordingBounds,
    clock: Arc<dyn Clock>,
}

impl Limits {
    pub(super) fn new(bounds: RecordingBounds, clock: Arc<dyn Clock>) -> Self {
        let bounds =
            RecordingBounds { recordings: bounds.recordings.max(1), differences: bounds.differences.max(1), ..bounds };
        Self { bounds, clock }
    }

    /// When the oldest recordings began that are not too old, in microseconds since the epoch.
    pub(super) fn oldest(&self) -> i64 {
        let age = i64::try_from(self.bounds.age.as_micros()).unwrap_or(i64::MAX);
        self.clock.now().micros().saturating_sub(age)
    }

    /// Forgets some of what is beyond the bounds, as much as one job may; how many.
    pub(super) fn enforce_some(&self, connection: &Connection) -> Result<usize> {
        Ok(tapes::trim(connection, self.bounds, self.oldest())?
            + differences::trim(connection, self.bounds.differences)?)
    }
}

/// Writes recordings and differences.
pub(super) struct Findings(Limits);

impl Findings {
    pub(super) fn new(limits: Limits) -> Self {
        Self(limits)
    }
}

impl Sink for Findings {
    type Record = Finding;
    type Row = Row;

    const WORDS: Words = Words { records: "recordings and differences", store: "store of recordings" };

    fn row(&self, finding: Finding) -> Option<Row> {
        match finding {
            Finding::Recording(recording) => RecordingRow::new(recording).map(Row::Recording),
            Finding::Difference(difference) => DifferenceRow::new(difference).map(Row::Difference),
        }
    }

    fn kind(row: &Row) -> &'static str {
        match row {
            Row::Recording(_) => "recording",
            Row::Difference(_) => "difference",
        }
    }

    fn write(&self, connection: &Connection, rows: &[Row]) -> Result<()> {
        for row in rows {
            match row {
                Row::Recording(row) => tapes::put(connection, row)?,
                Row::Difference(row) => differences::insert(connection, row)?,
            }
        }
        // Room for one large tape may cost many small ones.
        while self.0.enforce_some(connection)? > 0 {}
        Ok(())
    }
}
