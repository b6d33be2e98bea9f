//! What the terminal says, as events of the cockpit.
//!
//! It is read by a thread of its own. At the end of a terminal that went away (the connection of an ssh session broke) crossterm
//! asks for more without end; there that holds nobody up, and [`hung_up`] ends the cockpit.

use std::io::IsTerminal;
use std::thread;

use crossterm::event::{Event as Terminal, KeyEventKind};
use futures::{Stream, StreamExt};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};

use crate::domain::Problem;
use crate::ui::event::Event;

/// The stack of a thread that does next to nothing.
const STACK: usize = 256 * 1024;

/// Keys, pastes and sizes of the person's own terminal. Ends when the terminal is gone.
///
/// # Errors
/// The thread that reads it cannot be started.
pub fn terminal() -> Result<impl Stream<Item = Event> + Unpin, Problem> {
    let (heard, events) = mpsc::unbounded_channel();
    let read = move || {
        while let Ok(event) = crossterm::event::read() {
            if heard.send(event).is_err() {
                return;
            }
        }
    };
    spawn("keys", read)?;
    let events = futures::stream::unfold(events, |mut events| async move {
        events.recv().await.map(|event| (event, events))
    });
    let events = events.filter_map(|event| std::future::ready(translate(event)));
    Ok(Box::pin(events.take_until(hung_up()?)))
}

/// Waits until the other side of the terminal is gone.
fn hung_up() -> Result<impl Future<Output = ()>, Problem> {
    let (gone, hear) = oneshot::channel::<()>();
    let input = std::io::stdin();
    let is_it = input.is_terminal();
    let wait = move || {
        // that it hung up is told without being asked for
        let mut watched = [PollFd::new(&input, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        // nobody waits any more when the cockpit has ended first
        let _ = gone.send(());
    };
    if is_it {
        spawn("hang-up", wait)?;
    }
    Ok(async move {
        match is_it {
            true => drop(hear.await),
            // the keys come from elsewhere
            false => std::future::pending().await,
        }
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Problem> {
    let started = thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work);
    started.map(drop).map_err(|error| {
        Problem::new(
            "The terminal cannot be read",
            error.to_string(),
            "raise the limit of processes (ulimit -u)",
        )
    })
}

fn translate(event: Terminal) -> Option<Event> {
    match event {
        // some terminals report releases too
        Terminal::Key(key) if key.kind == KeyEventKind::Release => None,
        Terminal::Key(key) => Some(Event::Key(key)),
        Terminal::Mouse(mouse) => Some(Event::Mouse(mouse)),
        Terminal::Paste(text) => Some(Event::Paste(text)),
        Terminal::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        Terminal::FocusGained | Terminal::FocusLost => None,
    }
}
