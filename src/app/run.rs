//! The event loop: the single place where time, input and the model meet.
//!
//! One task owns the model. Input, replies and new pictures of the world are taken in batches of at most 64; each is handed
//! to the pure `ui::update`; what that asks for is carried out by [`Effects`]. Then, if something changed and a frame is due,
//! one frame is drawn. While nothing happens, nothing runs.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::effects::Effects;
use super::frames::FrameGate;
use super::links::{self, Links};
use super::recorder::Recorder;
use super::terminal::Surface;
use crate::domain::{Clock, Problem, World};
use crate::ui::event::{Effect, Event};
use crate::ui::{self, Model};

/// The most events that are handled before a frame is considered.
const BATCH: usize = 64;

/// What the loop listens to.
pub struct Inbox<S> {
    /// The person: keys, pastes, sizes. Its end ends the loop.
    pub input: S,
    /// Replies to effects and notices.
    pub events: mpsc::Receiver<Event>,
    /// The newest picture of the world.
    pub world: watch::Receiver<Arc<World>>,
    /// Ends the loop from outside (a signal).
    pub stop: CancellationToken,
}

/// The loop's own parts.
pub struct Cockpit<B: Backend> {
    /// Where frames go.
    pub terminal: Terminal<B>,
    /// What is shown.
    pub model: Model,
    /// Who carries out what the model asks for.
    pub effects: Effects,
    /// Keeps the last events.
    pub recorder: Recorder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the terminal shows of links.
    pub links: Links,
}

/// When the loop wakes by itself.
#[derive(Clone, Copy)]
struct Timers {
    frame: Option<Instant>,
    tick: Option<Instant>,
}

enum Turn {
    Event(Box<Event>),
    Frame,
    Stop,
}

impl<B> Cockpit<B>
where
    B: Backend + Surface,
    B::Error: std::fmt::Display,
{
    /// Runs until the person leaves, the input ends, or `stop` is cancelled.
    ///
    /// # Errors
    /// When the terminal can no longer be drawn on.
    pub async fn run<S>(mut self, mut inbox: Inbox<S>) -> Result<(), Problem>
    where
        S: Stream<Item = Event> + Unpin,
    {
        let start = Instant::now();
        let clock = Arc::clone(&self.clock);
        let mut gate = FrameGate::default();
        let mut tick = None;
        gate.changed();
        loop {
            if gate.due().is_some_and(|due| due <= start.elapsed()) {
                self.draw()?;
                gate.drawn(start.elapsed());
            }
            tick = next_tick(tick, self.model.wants_tick(), Instant::now());
            let timers = Timers { frame: gate.due().map(|due| start + due), tick };
            let event = match next(&mut inbox, timers, &*clock).await {
                Turn::Stop => return Ok(()),
                Turn::Frame => continue,
                Turn::Event(event) => *event,
            };
            if matches!(event, Event::Tick(_)) {
                tick = None;
            }
            let mut batch = vec![event];
            while batch.len() < BATCH {
                match inbox.events.try_recv() {
                    Ok(event) => batch.push(event),
                    Err(_) => break,
                }
            }
            for event in batch {
                match is_input(&event) {
                    true => gate.input(),
                    false => gate.changed(),
                }
                if self.handle(event).await? {
                    return Ok(());
                }
            }
        }
    }

    /// Hands one event to the model and carries out what it asks for. True when the person leaves.
    async fn handle(&mut self, event: Event) -> Result<bool, Problem> {
        self.recorder.note(&event, self.clock.now(), self.model.is_secret_input());
        for effect in ui::update(&mut self.model, event) {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Redraw => {
                    self.terminal.clear().map_err(|error| cannot_draw(&error))?;
                    self.links.forget();
                }
                Effect::Copy(text) => self.terminal.backend_mut().copy(&text),
                other => self.effects.run(other),
            }
        }
        Ok(false)
    }

    fn draw(&mut self) -> Result<(), Problem> {
        self.terminal.backend_mut().begin_frame();
        let model = &self.model;
        let mut linked = Vec::new();
        let drawn = self.terminal.draw(|frame| linked = ui::draw_linked(model, frame));
        let runs = drawn.map(|frame| self.links.settle(frame.buffer, linked));
        let drawn = runs.and_then(|runs| links::write(self.terminal.backend_mut(), &runs));
        self.terminal.backend_mut().end_frame();
        drawn.map_err(|error| cannot_draw(&error))
    }
}

/// Waits for whatever comes first.
async fn next<S>(inbox: &mut Inbox<S>, timers: Timers, clock: &dyn Clock) -> Turn
where
    S: Stream<Item = Event> + Unpin,
{
    let event = |event| Turn::Event(Box::new(event));
    tokio::select! {
        biased;
        () = inbox.stop.cancelled() => Turn::Stop,
        input = inbox.input.next() => input.map_or(Turn::Stop, event),
        () = at(timers.frame) => Turn::Frame,
        received = inbox.events.recv() => received.map_or(Turn::Stop, event),
        changed = inbox.world.changed() => match changed {
            Ok(()) => event(Event::World(inbox.world.borrow_and_update().clone(), clock.now())),
            Err(_) => Turn::Stop,
        },
        () = at(timers.tick) => event(Event::Tick(clock.now())),
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A tick that is already waited for keeps its moment, so that a stream of other events cannot put it off for ever.
fn next_tick(waiting: Option<Instant>, every: Option<Duration>, now: Instant) -> Option<Instant> {
    let latest = now + every?;
    Some(waiting.map_or(latest, |moment| moment.min(latest)))
}

fn is_input(event: &Event) -> bool {
    matches!(event, Event::Key(_) | Event::Paste(_) | Event::Mouse(_) | Event::Resize(..))
}

fn cannot_draw(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "The terminal can no longer be drawn on",
        error.to_string(),
        "start the cockpit again; nothing was lost",
    )
}
