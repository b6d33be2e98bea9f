//! What the retention of a schedule would delete, and why; what it keeps, and why. Nothing is deleted by looking.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::backup::{BackupId, Fate, PruneRequest};
use crate::domain::{Intent, Problem, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::{centred, row, rows_from};
use crate::ui::list::scroll as scroll_text;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::widgets::{frame, paint, problem_lines, scroll};

/// The widest dialog.
const WIDEST: u16 = 92;
/// The rows of border, summary and hint around the list.
const AROUND: u16 = 6;

/// What the retention of a schedule would do with each of its backups.
#[derive(Debug)]
pub struct Retention {
    schedule: String,
    asked: Option<RequestId>,
    fates: Option<Result<Vec<Fate>, Problem>>,
    offset: usize,
}

impl Retention {
    /// Its name.
    pub const NAME: &str = "retention";

    /// The question about a schedule; it is asked as soon as it is shown.
    pub fn new(schedule: String) -> Self {
        Self { schedule, asked: None, fates: None, offset: 0 }
    }

    fn ask(&mut self, context: &mut Context<'_>) {
        let id = context.request();
        context.effects.push(Effect::PreviewRetention(id, self.schedule.clone()));
        (self.asked, self.fates, self.offset) = (Some(id), None, 0);
    }

    fn known(&self) -> &[Fate] {
        self.fates.as_ref().and_then(|fates| fates.as_ref().ok()).map_or(&[], Vec::as_slice)
    }

    fn doomed(&self) -> Vec<BackupId> {
        self.known().iter().filter(|fate| !fate.stays).map(|fate| fate.backup.clone()).collect()
    }

    /// Plans that what would go goes now; it lies in one location, or else the schedule's runs see to it.
    fn confirm(&self, context: &mut Context<'_>) {
        let doomed = self.doomed();
        let of = |id: &BackupId| context.world.backups.iter().find(|backup| backup.id == *id);
        let mut locations: Vec<&str> = doomed.iter().filter_map(of).map(|it| it.location.as_str()).collect();
        locations.dedup();
        let request = match locations.as_slice() {
            [] => return context.say(Toast::hint("There is nothing to delete")),
            [one] => PruneRequest {
                location: (*one).to_owned(),
                backups: doomed,
                orphans: Vec::new(),
                even_the_last: false,
            },
            _ => {
                let said = "They lie in several locations: each run of the schedule deletes its own";
                return context.say(Toast::hint(said));
            }
        };
        context.steps.push(Step::Close);
        context.steps.push(Step::Plan(Box::new(Intent::Prune(request))));
    }

    fn page(&self, size: Size) -> usize {
        usize::from(size.height.saturating_sub(AROUND)).min(self.known().len()).max(1)
    }

    /// A line per backup, those that would go first.
    fn lines(&self, world: &World, look: &Look<'_>) -> Vec<Line<'static>> {
        let mut fates: Vec<&Fate> = self.known().iter().collect();
        fates.sort_by_key(|fate| fate.stays);
        let name = fates.iter().map(|fate| format::width(name_of(fate, world))).max().unwrap_or(0);
        let line = |fate: &Fate| {
            let backup = world.backups.iter().find(|backup| backup.id == fate.backup);
            let age = backup.map_or_else(|| "–".to_owned(), |backup| look.age(backup.created));
            let size = backup.map_or_else(|| "–".to_owned(), |backup| format::bytes(backup.bytes()));
            let (mark, role) = if fate.stays { ("✓ stays", Role::Ok) } else { ("- goes ", Role::Warn) };
            Line::from(vec![
                look.span(role, format!("{mark}  ")),
                look.span(Role::Text, format!("{age:>4}  {size:>8}  ")),
                look.span(Role::Title, format!("{:<name$}  ", name_of(fate, world))),
                look.span(Role::Muted, fate.reason.clone()),
            ])
        };
        fates.into_iter().map(line).collect()
    }
}

/// The application of a backup; its own name where it is not in the picture.
fn name_of<'a>(fate: &'a Fate, world: &'a World) -> &'a str {
    let backup = world.backups.iter().find(|backup| backup.id == fate.backup);
    backup.map_or(&fate.backup.0, |backup| &backup.source.application)
}

impl Screen for Retention {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_decided_by(&self) -> bool {
        true
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Plan, !self.doomed().is_empty());
        flags.set(Flag::Failed, matches!(self.fates, Some(Err(_))));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Accept | Command::Cancel | Command::Back => context.steps.push(Step::Close),
            Command::Confirm => self.confirm(context),
            Command::PlanAgain => self.ask(context),
            other => {
                let page = self.page(context.size);
                let len = self.known().len();
                return scroll_text(&mut self.offset, other, (len, page), &[]);
            }
        }
        true
    }

    fn reply(&mut self, id: RequestId, reply: Reply, _context: &mut Context<'_>) -> Option<Reply> {
        match reply {
            Reply::Retention(fates) if self.asked == Some(id) => {
                (self.asked, self.fates) = (None, Some(fates));
                None
            }
            other => Some(other),
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if self.fates.is_none() && self.asked.is_none() {
            self.ask(context);
        }
        self.offset = self.offset.min(self.known().len().saturating_sub(self.page(context.size)));
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        context.effects.extend(self.asked.take().map(Effect::Cancel));
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Confirm, Command::Down, Command::Up, Command::PlanAgain, Command::Cancel]
    }

    fn lasts(&self, _world: &World, _now: Timestamp, _size: Size) -> Option<Duration> {
        self.asked.is_some().then_some(SPIN)
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let width = WIDEST.min(area.width.saturating_sub(2));
        let inner = usize::from(width.saturating_sub(5));
        let key = |command| look.key(command, Layer::Dialog);
        let text = |role, text: String| vec![Line::from(look.span(role, text))];
        let (body, foot) = match &self.fates {
            None => (text(Role::Progress, format!("{} Looking …", look.spinner())), String::new()),
            Some(Err(problem)) => (problem_lines(look, problem, inner), String::new()),
            Some(Ok(fates)) if fates.is_empty() => {
                (text(Role::Muted, "It has no backups yet.".to_owned()), String::new())
            }
            Some(Ok(fates)) => {
                let going = self.doomed().len();
                let foot = match going {
                    0 => format!("Nothing would go: all {} stay", fates.len()),
                    _ => format!(
                        "{going} of {} would go at its next run; {} plans it now",
                        format::count(fates.len(), "backup"),
                        key(Command::Confirm)
                    ),
                };
                (self.lines(world, look), foot)
            }
        };
        let len = body.len();
        let height = u16::try_from(len).unwrap_or(u16::MAX).saturating_add(AROUND - 2);
        let title = format!("What the retention of {} would delete", self.schedule);
        let inside = frame::dialog(buffer, centred(area, width, height), look, &title);
        let list = Rect { height: inside.height.saturating_sub(2), ..inside };
        let offset = self.offset.min(len.saturating_sub(usize::from(list.height)));
        paint::lines(
            buffer,
            Rect { width: list.width.saturating_sub(1), ..list },
            body.into_iter().skip(offset),
        );
        scroll::bar(buffer, list, look, offset, len);
        let end = rows_from(inside, list.height);
        paint::line(buffer, row(end, 1), Line::from(look.span(Role::Text, foot)));
    }
}
