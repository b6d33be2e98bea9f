//! One application: what it consists of, what happened to it, what it writes.

mod events;
mod log_buffer;
mod log_line;
mod logs;
mod objects;
mod overview;
mod page;

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::logs::Logs;
use crate::domain::world::{Application, LogTarget};
use crate::domain::{Health, World};
use crate::ui::event::{Reply, RequestId};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::toast::Toast;

/// One application, in tabs.
#[derive(Debug)]
pub struct ApplicationView {
    key: ApplicationKey,
    tab: Tab,
    overview: Cursor,
    events: Cursor,
    objects: Cursor,
    logs: Logs,
}

impl ApplicationView {
    /// Its name.
    pub const NAME: &str = "application";

    /// The view of an application, at a tab.
    pub fn new(key: ApplicationKey, tab: Tab) -> Self {
        let (overview, events, objects) = Default::default();
        Self { key, tab, overview, events, objects, logs: Logs::default() }
    }

    fn application<'a>(&self, world: &'a World) -> Option<&'a Application> {
        self.key.find(world)
    }

    fn show(&mut self, tab: Tab, context: &mut Context<'_>) {
        if self.tab == Tab::Logs && tab != Tab::Logs {
            self.logs.stop(context);
        }
        if tab == Tab::Logs && self.tab == Tab::Overview && self.overview.at > 0 {
            // The container under the cursor is what the person means, once it was moved there.
            let application = self.application(context.world);
            let under =
                application.and_then(|it| overview::item_at(it, context.size.width, self.overview.at));
            if let Some(overview::Item::Container(target)) = under {
                self.logs.choose(target);
            }
        }
        self.tab = tab;
        self.refresh(context);
    }

    fn turn(&mut self, command: Command, context: &mut Context<'_>) {
        let count = Tab::ALL.len();
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let next = if command == Command::Next { at + 1 } else { at + count - 1 };
        self.show(Tab::ALL[next % count], context);
    }

    fn cursor_command(&mut self, command: Command, context: &Context<'_>) -> bool {
        let Some(application) = self.application(context.world) else { return false };
        let page = usize::from(page::Areas::new(context.size).content.height);
        match self.tab {
            Tab::Overview => overview::move_cursor(&mut self.overview, command, application, context.size),
            Tab::Events => self.events.command(command, application.events.len(), page.saturating_sub(4)),
            Tab::Objects => self.objects.command(command, application.objects.len(), page.saturating_sub(1)),
            Tab::Logs => false,
        }
    }

    /// Enter: whatever the thing under the cursor opens into.
    fn open(&mut self, context: &mut Context<'_>) {
        if self.tab != Tab::Overview {
            return;
        }
        let application = self.application(context.world);
        let item = application.and_then(|it| overview::item_at(it, context.size.width, self.overview.at));
        match item {
            Some(overview::Item::Container(target)) => {
                self.logs.choose(target);
                self.show(Tab::Logs, context);
            }
            Some(overview::Item::Url(url)) => context.copy(&url),
            Some(overview::Item::Text) | None => {}
        }
    }

    fn copy(&self, command: Command, context: &mut Context<'_>) {
        let Some(application) = self.application(context.world) else { return };
        let under = overview::item_at(application, context.size.width, self.overview.at);
        let text = match (command, self.tab, under) {
            (Command::CopyUrl, Tab::Overview, Some(overview::Item::Url(url))) => Some(url),
            (Command::CopyUrl, ..) => application.urls.first().map(|url| url.url.clone()),
            (_, Tab::Overview, Some(overview::Item::Container(target))) => Some(target.pod),
            (_, Tab::Objects, _) => {
                application.objects.get(self.objects.at).map(|object| object.key.name.clone())
            }
            _ => Some(application.deployment.draft.name.clone()),
        };
        match text {
            Some(text) => context.copy(&text),
            None => context.say(Toast::hint("It has no URL")),
        }
    }

    fn pick_container(&self, context: &mut Context<'_>) {
        let targets =
            self.application(context.world).map(|it| logs::targets(it, context.world)).unwrap_or_default();
        if targets.is_empty() {
            context.say(Toast::hint("It has no containers yet"));
        } else {
            context.steps.push(Step::PickContainer(targets));
        }
    }
}

impl Screen for ApplicationView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        if self.tab == Tab::Logs && self.logs.is_searching() { Layer::Input } else { Layer::Detail }
    }

    fn subject(&self, _world: &World) -> Option<ApplicationKey> {
        Some(self.key.clone())
    }

    fn flags(&self, world: &World, size: Size, flags: &mut Flags) {
        let application = self.application(world);
        flags.set(Flag::Logs, self.tab == Tab::Logs);
        flags.set(Flag::Url, application.is_some_and(|application| !application.urls.is_empty()));
        let under = application.and_then(|it| overview::item_at(it, size.width, self.overview.at));
        let opens = matches!(under, Some(overview::Item::Container(_) | overview::Item::Url(_)));
        flags.set(Flag::Row, self.tab == Tab::Overview && opens);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.tab == Tab::Logs && self.logs.command(command, context) {
            return true;
        }
        match command {
            Command::ShowOverview => self.show(Tab::Overview, context),
            Command::ShowEvents => self.show(Tab::Events, context),
            Command::ShowLogs => self.show(Tab::Logs, context),
            Command::ShowObjects => self.show(Tab::Objects, context),
            Command::Next | Command::Previous => self.turn(command, context),
            Command::Open => self.open(context),
            Command::CopyUrl | Command::CopyName => self.copy(command, context),
            Command::LogContainer => self.pick_container(context),
            other => return self.cursor_command(other, context),
        }
        true
    }

    fn key(&mut self, key: KeyEvent, context: &mut Context<'_>) {
        self.logs.key(key, context);
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.logs.paste(text);
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        let restarts = self.application(context.world).map_or(0, |it| self.logs.restarts(it));
        self.logs.reply(id, reply, restarts)
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let page = usize::from(page::Areas::new(context.size).content.height);
        let Some(application) = self.application(context.world) else { return };
        overview::settle(&mut self.overview, application, context.size);
        self.events.settle(application.events.len(), page.saturating_sub(4));
        self.objects.settle(application.objects.len(), page.saturating_sub(1));
        if self.tab == Tab::Logs {
            self.logs.refresh(application, context);
        }
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        self.logs.stop(context);
    }

    fn follow(&mut self, target: LogTarget, context: &mut Context<'_>) {
        self.logs.stop(context);
        self.logs.choose(target);
        self.show(Tab::Logs, context);
    }

    fn hints(&self) -> &'static [Command] {
        if self.layer() == Layer::Input {
            return &[Command::Accept, Command::Cancel];
        }
        match self.tab {
            Tab::Logs => &[
                Command::LogPause,
                Command::LogContainer,
                Command::Search,
                Command::NextMatch,
                Command::LogWrap,
                Command::Bottom,
                Command::Help,
                Command::Back,
            ],
            _ => &[
                Command::ShowLogs,
                Command::ShowEvents,
                Command::ShowObjects,
                Command::Settle,
                Command::CancelOperation,
                Command::Change,
                Command::CopyUrl,
                Command::Next,
                Command::Help,
                Command::Back,
            ],
        }
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let application = self.application(world)?;
        let spins = (application.health() == Health::Progressing).then_some(SPIN);
        let last = |then: Timestamp| format::age_lasts(now, then);
        let probes = application
            .urls
            .iter()
            .filter_map(|url| url.probe.as_ref())
            .map(|probe| format::roughly_lasts(now, probe.at));
        let pods =
            application.components.iter().flat_map(|part| &part.pods).filter_map(|pod| pod.created).map(last);
        let ages: Option<Duration> = match self.tab {
            Tab::Overview => probes.chain(pods).min(),
            Tab::Events => application.events.iter().map(|event| last(event.at)).min(),
            Tab::Objects => application.objects.iter().filter_map(|object| object.created).map(last).min(),
            Tab::Logs => None,
        };
        spins.into_iter().chain(ages).chain([last(application.deployment.created_at)]).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let areas = page::Areas::inside(area);
        let Some(application) = self.application(world) else {
            page::gone(&self.key, world, look, area, buffer);
            return;
        };
        page::head(application, look, &areas, buffer);
        page::tabs(application, self.tab, look, areas.tabs, buffer);
        match self.tab {
            Tab::Overview => overview::draw(application, self.overview, look, areas.content, buffer),
            Tab::Events => events::draw(application, self.events, look, areas.content, buffer),
            Tab::Logs => self.logs.draw(application, look, areas.content, buffer),
            Tab::Objects => objects::draw(application, self.objects, look, areas.content, buffer),
        }
    }
}

#[cfg(test)]
mod tests;
