//! What several views say of an operation and its steps in the same words.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::text::Span;

use super::moving;
use crate::domain::world::Application;
use crate::domain::{
    OperationKind, OperationState, OperationView, Problem, Step, StepRecord, StepState, World,
};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::theme::Role;

/// The columns of a bar of steps.
const BAR: usize = 12;

/// Where an operation stands, as people say it: what holds it up is told before that it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is to be added to its state.
    Plain(OperationState),
    /// A step waits for what a person says.
    Asking,
    /// A step failed and is tried again.
    Retrying,
    /// It ends at the next boundary of a step, because somebody cancelled it.
    Cancelling,
    /// It ends at the next boundary of a step, because something newer is wanted.
    GivingWay,
}

impl Standing {
    /// Where `view` stands.
    pub fn of(view: &OperationView) -> Self {
        let has = |state| view.steps.iter().any(|step| step.state == state);
        let orders = &view.operation.orders;
        match view.operation.state {
            state if state.is_final() => Self::Plain(state),
            _ if has(StepState::Asking) => Self::Asking,
            _ if orders.cancelled_by.is_some() => Self::Cancelling,
            _ if orders.superseded => Self::GivingWay,
            _ if has(StepState::Retrying) => Self::Retrying,
            state => Self::Plain(state),
        }
    }

    /// The word that is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain(OperationState::PartiallyFailed) => "Partly failed",
            Self::Plain(OperationState::Stale) => "Out of date",
            Self::Plain(state) => state.as_str(),
            Self::Asking => "Asking",
            Self::Retrying => "Retrying",
            Self::Cancelling => "Cancelling",
            Self::GivingWay => "Giving way",
        }
    }

    /// The role that it is drawn in.
    pub fn role(self) -> Role {
        use OperationState as State;
        match self {
            Self::Plain(State::Queued) => Role::Muted,
            Self::Plain(State::Running) | Self::GivingWay => Role::Progress,
            Self::Plain(State::Succeeded) => Role::Ok,
            Self::Plain(State::Failed | State::PartiallyFailed) => Role::Fail,
            Self::Plain(State::Cancelled | State::Superseded) => Role::Idle,
            Self::Plain(State::Stale) | Self::Asking | Self::Retrying | Self::Cancelling => Role::Warn,
        }
    }

    /// Its sign, so that meaning never hangs on colour.
    pub fn sign(self, look: &Look<'_>) -> &'static str {
        use OperationState as State;
        match self {
            Self::Plain(State::Queued) => "○",
            Self::Plain(State::Running) | Self::GivingWay | Self::Cancelling => look.spinner(),
            Self::Plain(State::Succeeded) => "✓",
            Self::Plain(State::Failed | State::PartiallyFailed) => "✗",
            Self::Plain(State::Cancelled) => "■",
            Self::Plain(State::Superseded) => "→",
            Self::Plain(State::Stale) => "▲",
            Self::Asking => "?",
            Self::Retrying => "↻",
        }
    }

    /// Sign and word.
    pub fn span(self, look: &Look<'_>) -> Span<'static> {
        look.span(self.role(), format!("{} {}", self.sign(look), self.word()))
    }

    /// Whether somebody should look at it.
    pub fn is_fault(self) -> bool {
        use OperationState::{Failed, PartiallyFailed, Stale};
        self.is_held() || matches!(self, Self::Plain(Failed | PartiallyFailed | Stale))
    }

    /// Whether it does not go on as it should.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Asking | Self::Retrying)
    }
}

/// The sign and the role of a step's state.
pub fn step_mark(state: StepState, look: &Look<'_>) -> (&'static str, Role) {
    match state {
        StepState::Pending => ("○", Role::Muted),
        StepState::Started => (look.spinner(), Role::Progress),
        StepState::Unknown => ("?", Role::Unknown),
        StepState::Retrying => ("↻", Role::Warn),
        StepState::Asking => ("?", Role::Warn),
        StepState::Succeeded => ("✓", Role::Ok),
        StepState::Failed => ("✗", Role::Fail),
        StepState::Skipped => ("–", Role::Muted),
    }
}

/// As [`step_mark`], and told apart when it succeeded with a warning.
pub fn record_mark(record: &StepRecord, look: &Look<'_>) -> (&'static str, Role) {
    match warning(record) {
        Some(_) => ("▲", Role::Warn),
        None => step_mark(record.state, look),
    }
}

/// What went wrong in a step that succeeded all the same.
pub fn warning(record: &StepRecord) -> Option<&Problem> {
    record.problem.as_ref().filter(|_| record.state == StepState::Succeeded)
}

/// How many of its steps succeeded with a warning, in words; none when none did.
pub fn warnings(view: &OperationView) -> Option<String> {
    let count = view.steps.iter().filter(|record| warning(record).is_some()).count();
    (count > 0).then(|| format!("▲ {}", format::count(count, "warning")))
}

/// How many steps succeeded, of how many: what was skipped or failed is no progress.
fn succeeded(view: &OperationView) -> (usize, usize) {
    let done = view.steps.iter().filter(|step| step.state == StepState::Succeeded).count();
    (done, view.steps.len())
}

/// `3/7`: the steps that succeeded, of how many.
pub fn steps(view: &OperationView) -> String {
    let (done, all) = succeeded(view);
    format!("{done}/{all}")
}

/// `Upgrade 3/7`, `Backup 34%`: what is done to an application, and how far it is; with a sign when it does not go on.
pub fn short(view: &OperationView) -> String {
    let mark = match Standing::of(view) {
        Standing::Asking => " ?",
        Standing::Retrying => " ↻",
        _ => "",
    };
    // of what moves data, its share says more than its steps
    let far = moving::current(view).and_then(moving::percent).unwrap_or_else(|| steps(view));
    format!("{} {far}{mark}", view.operation.kind.as_str())
}

/// A bar of the steps that succeeded.
pub fn bar(view: &OperationView, look: &Look<'_>) -> Vec<Span<'static>> {
    let (done, all) = succeeded(view);
    let filled = (done * BAR).checked_div(all).unwrap_or(0);
    vec![
        look.span(Standing::of(view).role(), "━".repeat(filled)),
        look.span(Role::Border, "─".repeat(BAR - filled)),
    ]
}

/// The step that is under way, the one that needs somebody first; none before the first and after the last.
pub fn current(view: &OperationView) -> Option<usize> {
    let states = [StepState::Asking, StepState::Retrying, StepState::Unknown, StepState::Started];
    states.into_iter().find_map(|state| view.steps.iter().position(|step| step.state == state))
}

/// How long it runs, or ran; none before it began.
pub fn took(view: &OperationView, look: &Look<'_>) -> Option<String> {
    let times = &view.operation.times;
    let end = times.ended.or(look.now)?;
    Some(format::duration(times.started?, end))
}

/// How long what is said of it stays true by itself.
pub fn lasts(view: &OperationView, now: Timestamp) -> Option<Duration> {
    let times = &view.operation.times;
    if view.operation.state.is_final() {
        return times.ended.map(|ended| format::age_lasts(now, ended));
    }
    let moves = view.steps.iter().any(|step| step.state == StepState::Started);
    if moves || matches!(Standing::of(view), Standing::Plain(OperationState::Running)) {
        return Some(SPIN);
    }
    let open = view.steps.iter().filter(|step| !step.state.is_final());
    let counts_down = open.clone().any(|step| step.next_try.is_some_and(|next| next > now));
    let counts_down = counts_down.then_some(Duration::from_secs(1));
    let begun = open.filter_map(|step| step.started).chain(times.started);
    let lasts = begun.map(|begun| format::duration_lasts(begun, now)).chain(counts_down);
    lasts.chain([format::age_lasts(now, times.created)]).min()
}

/// What an application's page shows: the operation that is open, else the last one.
pub fn of<'a>(world: &'a World, application: &Application) -> Option<&'a OperationView> {
    open(world, application).or_else(|| world.operations_of(application).next())
}

/// The operation of an application that has not ended.
pub fn open<'a>(world: &'a World, application: &Application) -> Option<&'a OperationView> {
    world.operations_of(application).find(|view| !view.operation.state.is_final())
}

/// Every operation that has not ended.
pub fn all_open(world: &World) -> impl Iterator<Item = &OperationView> {
    world.operations.iter().map(|view| &**view).filter(|view| !view.operation.state.is_final())
}

/// Whether it has not ended, and nobody asked that it does.
pub fn can_be_cancelled(view: &OperationView) -> bool {
    !view.operation.state.is_final() && view.operation.orders.cancelled_by.is_none()
}

/// Whether one of its steps waits for what a person says.
pub fn asks(view: &OperationView) -> bool {
    !view.operation.state.is_final() && view.steps.iter().any(|step| step.state == StepState::Asking)
}

/// The instance to go back to when this operation does not get through: the one that counts as live, when the operation is to
/// replace it. None where that makes no sense.
pub fn way_back(view: &OperationView, application: &Application) -> Option<u32> {
    use OperationKind::{Rollback, Update, Upgrade};
    let operation = &view.operation;
    let replaces = matches!(operation.kind, Update | Upgrade | Rollback);
    let stuck = matches!(operation.state, OperationState::Failed | OperationState::PartiallyFailed)
        || Standing::of(view) == Standing::Retrying;
    let active = application.active.as_ref().map(|active| active.number);
    active.filter(|number| replaces && stuck && operation.goal.instance.is_some_and(|goal| goal != *number))
}

/// Whether the problem of a step in this state is told in full, as the first one that holds the operation up.
pub fn is_told(state: StepState) -> bool {
    matches!(state, StepState::Failed | StepState::Asking | StepState::Retrying)
}

/// The problem of a step, with the step named where the problem itself does not.
pub fn in_step(view: &OperationView, position: usize, problem: &Problem) -> Problem {
    match view.operation.plan.steps.get(position) {
        Some(step) if !names(problem, step) => {
            Problem { what: format!("{}: {}", step.name, problem.what), ..problem.clone() }
        }
        _ => problem.clone(),
    }
}

/// Whether a problem says itself what it is about.
fn names(problem: &Problem, step: &Step) -> bool {
    let object = step.object.as_ref().map(ToString::to_string);
    problem.what.contains(&step.name) || object.is_some_and(|object| problem.what.contains(&object))
}
