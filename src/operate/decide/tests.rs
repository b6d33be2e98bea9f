//! Properties of the decision, over random plans, records, moments, and courses of events.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::plan::Class;
use crate::operate::settle::{self, Landed};
use crate::operate::{Done, Probed, StepError};

const VERBS: [Verb; 6] = [Verb::Create, Verb::Delete, Verb::Run, Verb::Read, Verb::Wait, Verb::Unchanged];
const POLICIES: [Policy; 3] = [Policy::Idempotent, Policy::Probe, Policy::Once];

fn problem(what: &str) -> Problem {
    Problem::new(what, "", "")
}

/// A sound plan: steps need earlier ones only, and what always runs is needed by such steps only.
fn plans() -> impl Strategy<Value = Plan> {
    let step = (
        prop::sample::select(&VERBS[..]),
        prop::sample::select(&POLICIES[..]),
        (prop::bool::weighted(0.2), any::<bool>()),
        1_u32..900,
        prop::collection::vec(any::<Index>(), 0..3),
    );
    prop::collection::vec(step, 1..9).prop_map(|drawn| {
        let mut steps: Vec<Step> = Vec::new();
        for (verb, policy, (finally, on_failure), timeout, needs) in drawn {
            let position = steps.len();
            let mut step = Step::named(verb, format!("step {position}"));
            (step.policy, step.timeout, step.class) = (policy, timeout, Class::Safe);
            step.finally = finally && verb != Verb::Unchanged;
            step.on_failure = step.finally && on_failure;
            let needs = needs.iter().filter(|_| position > 0).map(|index| index.index(position));
            let mut needs: Vec<usize> =
                needs.filter(|needed| step.finally || !steps[*needed].finally).collect();
            step.behind = if step.finally { Vec::new() } else { needs.split_off(needs.len().min(1)) };
            step.after = needs;
            steps.push(step);
        }
        Plan { steps, ..Plan::default() }
    })
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

/// Any record at all, also such as no course of events leads to.
fn records() -> impl Strategy<Value = StepRecord> {
    let times = (prop::option::of(0_i64..2000), prop::option::of(0_i64..2000));
    (prop::sample::select(StepState::ALL), 0_u32..9, times, any::<bool>()).prop_map(
        |(state, attempt, (started, next_try), stale)| StepRecord {
            state,
            attempt,
            started: started.map(moment),
            next_try: next_try.map(moment),
            problem: Some(problem("it was so")),
            stale: stale && state == StepState::Failed,
            ..StepRecord::default()
        },
    )
}

fn orders() -> impl Strategy<Value = Orders> {
    (prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(|(cancelled, superseded)| Orders {
        cancelled_by: cancelled.then(|| "anna".to_owned()),
        superseded,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the records say: something is done, or something is waited for that comes: a time, a person, what is in flight.
    #[test]
    fn from_every_state_there_is_progress(
        plan in plans(),
        drawn in prop::collection::vec(records(), 0..9),
        orders in orders(),
        now in 0_i64..2000,
        deadline in prop::option::of(0_i64..3000),
    ) {
        let at = Moment { now: moment(now), deadline: deadline.map(moment), orders: &orders, wanted: true };
        let decision = decide(&plan, &drawn, &at);
        let waits = drawn.iter().take(plan.steps.len());
        let waits = waits.filter(|record| matches!(record.state, StepState::Asking | StepState::Started)).count();
        prop_assert!(!decision.moves.is_empty() || decision.until.is_some() || waits > 0, "{decision:?}");
        prop_assert!(decision.until.is_none_or(|until| until > at.now), "it waits for what has been: {decision:?}");
        let finishes = decision.moves.iter().any(|next| matches!(next, Move::Finish(..)));
        let ended = (0..plan.steps.len()).all(|position| {
            outcome::state(&plan, &drawn, position).is_some_and(StepState::is_final)
        });
        prop_assert_eq!(finishes, ended);
        prop_assert!(!finishes || decision.moves.len() == 1);
        let positions: Vec<usize> = decision.moves.iter().filter_map(position).collect();
        prop_assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "one move per step: {decision:?}");
        for next in &decision.moves {
            if let Some(why) = unsound(&plan, &drawn, &at, next) {
                prop_assert!(false, "{why}: {next:?}");
            }
        }
    }

    /// Crashes, failures, orders and answers in any order: the operation ends, nothing that may be done once only is done twice
    /// unless a person said so, what always runs has run, and what a stop leaves is told.
    #[test]
    fn every_course_of_events_ends_well(
        plan in plans(),
        deadline in 1_i64..5000,
        turns in prop::collection::vec((0_u8..20, 0_usize..1000), 0..120),
    ) {
        let mut course = Course::new(plan, moment(deadline));
        for (kind, index) in turns {
            if course.ended.is_some() {
                break;
            }
            course.turn(kind, index);
        }
        // then nothing more goes wrong, and nobody asks for anything
        for _ in 0..2000 {
            if course.ended.is_some() {
                break;
            }
            course.turn(0, 0);
        }
        course.check()?;
    }

    /// A wish that nobody has any more ends, whatever happens to its steps, and without a person.
    #[test]
    fn what_is_superseded_ends_by_itself(
        plan in plans(),
        before in prop::collection::vec((0_u8..20, 0_usize..1000), 0..40),
        after in prop::collection::vec((0_u8..8, 0_usize..1000), 0..60),
    ) {
        let mut course = Course::new(plan, moment(100_000));
        for (kind, index) in before {
            if course.ended.is_none() {
                course.turn(kind, index);
            }
        }
        course.orders.superseded = true;
        let done = course.begun.clone();
        for (kind, index) in after.iter().copied().chain(
            std::iter::repeat_n((0, 0_usize), 2000),
        ) {
            if course.ended.is_some() {
                break;
            }
            prop_assert!(course.answers_wanted() == 0 || course.can_move(), "it waits for a person");
            course.turn(kind, index);
        }
        for (position, step) in course.plan.steps.iter().enumerate() {
            prop_assert!(step.finally || course.begun[position] == done[position], "'{}' was begun later", step.name);
        }
        course.check()?;
    }
}

fn position(next: &Move) -> Option<usize> {
    match next {
        Move::Start(position)
        | Move::Probe(position)
        | Move::Ask(position)
        | Move::Skip(position, _)
        | Move::Interrupt(position, _)
        | Move::GiveUp(position, _) => Some(*position),
        Move::Finish(..) => None,
    }
}

/// Why a move must not be made.
fn unsound(plan: &Plan, steps: &[StepRecord], at: &Moment<'_>, next: &Move) -> Option<&'static str> {
    let position = position(next)?;
    let step = &plan.steps[position];
    let state = |position| outcome::state(plan, steps, position).unwrap_or(StepState::Pending);
    let ended = |position: usize| state(position).is_final();
    if ended(position) {
        return Some("it has ended");
    }
    let mains_ended = (0..plan.steps.len()).all(|other| plan.steps[other].finally || ended(other));
    if step.finally && !mains_ended {
        return Some("what always runs runs last");
    }
    let Move::Start(_) = next else { return None };
    let needs_met = match step.finally {
        true => step.after.iter().all(|needed| ended(*needed)),
        false => step.after.iter().all(|needed| state(*needed) == StepState::Succeeded),
    };
    match state(position) {
        StepState::Started => Some("it is in flight"),
        StepState::Asking => Some("a person has not answered"),
        StepState::Unknown if policy(step) == Policy::Once => Some("it may have been done"),
        StepState::Unknown if policy(step) == Policy::Probe => Some("nobody looked whether it was done"),
        StepState::Pending if !needs_met => Some("a step that it needs was not done"),
        StepState::Pending if !step.behind.iter().all(|first| ended(*first)) => Some("a step comes first"),
        _ if !step.finally && Stop::of(at).is_some() => Some("nothing new is started"),
        _ => None,
    }
}

/// An operation that is carried out by nobody: events happen to it as a test says.
struct Course {
    plan: Plan,
    /// As journaled.
    records: Vec<StepRecord>,
    now: Timestamp,
    deadline: Timestamp,
    orders: Orders,
    /// What is in flight, and whether that is a look only.
    flying: Vec<(usize, bool)>,
    /// How often each step was begun.
    begun: Vec<usize>,
    /// How often a person said of each step that it is to be done.
    repeats: Vec<usize>,
    /// Whether what each step does was done.
    done: Vec<bool>,
    ended: Option<(OperationState, Option<Problem>)>,
    crashes: usize,
}

impl Course {
    fn new(plan: Plan, deadline: Timestamp) -> Self {
        let count = plan.steps.len();
        Self {
            records: vec![StepRecord::default(); count],
            plan,
            now: Timestamp::UNIX_EPOCH,
            deadline,
            orders: Orders::default(),
            flying: Vec::new(),
            begun: vec![0; count],
            repeats: vec![0; count],
            done: vec![false; count],
            ended: None,
            crashes: 0,
        }
    }

    /// The records as the runner has them: what is looked at is in flight too.
    fn seen(&self) -> Vec<StepRecord> {
        let mut seen = self.records.clone();
        for (position, _) in &self.flying {
            seen[*position].state = StepState::Started;
        }
        seen
    }

    fn decide(&self) -> Decision {
        let at = Moment { now: self.now, deadline: Some(self.deadline), orders: &self.orders, wanted: true };
        decide(&self.plan, &self.seen(), &at)
    }

    fn answers_wanted(&self) -> usize {
        self.records.iter().filter(|record| record.state == StepState::Asking).count()
    }

    fn can_move(&self) -> bool {
        let decision = self.decide();
        !decision.moves.is_empty() || decision.until.is_some() || !self.flying.is_empty()
    }

    /// One event: 0–7 carry it on or let something come of what is in flight, the others disturb.
    fn turn(&mut self, kind: u8, index: usize) {
        match kind {
            8 => self.orders.superseded |= index.is_multiple_of(3),
            9 if index.is_multiple_of(3) => self.orders.cancelled_by = Some("anna".to_owned()),
            10 | 11 if self.crashes < 6 => self.crash(),
            12 => self.now += SignedDuration::from_secs(i64::try_from(index % 400).unwrap()),
            13..=15 => self.answer(kind, index),
            _ => self.carry_on(kind, index),
        }
    }

    fn carry_on(&mut self, kind: u8, index: usize) {
        let decision = self.decide();
        if let [Move::Finish(state, problem)] = &decision.moves[..] {
            self.ended = Some((*state, problem.clone()));
            return;
        }
        // any of the moves may be made, in any order; the first of them when nothing more goes wrong
        let some = decision.moves.get(index % decision.moves.len().max(1)).cloned();
        match (some, kind % 2 == 1 && !self.flying.is_empty()) {
            (Some(next), false) => self.make(next),
            _ if !self.flying.is_empty() => self.land(kind, index),
            (Some(next), _) => self.make(next),
            (None, _) => match decision.until {
                Some(until) => self.now = self.now.max(until),
                None => self.answer(13, index),
            },
        }
    }

    fn make(&mut self, next: Move) {
        let end = |course: &mut Self, position: usize, state, why: Problem| {
            course.flying.retain(|(flying, _)| *flying != position);
            course.records[position] =
                settle::ended(position, &course.records[position], state, why, course.now).record;
        };
        match next {
            Move::Start(position) => {
                self.records[position] = settle::started(position, &self.records[position], self.now).record;
                self.begun[position] += 1;
                self.flying.push((position, false));
            }
            Move::Probe(position) => self.flying.push((position, true)),
            Move::Ask(position) => {
                let (step, before) = (&self.plan.steps[position], &self.records[position]);
                self.records[position] = settle::asking(position, step, before, None).record;
            }
            Move::Skip(position, why) | Move::Interrupt(position, why) => {
                end(self, position, StepState::Skipped, why);
            }
            Move::GiveUp(position, why) => end(self, position, StepState::Failed, why),
            Move::Finish(..) => unreachable!("it comes alone"),
        }
    }

    /// Something comes of what is in flight.
    fn land(&mut self, kind: u8, index: usize) {
        let (position, looks) = self.flying.remove(index % self.flying.len());
        let landed = match (looks, kind) {
            (false, 1) => Landed::Executed(Err(StepError::transient(problem("for now")))),
            (false, 3) => Landed::Executed(Err(StepError::lasting(problem("for good")))),
            (false, 5) => Landed::Executed(Err(StepError::stale(problem("not so any more")))),
            (false, _) => {
                self.done[position] = true;
                Landed::Executed(Ok(Done::default()))
            }
            (true, 1) => Landed::Probed(Err(StepError::transient(problem("cannot be seen")))),
            (true, 3) => Landed::Probed(Ok(Probed::Ambiguous(problem("who knows")))),
            (true, _) if self.done[position] => Landed::Probed(Ok(Probed::Done(Done::default()))),
            (true, _) => Landed::Probed(Ok(Probed::NotDone)),
        };
        let (step, before) = (&self.plan.steps[position], &self.records[position]);
        self.records[position] = settle::landed(position, step, before, landed, self.now).record;
    }

    /// The process dies: what was in flight may have been done, and nobody knows. See `Store::start_operation`.
    fn crash(&mut self) {
        self.crashes += 1;
        for (position, looks) in std::mem::take(&mut self.flying) {
            self.done[position] |= !looks && self.crashes.is_multiple_of(2);
        }
        for record in &mut self.records {
            if record.state == StepState::Started {
                record.state = StepState::Unknown;
            }
            if record.started.is_some() && !record.state.is_final() && record.state != StepState::Asking {
                record.started = Some(self.now);
            }
        }
    }

    /// A person answers; see `Store::answer_step`.
    fn answer(&mut self, kind: u8, index: usize) {
        let asking: Vec<usize> =
            (0..self.records.len()).filter(|at| self.records[*at].state == StepState::Asking).collect();
        if asking.is_empty() {
            return;
        }
        let position = asking[index % asking.len()];
        let record = &mut self.records[position];
        match kind {
            13 => record.state = StepState::Failed,
            14 => record.state = StepState::Succeeded,
            _ => {
                (record.state, record.started, record.next_try) = (StepState::Pending, None, None);
                self.repeats[position] += 1;
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let Some((state, why)) = &self.ended else {
            return Err(TestCaseError::fail(format!("it never ends: {:#?}", self.decide())));
        };
        let stopped = self.orders.superseded || self.orders.cancelled_by.is_some();
        for (position, (step, record)) in self.plan.steps.iter().zip(&self.records).enumerate() {
            if step.verb == Verb::Unchanged {
                prop_assert_eq!(self.begun[position], 0);
                continue;
            }
            prop_assert!(record.state.is_final());
            if policy(step) == Policy::Once {
                prop_assert!(
                    self.begun[position] <= 1 + self.repeats[position],
                    "'{}' was done twice",
                    step.name
                );
            }
            if step.finally {
                let spared = outcome::is_spared(&self.plan, &self.records, position);
                prop_assert!(self.begun[position] > 0 || spared, "'{}' did not run", step.name);
                let mains = (0..self.records.len()).filter(|other| !self.plan.steps[*other].finally);
                let mut states = mains.map(|other| outcome::state(&self.plan, &self.records, other));
                let well = states.all(|state| state == Some(StepState::Succeeded));
                prop_assert_eq!(spared, step.on_failure && well, "'{}' is for failures", step.name);
            }
            let told =
                record.state == StepState::Succeeded || record.problem.is_some() || self.begun[position] > 0;
            prop_assert!(told, "'{}' was not done, and nobody says why", step.name);
        }
        let succeeded = (0..self.records.len()).all(|position| {
            outcome::state(&self.plan, &self.records, position) == Some(StepState::Succeeded)
                || outcome::is_spared(&self.plan, &self.records, position)
        });
        prop_assert_eq!(*state == OperationState::Succeeded, succeeded);
        prop_assert!(
            state.is_final() && (succeeded || stopped || why.is_some()),
            "{:?} without a reason",
            state
        );
        prop_assert!(!matches!(state, OperationState::Cancelled | OperationState::Superseded) || stopped);
        Ok(())
    }
}
