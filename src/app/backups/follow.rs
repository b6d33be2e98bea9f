//! Following an operation step by step, with how far those are that move data.

use std::collections::BTreeMap;

use crate::app::actions::End;
use crate::app::attended::{Interrupt, Interrupts};
use crate::app::frames::CALM_GAP;
use crate::app::session::Session;
use crate::domain::operation::StepProgress;
use crate::domain::{OperationId, OperationView, Problem, StepState};
use crate::store::StoreError;

/// What happens to an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A step stands elsewhere than before.
    Step {
        /// Its name.
        name: String,
        /// Where it stands.
        state: StepState,
        /// How far it came, where it moved data.
        moved: Option<StepProgress>,
        /// What is wrong with it.
        problem: Option<Problem>,
    },
    /// A step moves data.
    Moving {
        /// Its name.
        name: String,
        /// How far it is.
        progress: StepProgress,
    },
    /// It was asked to end.
    Cancelling,
}

/// Follows an operation until it has ended. The first ctrl-c asks that it ends, the second leaves it alone.
///
/// # Errors
/// The records cannot be read, or the wish to cancel not be recorded.
pub async fn follow(
    session: &Session,
    id: OperationId,
    interrupts: &mut Interrupts,
    mut tell: impl FnMut(News),
) -> Result<End, Problem> {
    let mut changes = session.store.changes();
    let (mut told, mut cancelled) = (Told::default(), false);
    loop {
        changes.mark_unchanged();
        let view = session.store.operation(id).await?.ok_or_else(|| gone(id))?;
        told.news(&view).into_iter().for_each(&mut tell);
        if view.operation.state.is_final() {
            return Ok(End::Ended(Box::new(view)));
        }
        let moved = async {
            let moved = changes.changed().await;
            // let a burst gather: one look per frame's time
            tokio::time::sleep(CALM_GAP).await;
            moved
        };
        tokio::select! {
            moved = moved => moved.map_err(|_| Problem::from(StoreError::Closed))?,
            interrupt = interrupts.next() => {
                if cancelled || interrupt == Interrupt::Leave {
                    return Ok(End::Left);
                }
                cancelled = true;
                session.engine.cancel(id, session.actor()).await?;
                tell(News::Cancelling);
            }
        }
    }
}

/// What was told already.
#[derive(Debug, Default)]
struct Told {
    states: BTreeMap<usize, (StepState, Option<Problem>)>,
    moving: BTreeMap<usize, StepProgress>,
}

impl Told {
    /// What is new.
    fn news(&mut self, view: &OperationView) -> Vec<News> {
        let mut news = Vec::new();
        let steps = view.operation.plan.steps.iter().zip(&view.steps).enumerate();
        for (position, (step, record)) in steps {
            let name = step.name.clone();
            let moved = view.moving.get(&position);
            let now = (record.state, record.problem.clone());
            let before = self.states.insert(position, now.clone());
            if before.as_ref() != Some(&now) && record.state != StepState::Pending {
                let (state, problem) = now;
                news.push(News::Step { name, state, moved: moved.cloned(), problem });
            } else if let Some(progress) = moved
                && record.state == StepState::Started
                && self.moving.insert(position, progress.clone()).as_ref() != Some(progress)
            {
                news.push(News::Moving { name, progress: progress.clone() });
            }
        }
        news
    }
}

fn gone(id: OperationId) -> Problem {
    Problem::new(format!("Operation {id} is gone"), "it is not recorded any more", "look at the cockpit")
}
