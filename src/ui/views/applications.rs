//! The applications: one row each, live.

mod rows;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::rows::{Rows, Sort};
use crate::domain::world::Application;
use crate::domain::{Health, World};
use crate::ui::filter::Filter;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::routes::on_route;

/// The applications of the cluster, as a live table.
#[derive(Debug)]
pub struct ApplicationsView {
    rows: Rows,
    /// The rows that the filter lets through, sorted.
    shown: Vec<usize>,
    cursor: Cursor,
    /// The application that the cursor is on: it stays there when rows come and go.
    selected: Option<ApplicationKey>,
    filter: Filter,
    faults_only: bool,
    sort: Sort,
}

impl Default for ApplicationsView {
    fn default() -> Self {
        let filter = Filter::new("name, env:demo, health:degraded, !not");
        let (rows, shown, cursor, selected, faults_only, sort) = Default::default();
        Self { rows, shown, cursor, selected, filter, faults_only, sort }
    }
}

impl ApplicationsView {
    /// Its name.
    pub const NAME: &str = "applications";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn selected_in<'a>(&self, world: &'a World) -> Option<&'a Application> {
        let index = *self.shown.get(self.cursor.at)?;
        world.applications.get(index).map(|application| &**application)
    }

    /// Filters and sorts anew; the cursor stays on its application where it is still shown.
    fn reorder(&mut self, context: &Context<'_>) {
        let faults = self.faults_only;
        let rows = self.filter.query().matches(self.rows.haystacks());
        self.shown = rows.into_iter().filter(|index| !faults || self.rows.is_fault(*index)).collect();
        self.rows.sort(&mut self.shown, self.sort);
        if let Some(key) = &self.selected
            && let Some(at) = self.shown.iter().position(|index| self.rows.key(*index) == Some(key))
        {
            self.cursor.at = at;
        }
        self.settle(context);
    }

    fn settle(&mut self, context: &Context<'_>) {
        self.cursor.settle(self.shown.len(), Self::page(context.size));
        self.remember();
    }

    fn remember(&mut self) {
        let at = self.shown.get(self.cursor.at);
        if let Some(key) = at.and_then(|index| self.rows.key(*index)) {
            self.selected = Some(key.clone());
        }
    }

    fn open(&self, tab: Tab, context: &mut Context<'_>) {
        if let Some(application) = self.selected_in(context.world) {
            context.steps.push(Step::ShowApplication(ApplicationKey::of(application), tab));
        }
    }

    fn copy_name(&self, context: &mut Context<'_>) {
        if let Some(application) = self.selected_in(context.world) {
            context.copy(&application.deployment.draft.name);
        }
    }

    /// What is done with the route that people open first.
    fn on_first_route(&self, command: Command, context: &mut Context<'_>) {
        let Some(application) = self.selected_in(context.world) else { return };
        match application.routes.first() {
            Some(route) => drop(on_route(command, (application, route), context)),
            None => context.say(Toast::hint("It has no URL")),
        }
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

    fn cursor_command(&mut self, command: Command, context: &Context<'_>) -> bool {
        let moved = self.cursor.command(command, self.shown.len(), Self::page(context.size));
        self.remember();
        moved
    }
}

impl Screen for ApplicationsView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        if self.filter.is_open() { Layer::Input } else { Layer::Table }
    }

    fn subject(&self, world: &World) -> Option<ApplicationKey> {
        self.selected_in(world).map(ApplicationKey::of)
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        let selected = self.selected_in(world);
        flags.set(Flag::Applications, self.rows.len() > 0);
        flags.set(Flag::Row, selected.is_some());
        flags.set(Flag::Url, selected.is_some_and(|application| !application.routes.is_empty()));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.filter.is_open() {
            return self.command_in_filter(command, context);
        }
        match command {
            Command::Open | Command::ShowOverview => self.open(Tab::Overview, context),
            Command::ShowEvents
            | Command::ShowLogs
            | Command::ShowObjects
            | Command::ShowHistory
            | Command::ShowDrift
            | Command::ShowActions
            | Command::ShowItsBackups => {
                self.open(Tab::of(command).unwrap_or(Tab::Overview), context);
            }
            Command::CopyUrl | Command::ShowQr | Command::TestRoute => self.on_first_route(command, context),
            Command::CopyName => self.copy_name(context),
            Command::Filter => self.filter.open(),
            Command::FaultsOnly => {
                self.faults_only = !self.faults_only;
                self.reorder(context);
            }
            Command::Sort => {
                self.sort = self.sort.next(self.rows.keeps());
                self.reorder(context);
            }
            Command::Back if self.faults_only || !self.filter.is_empty() => {
                self.faults_only = false;
                self.filter.clear();
                self.reorder(context);
            }
            other => return self.cursor_command(other, context),
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
        self.rows.take(context.world, context.now);
        self.reorder(context);
    }

    fn hints(&self) -> &'static [Command] {
        if self.filter.is_open() {
            return &[Command::Accept, Command::Cancel];
        }
        const HINTS: &[Command] = &[
            Command::Install,
            Command::Open,
            Command::NewDeployment,
            Command::ShowLogs,
            Command::Settle,
            Command::Change,
            Command::Filter,
            Command::FaultsOnly,
            Command::Palette,
            Command::Help,
            Command::CopyUrl,
        ];
        HINTS
    }

    fn lasts(&self, world: &World, now: Timestamp, size: Size) -> Option<Duration> {
        let visible = self.shown.iter().skip(self.cursor.offset).take(Self::page(size));
        let applications = visible.filter_map(|index| world.applications.get(*index));
        let lasts = |application: &std::sync::Arc<Application>| {
            let age = format::age_lasts(now, application.deployment.created_at);
            if application.health() == Health::Progressing { age.min(SPIN) } else { age }
        };
        let probed = self.selected_in(world).and_then(|selected| selected.routes.first()?.probe.as_ref());
        let probed = probed.map(|probe| format::roughly_lasts(now, probe.at));
        let kept = self.shown.iter().skip(self.cursor.offset).take(Self::page(size));
        let kept = kept.filter_map(|index| self.rows.kept(*index)).map(|made| format::age_lasts(now, made));
        applications.map(lasts).chain(probed).chain(kept).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
