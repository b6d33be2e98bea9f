//! Steps a recording through the same update and draw as the cockpit, with effects dropped.

use std::path::Path;

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::recorder;
use crate::domain::Problem;
use crate::ui::event::Event;
use crate::ui::{self, Model, UiConfig};

/// What the screen showed after one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedFrame {
    /// The event's number, from 1.
    pub number: usize,
    /// When it happened.
    pub at: Timestamp,
    /// A word for what it was.
    pub event: String,
    /// The screen, line by line.
    pub text: String,
}

/// Replays the recording in `file`; frames that show the same as the one before are left out.
///
/// # Errors
/// When the file cannot be read or is not a recording.
pub fn replay(file: &Path) -> Result<Vec<ReplayedFrame>, Problem> {
    let (header, entries) = recorder::read(file)?;
    let mut model = Model::new(UiConfig::default(), header.size);
    let cannot = |error: std::convert::Infallible| {
        Problem::new("The frames cannot be drawn", error.to_string(), "report this")
    };
    let mut terminal =
        Terminal::new(TestBackend::new(header.size.0.max(1), header.size.1.max(1))).map_err(cannot)?;
    let mut frames: Vec<ReplayedFrame> = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let event = name(&entry.event);
        if let Event::Resize(columns, rows) = entry.event {
            terminal.backend_mut().resize(columns.max(1), rows.max(1));
        }
        ui::update(&mut model, entry.event);
        terminal.draw(|frame| ui::draw(&model, frame)).map_err(cannot)?;
        let text = terminal.backend().to_string();
        if frames.last().is_none_or(|last| last.text != text) {
            frames.push(ReplayedFrame { number: index + 1, at: entry.at, event, text });
        }
    }
    Ok(frames)
}

fn name(event: &Event) -> String {
    match event {
        Event::Key(key) => format!("key {:?}", key.code),
        Event::Mouse(_) => "mouse".to_owned(),
        Event::Paste(_) => "paste".to_owned(),
        Event::Resize(columns, rows) => format!("resize {columns}×{rows}"),
        Event::World(world, _) => format!("world {}", world.generation),
        Event::Tick(_) => "tick".to_owned(),
        Event::Reply(request, _) => format!("reply {}", request.0),
        Event::Config(_) => "config".to_owned(),
        Event::Notice(problem) => format!("notice {}", problem.what),
    }
}
