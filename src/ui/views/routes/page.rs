//! One route: why it does not work, how long each phase took, where it leads, what answers behind it, its certificates.

mod sections;

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::standing::Standing;
use super::{lasts, on_route};
use crate::domain::World;
use crate::domain::route::RouteView;
use crate::domain::world::Application;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, RouteKey, Screen, Step, Tab};
use crate::ui::widgets::page::{Page, plain};
use crate::ui::widgets::{empty, headed};

/// What a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Its URL.
    Url,
    /// Its application.
    Application,
    /// What answers behind it: its log.
    Backend,
    /// Something to read.
    Text,
}

/// What the page shows.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The application.
    pub application: &'a Application,
    /// The route.
    pub route: &'a RouteView,
    /// The picture.
    pub world: &'a World,
}

/// One route.
#[derive(Debug)]
pub struct RoutePage {
    key: RouteKey,
    cursor: Cursor,
}

impl RoutePage {
    /// Its name.
    pub const NAME: &str = "route";

    /// The page of a route.
    pub fn new(key: RouteKey) -> Self {
        Self { key, cursor: Cursor::default() }
    }

    fn shown<'a>(&self, world: &'a World) -> Option<Shown<'a>> {
        let (application, route) = self.key.find(world)?;
        Some(Shown { application, route, world })
    }

    fn item(&self, world: &World, size: Size) -> Option<Item> {
        let shown = self.shown(world)?;
        plain(|look| page(shown, look, size.width).item_at(self.cursor.at))
    }

    fn open(&self, shown: Shown<'_>, context: &mut Context<'_>) {
        match self.item(context.world, context.size) {
            Some(Item::Url) => context.copy(&shown.route.url),
            Some(Item::Application) => {
                let key = self.key.application.clone();
                context.steps.push(Step::ShowApplication(key, Tab::Overview));
            }
            Some(Item::Backend) => {
                on_route(Command::ShowLogs, (shown.application, shown.route), context);
            }
            Some(Item::Text) | None => {}
        }
    }
}

fn page<'a>(shown: Shown<'_>, look: &'a Look<'a>, width: u16) -> Page<'a, Item> {
    let mut page = Page::new(look, width);
    sections::all(&mut page, shown);
    page
}

impl Screen for RoutePage {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn subject(&self, _world: &World) -> Option<ApplicationKey> {
        Some(self.key.application.clone())
    }

    fn flags(&self, world: &World, size: Size, flags: &mut Flags) {
        flags.set(Flag::Routes, true);
        flags.set(Flag::Url, self.shown(world).is_some());
        flags.set(Flag::Row, !matches!(self.item(world, size), Some(Item::Text) | None));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let Some(shown) = self.shown(context.world) else { return false };
        if command == Command::Open {
            self.open(shown, context);
            return true;
        }
        if on_route(command, (shown.application, shown.route), context) {
            return true;
        }
        let (size, cursor) = (context.size, &mut self.cursor);
        plain(|look| page(shown, look, size.width).move_cursor(cursor, command, headed::height(size)))
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let Some(shown) = self.shown(context.world) else { return };
        let (size, cursor) = (context.size, &mut self.cursor);
        plain(|look| page(shown, look, size.width).settle(cursor, headed::height(size)));
    }

    fn hints(&self) -> &'static [Command] {
        const HINTS: &[Command] = &[
            Command::TestRoute,
            Command::ShowQr,
            Command::CopyUrl,
            Command::ShowLogs,
            Command::ShowOverview,
            Command::Open,
            Command::ConfigureEnvironment,
            Command::Help,
            Command::Back,
        ];
        HINTS
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        lasts(self.shown(world)?.route, now)
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let content = headed::content(area);
        let name = self.key.url.clone();
        let Some(shown) = self.shown(world) else {
            headed::head(area, look, ("Routes › ", name), Line::default(), buffer);
            let next = "its host was taken away, its service is gone, or its application is".to_owned();
            empty(buffer, content, look, "There is no such route any more", &[next]);
            return;
        };
        let standing = Standing::of(shown.application, shown.route);
        let place = ("Routes › ", shown.route.host.clone());
        headed::head(area, look, place, Line::from(standing.span(look)), buffer);
        page(shown, look, area.width).draw(self.cursor, content, buffer);
    }
}
