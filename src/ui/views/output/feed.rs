//! The output of one step as it comes in.

use crate::domain::Problem;
use crate::domain::call::{CallRecord, OutputLine, StepId, StepOutput};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::screen::Context;

/// The most lines that are kept here; the records have more.
const KEPT: usize = 2_000;

/// The output of one step as it comes in.
#[derive(Debug, Default)]
pub struct Feed {
    /// The step that is followed.
    step: Option<StepId>,
    asked: Option<RequestId>,
    /// Something came.
    heard: bool,
    lines: Vec<OutputLine>,
    calls: Vec<CallRecord>,
    /// Why nothing comes.
    problem: Option<Problem>,
}

impl Feed {
    /// Follows `step` from now on, unless it does already.
    pub fn follow(&mut self, step: Option<StepId>, context: &mut Context<'_>) {
        if self.step == step {
            return;
        }
        self.stop(context);
        *self = Self { step, ..Self::default() };
        if let Some(step) = step {
            let id = context.request();
            context.effects.push(Effect::FollowOutput(id, step));
            self.asked = Some(id);
        }
    }

    /// Ends what was begun.
    pub fn stop(&mut self, context: &mut Context<'_>) {
        context.effects.extend(self.asked.take().map(Effect::Cancel));
    }

    /// Takes what came; gives it back when it is not, or no longer, what is followed.
    pub fn reply(&mut self, id: RequestId, reply: Reply) -> Option<Reply> {
        match reply {
            Reply::Output(output) if self.asked == Some(id) => {
                self.heard = true;
                match output {
                    Ok(output) => self.take(output),
                    Err(problem) => self.problem = Some(problem),
                }
                None
            }
            other => Some(other),
        }
    }

    fn take(&mut self, output: StepOutput) {
        if output.anew {
            self.lines.clear();
        }
        self.lines.extend(output.lines);
        let surplus = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..surplus);
        self.calls = output.calls;
    }

    /// The step that is followed.
    pub fn step(&self) -> Option<StepId> {
        self.step
    }

    /// Whether an answer has come.
    pub fn is_heard(&self) -> bool {
        self.heard
    }

    /// What it printed, oldest first.
    pub fn lines(&self) -> &[OutputLine] {
        &self.lines
    }

    /// What it called, in order.
    pub fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    /// Why nothing comes.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }
}
