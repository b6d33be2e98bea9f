//! An operation on its way: where its steps stand, what is asked of it, and what is in flight.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::AbortHandle;
use jiff::{SignedDuration, Timestamp};

use crate::domain::operation::Orders;
use crate::domain::plan::Verb;
use crate::domain::{Operation, Problem, Step, StepRecord, StepState};
use crate::store::{StepNote, StoreError};

use super::decide::{Decision, Moment, Move, decide};
use super::settle::{self, Landed};
use super::{Executor, Runner, StepErrorKind, StepRun};

/// How many steps of one operation are done at once. Those that only wait do not count.
const WIDTH: usize = 16;
/// A pause before another try that a change ends is still this long, however many changes come.
const MOVED_PAUSE: SignedDuration = SignedDuration::from_secs(1);

pub(super) struct Course<'a> {
    runner: Runner<'a>,
    operation: &'a Operation,
    /// As journaled, but for steps that are being looked at: those say `Started` here only.
    steps: Vec<StepRecord>,
    orders: Orders,
    flying: BTreeMap<usize, AbortHandle>,
    /// Steps whose next try the other side wants at a certain time: no change brings it forward.
    awaited: BTreeSet<usize>,
}

/// A step that is about to be done, or looked at.
pub(super) struct Flight<'a> {
    pub(super) step: StepRun<'a>,
    pub(super) looks: bool,
}

impl<'a> Course<'a> {
    pub(super) fn new(runner: Runner<'a>, operation: &'a Operation, steps: Vec<StepRecord>) -> Self {
        let orders = operation.orders.clone();
        Self { runner, operation, steps, orders, flying: BTreeMap::new(), awaited: BTreeSet::new() }
    }

    pub(super) fn decide(&self) -> Decision {
        let deadline = self.operation.times.deadline;
        // What is not wanted any more is journaled as superseded at once.
        let at = Moment { now: self.now(), deadline, orders: &self.orders, wanted: true };
        decide(&self.operation.plan, &self.steps, &at)
    }

    /// Reads what other processes ask and answer, and asks whether the operation is still wanted.
    pub(super) async fn look<E: Executor>(&mut self, executor: &E) -> Result<(), StoreError> {
        let (store, id) = (self.runner.store, self.operation.id);
        self.orders = store.orders(id).await?;
        if !self.orders.superseded && !executor.is_wanted().await {
            self.orders = store.supersede(id).await?.operation.orders;
        }
        for (position, record) in self.steps.iter_mut().enumerate() {
            if record.state == StepState::Asking {
                *record = store.step(id, position).await?;
            }
        }
        Ok(())
    }

    /// Makes the moves that there is room for, and journals them. None when there were none; else the steps that are to be done
    /// or looked at now.
    pub(super) async fn make(&mut self, moves: Vec<Move>) -> Result<Option<Vec<Flight<'a>>>, StoreError> {
        let now = self.now();
        let busy = self.flying.keys().filter(|position| self.takes_room(**position)).count();
        let mut room = WIDTH.saturating_sub(busy);
        let (mut notes, mut starting) = (Vec::new(), Vec::new());
        for next in moves {
            if let Move::Start(position) | Move::Probe(position) = next {
                let takes = usize::from(self.takes_room(position));
                if takes > room {
                    continue;
                }
                room -= takes;
                starting.push((position, matches!(next, Move::Probe(_))));
            }
            notes.extend(self.note(next, now));
        }
        if notes.is_empty() && starting.is_empty() {
            return Ok(None);
        }
        self.journal(notes).await?;
        let flights = starting.into_iter().filter_map(|(position, looks)| {
            let record = self.steps.get_mut(position)?;
            record.state = StepState::Started;
            let (step, attempt) = (self.operation.plan.steps.get(position)?, record.attempt);
            Some(Flight { step: StepRun { operation: self.operation, position, step, attempt }, looks })
        });
        Ok(Some(flights.collect()))
    }

    pub(super) fn took_off(&mut self, position: usize, handle: AbortHandle) {
        self.flying.insert(position, handle);
    }

    /// Journals what came of steps.
    pub(super) async fn land(
        &mut self,
        landed: impl Iterator<Item = (usize, Landed)>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut notes = Vec::new();
        for (position, landed) in landed {
            self.flying.remove(&position);
            match asks_for_time(&landed) {
                true => self.awaited.insert(position),
                false => self.awaited.remove(&position),
            };
            if let Some((step, record)) = self.step(position) {
                notes.push(settle::landed(position, step, record, landed, now));
            }
        }
        self.journal(notes).await
    }

    /// Something changed: what waits for another try does not wait much longer, unless the other side asked for the wait.
    pub(super) fn end_pauses(&mut self) {
        let soon = self.now().saturating_add(MOVED_PAUSE).ok();
        for (position, record) in self.steps.iter_mut().enumerate() {
            if record.next_try > soon && !self.awaited.contains(&position) {
                record.next_try = soon;
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.runner.clock.now()
    }

    fn step(&self, position: usize) -> Option<(&'a Step, &StepRecord)> {
        self.operation.plan.steps.get(position).zip(self.steps.get(position))
    }

    fn takes_room(&self, position: usize) -> bool {
        self.operation.plan.steps.get(position).is_some_and(|step| step.verb != Verb::Wait)
    }

    /// What is journaled of a move before it is made. Ends what is in flight when the move says so.
    fn note(&mut self, next: Move, now: Timestamp) -> Option<StepNote> {
        match next {
            Move::Start(position) => Some(settle::started(position, self.step(position)?.1, now)),
            Move::Ask(position) => {
                let (step, record) = self.step(position)?;
                Some(settle::asking(position, step, record, None))
            }
            Move::Skip(position, problem) => self.end(position, StepState::Skipped, problem, now),
            Move::Interrupt(position, problem) => self.end(position, StepState::Skipped, problem, now),
            Move::GiveUp(position, problem) => self.end(position, StepState::Failed, problem, now),
            Move::Probe(_) | Move::Finish(..) => None,
        }
    }

    fn end(
        &mut self,
        position: usize,
        state: StepState,
        problem: Problem,
        now: Timestamp,
    ) -> Option<StepNote> {
        if let Some(flight) = self.flying.remove(&position) {
            flight.abort();
        }
        Some(settle::ended(position, self.step(position)?.1, state, problem, now))
    }

    async fn journal(&mut self, notes: Vec<StepNote>) -> Result<(), StoreError> {
        if notes.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = notes.iter().map(|note| (note.position, note.record.clone())).collect();
        let (store, id, epoch) = (self.runner.store, self.operation.id, self.runner.epoch);
        self.orders = store.note_steps(id, epoch, notes).await?;
        for (position, record) in records {
            if let Some(known) = self.steps.get_mut(position) {
                *known = record;
            }
        }
        Ok(())
    }
}

/// Whether a try failed because the other side wants to be left alone for a while.
fn asks_for_time(landed: &Landed) -> bool {
    let error = match landed {
        Landed::Executed(outcome) => outcome.as_ref().err(),
        Landed::Probed(outcome) => outcome.as_ref().err(),
    };
    error.is_some_and(|error| matches!(error.kind, StepErrorKind::Transient { retry_after: Some(_) }))
}
