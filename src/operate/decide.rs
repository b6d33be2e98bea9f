//! What is done next. Pure: it follows from the plan, the records of its steps, and the moment.

use jiff::{SignedDuration, Timestamp};

use crate::domain::operation::Orders;
use crate::domain::plan::{Policy, Verb};
use crate::domain::{OperationState, Plan, Problem, Step, StepRecord, StepState};

use super::outcome;

/// What besides plan and records decides.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The present.
    pub now: Timestamp,
    /// When the operation must have ended.
    pub deadline: Option<Timestamp>,
    /// What is asked of it.
    pub orders: &'a Orders,
    /// Whether what it makes true is still wanted.
    pub wanted: bool,
}

/// What is done next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// One move per step that can be moved, in the order of the plan.
    pub moves: Vec<Move>,
    /// When to decide again even if nothing happens.
    pub until: Option<Timestamp>,
}

/// A move. The number is the step's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Journal it as started, then do it.
    Start(usize),
    /// Look whether it was done.
    Probe(usize),
    /// Put it to a person.
    Ask(usize),
    /// Journal it as not done.
    Skip(usize, Problem),
    /// End what is in flight: nothing depends on where it ends. It was not done.
    Interrupt(usize, Problem),
    /// End what may be in flight: it took too long, or nobody will know what came of it. It has failed.
    GiveUp(usize, Problem),
    /// Every step has ended, and so the operation has.
    Finish(OperationState, Option<Problem>),
}

/// Why nothing new is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop<'a> {
    Cancelled(&'a str),
    Superseded,
    Deadline(Timestamp),
}

impl<'a> Stop<'a> {
    pub(super) fn of(at: &Moment<'a>) -> Option<Self> {
        match &at.orders.cancelled_by {
            Some(actor) => Some(Self::Cancelled(actor)),
            None if at.orders.superseded || !at.wanted => Some(Self::Superseded),
            None => at.deadline.filter(|deadline| *deadline <= at.now).map(Self::Deadline),
        }
    }

    pub(super) fn problem(self) -> Problem {
        let again = "plan it again when it is still wanted";
        match self {
            Self::Cancelled(actor) => Problem::new("Cancelled", format!("{actor} asked for it"), again),
            Self::Superseded => {
                Problem::new("Superseded", "something newer is wanted", "look at the newer operation")
            }
            Self::Deadline(at) => Problem::new("It took too long", format!("it had to end by {at}"), again),
        }
    }
}

/// The next moves of an operation, at most one per step. A record that says `Started` is in flight; one of which nobody knows
/// what came of it says `Unknown`. The moves may be made side by side, in any order, and some of them only.
pub fn decide(plan: &Plan, steps: &[StepRecord], at: &Moment<'_>) -> Decision {
    let view = View { plan, steps, at, stop: Stop::of(at) };
    if (0..plan.steps.len()).all(|position| view.has_ended(position)) {
        let (state, problem) = outcome::outcome(plan, steps, view.stop);
        return Decision { moves: vec![Move::Finish(state, problem)], until: None };
    }
    let mains_ended =
        (0..plan.steps.len()).all(|position| view.is_finally(position) || view.has_ended(position));
    let mut decision = Decision::default();
    for (position, step) in plan.steps.iter().enumerate() {
        if !view.has_ended(position) && (mains_ended || !step.finally) {
            decision.add(view.next(position, step));
        }
    }
    if let Some(deadline) = at.deadline.filter(|_| view.stop.is_none()) {
        decision.add(Next::At(deadline));
    }
    decision
}

/// What is next for one step.
enum Next {
    Now(Move),
    At(Timestamp),
    /// Somebody else moves first: a step that it needs, or a person.
    Wait,
}

impl Decision {
    fn add(&mut self, next: Next) {
        match next {
            Next::Now(step) => self.moves.push(step),
            Next::At(at) => self.until = Some(self.until.map_or(at, |until| until.min(at))),
            Next::Wait => {}
        }
    }
}

struct View<'a> {
    plan: &'a Plan,
    steps: &'a [StepRecord],
    at: &'a Moment<'a>,
    stop: Option<Stop<'a>>,
}

impl View<'_> {
    fn is_finally(&self, position: usize) -> bool {
        self.plan.steps.get(position).is_some_and(|step| step.finally)
    }

    fn state(&self, position: usize) -> Option<StepState> {
        outcome::state(self.plan, self.steps, position)
    }

    fn has_ended(&self, position: usize) -> bool {
        self.state(position).is_none_or(StepState::is_final)
    }

    /// Whether one of the steps that do not always run was not done.
    fn has_failed(&self) -> bool {
        let mains = (0..self.plan.steps.len()).filter(|position| !self.is_finally(*position));
        mains.filter_map(|position| self.state(position)).any(|state| state != StepState::Succeeded)
    }

    /// A step that has not ended and whose turn it may be.
    fn next(&self, position: usize, step: &Step) -> Next {
        let blank = StepRecord::default();
        let record = self.steps.get(position).unwrap_or(&blank);
        let time_out = record.started.map(|started| after(started, step.timeout));
        let late = time_out.is_some_and(|at| at <= self.at.now);
        let too_long = || Next::Now(Move::GiveUp(position, outcome::too_long(step, record)));
        match (record.state, self.stop_of(step)) {
            (StepState::Started, Some(stop)) if is_harmless(step) => {
                Next::Now(Move::Interrupt(position, stop.problem()))
            }
            // What runs for long ends with the work that it does elsewhere; a newer wish waits for it instead.
            (StepState::Started, Some(stop @ Stop::Cancelled(_))) if step.verb == Verb::Run => {
                Next::Now(Move::GiveUp(position, outcome::cut_short(step, stop)))
            }
            (StepState::Started, _) if late => too_long(),
            (StepState::Started, _) => time_out.map_or(Next::Wait, Next::At),
            (StepState::Asking, _) => self.ask(position, step, record),
            // One that is being tried again has failed for certain.
            (StepState::Unknown, _) if policy(step) == Policy::Once => self.ask(position, step, record),
            (StepState::Unknown | StepState::Retrying, Some(stop)) if policy(step) != Policy::Probe => {
                Next::Now(stopped(position, step, record, stop))
            }
            // What may have been left behind is looked for even when all else stops: that changes nothing.
            (StepState::Unknown | StepState::Retrying, _) if late => too_long(),
            (StepState::Unknown | StepState::Retrying, _) => self.again(position, step, record, time_out),
            (_, Some(stop)) => Next::Now(Move::Skip(position, stop.problem())),
            (_, None) if late => too_long(),
            (_, None) => self.pending(position, step),
        }
    }

    /// Why this step is not started. What always runs is: it clears away after what was.
    fn stop_of(&self, step: &Step) -> Option<Stop<'_>> {
        self.stop.filter(|_| !step.finally)
    }

    /// A step that only a person can say of whether it was done. Nothing that stops waits for people.
    fn ask(&self, position: usize, step: &Step, record: &StepRecord) -> Next {
        match self.stop {
            Some(stop) => Next::Now(Move::GiveUp(position, outcome::left_open(step, stop, record))),
            None if record.state == StepState::Asking => Next::Wait,
            None => Next::Now(Move::Ask(position)),
        }
    }

    /// The next try of a step, or the next look at it.
    fn again(&self, position: usize, step: &Step, record: &StepRecord, time_out: Option<Timestamp>) -> Next {
        match record.next_try.filter(|at| *at > self.at.now) {
            Some(at) => Next::At(time_out.map_or(at, |time_out| time_out.min(at))),
            None if policy(step) == Policy::Probe => Next::Now(Move::Probe(position)),
            None => Next::Now(Move::Start(position)),
        }
    }

    fn pending(&self, position: usize, step: &Step) -> Next {
        if step.finally {
            // They wait for each other, and never fail for each other.
            let free = step.after.iter().all(|needed| *needed >= position || self.has_ended(*needed));
            if free && step.on_failure && !self.has_failed() {
                return Next::Now(Move::Skip(position, outcome::not_needed()));
            }
            return if free { Next::Now(Move::Start(position)) } else { Next::Wait };
        }
        // of those that come first only the end counts
        let mut free = step.behind.iter().all(|first| *first >= position || self.has_ended(*first));
        for needed in &step.after {
            // A plan that was recorded needs earlier steps only; in any other one such a step never becomes free.
            let sound = *needed < position && !self.is_finally(*needed);
            match self.state(*needed).filter(|_| sound) {
                Some(StepState::Succeeded) => {}
                Some(state) if !state.is_final() => free = false,
                _ => return Next::Now(Move::Skip(position, outcome::needs(self.plan, self.steps, *needed))),
            }
        }
        if free { Next::Now(Move::Start(position)) } else { Next::Wait }
    }
}

/// A step that was begun, and is not begun again.
fn stopped(position: usize, step: &Step, record: &StepRecord, stop: Stop<'_>) -> Move {
    if record.state == StepState::Unknown && !is_harmless(step) {
        return Move::GiveUp(position, outcome::left_open(step, stop, record));
    }
    Move::Skip(position, outcome::not_again(stop, record))
}

/// Whether it may end at any point, and nothing depends on where.
fn is_harmless(step: &Step) -> bool {
    matches!(step.verb, Verb::Wait | Verb::Read)
}

/// Waiting changes nothing, so it may always be done again.
pub(super) fn policy(step: &Step) -> Policy {
    if step.verb == Verb::Wait { Policy::Idempotent } else { step.policy }
}

fn after(start: Timestamp, seconds: u32) -> Timestamp {
    start.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
