//! What every view and every overlay is: something that takes commands and replies, and draws itself.

use std::fmt::Debug;
use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::event::{Effect, Reply, RequestId};
use super::keymap::{Command, Flags, Layer};
use super::look::Look;
use super::overlays::Question;
use super::toast::Toast;
use crate::domain::backup::BackupId;
use crate::domain::call::StepId;
use crate::domain::route::RouteView;
use crate::domain::world::{Application, LogTarget};
use crate::domain::{
    ActionRequest, DeploymentId, DriverRef, Intent, ObjectKey, OperationId, OperationKind, World,
};

/// Names an application across pictures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationKey {
    /// Its environment.
    pub environment: String,
    /// Its name.
    pub name: String,
}

impl ApplicationKey {
    /// The key of an application.
    pub fn of(application: &Application) -> Self {
        let draft = &application.deployment.draft;
        Self { environment: draft.environment.clone(), name: draft.name.clone() }
    }

    /// The application of this name in a picture.
    pub fn find<'a>(&self, world: &'a World) -> Option<&'a Application> {
        let matches = |application: &&std::sync::Arc<Application>| {
            let draft = &application.deployment.draft;
            draft.name == self.name && draft.environment == self.environment
        };
        world.applications.iter().find(matches).map(|application| &**application)
    }
}

/// Names a route across pictures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteKey {
    /// The application that it leads to.
    pub application: ApplicationKey,
    /// Its URL.
    pub url: String,
}

impl RouteKey {
    /// The key of a route.
    pub fn of(application: &Application, route: &RouteView) -> Self {
        Self { application: ApplicationKey::of(application), url: route.url.clone() }
    }

    /// The route in a picture, and its application.
    pub fn find<'a>(&self, world: &'a World) -> Option<(&'a Application, &'a RouteView)> {
        let application = self.application.find(world)?;
        let route = application.routes.iter().find(|route| route.url == self.url)?;
        Some((application, route))
    }
}

/// A tab of the application view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Components, URLs, conditions.
    Overview,
    /// Events of its objects.
    Events,
    /// The log of a container.
    Logs,
    /// The inventory.
    Objects,
    /// Its instances.
    History,
    /// What somebody else changed.
    Drift,
    /// The actions of its driver.
    Actions,
    /// What is kept of it.
    Backups,
}

impl Tab {
    /// Every tab, in order.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Events,
        Self::Logs,
        Self::Objects,
        Self::History,
        Self::Drift,
        Self::Actions,
        Self::Backups,
    ];

    /// The tab that a command shows.
    pub fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::ShowOverview => Self::Overview,
            Command::ShowEvents => Self::Events,
            Command::ShowLogs => Self::Logs,
            Command::ShowObjects => Self::Objects,
            Command::ShowHistory => Self::History,
            Command::ShowDrift => Self::Drift,
            Command::ShowActions => Self::Actions,
            Command::ShowItsBackups => Self::Backups,
            _ => return None,
        })
    }
}

/// An operation that was recorded and is to be shown as soon as it is in the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// What it is for; none: anything.
    pub kind: Option<OperationKind>,
    /// The application that it is about; none: it is not about one alone.
    pub about: Option<ApplicationKey>,
    /// It is newer than this one.
    pub newest: Option<OperationId>,
}

/// What a screen asks of the model. Screens never call each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Show an application.
    ShowApplication(ApplicationKey, Tab),
    /// Show the form, with this driver picked.
    ShowForm(Option<String>),
    /// Show the plan of what a person wants, once it is made.
    Plan(Box<Intent>),
    /// Show an operation.
    ShowOperation(OperationId),
    /// Show what a step prints and calls.
    ShowOutput(StepId),
    /// Show how two instances of an application differ, the older one first.
    Compare(ApplicationKey, u32, u32),
    /// Show a driver version.
    ShowDriver(DriverRef),
    /// Show how two versions of a driver differ, the older one first.
    CompareDrivers(DriverRef, DriverRef),
    /// Ask something before it is done.
    Ask(Box<Question>),
    /// What was wanted of an application is recorded: show it.
    Deployed(ApplicationKey),
    /// Run an action of an application's driver, with the answers of an earlier run where there is one: ask what it asks for, then
    /// show its plan.
    RunAction(ApplicationKey, String, Option<Box<ActionRequest>>),
    /// An operation is recorded: everything that led there closes, and it is shown.
    Begun(Begun),
    /// Show a backup.
    ShowBackup(BackupId),
    /// Show the form of a restore: into this application, or from this backup, or both.
    ShowRestore(Option<ApplicationKey>, Option<BackupId>),
    /// Show the form of a clone of this environment.
    ShowClone(String),
    /// Show a route.
    ShowRoute(RouteKey),
    /// Show a URL as a QR code.
    ShowQr(String),
    /// Show an environment.
    ShowPlace(String),
    /// Show the applications of an environment.
    ShowApplicationsOf(String),
    /// Show the form of an environment; none: of a new one.
    ShowEnvironment(Option<String>),
    /// Ask why a schedule is paused.
    AskPause(String),
    /// Show what the retention of a schedule would delete.
    ShowRetention(String),
    /// The answer to this request is told in a message.
    Tell(RequestId),
    /// Ask how many pods a component is to have.
    AskReplicas(DeploymentId, String),
    /// Ask who is to have the fields of an object, which these words describe.
    AskResolution(DeploymentId, Box<ObjectKey>, String),
    /// Changes of this production environment may be confirmed from now on.
    Unlock(String),
    /// Offer texts to pick from.
    PickContainer(Vec<LogTarget>),
    /// A container was picked.
    Follow(LogTarget),
    /// Close the screen that asks.
    Close,
    /// Run a command on what is underneath.
    Run(Command),
    /// Show a theme without keeping it; none: the kept one again.
    PreviewTheme(Option<String>),
    /// Keep a theme.
    UseTheme(String),
    /// Say something.
    Say(Toast),
}

/// What a screen works with while it handles something.
pub struct Context<'a> {
    /// The picture.
    pub world: &'a World,
    /// The time; none before the first picture.
    pub now: Option<Timestamp>,
    /// The room that the screen is drawn in.
    pub size: Size,
    /// What `app` is asked to do.
    pub effects: Vec<Effect>,
    /// What the model is asked to do, in order.
    pub steps: Vec<Step>,
    next_request: &'a mut u64,
}

impl<'a> Context<'a> {
    /// A context that asks for nothing yet.
    pub fn new(world: &'a World, now: Option<Timestamp>, size: Size, next_request: &'a mut u64) -> Self {
        Self { world, now, size, effects: Vec::new(), steps: Vec::new(), next_request }
    }

    /// A new request number.
    pub fn request(&mut self) -> RequestId {
        *self.next_request += 1;
        RequestId(*self.next_request)
    }

    /// Copies a text, and says so.
    pub fn copy(&mut self, text: &str) {
        self.effects.push(Effect::Copy(text.to_owned()));
        self.say(Toast::info(format!("Copied {text}")));
    }

    /// Says something.
    pub fn say(&mut self, toast: Toast) {
        self.steps.push(Step::Say(toast));
    }
}

/// A view or an overlay.
pub trait Screen: Debug + Send {
    /// Its name, for the header and for tests.
    fn name(&self) -> &'static str;

    /// The keymap layer that is on top.
    fn layer(&self) -> Layer;

    /// The application that its commands are about.
    fn subject(&self, _world: &World) -> Option<ApplicationKey> {
        None
    }

    /// The environment that its commands are about: that of the application, unless it says better.
    fn environment(&self, world: &World) -> Option<String> {
        self.subject(world).map(|key| key.environment)
    }

    /// The request whose answer a person has to hear of, even when the screen is closed before it comes.
    fn awaits(&self) -> Option<RequestId> {
        None
    }

    /// Adds the facts that conditions of key bindings ask for.
    fn flags(&self, _world: &World, _size: Size, _flags: &mut Flags) {}

    /// Carries out a command; false when it means nothing here.
    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool;

    /// Whether what is typed now must not be kept anywhere.
    fn is_secret(&self) -> bool {
        false
    }

    /// Whether a person decides by what it shows, so that nothing may lie on it: the newest message is told in the footer meanwhile.
    fn is_decided_by(&self) -> bool {
        false
    }

    /// Takes a key that is bound to nothing, while a text is edited.
    fn key(&mut self, _key: KeyEvent, _context: &mut Context<'_>) {}

    /// Takes pasted text.
    fn paste(&mut self, _text: &str, _context: &mut Context<'_>) {}

    /// Takes the answer to one of its requests; gives it back when it is not, or no longer, waiting for it.
    fn reply(&mut self, _id: RequestId, reply: Reply, _context: &mut Context<'_>) -> Option<Reply> {
        Some(reply)
    }

    /// Takes note of a new picture, or a new size.
    fn refresh(&mut self, _context: &mut Context<'_>) {}

    /// Takes note that it is being closed or covered for good: ends what it started.
    fn leave(&mut self, _context: &mut Context<'_>) {}

    /// Follows another container's log, where there is one.
    fn follow(&mut self, _target: LogTarget, _context: &mut Context<'_>) {}

    /// The commands to hint at in the footer, most useful first.
    fn hints(&self) -> &'static [Command];

    /// How long what it shows stays true by itself; none: until something happens.
    fn lasts(&self, _world: &World, _now: Timestamp, _size: Size) -> Option<Duration> {
        None
    }

    /// Draws it.
    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer);
}
