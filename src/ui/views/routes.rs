//! Routes: every URL, whether it works, how fast, and why not.

mod about;
mod act;
mod page;
mod place;
mod rows;
mod standing;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use self::act::on_route;
pub use self::page::RoutePage;
use self::rows::{Rows, Sort};
pub use self::standing::{Standing, certificate, days_span};
use crate::domain::World;
use crate::domain::route::RouteView;
use crate::domain::world::Application;
use crate::ui::filter::Filter;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, RouteKey, Screen, Step};

/// Every route, as a live table.
#[derive(Debug)]
pub struct RoutesView {
    rows: Rows,
    /// The rows that the filter lets through, sorted.
    shown: Vec<usize>,
    cursor: Cursor,
    /// The route that the cursor is on: it stays there when others come and go. None until it was moved: then it is the first one,
    /// the worst.
    selected: Option<RouteKey>,
    /// Only what belongs to this environment is shown.
    scope: Option<String>,
    filter: Filter,
    faults_only: bool,
    sort: Sort,
}

impl Default for RoutesView {
    fn default() -> Self {
        let filter = Filter::new("host, env:demo, state:fails, code:503, !not");
        let (rows, shown, cursor, selected, scope) = Default::default();
        let (faults_only, sort) = Default::default();
        Self { rows, shown, cursor, selected, scope, filter, faults_only, sort }
    }
}

impl RoutesView {
    /// Its name.
    pub const NAME: &str = "routes";

    fn page(world: &World, size: Size) -> usize {
        let warned = u16::try_from(table::warnings(world, size.width).len()).unwrap_or(0);
        let area = Rect::new(0, 0, size.width, size.height);
        usize::from(table::Areas::new(area, warned).rows.height)
    }

    /// The route that the cursor is on, and its application.
    fn selected_in<'a>(&self, world: &'a World) -> Option<(&'a Application, &'a RouteView)> {
        self.rows.find(*self.shown.get(self.cursor.at)?, world)
    }

    /// Filters and sorts anew; the cursor stays on its route where it is still shown.
    fn reorder(&mut self, context: &Context<'_>) {
        let found = self.filter.query().matches(self.rows.haystacks()).into_iter();
        let of_scope = |index: &usize| {
            let environment = self.rows.key(*index).map(|key| &key.application.environment);
            self.scope.as_ref().is_none_or(|scope| environment == Some(scope))
        };
        let faults = self.faults_only;
        let found = found.filter(of_scope);
        self.shown = found.filter(|index| !faults || self.rows.standing(*index).is_fault()).collect();
        self.rows.sort(&mut self.shown, self.sort);
        if let Some(key) = &self.selected
            && let Some(at) = self.shown.iter().position(|index| self.rows.key(*index) == Some(key))
        {
            self.cursor.at = at;
        }
        self.cursor.settle(self.shown.len(), Self::page(context.world, context.size));
    }

    fn cursor_command(&mut self, command: Command, context: &Context<'_>) -> bool {
        let page = Self::page(context.world, context.size);
        let moved = self.cursor.command(command, self.shown.len(), page);
        if moved {
            let at = self.shown.get(self.cursor.at);
            self.selected = at.and_then(|index| self.rows.key(*index)).cloned();
        }
        moved
    }

    /// The next environment that has routes, after the last one all of them.
    fn turn_scope(&mut self, context: &Context<'_>) {
        let keys = (0..self.rows.len()).filter_map(|index| self.rows.key(index));
        let mut names: Vec<String> = keys.map(|key| key.application.environment.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let at = self.scope.as_ref().and_then(|scope| names.iter().position(|name| name == scope));
        self.scope = names.into_iter().nth(at.map_or(0, |at| at + 1));
        self.reorder(context);
    }

    /// Commands while the filter is being typed.
    fn command_in_filter(&mut self, command: Command, context: &Context<'_>) -> bool {
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

    /// What narrows the table.
    fn narrow(&mut self, command: Command, context: &Context<'_>) -> bool {
        match command {
            Command::Filter => {
                self.filter.open();
                return true;
            }
            Command::FaultsOnly => self.faults_only = !self.faults_only,
            Command::Sort => self.sort = self.sort.next(self.rows.is_secure()),
            Command::Scope => {
                self.turn_scope(context);
                return true;
            }
            Command::Back if self.faults_only || self.scope.is_some() || !self.filter.is_empty() => {
                (self.faults_only, self.scope) = (false, None);
                self.filter.clear();
            }
            _ => return false,
        }
        self.reorder(context);
        true
    }
}

/// How long what is said of a route stays true by itself.
fn lasts(route: &RouteView, now: Timestamp) -> Option<Duration> {
    Some(format::roughly_lasts(now, route.probe.as_ref()?.at))
}

impl Screen for RoutesView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        if self.filter.is_open() { Layer::Input } else { Layer::Table }
    }

    fn subject(&self, world: &World) -> Option<ApplicationKey> {
        self.selected_in(world).map(|(application, _)| ApplicationKey::of(application))
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        let selected = self.selected_in(world).is_some();
        flags.set(Flag::Routes, true);
        flags.set(Flag::Row, selected);
        flags.set(Flag::Url, selected);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.filter.is_open() {
            return self.command_in_filter(command, context);
        }
        if self.narrow(command, context) {
            return true;
        }
        let world = context.world;
        match (command, self.selected_in(world)) {
            (Command::Open, Some((application, route))) => {
                context.steps.push(Step::ShowRoute(RouteKey::of(application, route)));
                true
            }
            (other, Some(selected)) if on_route(other, selected, context) => true,
            (other, _) => self.cursor_command(other, context),
        }
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
            Command::Open,
            Command::TestRoute,
            Command::ShowQr,
            Command::ShowLogs,
            Command::ShowOverview,
            Command::FaultsOnly,
            Command::Filter,
            Command::Scope,
            Command::Help,
            Command::Palette,
            Command::Back,
        ];
        HINTS
    }

    fn lasts(&self, world: &World, now: Timestamp, size: Size) -> Option<Duration> {
        let visible = self.shown.iter().skip(self.cursor.offset).take(Self::page(world, size));
        visible.filter_map(|index| lasts(self.rows.find(*index, world)?.1, now)).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
