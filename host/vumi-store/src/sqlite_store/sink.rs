//! Runs and log lines on their way from the recorder's buffer into their tables.

use rusqlite::{Connection, Result};
use vumi_core::{LogLine, Run};

use super::options::StoreOptions;
use super::records::{self, NewRow, Table};
use crate::recorder::{Record, Sink, Words};

/// A run or a log line.
#[derive(Clone, Debug)]
pub(super) enum Report {
    Run(Run),
    Log(LogLine),
}

impl Record for Report {
    fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => kind(Table::Runs),
            Self::Log(_) => kind(Table::Logs),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Run(run) => run.error.as_ref().map_or(0, String::len),
            Self::Log(line) => line.text.len(),
        }
    }
}

/// Writes runs and log lines.
pub(super) struct Reports(pub(super) StoreOptions);

impl Sink for Reports {
    type Record = Report;
    type Row = NewRow;

    const WORDS: Words = Words { records: "runs and log lines", store: "message store" };

    fn row(&self, report: Report) -> Option<NewRow> {
        let (table, at, json, app) = match report {
            Report::Run(run) => (Table::Runs, run.at, serde_json::to_string(&run), run.app),
            Report::Log(line) => (Table::Logs, line.at, serde_json::to_string(&line), line.app),
        };
        Some(NewRow { table, at: at.micros(), app, record: json.ok()? })
    }

    fn kind(row: &NewRow) -> &'static str {
        kind(row.table)
    }

    fn write(&self, connection: &Connection, rows: &[NewRow]) -> Result<()> {
        rows.iter().try_for_each(|row| records::insert(connection, row))?;
        records::trim(connection, Table::Runs, self.0.max_runs)?;
        records::trim(connection, Table::Logs, self.0.max_logs)?;
        Ok(())
    }
}

fn kind(table: Table) -> &'static str {
    match table {
        Table::Runs => "run",
        Table::Logs => "log",
    }
}
