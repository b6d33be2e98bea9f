//! How two instances of an application differ, line by line. Secret values come masked.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::diff::ObjectDiff;
use crate::domain::{Problem, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::keymap::{Command, Flags, Layer};
use crate::ui::list::scroll as scroll_text;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::widgets::page::plain;
use crate::ui::widgets::{diff, empty, headed, paint, scroll};

/// How two instances of an application differ.
#[derive(Debug)]
pub struct ComparisonView {
    key: ApplicationKey,
    old: u32,
    new: u32,
    asked: Option<RequestId>,
    /// None before the answer; what does not differ is left out.
    diffs: Option<Result<Vec<ObjectDiff>, Problem>>,
    /// The first line on screen.
    offset: usize,
}

impl ComparisonView {
    /// Its name.
    pub const NAME: &str = "comparison";

    /// How instance `new` of an application differs from instance `old`.
    pub fn new(key: ApplicationKey, old: u32, new: u32) -> Self {
        Self { key, old, new, asked: None, diffs: None, offset: 0 }
    }

    fn found(&self) -> &[ObjectDiff] {
        match &self.diffs {
            Some(Ok(diffs)) => diffs,
            _ => &[],
        }
    }

    fn ask(&mut self, context: &mut Context<'_>) {
        let Some(application) = self.key.find(context.world) else { return };
        let id = context.request();
        context.effects.push(Effect::CompareInstances(id, application.deployment.id, self.old, self.new));
        self.asked = Some(id);
    }

    /// The lines of every object, and where each object begins.
    fn lines(&self, look: &Look<'_>, width: u16) -> (Vec<Line<'static>>, Vec<usize>) {
        let width = usize::from(width.saturating_sub(3));
        let (mut lines, mut starts) = (Vec::new(), Vec::new());
        for found in self.found() {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            starts.push(lines.len());
            lines.extend(diff::lines(found, look, width));
        }
        (lines, starts)
    }

    fn scroll(&mut self, command: Command, size: Size) -> bool {
        let (len, starts) = plain(|look| {
            let (lines, starts) = self.lines(look, size.width);
            (lines.len(), starts)
        });
        scroll_text(&mut self.offset, command, (len, headed::height(size)), &starts)
    }

    fn head(&self, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let found = self.found();
        let lines = found.iter().map(ObjectDiff::counts).fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        let right = headed::counts(found.len(), "object", lines, look);
        let place = format!("Applications › {} › ", self.key.name);
        let name = format!("instance {} → {}", self.old, self.new);
        headed::head(area, look, (&place, name), right, buffer);
    }
}

impl Screen for ComparisonView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn flags(&self, _world: &World, _size: Size, _flags: &mut Flags) {}

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match Tab::of(command) {
            Some(tab) => context.steps.push(Step::ShowApplication(self.key.clone(), tab)),
            None if command == Command::CopyName => {
                context.say(Toast::hint("There is no name to copy here"));
            }
            None => return self.scroll(command, context.size),
        }
        true
    }

    fn reply(&mut self, id: RequestId, reply: Reply, _context: &mut Context<'_>) -> Option<Reply> {
        match reply {
            Reply::Diffs(diffs) if self.asked == Some(id) => {
                self.diffs =
                    Some(diffs.map(|found| found.into_iter().filter(|diff| !diff.is_empty()).collect()));
                None
            }
            other => Some(other),
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if self.asked.is_none() {
            self.ask(context);
        }
        let len = plain(|look| self.lines(look, context.size.width).0.len());
        self.offset = self.offset.min(len.saturating_sub(headed::height(context.size)));
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        if self.diffs.is_none() {
            context.effects.extend(self.asked.map(Effect::Cancel));
        }
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Down, Command::Next, Command::Previous, Command::ShowHistory, Command::Help, Command::Back]
    }

    fn lasts(&self, _world: &World, _now: Timestamp, _size: Size) -> Option<Duration> {
        self.diffs.is_none().then_some(SPIN)
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let inside = headed::content(area);
        if area.height > inside.height {
            self.head(look, Rect { height: area.height - inside.height, ..area }, buffer);
        }
        match &self.diffs {
            None => {
                let heading = format!("{} Comparing …", look.spinner());
                empty(buffer, inside, look, &heading, &["Both are rendered as they were frozen".to_owned()]);
            }
            Some(Err(problem)) => {
                empty(buffer, inside, look, &problem.what, &[problem.why.clone(), problem.next.clone()])
            }
            Some(Ok(diffs)) if diffs.is_empty() => {
                let next = "Both render the same objects, to the letter".to_owned();
                empty(buffer, inside, look, "Nothing differs", &[next]);
            }
            Some(Ok(_)) => {
                let (lines, _) = self.lines(look, area.width);
                let len = lines.len();
                let offset = self.offset.min(len.saturating_sub(usize::from(inside.height)));
                let place = Rect {
                    x: inside.x + 1.min(inside.width),
                    width: inside.width.saturating_sub(2),
                    ..inside
                };
                paint::lines(buffer, place, lines.into_iter().skip(offset));
                scroll::bar(buffer, inside, look, offset, len);
            }
        }
    }
}

#[cfg(test)]
mod tests;
