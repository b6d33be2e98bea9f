//! A question before something is done that has no plan: ending an operation, saying what became of a step.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::operation::StepAnswer;
use crate::domain::{OperationId, OperationView, Problem, StepState, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{centred, row};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::widgets::{frame, paint, problem_lines};

/// The widest question.
const WIDEST: u16 = 76;

/// The width below which a choice's meaning is cut.
const NARROWEST: u16 = 58;
/// The rows beside the choices: borders, and a word of explanation.
const AROUND: usize = 4;

/// What is asked, and what can be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    operation: OperationId,
    title: String,
    /// What one should know before one answers.
    about: Vec<String>,
    choices: Vec<Choice>,
    cursor: Cursor,
    sending: Option<RequestId>,
    failed: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    label: &'static str,
    meaning: &'static str,
    order: Order,
}

/// What a choice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Nothing,
    Cancel,
    Answer(usize, StepAnswer),
}

/// The choice that the cursor begins on, so that an impatient Enter does nothing.
const NOT_NOW: Choice = Choice { label: "Not now", meaning: "nothing is changed", order: Order::Nothing };

impl Question {
    /// Its name.
    pub const NAME: &str = "question";

    /// Whether an operation is to end.
    pub fn cancel(view: &OperationView) -> Self {
        let finally = view.operation.plan.steps.iter().any(|step| step.finally);
        let mut about = vec![
            "What is done stays done; nothing is undone. The step that is under way is carried to its end, the ones after \
             it are skipped."
                .to_owned(),
        ];
        if finally {
            about.push("The steps that run at the end, however it ends, still run.".to_owned());
        }
        let go_on = Choice { label: "Let it go on", ..NOT_NOW };
        let end = Choice {
            label: "Cancel it",
            meaning: "it ends at the next boundary of a step",
            order: Order::Cancel,
        };
        Self::new(view, format!("Cancel '{}'?", view.operation.plan.title), about, vec![go_on, end])
    }

    /// What became of a step; none when nobody has to say.
    pub fn answer(view: &OperationView, position: usize) -> Option<Self> {
        let step = view.operation.plan.steps.get(position)?;
        let record = view.steps.get(position).filter(|record| record.state == StepState::Asking)?;
        let problem = record.problem.as_ref();
        let about =
            problem.map(|problem| vec![problem.why.clone(), problem.next.clone()]).unwrap_or_default();
        let choice =
            |label, meaning, answer| Choice { label, meaning, order: Order::Answer(position, answer) };
        let choices = vec![
            NOT_NOW,
            choice("Done", "it was done: the steps after it go on", StepAnswer::Done),
            choice("Repeat", "it was not done: do it now", StepAnswer::Repeat),
            choice("Fail", "it was not done, and is not to be", StepAnswer::Fail),
        ];
        let title =
            problem.map_or_else(|| format!("Was '{}' done?", step.name), |problem| problem.what.clone());
        Some(Self::new(view, title, about, choices))
    }

    fn new(view: &OperationView, title: String, about: Vec<String>, choices: Vec<Choice>) -> Self {
        let operation = view.operation.id;
        let (cursor, sending, failed) = Default::default();
        Self { operation, title, about, choices, cursor, sending, failed }
    }

    /// Whether there is still something to answer.
    fn holds(&self, world: &World) -> bool {
        let Some(view) = world.operation(self.operation) else { return false };
        let asks =
            |position: usize| view.steps.get(position).is_some_and(|step| step.state == StepState::Asking);
        self.choices.iter().all(|choice| match choice.order {
            Order::Nothing => true,
            Order::Cancel => !view.operation.state.is_final(),
            Order::Answer(position, _) => asks(position),
        })
    }

    /// Whether the question and every choice can be read in a body of this size.
    fn is_readable(&self, size: Size) -> bool {
        usize::from(size.height) >= self.choices.len() + AROUND && size.width >= NARROWEST
    }

    fn accept(&mut self, context: &mut Context<'_>) {
        if self.sending.is_some() {
            return;
        }
        let order = self.choices.get(self.cursor.at).map_or(Order::Nothing, |choice| choice.order);
        if order == Order::Nothing {
            context.steps.push(Step::Close);
            return;
        }
        if !self.is_readable(context.size) {
            context.say(Toast::hint("Make the terminal larger: what cannot be read cannot be answered"));
            return;
        }
        let id = context.request();
        context.effects.push(match order {
            Order::Answer(position, answer) => Effect::AnswerStep(id, self.operation, position, answer),
            _ => Effect::CancelOperation(id, self.operation),
        });
        (self.sending, self.failed) = (Some(id), None);
    }

    fn lines(&self, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for paragraph in self.about.iter().filter(|text| !text.is_empty()) {
            let parts = format::wrap(paragraph, width).into_iter();
            lines.extend(parts.map(|part| Line::from(look.span(Role::Text, part))));
            lines.push(Line::default());
        }
        let widest = self.choices.iter().map(|choice| choice.label.len()).max().unwrap_or(0);
        for (index, choice) in self.choices.iter().enumerate() {
            let focused = index == self.cursor.at;
            let label = frame::button(look, &format!("{:<widest$}", choice.label), None, focused);
            let meaning =
                look.span(if focused { Role::Text } else { Role::Muted }, format!("  {}", choice.meaning));
            lines.push(Line::from(vec![label, meaning]));
        }
        if let Some(problem) = &self.failed {
            lines.push(Line::default());
            lines.extend(problem_lines(look, problem, width));
        } else if self.sending.is_some() {
            lines.push(Line::default());
            lines.push(Line::from(look.span(Role::Progress, format!("{} Recording …", look.spinner()))));
        }
        lines
    }
}

impl Screen for Question {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_decided_by(&self) -> bool {
        true
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn awaits(&self) -> Option<RequestId> {
        self.sending
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let command = match command {
            Command::Next | Command::Right => Command::Down,
            Command::Previous | Command::Left => Command::Up,
            other => other,
        };
        match command {
            Command::Accept => self.accept(context),
            Command::Cancel | Command::Back => context.steps.push(Step::Close),
            other => return self.cursor.command(other, self.choices.len(), self.choices.len()),
        }
        true
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        match reply {
            Reply::Done(result) if self.sending == Some(id) => {
                self.sending = None;
                match result {
                    Ok(sentence) => {
                        context.say(Toast::info(sentence));
                        context.steps.push(Step::Close);
                    }
                    Err(problem) => self.failed = Some(problem),
                }
                None
            }
            other => Some(other),
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if self.sending.is_none() && !self.holds(context.world) {
            context.say(Toast::hint("There is nothing to answer any more: the operation went on"));
            context.steps.push(Step::Close);
        }
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Down, Command::Accept, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let width = area.width.saturating_sub(2).min(WIDEST);
        let lines = self.lines(look, usize::from(width.saturating_sub(4)));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inside = frame::dialog(buffer, centred(area, width, height), look, &self.title);
        // What can be answered is at the end: where there is little room, it is the explanation that is cut.
        let above = lines.len().saturating_sub(usize::from(inside.height));
        for (index, line) in lines.into_iter().skip(above).enumerate() {
            paint::line(buffer, row(inside, u16::try_from(index).unwrap_or(u16::MAX)), line);
        }
    }
}

#[cfg(test)]
mod tests;
