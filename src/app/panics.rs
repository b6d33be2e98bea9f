//! When something panics: the terminal is given back, and the last events are written down for `styrmin replay`.

use std::panic::{self, PanicHookInfo};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::recorder::Recorder;
use super::terminal;
use crate::domain::{Clock, Problem};
use crate::ui::event::Event;

/// What the hook needs.
pub struct Panics {
    /// The last events.
    pub recorder: Recorder,
    /// Where they are written.
    pub recordings: PathBuf,
    /// The time, for the file's name.
    pub clock: Arc<dyn Clock>,
    /// Where a panic beside the screen's own task is told.
    pub notices: mpsc::Sender<Event>,
}

/// Puts the hook in front of the one that is there. A panic of the thread that calls this,
/// which is the screen's own, ends the program; one of a background task ends
/// that task only, and becomes a notice, because writing to the terminal would tear the picture.
pub fn install(panics: Panics) {
    let screen = std::thread::current().id();
    let inner = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let dumped = panics.recorder.dump(&panics.recordings, panics.clock.now());
        let next = match &dumped {
            Ok(path) => format!("see what led to it: styrmin replay {}", path.display()),
            Err(error) => format!("the last events could not be written ({error})"),
        };
        if std::thread::current().id() == screen {
            terminal::restore();
            inner(info);
            terminal::say(&next);
        } else {
            let problem = Problem::new("A background task failed", describe(info), next);
            // a full channel means that the loop is stuck: nothing better can be done from a hook
            let _ = panics.notices.try_send(Event::Notice(problem));
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("panic");
    match info.location() {
        Some(location) => format!("{message} ({}:{})", location.file(), location.line()),
        None => message.to_owned(),
    }
}
