//! Environments: one row each, how it is, how it is reached, and by whom.

mod about;
mod act;
mod page;
mod rows;
mod summary;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use self::act::on_environment;
pub use self::page::EnvironmentPage;
use self::rows::Rows;
use self::summary::Summary;
use crate::domain::{Environment, Health, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::listing::Listing;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::views::progress;

/// The environments of the cluster, as a live table.
#[derive(Debug)]
pub struct EnvironmentsView {
    list: Listing<Rows>,
}

impl Default for EnvironmentsView {
    fn default() -> Self {
        Self { list: Listing::new("name, class:nginx, tls:off, prod, !not").holding() }
    }
}

impl EnvironmentsView {
    /// Its name.
    pub const NAME: &str = "environments";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn selected_in<'a>(&self, world: &'a World) -> Option<&'a Environment> {
        let row = self.list.rows().get(self.list.current()?)?;
        world.environment(&row.name)
    }
}

/// How long what is said of an environment stays true by itself.
fn lasts(summary: &Summary<'_>, now: Timestamp) -> Option<Duration> {
    let spins = summary.healths.iter().any(|(health, _)| *health == Health::Progressing);
    let kept = summary.kept.and_then(|kept| kept.since).map(|since| format::age_lasts(now, since));
    let next = summary.kept.and_then(|kept| kept.next).map(|next| format::until_lasts(now, next));
    let operation = summary.operation.map(|view| {
        let times = &view.operation.times;
        progress::lasts(view, now)
            .unwrap_or_else(|| format::age_lasts(now, times.ended.unwrap_or(times.created)))
    });
    spins.then_some(SPIN).into_iter().chain(kept).chain(next).chain(operation).min()
}

impl Screen for EnvironmentsView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        self.list.layer()
    }

    fn environment(&self, world: &World) -> Option<String> {
        self.selected_in(world).map(|environment| environment.name.clone())
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Environments, true);
        flags.set(Flag::Row, self.selected_in(world).is_some());
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.list.is_typing() {
            return self.list.command(command);
        }
        match (command, self.selected_in(context.world)) {
            (Command::Open, Some(selected)) => context.steps.push(Step::ShowPlace(selected.name.clone())),
            (other, Some(selected)) if on_environment(other, &selected.name, context) => {}
            (other, _) => return self.list.command(other),
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
        self.list.take(Self::page(context.size), |rows| rows.take(context.world, context.now));
    }

    fn hints(&self) -> &'static [Command] {
        const HINTS: &[Command] = &[
            Command::Open,
            Command::ShowItsApplications,
            Command::ConfigureEnvironment,
            Command::NewEnvironment,
            Command::FaultsOnly,
            Command::Filter,
            Command::Sort,
            Command::BackUpEnvironment,
            Command::CloneEnvironment,
            Command::RemoveEnvironment,
            Command::Help,
            Command::Palette,
        ];
        self.list.hints(HINTS)
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let visible = self.list.on_screen().filter_map(|index| self.list.rows().get(index));
        let environments = visible.filter_map(|row| world.environment(&row.name));
        environments.filter_map(|it| lasts(&Summary::of(it, world, Some(now)), now)).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
