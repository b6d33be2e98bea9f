//! What the terminal says, as events of the cockpit.

use crossterm::event::{Event as Terminal, EventStream, KeyEventKind};
use futures::{Stream, StreamExt};

use crate::ui::event::Event;

/// Keys, pastes and sizes of the person's own terminal. Ends when the terminal is gone.
pub fn terminal() -> impl Stream<Item = Event> + Unpin {
    let events = EventStream::new().take_while(|event| std::future::ready(event.is_ok()));
    Box::pin(events.filter_map(|event| std::future::ready(event.ok().and_then(translate))))
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
