//! What is to be done about a schedule at a moment: pure.
//!
//! A run that is due is recorded before anything is begun, under the moment that it was due: it is its name, and there is one of each.
//! What a crash left recorded and not begun is begun then; what was recorded is never due again, wherever the clock goes.

use jiff::{SignedDuration, Timestamp};

use crate::backup::calendar::Calendar;
use crate::domain::backup::{Missed, RunOutcome, Schedule, ScheduleRun};
use crate::domain::{OperationId, Problem};

/// How much later than it should have a run may begin and not count as missed: the engine changes hands, a machine sleeps a little.
pub const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// The most missed runs that are counted.
const COUNTED: usize = 1000;

/// What is known of a schedule.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// When it is due.
    pub calendar: &'a Calendar,
    /// Its recorded runs, newest first.
    pub runs: &'a [ScheduleRun],
    /// The operation of an earlier run that has not ended.
    pub open: Option<OperationId>,
    /// The present moment.
    pub now: Timestamp,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Recorded runs that are to say something else from now on.
    pub change: Vec<ScheduleRun>,
    /// Runs to be recorded, of which nothing follows.
    pub note: Vec<ScheduleRun>,
    /// The run to be recorded, and begun if it was not recorded yet.
    pub claim: Option<ScheduleRun>,
    /// The recorded run of which it is not known whether it was begun.
    pub resume: Option<ScheduleRun>,
    /// When to look again; none: not before something changes.
    pub wake: Option<Timestamp>,
}

/// Whether a run was due by the calendar, and not begun by a person: those are due between the minutes.
pub fn is_planned(run: &ScheduleRun) -> bool {
    run.due.subsec_nanosecond() == 0 && run.due.as_second() % 60 == 0
}

/// Decides.
pub fn decide(situation: &Situation<'_>) -> Decision {
    let Situation { schedule, calendar, runs, now, .. } = *situation;
    let mut decision = Decision::default();
    let waiting = runs.iter().find(|run| run.outcome == RunOutcome::Begun && run.operation.is_none());
    if let Some(pause) = &schedule.paused {
        let paused = || Problem::new("The schedule was paused before it began", pause.reason.clone(), "");
        decision.change.extend(waiting.map(|run| given_up(run, paused())));
        return decision;
    }
    let settled = runs.iter().filter(|run| is_planned(run) && run.due <= now).map(|run| run.due).max();
    let settled = settled.map_or(schedule.created, |due| due.max(schedule.created));
    let due = ready(situation, settled);
    if let Some(run) = waiting {
        match due {
            // it had its time until the next one
            Some(_) => decision.change.push(given_up(run, too_long(run))),
            None => decision.resume = Some(run.clone()),
        }
    }
    if let Some(due) = due {
        see_to(situation, settled, due, &mut decision);
    }
    let next = calendar.next(due.unwrap_or(settled));
    decision.wake = next.map(|due| calendar.begins(schedule, due));
    decision
}

/// The newest run that is due after `settled` and whose time to begin has come.
fn ready(situation: &Situation<'_>, settled: Timestamp) -> Option<Timestamp> {
    let Situation { schedule, calendar, now, .. } = *situation;
    let newest = calendar.newest(settled, now)?;
    if calendar.begins(schedule, newest) <= now {
        return Some(newest);
    }
    // each begins before the next one is due
    calendar.newest(settled, newest.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(newest))
}

/// Sees to the run that is due, and to those before it that nobody saw to.
fn see_to(situation: &Situation<'_>, settled: Timestamp, due: Timestamp, decision: &mut Decision) {
    let Situation { schedule, calendar, open, now, .. } = *situation;
    let before = due.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(due);
    let missed = calendar.between(settled, before, COUNTED);
    let run = |due, outcome, problem| ScheduleRun {
        schedule: schedule.name.clone(),
        due,
        at: now,
        outcome,
        operation: None,
        backups: Vec::new(),
        problem,
    };
    let late = now.duration_since(calendar.begins(schedule, due)) > GRACE;
    if late && schedule.missed == Missed::Skip {
        let all = [missed.as_slice(), &[due]].concat();
        decision.note.push(run(due, RunOutcome::Missed, Some(were_missed(&all))));
        return;
    }
    if let Some(last) = calendar.newest(settled, before) {
        decision.note.push(run(last, RunOutcome::Missed, Some(were_missed(&missed))));
    }
    match open {
        Some(operation) => {
            let why = format!("operation {operation} of the run before has not ended");
            let next =
                "nothing: the next run comes in its time; make the schedule rarer if this happens often";
            let problem = Problem::new("The run was skipped", why, next);
            decision.note.push(run(due, RunOutcome::Overlapped, Some(problem)));
        }
        None => decision.claim = Some(run(due, RunOutcome::Begun, None)),
    }
}

fn given_up(run: &ScheduleRun, problem: Problem) -> ScheduleRun {
    ScheduleRun { outcome: RunOutcome::Refused, problem: Some(problem), ..run.clone() }
}

fn too_long(run: &ScheduleRun) -> Problem {
    run.problem.clone().unwrap_or_else(|| {
        Problem::new("The run could not begin before the next one was due", "", "look at the log")
    })
}

fn were_missed(runs: &[Timestamp]) -> Problem {
    let (count, first) = (runs.len(), runs.first().map(Timestamp::to_string).unwrap_or_default());
    let what = match count {
        1 => "A run was missed".to_owned(),
        COUNTED.. => format!("{COUNTED} runs or more were missed"),
        _ => format!("{count} runs were missed"),
    };
    let why =
        format!("nobody ran the engine when they were due, since {first}, or its clock was put forward");
    Problem::new(what, why, "keep `styrmin agent` running; --missed once makes up for missed runs")
}

#[cfg(test)]
mod tests;
