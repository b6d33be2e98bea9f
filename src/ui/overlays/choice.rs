//! A question with a few answers, each with what it means. The harmless answer comes first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::World;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::centred;
use crate::ui::list::window;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::widgets::{frame, paint, scroll};

/// The widest question.
const WIDEST: u16 = 76;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What is done.
    pub label: String,
    /// What that means.
    pub about: String,
    /// What follows; nothing for the answer that only closes the question.
    pub step: Option<Step>,
}

impl Answer {
    /// An answer that leads on.
    pub fn new(label: impl Into<String>, about: impl Into<String>, step: Step) -> Self {
        Self { label: label.into(), about: about.into(), step: Some(step) }
    }
}

/// A question with a few answers.
#[derive(Debug)]
pub struct Choice {
    name: &'static str,
    title: String,
    /// What there is to know before one answers, line by line.
    facts: Vec<String>,
    answers: Vec<Answer>,
    at: usize,
}

impl Choice {
    /// A question; the cursor stands on the first answer.
    pub fn new(name: &'static str, title: String, facts: Vec<String>, answers: Vec<Answer>) -> Self {
        Self { name, title, facts, answers, at: 0 }
    }

    fn lines(&self, look: &Look<'_>, width: usize) -> (Vec<Line<'static>>, usize) {
        let mut lines = Vec::new();
        for fact in &self.facts {
            // what fits keeps its columns
            let fits = format::width(fact) <= width;
            let wrapped = if fits { vec![fact.clone()] } else { format::wrap(fact, width) };
            lines.extend(wrapped.into_iter().map(|part| Line::from(look.span(Role::Text, part))));
        }
        let mut end = 0;
        for (index, answer) in self.answers.iter().enumerate() {
            let here = index == self.at;
            let (mark, role) = if here { ("▸ ", Role::Accent) } else { ("  ", Role::Muted) };
            lines.extend((!lines.is_empty()).then(Line::default));
            let label = look.span(if here { Role::Title } else { Role::Text }, answer.label.clone());
            lines.push(Line::from(vec![look.span(role, mark), label]));
            for part in format::wrap(&answer.about, width.saturating_sub(4)) {
                lines.push(Line::from(look.span(Role::Muted, format!("    {part}"))));
            }
            end = if here { lines.len().saturating_sub(1) } else { end };
        }
        (lines, end)
    }
}

impl Screen for Choice {
    fn name(&self) -> &'static str {
        self.name
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn is_decided_by(&self) -> bool {
        true
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let last = self.answers.len().saturating_sub(1);
        match command {
            Command::Accept => {
                context.steps.push(Step::Close);
                context.steps.extend(self.answers.get(self.at).and_then(|answer| answer.step.clone()));
            }
            Command::Cancel | Command::Back => context.steps.push(Step::Close),
            Command::Up | Command::Previous | Command::Left => self.at = self.at.saturating_sub(1),
            Command::Down | Command::Next | Command::Right => self.at = (self.at + 1).min(last),
            Command::Top => self.at = 0,
            Command::Bottom => self.at = last,
            _ => return false,
        }
        true
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Down, Command::Up, Command::Accept, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let width = WIDEST.min(area.width.saturating_sub(2));
        let (lines, end) = self.lines(look, usize::from(width.saturating_sub(5)));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inside = frame::dialog(buffer, centred(area, width, height), look, &self.title);
        let len = lines.len();
        let offset = window(end, 0, len, usize::from(inside.height));
        let text = Rect { width: inside.width.saturating_sub(1), ..inside };
        paint::lines(buffer, text, lines.into_iter().skip(offset));
        scroll::bar(buffer, inside, look, offset, len);
    }
}
