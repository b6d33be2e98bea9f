//! How far steps are that move data. Written often, and worth nothing once they ended: not durably.

use rusqlite::{Connection, params};

use super::column;
use crate::domain::OperationId;
use crate::domain::call::StepId;
use crate::domain::operation::StepProgress;
use crate::store::{Store, StoreError, row};
use std::collections::BTreeMap;

impl Store {
    /// Says how far a step is. Call it at most twice a second.
    ///
    /// # Errors
    /// The operation is not recorded, or SQLite refused.
    pub async fn tell_progress(&self, step: StepId, progress: &StepProgress) -> Result<(), StoreError> {
        let progress = progress.clone();
        self.write("say how far the step is", move |transaction| {
            let text = row::to_json("step_progress.progress", &progress)?;
            let sql = "INSERT INTO step_progress (operation, step, progress) VALUES (?1, ?2, ?3)
                 ON CONFLICT (operation, step) DO UPDATE SET progress = excluded.progress";
            transaction.prepare_cached(sql)?.execute(params![
                step.operation.0,
                column(step.position),
                text
            ])?;
            Ok(())
        })
        .await
    }
}

/// How far the steps of an operation are, by position.
pub(super) fn of(
    connection: &Connection,
    id: OperationId,
) -> Result<BTreeMap<usize, StepProgress>, StoreError> {
    let sql = "SELECT step, progress FROM step_progress WHERE operation = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([id.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (step, text) = row?;
        let progress = row::from_json("step_progress.progress", &text)?;
        Ok((row::narrow("step_progress.step", step)?, progress))
    })
    .collect()
}
