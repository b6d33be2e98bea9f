//! The applications: one row each, live.

mod rows;
mod table;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::rows::Rows;
use crate::domain::world::Application;
use crate::domain::{Health, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::listing::Listing;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::routes::on_route;

/// The applications of the cluster, as a live table.
#[derive(Debug)]
pub struct ApplicationsView {
    list: Listing<Rows>,
}

impl Default for ApplicationsView {
    fn default() -> Self {
        Self { list: Listing::new("name, env:demo, health:degraded, !not").holding() }
    }
}

impl ApplicationsView {
    /// Its name.
    pub const NAME: &str = "applications";

    fn page(size: Size) -> usize {
        usize::from(table::Areas::new(Rect::new(0, 0, size.width, size.height)).rows.height)
    }

    fn selected_in<'a>(&self, world: &'a World) -> Option<&'a Application> {
        world.applications.get(self.list.current()?).map(|application| &**application)
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
}

impl Screen for ApplicationsView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        self.list.layer()
    }

    fn subject(&self, world: &World) -> Option<ApplicationKey> {
        self.selected_in(world).map(ApplicationKey::of)
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        let selected = self.selected_in(world);
        flags.set(Flag::Applications, self.list.len() > 0);
        flags.set(Flag::Row, selected.is_some());
        flags.set(Flag::Url, selected.is_some_and(|application| !application.routes.is_empty()));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.list.is_typing() {
            return self.list.command(command);
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
            other => return self.list.command(other),
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
        self.list.hints(HINTS)
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let applications = self.list.on_screen().filter_map(|index| world.applications.get(index));
        let lasts = |application: &std::sync::Arc<Application>| {
            let age = format::age_lasts(now, application.deployment.created_at);
            if application.health() == Health::Progressing { age.min(SPIN) } else { age }
        };
        let probed = self.selected_in(world).and_then(|selected| selected.routes.first()?.probe.as_ref());
        let probed = probed.map(|probe| format::roughly_lasts(now, probe.at));
        let kept = self.list.on_screen().filter_map(|index| self.list.rows().kept(index));
        let kept = kept.map(|made| format::age_lasts(now, made));
        applications.map(lasts).chain(probed).chain(kept).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        table::draw(self, world, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
