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
use self::rows::{Entry, Rows, Sort};
pub use self::schedules::{keeps, past, schedule_lasts, when};
use self::section::Section;
pub use self::section::{is_any_location_faulty, what};
use super::keeping;
use crate::domain::World;
use crate::domain::backup::{Backup, BackupId, LocationView, PruneRequest, ScheduleView};
use crate::domain::{Intent, OperationView};
use crate::ui::event::Effect;
use crate::ui::filter::Filter;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;

/// Backups, schedules, locations and the calendar, as live tables.
#[derive(Debug)]
pub struct BackupsView {
    section: Section,
    rows: Rows,
    /// The rows that the filter lets through, sorted.
    shown: Vec<usize>,
    /// A cursor for each section.
    cursors: [Cursor; Section::ALL.len()],
    /// The backup that the cursor is on: it stays there when others come and go. None until it was moved.
    selected: Option<BackupId>,
    /// The backups that are marked.
    marked: Vec<BackupId>,
    /// Only what belongs to this environment is shown.
    scope: Option<String>,
    filter: Filter,
    faults_only: bool,
    sort: Sort,
}

impl Default for BackupsView {
    fn default() -> Self {
        let filter = Filter::new("name, env:demo, state:failed, by:nightly, !not");
        let (section, rows, shown, cursors) = Default::default();
        let (selected, marked, scope, faults_only, sort) = Default::default();
        Self { section, rows, shown, cursors, selected, marked, scope, filter, faults_only, sort }
    }
}

impl BackupsView {
    /// Its name.
    pub const NAME: &str = "backups";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn cursor(&self) -> Cursor {
        self.cursors[self.section.index()]
    }

    fn entry(&self) -> Option<Entry> {
        self.rows.entry(*self.shown.get(self.cursor().at)?)
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

    /// Filters and sorts anew; the cursor stays on its backup where it is still shown.
    fn reorder(&mut self, context: &Context<'_>) {
        let found = self.filter.query().matches(self.rows.haystacks());
        let of_scope = |index: &usize| self.scope.as_ref().is_none_or(|it| self.rows.is_in(*index, it));
        let found = found.into_iter().filter(of_scope);
        self.shown = found.filter(|index| !self.faults_only || self.rows.is_fault(*index)).collect();
        if self.section == Section::Backups {
            self.rows.sort(&mut self.shown, self.sort, context.world);
            let is_it = |index: &usize| match self.rows.entry(*index) {
                Some(Entry::Backup(at)) => {
                    context.world.backups.get(at).is_some_and(|it| Some(&it.id) == self.selected.as_ref())
                }
                _ => false,
            };
            if let Some(at) = self.shown.iter().position(is_it) {
                self.cursors[Section::Backups.index()].at = at;
            }
        }
        self.cursors[self.section.index()].settle(self.shown.len(), Self::page(context.size));
    }

    fn cursor_command(&mut self, command: Command, context: &Context<'_>) -> bool {
        let page = Self::page(context.size);
        let moved = self.cursors[self.section.index()].command(command, self.shown.len(), page);
        if moved {
            self.selected = self.backup(context.world).map(|backup| backup.id.clone());
        }
        moved
    }

    fn show(&mut self, section: Section, context: &mut Context<'_>) {
        self.section = section;
        self.refresh(context);
    }

    /// Shows the backups that a filter lets through.
    fn show_filtered(&mut self, query: &str, context: &mut Context<'_>) {
        self.filter.clear();
        self.filter.paste(query);
        (self.faults_only, self.selected) = (false, None);
        self.cursors[Section::Backups.index()] = Cursor::default();
        self.show(Section::Backups, context);
    }

    /// Enter: a backup's page, or the backups of a schedule or a location.
    fn open(&mut self, context: &mut Context<'_>) {
        let world = context.world;
        if let Some(backup) = self.backup(world) {
            context.steps.push(Step::ShowBackup(backup.id.clone()));
        } else if let Some(view) = self.schedule(world) {
            self.show_filtered(&format!("schedule:{}", view.schedule.name), context);
        } else if let Some(view) = self.location(world) {
            self.show_filtered(&format!("location:{}", view.location.name), context);
        }
    }

    /// The next environment that there is anything of, after the last one all of them.
    fn turn_scope(&mut self, context: &mut Context<'_>) {
        let world = context.world;
        let kept = world.backups.iter().map(|backup| backup.source.environment.as_str());
        let scheduled = world.schedules.iter().map(|view| view.schedule.environment.as_str());
        let mut names: Vec<&str> = kept.chain(scheduled).collect();
        names.sort_unstable();
        names.dedup();
        let at = self.scope.as_ref().and_then(|scope| names.iter().position(|name| name == scope));
        let next = at.map_or(0, |at| at + 1);
        self.scope = names.get(next).map(|name| (*name).to_owned());
        self.reorder(context);
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

    /// Commands while the filter is being typed.
    fn command_in_filter(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Accept => self.filter.close(),
            Command::Cancel => {
                self.filter.clear();
                self.reorder(context);
            }
            other => return self.cursor_command(other, context),
        }
        true
    }

    /// What narrows the tables, and how the view is told apart.
    fn narrow(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Next | Command::Previous => {
                self.show(self.section.turn(command == Command::Next), context);
            }
            Command::Filter => self.filter.open(),
            Command::FaultsOnly => {
                self.faults_only = !self.faults_only;
                self.reorder(context);
            }
            Command::Sort if self.section == Section::Backups => {
                self.sort = self.sort.next();
                self.reorder(context);
            }
            Command::Sort => context.say(Toast::hint("Only backups can be sorted")),
            Command::Scope => self.turn_scope(context),
            Command::Back if self.is_narrowed() => {
                (self.faults_only, self.scope) = (false, None);
                self.filter.clear();
                self.reorder(context);
            }
            _ => return false,
        }
        true
    }

    fn is_narrowed(&self) -> bool {
        self.faults_only || self.scope.is_some() || !self.filter.is_empty()
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
        if self.filter.is_open() { Layer::Input } else { Layer::Table }
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Backups, true);
        flags.set(Flag::Row, self.entry().is_some());
        flags.set(Flag::Backup, self.backup(world).is_some());
        flags.set(Flag::Schedule, self.schedule(world).is_some());
        flags.set(Flag::Location, self.location(world).is_some());
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.filter.is_open() {
            return self.command_in_filter(command, context);
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
            other if self.narrow(other, context) => {}
            other => {
                let backup = self.backup(world);
                let acted = backup.is_some_and(|backup| on_backup(other, backup, context));
                return acted || self.cursor_command(other, context);
            }
        }
        true
    }

    fn key(&mut self, key: KeyEvent, context: &mut Context<'_>) {
        if self.filter.key(key) {
            self.reorder(context);
        }
    }

    fn paste(&mut self, text: &str, context: &mut Context<'_>) {
        if self.filter.is_open() {
            self.filter.paste(text);
            self.reorder(context);
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let known = |id: &BackupId| context.world.backups.iter().any(|backup| backup.id == *id);
        self.marked.retain(known);
        self.rows.take(self.section, context.world, context.now);
        self.reorder(context);
    }

    fn hints(&self) -> &'static [Command] {
        if self.filter.is_open() {
            return &[Command::Accept, Command::Cancel];
        }
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
        HINTS
    }

    fn lasts(&self, world: &World, now: Timestamp, size: Size) -> Option<Duration> {
        let visible = self.shown.iter().skip(self.cursor().offset).take(Self::page(size));
        let lasts = |index: &usize| match self.rows.entry(*index)? {
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
        visible.filter_map(lasts).chain(detail).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
