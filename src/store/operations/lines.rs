//! What steps printed. It survives the pods that printed it.

use rusqlite::{Row, params};

use super::column;
use crate::domain::call::{OutputLine, OutputSource, StepId};
use crate::store::{Store, StoreError, row};

/// How many lines of a step are kept: the last ones.
const KEPT: u32 = 10_000;

impl Store {
    /// Adds lines to what a step printed. Beyond a limit the oldest ones go.
    ///
    /// # Errors
    /// The operation is not recorded, or SQLite refused.
    pub async fn add_lines(&self, step: StepId, lines: Vec<OutputLine>) -> Result<(), StoreError> {
        self.write("keep what the step printed", move |transaction| {
            let sql =
                "INSERT INTO output_lines (operation, step, at, source, text) VALUES (?1, ?2, ?3, ?4, ?5)";
            let (operation, position) = (step.operation.0, column(step.position));
            let mut statement = transaction.prepare_cached(sql)?;
            for line in &lines {
                let (at, source) = (line.at.to_string(), line.source.as_str());
                statement.execute(params![operation, position, at, source, line.text])?;
            }
            let sql = "DELETE FROM output_lines WHERE seq <= (SELECT seq FROM output_lines
                WHERE operation = ?1 AND step = ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)
                AND operation = ?1 AND step = ?2";
            transaction.prepare_cached(sql)?.execute(params![operation, position, KEPT])?;
            Ok(())
        })
        .await
    }

    /// The last `limit` lines that a step printed, oldest first.
    ///
    /// # Errors
    /// SQLite refused, or a record cannot be read.
    pub async fn lines(&self, step: StepId, limit: u32) -> Result<Vec<OutputLine>, StoreError> {
        self.read("read what the step printed", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT at, source, text FROM output_lines WHERE operation = ?1 AND step = ?2
                 ORDER BY seq DESC LIMIT ?3",
            )?;
            let columns = params![step.operation.0, column(step.position), limit];
            let rows = statement.query_map(columns, |row| Ok(line(row)))?;
            let mut lines: Vec<OutputLine> = rows.map(|row| row?).collect::<Result<_, _>>()?;
            lines.reverse();
            Ok(lines)
        })
        .await
    }
}

fn line(columns: &Row<'_>) -> Result<OutputLine, StoreError> {
    let (at, source): (String, String) = (columns.get(0)?, columns.get(1)?);
    Ok(OutputLine {
        at: row::moment("output_lines.at", &at)?,
        source: row::word("output_lines.source", &source, OutputSource::parse)?,
        text: columns.get(2)?,
    })
}
