//! One application: what it consists of, what happened to it, what it writes.

mod actions;
mod backups;
mod drift;
mod events;
mod history;
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

use self::actions::last_run;
pub use self::actions::manual;
use self::history::History;
pub use self::history::earlier;
use self::logs::Logs;
use self::overview::{Item, Shown};
use crate::domain::backup::Backup;
use crate::domain::driver::ActionSpec;
use crate::domain::world::{Application, LogTarget};
use crate::domain::{Health, Intent, World};
use crate::ui::event::{Reply, RequestId};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{ApplicationKey, Context, RouteKey, Screen, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::backups::on_backup;
use crate::ui::views::operations::ask_for_answer;
use crate::ui::views::progress;
use crate::ui::views::routes::on_route;

/// One application, in tabs.
#[derive(Debug)]
pub struct ApplicationView {
    key: ApplicationKey,
    tab: Tab,
    overview: Cursor,
    events: Cursor,
    objects: Cursor,
    drift: Cursor,
    actions: Cursor,
    backups: Cursor,
    history: History,
    logs: Logs,
}

impl ApplicationView {
    /// Its name.
    pub const NAME: &str = "application";

    /// The view of an application, at a tab.
    pub fn new(key: ApplicationKey, tab: Tab) -> Self {
        let (overview, events, objects, drift, actions, backups) = Default::default();
        let (history, logs) = Default::default();
        Self { key, tab, overview, events, objects, drift, actions, backups, history, logs }
    }

    fn application<'a>(&self, world: &'a World) -> Option<&'a Application> {
        self.key.find(world)
    }

    /// What the cursor of the overview is on.
    fn under(&self, world: &World, size: Size) -> Option<Item> {
        overview::item_at(Shown::of(self.application(world)?, world), size.width, self.overview.at)
    }

    fn show(&mut self, tab: Tab, context: &mut Context<'_>) {
        if self.tab == Tab::Logs && tab != Tab::Logs {
            self.logs.stop(context);
        }
        if tab == Tab::Logs && self.tab == Tab::Overview && self.overview.at > 0 {
            // The container under the cursor is what the person means, once it was moved there.
            if let Some(Item::Container(target)) = self.under(context.world, context.size) {
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
        let Some(application) = self.key.find(context.world) else { return false };
        let height = page::Areas::new(context.size).content.height;
        let page = usize::from(height);
        match self.tab {
            Tab::Overview => {
                let shown = Shown::of(application, context.world);
                overview::move_cursor(&mut self.overview, command, shown, context.size)
            }
            Tab::Events => self.events.command(command, application.events.len(), page.saturating_sub(4)),
            Tab::Objects => self.objects.command(command, application.objects.len(), page.saturating_sub(1)),
            Tab::History => self.history.command(command, application, height),
            Tab::Drift => {
                drift::move_cursor(&mut self.drift, command, application, context.size.width, height)
            }
            Tab::Actions => {
                let shown = actions::Shown { application, world: context.world };
                actions::move_cursor(&mut self.actions, command, shown, (context.size.width, height))
            }
            Tab::Backups => {
                let shown = actions::Shown { application, world: context.world };
                backups::move_cursor(&mut self.backups, command, shown, (context.size.width, height))
            }
            Tab::Logs => false,
        }
    }

    /// Enter: whatever the thing under the cursor opens into.
    fn open(&mut self, context: &mut Context<'_>) {
        match self.tab {
            Tab::History => return self.compare(context),
            Tab::Actions => return self.act(false, context),
            Tab::Backups => {
                let id = self.backup(context.world, context.size).map(|backup| backup.id.clone());
                context.steps.extend(id.map(Step::ShowBackup));
                return;
            }
            Tab::Overview => {}
            Tab::Events | Tab::Logs | Tab::Objects | Tab::Drift => return,
        }
        match self.under(context.world, context.size) {
            Some(Item::Container(target)) => {
                self.logs.choose(target);
                self.show(Tab::Logs, context);
            }
            Some(Item::Route(url)) => {
                context.steps.push(Step::ShowRoute(RouteKey { application: self.key.clone(), url }));
            }
            Some(Item::Operation(id)) => context.steps.push(Step::ShowOperation(id)),
            Some(Item::Text) | None => {}
        }
    }

    /// The backup under the cursor.
    fn backup<'a>(&self, world: &'a World, size: Size) -> Option<&'a Backup> {
        let shown = actions::Shown { application: self.application(world)?, world };
        backups::selected(self.backups, shown, size.width).filter(|_| self.tab == Tab::Backups)
    }

    /// The action under the cursor.
    fn action<'a>(&self, world: &'a World, size: Size) -> Option<&'a ActionSpec> {
        let shown = actions::Shown { application: self.application(world)?, world };
        actions::selected(self.actions, shown, size.width).filter(|_| self.tab == Tab::Actions)
    }

    /// Runs the action under the cursor: with the answers of its last run when `again`. One that runs is shown instead.
    fn act(&self, again: bool, context: &mut Context<'_>) {
        let Some(application) = self.application(context.world) else { return };
        let Some(action) = self.action(context.world, context.size) else { return };
        let last = last_run(application, context.world, &action.name).map(|view| &view.operation);
        if let Some(running) = last.filter(|last| !last.state.is_final()) {
            context.steps.push(Step::ShowOperation(running.id));
            return;
        }
        let request = last.filter(|_| again).and_then(|last| last.action.clone());
        if again && request.is_none() {
            context.say(Toast::hint("It was not run yet"));
            return;
        }
        let name = action.name.clone();
        context.steps.push(Step::RunAction(self.key.clone(), name, request.map(Box::new)));
    }

    fn compare(&self, context: &mut Context<'_>) {
        let pair = self.application(context.world).and_then(|application| self.history.pair(application));
        match pair {
            Some((old, new)) => context.steps.push(Step::Compare(self.key.clone(), old, new)),
            None => context.say(Toast::hint("There is nothing to compare it with: it is the only instance")),
        }
    }

    fn mark(&mut self, world: &World) {
        if let Some(application) = self.key.find(world) {
            self.history.mark(application);
        }
    }

    /// In the history, a rollback goes to the instance under the cursor.
    fn roll_back(&self, context: &mut Context<'_>) {
        let Some(application) = self.application(context.world) else { return };
        let Some(number) = self.history.selected(application).map(|instance| instance.number) else { return };
        if history::can_roll_back_to(application, number) {
            context.steps.push(Step::Plan(Box::new(Intent::Rollback(application.deployment.id, number))));
        } else {
            context.say(Toast::hint(format!("Instance {number} is what is wanted already")));
        }
    }

    fn answer(&self, context: &mut Context<'_>) {
        let application = self.application(context.world);
        match application.and_then(|application| progress::open(context.world, application)) {
            Some(view) => ask_for_answer(view, None, context),
            None => context.say(Toast::hint("Nothing is being done to it")),
        }
    }

    fn copy_name(&self, context: &mut Context<'_>) {
        let Some(application) = self.application(context.world) else { return };
        let under = self.under(context.world, context.size);
        let object = application.objects.get(self.objects.at).filter(|_| self.tab == Tab::Objects);
        let text = match (under.filter(|_| self.tab == Tab::Overview), object) {
            (Some(Item::Container(target)), _) => target.pod,
            (_, Some(object)) => object.key.name.clone(),
            _ => application.deployment.draft.name.clone(),
        };
        context.copy(&text);
    }

    /// What is done with its route: the one under the cursor of the overview, else the first one.
    fn on_route(&self, command: Command, context: &mut Context<'_>) {
        let Some(application) = self.application(context.world) else { return };
        let under = self.under(context.world, context.size).filter(|_| self.tab == Tab::Overview);
        let chosen = match under {
            Some(Item::Route(url)) => application.routes.iter().find(|route| route.url == url),
            _ => application.routes.first(),
        };
        match chosen {
            Some(route) => drop(on_route(command, (application, route), context)),
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
        flags.set(Flag::History, self.tab == Tab::History);
        let Some(application) = application else { return };
        flags.set(Flag::Url, !application.routes.is_empty());
        let operation = progress::open(world, application);
        flags.set(Flag::Asking, operation.is_some_and(progress::asks));
        let opens = match self.tab {
            Tab::Overview => {
                matches!(
                    self.under(world, size),
                    Some(Item::Container(_) | Item::Route(_) | Item::Operation(_))
                )
            }
            Tab::History => self.history.pair(application).is_some(),
            Tab::Actions => self.action(world, size).is_some(),
            Tab::Backups => self.backup(world, size).is_some(),
            Tab::Events | Tab::Logs | Tab::Objects | Tab::Drift => false,
        };
        flags.set(Flag::Row, opens);
        flags.set(Flag::Backup, self.backup(world, size).is_some());
        let action = self.action(world, size);
        flags.set(Flag::Ran, action.is_some_and(|it| last_run(application, world, &it.name).is_some()));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.tab == Tab::Logs && self.logs.command(command, context) {
            return true;
        }
        if let Some(tab) = Tab::of(command) {
            self.show(tab, context);
            return true;
        }
        match command {
            Command::Next | Command::Previous => self.turn(command, context),
            Command::Open => self.open(context),
            Command::CopyUrl | Command::ShowQr | Command::TestRoute => self.on_route(command, context),
            Command::CopyName => self.copy_name(context),
            Command::LogContainer => self.pick_container(context),
            Command::Mark if self.tab == Tab::History => self.mark(context.world),
            Command::RollBack if self.tab == Tab::History => self.roll_back(context),
            Command::RunAgain if self.tab == Tab::Actions => self.act(true, context),
            Command::AnswerStep => self.answer(context),
            other => {
                let backup = self.backup(context.world, context.size);
                let acted = backup.is_some_and(|backup| on_backup(other, backup, context));
                return acted || self.cursor_command(other, context);
            }
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
        let height = page::Areas::new(context.size).content.height;
        let page = usize::from(height);
        let Some(application) = self.key.find(context.world) else { return };
        overview::settle(&mut self.overview, Shown::of(application, context.world), context.size);
        self.history.settle(application, height);
        drift::settle(&mut self.drift, application, context.size.width, height);
        let shown = actions::Shown { application, world: context.world };
        actions::settle(&mut self.actions, shown, (context.size.width, height));
        backups::settle(&mut self.backups, shown, (context.size.width, height));
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
            Tab::History => &[
                Command::Open,
                Command::Mark,
                Command::RollBack,
                Command::ShowOverview,
                Command::Next,
                Command::Help,
                Command::Back,
            ],
            Tab::Drift => &[
                Command::Correct,
                Command::ShowOverview,
                Command::ShowHistory,
                Command::Next,
                Command::Help,
                Command::Back,
            ],
            Tab::Actions => &[
                Command::Open,
                Command::RunAgain,
                Command::CancelOperation,
                Command::ShowOverview,
                Command::Next,
                Command::Help,
                Command::Back,
            ],
            Tab::Backups => &[
                Command::Restore,
                Command::BackUp,
                Command::VerifyBackup,
                Command::PinBackup,
                Command::Open,
                Command::CancelOperation,
                Command::Next,
                Command::Help,
                Command::Back,
            ],
            Tab::Overview | Tab::Events | Tab::Objects => &[
                Command::AnswerStep,
                Command::ShowLogs,
                Command::ShowEvents,
                Command::Settle,
                Command::CancelOperation,
                Command::ShowHistory,
                Command::ShowDrift,
                Command::ShowActions,
                Command::ShowItsBackups,
                Command::Change,
                Command::TestRoute,
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
            .routes
            .iter()
            .filter_map(|url| url.probe.as_ref())
            .map(|probe| format::roughly_lasts(now, probe.at));
        let pods =
            application.components.iter().flat_map(|part| &part.pods).filter_map(|pod| pod.created).map(last);
        let ages: Option<Duration> = match self.tab {
            Tab::Overview => probes.chain(pods).min(),
            Tab::Events => application.events.iter().map(|event| last(event.at)).min(),
            Tab::Objects => application.objects.iter().filter_map(|object| object.created).map(last).min(),
            Tab::History => application.history.iter().map(|instance| last(instance.created_at)).min(),
            Tab::Drift => application.drift.iter().map(|drift| last(drift.since)).min(),
            Tab::Actions => {
                let runs = actions::last_runs(actions::Shown { application, world });
                runs.filter_map(|view| progress::lasts(view, now)).min()
            }
            Tab::Backups => backups::lasts(actions::Shown { application, world }, now),
            Tab::Logs => None,
        };
        let operation = progress::of(world, application).filter(|_| self.tab == Tab::Overview);
        let operation = operation.and_then(|view| progress::lasts(view, now));
        spins.into_iter().chain(operation).chain(ages).chain([last(application.deployment.created_at)]).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let areas = page::Areas::inside(area);
        let Some(application) = self.application(world) else {
            page::gone(&self.key, world, look, area, buffer);
            return;
        };
        page::head(application, look, &areas, buffer);
        page::tabs((application, world), self.tab, look, areas.tabs, buffer);
        match self.tab {
            Tab::Overview => {
                overview::draw(Shown::of(application, world), self.overview, look, areas.content, buffer);
            }
            Tab::Events => events::draw(application, self.events, look, areas.content, buffer),
            Tab::Logs => self.logs.draw(application, look, areas.content, buffer),
            Tab::Objects => objects::draw(application, self.objects, look, areas.content, buffer),
            Tab::History => self.history.draw((application, world), look, areas.content, buffer),
            Tab::Drift => drift::draw(application, self.drift, (world, look), areas.content, buffer),
            Tab::Actions => {
                let shown = actions::Shown { application, world };
                actions::draw(shown, self.actions, look, areas.content, buffer);
            }
            Tab::Backups => {
                let shown = actions::Shown { application, world };
                backups::draw(shown, self.backups, look, areas.content, buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests;
