//! One environment: what is in it and how that is, what was done to it, what is said of it, and what it inherits.

mod sections;

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::summary::{Summary, health_spans};
use super::{lasts, on_environment};
use crate::domain::{OperationId, World};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, RouteKey, Screen, Step, Tab};
use crate::ui::theme::Role;
use crate::ui::widgets::page::{Page, plain};
use crate::ui::widgets::{empty, headed};

/// What a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An application in it.
    Application(ApplicationKey),
    /// A route of one of them.
    Route(RouteKey),
    /// An operation about it.
    Operation(OperationId),
    /// Something to read.
    Text,
}

/// One environment.
#[derive(Debug)]
pub struct EnvironmentPage {
    name: String,
    cursor: Cursor,
}

impl EnvironmentPage {
    /// Its name.
    pub const NAME: &str = "place";

    /// The page of an environment.
    pub fn new(name: String) -> Self {
        Self { name, cursor: Cursor::default() }
    }

    fn item(&self, world: &World, size: Size) -> Option<Item> {
        plain(|look| page(&self.name, world, look, size.width)?.item_at(self.cursor.at))
    }

    fn open(&self, context: &mut Context<'_>) {
        context.steps.extend(match self.item(context.world, context.size) {
            Some(Item::Application(key)) => Some(Step::ShowApplication(key, Tab::Overview)),
            Some(Item::Route(key)) => Some(Step::ShowRoute(key)),
            Some(Item::Operation(id)) => Some(Step::ShowOperation(id)),
            Some(Item::Text) | None => None,
        });
    }
}

fn page<'a>(name: &str, world: &World, look: &'a Look<'a>, width: u16) -> Option<Page<'a, Item>> {
    let summary = Summary::of(world.environment(name)?, world, look.now);
    let mut page = Page::new(look, width);
    sections::all(&mut page, &summary, world);
    Some(page)
}

impl Screen for EnvironmentPage {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn environment(&self, _world: &World) -> Option<String> {
        Some(self.name.clone())
    }

    fn flags(&self, world: &World, size: Size, flags: &mut Flags) {
        flags.set(Flag::Environments, true);
        flags.set(Flag::Row, !matches!(self.item(world, size), Some(Item::Text) | None));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let world = context.world;
        if world.environment(&self.name).is_none() {
            return false;
        }
        if command == Command::Open {
            self.open(context);
            return true;
        }
        if on_environment(command, &self.name, context) {
            return true;
        }
        let (size, cursor, name) = (context.size, &mut self.cursor, &self.name);
        let height = headed::height(size);
        plain(|look| {
            page(name, world, look, size.width).is_some_and(|page| page.move_cursor(cursor, command, height))
        })
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let (size, cursor) = (context.size, &mut self.cursor);
        plain(|look| {
            if let Some(page) = page(&self.name, context.world, look, size.width) {
                page.settle(cursor, headed::height(size));
            }
        });
    }

    fn hints(&self) -> &'static [Command] {
        const HINTS: &[Command] = &[
            Command::Open,
            Command::ShowItsApplications,
            Command::ConfigureEnvironment,
            Command::BackUpEnvironment,
            Command::CloneEnvironment,
            Command::RemoveEnvironment,
            Command::Next,
            Command::Help,
            Command::Back,
        ];
        HINTS
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        lasts(&Summary::of(world.environment(&self.name)?, world, Some(now)), now)
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let content = headed::content(area);
        let place = ("Environments › ", self.name.clone());
        let Some(environment) = world.environment(&self.name) else {
            headed::head(area, look, place, Line::default(), buffer);
            let next = "it was removed; what was in it may be in a backup".to_owned();
            empty(buffer, content, look, "There is no such environment any more", &[next]);
            return;
        };
        let mut right = health_spans(&Summary::of(environment, world, look.now).healths, look);
        if environment.production {
            right.insert(0, look.span(Role::Warn, "production"));
            right.insert(1, Span::raw("   "));
        }
        headed::head(area, look, place, Line::from(right), buffer);
        if let Some(page) = page(&self.name, world, look, area.width) {
            page.draw(self.cursor, content, buffer);
        }
    }
}
