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
pub use self::place::{OPEN_TO, facts as place_facts, line as place_line};
use self::rows::Rows;
pub use self::standing::{Standing, certificate, days_span};
use crate::domain::World;
use crate::domain::route::RouteView;
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::listing::Listing;
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, RouteKey, Screen, Step};

/// Every route, as a live table. Until the cursor was moved, the first one has it, the worst.
#[derive(Debug)]
pub struct RoutesView {
    list: Listing<Rows>,
}

impl Default for RoutesView {
    fn default() -> Self {
        Self { list: Listing::new("host, env:demo, state:fails, code:503, !not") }
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
        self.list.rows().find(self.list.current()?, world)
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
        self.list.layer()
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
        if self.list.is_typing() {
            return self.list.command(command);
        }
        match (command, self.selected_in(context.world)) {
            (Command::Open, Some((application, route))) => {
                context.steps.push(Step::ShowRoute(RouteKey::of(application, route)));
                true
            }
            (other, Some(selected)) if on_route(other, selected, context) => true,
            (other, _) => self.list.command(other),
        }
    }

    fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        self.list.key(key);
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.list.paste(text);
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let page = Self::page(context.world, context.size);
        self.list.take(page, |rows| rows.take(context.world, context.now));
    }

    fn hints(&self) -> &'static [Command] {
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
        self.list.hints(HINTS)
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let routes = self.list.on_screen().filter_map(|index| self.list.rows().find(index, world));
        routes.filter_map(|(_, route)| lasts(route, now)).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
