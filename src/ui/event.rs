//! What happens to the cockpit, and what it asks for: the contract between `ui` and `app`.

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::backup::{BackupId, Fate};
use crate::domain::call::{StepId, StepOutput};
use crate::domain::diff::ObjectDiff;
use crate::domain::operation::{OperationEvent, StepAnswer};
use crate::domain::world::LogTarget;
use crate::domain::{DeploymentId, Intent, OperationId, Preview, Problem, World};

/// Numbers requests, so that the reply to a closed view or an older request is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Something happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse moved, scrolled or clicked.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has a new size: columns, rows.
    Resize(u16, u16),
    /// A new picture, and the time at which it was made.
    World(Arc<World>, Timestamp),
    /// Time passed and something on screen depends on it.
    Tick(Timestamp),
    /// The answer to an effect.
    Reply(RequestId, Reply),
    /// A theme or keymap file changed on disk, or could not be read (then the old one stays).
    #[serde(skip)]
    Config(Result<super::UiConfig, Problem>),
    /// Something worth saying that nobody asked for.
    Notice(Problem),
}

/// The answer to an effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reply {
    /// The plan that was asked for ([`Effect::Plan`]).
    Plan(Result<Preview, Problem>),
    /// What was confirmed or asked for is recorded and under way: a sentence for the footer.
    Done(Result<String, Problem>),
    /// How two instances differ ([`Effect::CompareInstances`]).
    Diffs(Result<Vec<ObjectDiff>, Problem>),
    /// What happened during an operation, oldest first ([`Effect::ReadOperation`]).
    OperationEvents(Result<Vec<OperationEvent>, Problem>),
    /// What a step printed and called since the answer before ([`Effect::FollowOutput`]).
    Output(Result<StepOutput, Problem>),
    /// What a schedule's retention would do with each of its backups, newest first ([`Effect::PreviewRetention`]).
    Retention(Result<Vec<Fate>, Problem>),
    /// Lines of a followed log, oldest first.
    LogLines(Vec<String>),
    /// The followed log ended: none when the container ended, else why.
    LogEnded(Option<Problem>),
}

/// Something the cockpit asks `app` to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Make the plan of what a person wants; nothing is written.
    Plan(RequestId, Intent),
    /// Carry out the plan with this hash, after a person confirmed it.
    Confirm(RequestId, Intent, String),
    /// End an operation at the next boundary of a step; its `finally` steps still run.
    CancelOperation(RequestId, OperationId),
    /// Say what became of a step (by position) of which nobody else can tell.
    AnswerStep(RequestId, OperationId, usize, StepAnswer),
    /// Find out how two instances of a deployment differ, the older one first.
    CompareInstances(RequestId, DeploymentId, u32, u32),
    /// Read what happened during an operation.
    ReadOperation(RequestId, OperationId),
    /// Probe this URL now; a sentence comes back with what was found.
    Probe(RequestId, String),
    /// Follow what a step prints and calls, from its last lines until its operation has ended.
    FollowOutput(RequestId, StepId),
    /// Keep a backup whatever the retention says, or no longer.
    PinBackup(RequestId, BackupId, bool),
    /// Pause a schedule, for this reason; none: resume it.
    PauseSchedule(RequestId, String, Option<String>),
    /// Find out what the retention of a schedule would delete; nothing is deleted.
    PreviewRetention(RequestId, String),
    /// Ask whoever runs the engine to hand it over, and wait until it runs here.
    TakeOver(RequestId),
    /// Follow a container's log from its last lines.
    FollowLogs(RequestId, LogTarget),
    /// Stop whatever was started under this request.
    Cancel(RequestId),
    /// Put a text on the clipboard of the person's terminal (OSC 52).
    Copy(String),
    /// Draw everything anew.
    Redraw,
    /// Switch to the theme of that name and remember it.
    UseTheme(String),
}
