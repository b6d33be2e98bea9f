//! A plan, and the question whether it is to be carried out. Nothing is written before the answer.

mod view;

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use crate::domain::{ClusterKind, DeploymentDraft, Intent, Plan, Problem, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step};
use crate::ui::toast::Toast;

/// What the plan is about.
#[derive(Debug, Clone, PartialEq)]
enum Subject {
    Deployment(Box<DeploymentDraft>),
    Installation { cluster: String, real: bool },
    Other(Box<Intent>),
}

/// Where the dialog stands.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// It explains itself; the plan is made when the person wants it.
    Explaining,
    /// The plan is to be asked for as soon as possible.
    Wanted,
    /// The plan is being made.
    Planning(RequestId),
    /// The plan is shown and can be confirmed.
    Ready(Plan),
    /// It was confirmed and is being recorded.
    Sending(RequestId, Plan),
    /// The plan could not be made, or not be carried out.
    Failed(Problem),
}

/// A plan, and the question whether it is to be carried out.
#[derive(Debug)]
pub struct PlanDialog {
    subject: Subject,
    stage: Stage,
    /// The first item on screen.
    offset: usize,
    /// The button that goes on has the focus, not the one that goes back.
    forward: bool,
}

impl PlanDialog {
    /// Its name.
    pub const NAME: &str = "plan";

    /// The dialog of a deployment: its plan is made at once.
    pub fn deployment(draft: DeploymentDraft) -> Self {
        Self::new(Subject::Deployment(Box::new(draft)), Stage::Wanted)
    }

    /// The dialog of anything else that a person wants: its plan is made at once.
    pub fn intent(intent: Intent) -> Self {
        match intent {
            Intent::Deploy(draft) => Self::deployment(draft),
            other => Self::new(Subject::Other(Box::new(other)), Stage::Wanted),
        }
    }

    /// The dialog of the installation: it explains first.
    pub fn installation(world: &World) -> Self {
        let record = world.cluster.record.as_ref();
        let cluster = record.map_or_else(|| "this cluster".to_owned(), |record| record.name.clone());
        let real = record.is_some_and(|record| record.kind == ClusterKind::Kubeconfig);
        Self::new(Subject::Installation { cluster, real }, Stage::Explaining)
    }

    fn new(subject: Subject, stage: Stage) -> Self {
        // The button that goes back has the focus, so that an impatient Enter confirms nothing unread.
        Self { subject, stage, offset: 0, forward: false }
    }

    fn plan(&mut self, context: &mut Context<'_>) {
        let id = context.request();
        context.effects.push(match &self.subject {
            Subject::Deployment(draft) => Effect::Plan(id, Intent::Deploy((**draft).clone())),
            Subject::Installation { .. } => Effect::Plan(id, Intent::Install),
            Subject::Other(intent) => Effect::Plan(id, (**intent).clone()),
        });
        self.stage = Stage::Planning(id);
        (self.offset, self.forward) = (0, false);
    }

    /// Whether there is a plan to say yes to, and room to read it.
    fn can_confirm(&self, size: Size) -> bool {
        matches!(&self.stage, Stage::Ready(plan) if !plan.is_empty()) && view::is_readable(size)
    }

    fn confirm(&mut self, context: &mut Context<'_>) {
        let Stage::Ready(plan) = &self.stage else { return };
        if plan.is_empty() {
            context.say(Toast::hint("There is nothing to do: everything is as the plan says"));
            return;
        }
        if !view::is_readable(context.size) {
            context
                .say(Toast::hint("Make the terminal larger: a plan that cannot be read cannot be confirmed"));
            return;
        }
        let (plan, id) = (plan.clone(), context.request());
        context.effects.push(match &self.subject {
            Subject::Deployment(draft) => Effect::Confirm(id, Intent::Deploy((**draft).clone()), plan.hash()),
            Subject::Installation { .. } => Effect::Confirm(id, Intent::Install, plan.hash()),
            Subject::Other(intent) => Effect::Confirm(id, (**intent).clone(), plan.hash()),
        });
        self.stage = Stage::Sending(id, plan);
    }

    /// Enter: whatever button has the focus.
    fn accept(&mut self, context: &mut Context<'_>) {
        match (&self.stage, self.forward) {
            (_, false) => context.steps.push(Step::Close),
            (Stage::Ready(_), true) => self.confirm(context),
            (Stage::Explaining | Stage::Failed(_), true) => self.plan(context),
            (Stage::Wanted | Stage::Planning(_) | Stage::Sending(..), true) => {}
        }
    }

    fn cancel(&self, context: &mut Context<'_>) {
        if matches!(self.stage, Stage::Sending(..)) {
            context.say(Toast::hint("It was confirmed and goes on"));
        }
        context.steps.push(Step::Close);
    }

    fn scroll(&mut self, command: Command, size: Size) -> bool {
        let (Stage::Ready(plan) | Stage::Sending(_, plan)) = &self.stage else { return false };
        let (page, len) = (view::page(size), view::length(plan, size));
        let last = len.saturating_sub(page);
        let offset = match command {
            Command::Up => self.offset.saturating_sub(1),
            Command::Down => self.offset + 1,
            Command::HalfPageUp | Command::PageUp => self.offset.saturating_sub(page.max(1)),
            Command::HalfPageDown | Command::PageDown => self.offset + page.max(1),
            Command::Top => 0,
            Command::Bottom => last,
            _ => return false,
        };
        self.offset = offset.min(last);
        true
    }

    fn done(&mut self, result: Result<String, Problem>, context: &mut Context<'_>) {
        match result {
            Err(problem) => {
                self.stage = Stage::Failed(problem);
                self.forward = false;
            }
            Ok(sentence) => {
                context.say(Toast::info(sentence));
                context.steps.push(match &self.subject {
                    Subject::Deployment(draft) => Step::Deployed(ApplicationKey {
                        environment: draft.environment.clone(),
                        name: draft.name.clone(),
                    }),
                    Subject::Installation { .. } | Subject::Other(_) => Step::Close,
                });
            }
        }
    }
}

impl Screen for PlanDialog {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn flags(&self, _world: &World, size: Size, flags: &mut Flags) {
        flags.set(Flag::Plan, self.can_confirm(size));
        flags.set(Flag::Failed, matches!(self.stage, Stage::Failed(_)));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Confirm => self.confirm(context),
            Command::Accept => self.accept(context),
            Command::Cancel | Command::Back => self.cancel(context),
            Command::PlanAgain => self.plan(context),
            Command::Left => self.forward = false,
            Command::Right => self.forward = true,
            Command::Next | Command::Previous => self.forward = !self.forward,
            other => return self.scroll(other, context.size),
        }
        true
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        match (&self.stage, reply) {
            (Stage::Planning(wanted), Reply::Plan(result)) if *wanted == id => {
                self.stage = match result {
                    Ok(preview) => Stage::Ready(preview.plan),
                    Err(problem) => Stage::Failed(problem),
                };
                None
            }
            (Stage::Sending(wanted, _), Reply::Done(result)) if *wanted == id => {
                self.done(result, context);
                None
            }
            (_, reply) => Some(reply),
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if self.stage == Stage::Wanted {
            self.plan(context);
        }
        if let Stage::Ready(plan) | Stage::Sending(_, plan) = &self.stage {
            let last = view::length(plan, context.size).saturating_sub(view::page(context.size));
            self.offset = self.offset.min(last);
        }
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        // What was confirmed goes on; only the making of a plan is pointless now.
        if let Stage::Planning(id) = self.stage {
            context.effects.push(Effect::Cancel(id));
        }
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Confirm, Command::PlanAgain, Command::Next, Command::Accept, Command::Cancel]
    }

    fn lasts(&self, _world: &World, _now: Timestamp, _size: Size) -> Option<Duration> {
        matches!(self.stage, Stage::Planning(_) | Stage::Sending(..)).then_some(SPIN)
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        view::draw(self, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
