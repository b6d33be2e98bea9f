//! Everything that the screen depends on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Size;

use super::config::UiConfig;
use super::event::RequestId;
use super::keymap::{Chord, Flag, Flags, Layer};
use super::layout::Layout;
use super::look::Look;
use super::screen::{Begun, Context, Screen};
use super::theme::Theme;
use super::toast::Toasts;
use super::views::ApplicationsView;
use crate::domain::World;
use crate::domain::world::{Installed, Link};

/// Everything that the screen depends on. Changed by [`super::update()`] only, read by [`super::draw()`].
#[derive(Debug)]
pub struct Model {
    pub(super) config: UiConfig,
    pub(super) theme: Theme,
    pub(super) size: Size,
    pub(super) world: Arc<World>,
    pub(super) now: Option<Timestamp>,
    /// Views, the one that is shown last. Never empty.
    pub(super) views: Vec<Box<dyn Screen>>,
    /// What lies on top of the view, the topmost last.
    pub(super) overlays: Vec<Box<dyn Screen>>,
    pub(super) toasts: Toasts,
    /// The keys of a sequence that has begun.
    pub(super) pending: Vec<Chord>,
    pub(super) next_request: u64,
    /// Leaving was asked for once; the second time counts.
    pub(super) leaving: bool,
    /// The installation was offered already.
    pub(super) offered_installation: bool,
    /// What was asked for and has not come yet.
    pub(super) awaited: Awaited,
    /// Production environments whose changes may be confirmed.
    pub(super) unlocked: Vec<String>,
}

/// What was asked for, by no screen that waits for it, and has not come yet.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// The engine.
    pub engine: Option<RequestId>,
    /// Answers that are told in a message.
    pub told: Vec<RequestId>,
    /// The form that was asked for before anything was known, with the driver to begin with.
    pub form: Option<Option<String>>,
    /// An operation that was recorded and is to be shown.
    pub begun: Option<Begun>,
}

impl Model {
    /// A cockpit that has seen nothing yet, on a terminal of `size` columns and rows.
    pub fn new(config: UiConfig, size: (u16, u16)) -> Self {
        let theme = config.theme(&config.options.theme);
        Self {
            theme,
            config,
            size: Size::new(size.0, size.1),
            world: Arc::default(),
            now: None,
            views: vec![Box::new(ApplicationsView::default())],
            overlays: Vec::new(),
            toasts: Toasts::default(),
            pending: Vec::new(),
            next_request: 0,
            leaving: false,
            offered_installation: false,
            awaited: Awaited::default(),
            unlocked: Vec::new(),
        }
    }

    /// What has the keys: the topmost overlay, else the view.
    pub(super) fn top(&self) -> &dyn Screen {
        match self.overlays.last().or(self.views.last()) {
            Some(screen) => screen.as_ref(),
            // The stack of views is never empty; see `update::close`.
            None => &super::views::NOTHING,
        }
    }

    /// The keymap layer that is on top.
    pub fn layer(&self) -> Layer {
        self.top().layer()
    }

    /// Whether what is typed now must not be kept anywhere: the focus is in a secret field.
    pub fn is_secret_input(&self) -> bool {
        self.top().is_secret()
    }

    /// The names of what is on screen: the view, then what lies on top of it.
    pub fn screens(&self) -> Vec<&'static str> {
        self.views.last().into_iter().chain(&self.overlays).map(|screen| screen.name()).collect()
    }

    /// The name of the theme that is shown.
    pub fn theme_name(&self) -> &str {
        &self.theme.name
    }

    /// The facts that conditions of key bindings ask for.
    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::default();
        flags.set(Flag::NotInstalled, self.world.cluster.installed == Installed::No);
        self.top().flags(&self.world, self.layout().body.as_size(), &mut flags);
        let subject = self.views.last().and_then(|view| view.subject(&self.world));
        if let Some(application) = subject.and_then(|key| key.find(&self.world)) {
            super::update::action_flags(application, &self.world, &mut flags);
        }
        debug_assert_eq!(flags.contradiction(), None, "keymaps rely on what never holds together");
        flags
    }

    /// Where things are on the screen.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(self.size, self.is_stale())
    }

    /// Whether what is shown may be out of date.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self.world.cluster.link, Link::Stale { .. })
    }

    /// What widgets are handed.
    pub(super) fn look(&self) -> Look<'_> {
        Look {
            theme: &self.theme,
            now: self.now,
            keymap: &self.config.keymap,
            still: self.config.options.reduced_motion,
        }
    }

    /// Lets one of the screens work, with what it needs; none when it is gone.
    pub(super) fn work<T>(
        &mut self,
        slot: Slot,
        work: impl FnOnce(&mut dyn Screen, &mut Context<'_>) -> T,
    ) -> Option<Worked<T>> {
        let size = self.layout().body.as_size();
        let world = Arc::clone(&self.world);
        let screen = match slot {
            Slot::View(index) => self.views.get_mut(index)?,
            Slot::Overlay(index) => self.overlays.get_mut(index)?,
        };
        let mut context = Context::new(&world, self.now, size, &mut self.next_request);
        let value = work(screen.as_mut(), &mut context);
        let Context { effects, steps, .. } = context;
        Some(Worked { value, effects, steps })
    }

    /// Where the screen stands that has the keys.
    pub(super) fn top_slot(&self) -> Slot {
        match self.overlays.len() {
            0 => Slot::View(self.views.len().saturating_sub(1)),
            count => Slot::Overlay(count - 1),
        }
    }

    /// Whether what is on top is what a person decides by, on which nothing may lie.
    pub fn is_deciding(&self) -> bool {
        self.overlays.last().is_some_and(|overlay| overlay.is_decided_by())
    }

    /// How long what is on screen stays true by itself; `app` sends a tick then. None: until something happens.
    pub fn wants_tick(&self) -> Option<Duration> {
        let now = self.now?;
        let body = self.layout().body.as_size();
        let screens = self.views.last().into_iter().chain(&self.overlays);
        let stale = match &self.world.cluster.link {
            Link::Stale { since, .. } => Some(super::format::age_lasts(now, *since)),
            Link::Connecting if !self.config.options.reduced_motion => Some(SPIN),
            Link::Connecting | Link::Live => None,
        };
        let shown = screens.filter_map(|screen| screen.lasts(&self.world, now, body));
        let toasts = (!self.toasts.is_empty()).then_some(Duration::from_secs(1));
        let soonest = shown.chain(stale).chain(toasts).min()?;
        let least = if self.config.options.reduced_motion { Duration::from_secs(1) } else { SPIN };
        Some(soonest.max(least))
    }
}

/// How long a spinner stands still.
pub const SPIN: Duration = Duration::from_millis(500);

/// Where a screen stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    View(usize),
    Overlay(usize),
}

/// What a screen's work led to.
pub(super) struct Worked<T> {
    pub value: T,
    pub effects: Vec<super::event::Effect>,
    pub steps: Vec<super::screen::Step>,
}
