//! Backups: what was kept, when it is kept by itself, where, and what is due next.

mod about;
mod act;
mod calendar;
mod locations;
mod nothing;
mod rows;
mod schedules;
mod section;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use self::about::about;
pub use self::act::on_backup;
pub use self::nothing::no_location;
use self::rows::{Entry, Rows};
pub use self::schedules::{keeps, past, schedule_lasts, when};
use self::section::Section;
pub use self::section::{is_any_location_faulty, what};
use super::keeping;
use crate::domain::World;
use crate::domain::backup::{Backup, BackupId, LocationView, PruneRequest, ScheduleView};
use crate::domain::{Intent, OperationView};
use crate::ui::event::Effect;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::listing::Listing;
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;

/// Backups, schedules, locations and the calendar, as live tables: one list, whose rows are those of the section that is shown.
#[derive(Debug)]
pub struct BackupsView {
    list: Listing<Rows>,
    /// Where the cursor was in each section that is not shown.
    cursors: [Cursor; Section::ALL.len()],
    /// The backups that are marked.
    marked: Vec<BackupId>,
}

impl Default for BackupsView {
    fn default() -> Self {
        let list = Listing::new("name, env:demo, state:failed, by:nightly, !not");
        Self { list, cursors: Default::default(), marked: Vec::new() }
    }
}

impl BackupsView {
    /// Its name.
    pub const NAME: &str = "backups";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn section(&self) -> Section {
        self.list.rows().section()
    }

    fn entry(&self) -> Option<Entry> {
        self.list.rows().entry(self.list.current()?)
    }

    /// The backup that the cursor is on.
    fn backup<'a>(&self, world: &'a World) -> Option<&'a Backup> {
        match self.entry()? {
            Entry::Backup(at) => world.backups.get(at).map(|backup| &**backup),
            _ => None,
        }
    }

    /// The schedule that the cursor is on.
    fn schedule<'a>(&self, world: &'a World) -> Option<&'a ScheduleView> {
        match self.entry()? {
            Entry::Schedule(at) | Entry::Past(at, _) | Entry::Due(at, _) | Entry::Resting(at) => {
                world.schedules.get(at)
            }
            _ => None,
        }
    }

    /// The location that the cursor is on.
    fn location<'a>(&self, world: &'a World) -> Option<&'a LocationView> {
        match self.entry()? {
            Entry::Location(at) => world.locations.get(at),
            _ => None,
        }
    }

    fn take(&mut self, section: Section, context: &Context<'_>) {
        self.list.take(Self::page(context.size), |rows| rows.take(section, context.world, context.now));
    }

    fn show(&mut self, section: Section, context: &Context<'_>) {
        let before = self.section();
        let cursor = self.list.swap_cursor(self.cursors[section.index()]);
        self.cursors[before.index()] = cursor;
        self.take(section, context);
    }

    /// Enter: a backup's page, or the backups of a schedule or a location.
    fn open(&mut self, context: &mut Context<'_>) {
        let world = context.world;
        if let Some(backup) = self.backup(world) {
            context.steps.push(Step::ShowBackup(backup.id.clone()));
        } else if let Some(view) = self.schedule(world) {
            self.show(Section::Backups, context);
            self.list.show_only(&format!("schedule:{}", view.schedule.name));
        } else if let Some(view) = self.location(world) {
            self.show(Section::Backups, context);
            self.list.show_only(&format!("location:={}", view.location.name));
        }
    }

    fn mark(&mut self, world: &World) {
        let Some(id) = self.backup(world).map(|backup| backup.id.clone()) else { return };
        match self.marked.iter().position(|marked| *marked == id) {
            Some(at) => drop(self.marked.remove(at)),
            None => self.marked.push(id),
        }
    }

    /// The backups that are marked, else the one that is selected.
    fn chosen<'a>(&self, world: &'a World) -> Vec<&'a Backup> {
        let marked = world.backups.iter().filter(|backup| self.marked.contains(&backup.id));
        let marked: Vec<&Backup> = marked.map(|backup| &**backup).collect();
        if marked.is_empty() { self.backup(world).into_iter().collect() } else { marked }
    }

    fn on_schedule(&self, command: Command, context: &mut Context<'_>) {
        let Some(view) = self.schedule(context.world) else { return };
        let name = view.schedule.name.clone();
        match (command, &view.schedule.paused) {
            (Command::PreviewRetention, _) => context.steps.push(Step::ShowRetention(name)),
            (_, None) => context.steps.push(Step::AskPause(name)),
            (_, Some(_)) => {
                let id = context.request();
                context.effects.push(Effect::PauseSchedule(id, name, None));
                context.steps.push(Step::Tell(id));
            }
        }
    }

    /// Gives back the room that no backup needs.
    fn prune(&self, context: &mut Context<'_>) {
        let Some(view) = self.location(context.world) else { return };
        let location = view.location.name.clone();
        let request =
            PruneRequest { location, backups: Vec::new(), orphans: Vec::new(), even_the_last: false };
        context.steps.push(Step::Plan(Box::new(Intent::Prune(request))));
    }

    /// Commands of a table, and those that turn from one section to another.
    fn command_on_list(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Next | Command::Previous => {
                self.show(self.section().turn(command == Command::Next), context);
                true
            }
            Command::Sort if self.section() != Section::Backups => {
                context.say(Toast::hint("Only backups can be sorted"));
                true
            }
            other => self.list.command(other),
        }
    }
}

/// The operation that makes a backup, while it is among those that are shown.
pub fn maker<'a>(backup: &Backup, world: &'a World) -> Option<&'a OperationView> {
    world.operation(backup.operation?).map(|view| &**view)
}

/// The application that a backup is of, while it is there.
pub fn key_of(backup: &Backup) -> ApplicationKey {
    ApplicationKey { environment: backup.source.environment.clone(), name: backup.source.application.clone() }
}

impl Screen for BackupsView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        self.list.layer()
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Backups, true);
        flags.set(Flag::Row, self.entry().is_some());
        flags.set(Flag::Backup, self.backup(world).is_some());
        flags.set(Flag::Schedule, self.schedule(world).is_some());
        flags.set(Flag::Location, self.location(world).is_some());
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.list.is_typing() {
            return self.list.command(command);
        }
        let world = context.world;
        match command {
            Command::Open => self.open(context),
            Command::Mark => self.mark(world),
            Command::DeleteBackup => act::delete(&self.chosen(world), context),
            Command::PauseSchedule | Command::PreviewRetention => self.on_schedule(command, context),
            Command::PruneLocation => self.prune(context),
            Command::ShowOverview | Command::ShowItsBackups => {
                let tab = Tab::of(command).unwrap_or(Tab::Overview);
                if let Some(backup) = self.backup(world) {
                    act::show_application(backup, tab, context);
                }
            }
            other => {
                let backup = self.backup(world);
                let acted = backup.is_some_and(|backup| on_backup(other, backup, context));
                return acted || self.command_on_list(other, context);
            }
        }
        true
    }

    fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        self.list.key(key);
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.list.paste(text);
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let known = |id: &BackupId| context.world.backups.iter().any(|backup| backup.id == *id);
        self.marked.retain(known);
        self.take(self.section(), context);
    }

    fn hints(&self) -> &'static [Command] {
        const HINTS: &[Command] = &[
            Command::Open,
            Command::PauseSchedule,
            Command::PreviewRetention,
            Command::Restore,
            Command::BackUp,
            Command::VerifyBackup,
            Command::PinBackup,
            Command::PruneLocation,
            Command::Next,
            Command::Filter,
            Command::FaultsOnly,
            Command::Help,
            Command::Palette,
            Command::Back,
        ];
        self.list.hints(HINTS)
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let lasts = |index: usize| match self.list.rows().entry(index)? {
            Entry::Backup(at) => Some(keeping::lasts(world.backups.get(at)?, now)),
            Entry::Location(at) => {
                let (checked, _) = world.locations.get(at)?.checked.as_ref()?;
                Some(format::age_lasts(now, *checked))
            }
            Entry::Schedule(at) => schedule_lasts(world.schedules.get(at)?, now),
            Entry::Due(at, index) => {
                let next = world.schedules.get(at)?.next.get(index)?;
                Some(format::until_lasts(now, *next))
            }
            Entry::Past(at, index) => {
                let run = world.schedules.get(at)?.runs.get(index)?;
                Some(format::age_lasts(now, run.due))
            }
            Entry::Resting(_) => None,
        };
        // what stands below the table is of the schedule, in the calendar too
        let detail = self.schedule(world).and_then(|view| schedule_lasts(view, now));
        self.list.on_screen().filter_map(lasts).chain(detail).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
