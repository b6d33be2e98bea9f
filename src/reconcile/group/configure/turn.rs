//! How what was done to an environment, or to the whole cluster, stands to one application.

use crate::domain::backup::{GroupPart, PartWork, Request};
use crate::domain::operation::{StepState, Subject};
use crate::domain::{Deployment, Instance, OperationKind, OperationState, OperationView, Problem};
use crate::reconcile::engine::Engine;
use crate::reconcile::situation::Turn;

use super::INGRESS;

/// So many of the newest operations about a place are looked through for the last one that said something of it.
const RECENT: u32 = 30;

impl Engine {
    /// Whether an operation about the place of an application will come to it, or was to.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(in crate::reconcile) async fn turn(
        &self,
        record: &Deployment,
        newest: &Instance,
    ) -> Result<Turn, Problem> {
        let place = &record.draft.environment;
        let mut missed = Turn::Free;
        for subject in [self.subject(place, ""), self.subject("", Subject::CLUSTER)] {
            let Some(view) = self.last_configuration(&subject).await? else { continue };
            let steps = left(&view, &record.draft.name, place);
            if !view.operation.state.is_final() {
                match steps.is_empty() {
                    true => continue,
                    false => return Ok(Turn::Comes),
                }
            }
            if is_over(&view, record, newest) {
                continue;
            }
            for step in steps {
                // what was begun goes on by itself
                if self.store().part_of(view.operation.id, step).await?.is_none() {
                    missed = Turn::Missed(passed_over(&view, record));
                }
            }
        }
        Ok(missed)
    }

    /// Whether the last operation about an environment was to take its ingress controller away, and did not.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(super) async fn is_ingress_left(&self, environment: &str) -> Result<bool, Problem> {
        let last = self.last_configuration(&self.subject(environment, "")).await?;
        Ok(last.is_some_and(|view| {
            let mut parts = undone(&view);
            parts.any(|part| part.application == INGRESS && part.work == PartWork::Delete)
        }))
    }

    /// The newest operation that said something of a place.
    async fn last_configuration(&self, subject: &Subject) -> Result<Option<OperationView>, Problem> {
        let all = self.store().operations_of(subject, RECENT).await?;
        Ok(all.into_iter().find(|view| view.operation.kind == OperationKind::Configure))
    }
}

/// The parts of an operation that are not done.
fn undone(view: &OperationView) -> impl Iterator<Item = &GroupPart> {
    let parts = match &view.operation.request {
        Some(Request::Group(request)) => request.parts.as_slice(),
        _ => &[],
    };
    let final_state = view.operation.state.is_final();
    parts.iter().filter(move |part| {
        let state = view.steps.get(part.step).map(|record| record.state);
        match final_state {
            true => state != Some(StepState::Succeeded),
            false => state.is_some_and(|state| !state.is_final()),
        }
    })
}

/// The steps of an operation about an application that are not done.
fn left(view: &OperationView, application: &str, environment: &str) -> Vec<usize> {
    undone(view)
        .filter(|part| part.environment == environment && part.application == application)
        .filter(|part| {
            matches!(part.work, PartWork::Update | PartWork::Delete) || !view.operation.state.is_final()
        })
        .map(|part| part.step)
        .collect()
}

/// Whether an operation that has ended says nothing of an application any more: it was carried out, the application was changed
/// since, or something else is wished for.
fn is_over(view: &OperationView, record: &Deployment, newest: &Instance) -> bool {
    let operation = &view.operation;
    let changed = operation.times.ended.is_some_and(|ended| newest.created_at > ended);
    let wished = newest.draft.as_ref().is_some_and(|draft| *draft != record.draft);
    operation.state == OperationState::Succeeded || changed || wished
}

fn passed_over(view: &OperationView, record: &Deployment) -> Problem {
    let operation = &view.operation;
    let place = match operation.subject.environment.as_str() {
        "" => "the cluster",
        environment => environment,
    };
    Problem::new(
        format!("{} does not follow what is said of {place}", record.draft.name),
        format!(
            "operation {} ({}) was not carried out: it ended before it came to it",
            operation.id, operation.plan.title
        ),
        format!("see why it ended, and configure {place} again"),
    )
}

#[cfg(test)]
mod tests;
