//! The log of a container, followed live.

mod targets;
mod view;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::targets::container;
pub use self::targets::targets;
use super::log_buffer::LogBuffer;
use super::log_line::LogLine;
use super::page;
use crate::domain::Problem;
use crate::domain::world::{Application, LogTarget};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::keymap::Command;
use crate::ui::look::Look;
use crate::ui::screen::Context;
use crate::ui::text_field::TextField;
use crate::ui::toast::Toast;

/// How far one press scrolls to the side.
const SIDE: usize = 8;

/// Where the stream of lines stands.
#[derive(Debug, Default)]
enum Stream {
    /// Nothing was asked for.
    #[default]
    Idle,
    /// Lines come.
    Open(RequestId),
    /// It ended, at so many restarts of the container.
    Ended { restarts: u32, problem: Option<Problem> },
}

/// The log of a container.
#[derive(Debug)]
pub struct Logs {
    target: Option<LogTarget>,
    stream: Stream,
    buffer: LogBuffer,
    /// The newest lines stay on screen.
    following: bool,
    /// The number of the first line on screen, while not following.
    top: usize,
    wrap: bool,
    /// The columns scrolled away on the left.
    side: usize,
    search: TextField,
    searching: bool,
    /// The line that the last search found.
    found: Option<usize>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            target: None,
            stream: Stream::Idle,
            buffer: LogBuffer::default(),
            following: true,
            top: 0,
            wrap: false,
            side: 0,
            search: search_field(),
            searching: false,
            found: None,
        }
    }
}

fn search_field() -> TextField {
    TextField::default().with_placeholder("text to find, whatever its case")
}

impl Logs {
    /// Whether a search is being typed.
    pub fn is_searching(&self) -> bool {
        self.searching
    }

    /// Picks a container; its log is followed from the next [`Logs::refresh`] on.
    pub fn choose(&mut self, target: LogTarget) {
        if self.target.as_ref() != Some(&target) {
            let (wrap, search) = (self.wrap, std::mem::take(&mut self.search));
            *self = Self { target: Some(target), wrap, search, ..Self::default() };
        }
    }

    /// How often the container was restarted, as far as is known.
    pub fn restarts(&self, application: &Application) -> u32 {
        let target = self.target.as_ref();
        target.and_then(|target| container(application, target)).map_or(0, |container| container.restarts)
    }

    /// Follows the chosen container, or the first one; and again when it was restarted after its log had ended.
    pub fn refresh(&mut self, application: &Application, context: &mut Context<'_>) {
        let gone = self.target.as_ref().is_none_or(|target| container(application, target).is_none());
        if gone && matches!(self.stream, Stream::Idle) {
            self.target = targets(application, context.world).into_iter().next().or(self.target.take());
        }
        let Some(target) = self.target.clone() else { return };
        match &self.stream {
            Stream::Open(_) => return,
            Stream::Idle => {}
            Stream::Ended { restarts, .. } => {
                let running = container(application, &target).filter(|it| it.state == "Running");
                let Some(again) = running.filter(|it| it.restarts > *restarts) else { return };
                let count = again.restarts;
                self.buffer
                    .push(LogLine::remark(format!("─── the container was restarted (restart {count}) ───")));
            }
        }
        let id = context.request();
        context.effects.push(Effect::FollowLogs(id, target));
        self.stream = Stream::Open(id);
    }

    /// Ends the stream; the lines stay until the log is followed anew.
    pub fn stop(&mut self, context: &mut Context<'_>) {
        if let Stream::Open(id) = self.stream {
            context.effects.push(Effect::Cancel(id));
        }
        self.stream = Stream::Idle;
        self.buffer = LogBuffer::default();
        self.following = true;
        self.found = None;
    }

    /// Takes lines and the end of the stream. `restarts` of the container so far.
    pub fn reply(&mut self, id: RequestId, reply: Reply, restarts: u32) -> Option<Reply> {
        if !matches!(self.stream, Stream::Open(open) if open == id) {
            return Some(reply);
        }
        match reply {
            Reply::LogLines(lines) => lines.iter().for_each(|line| self.buffer.push(LogLine::new(line))),
            Reply::LogEnded(problem) => self.stream = Stream::Ended { restarts, problem },
            other => return Some(other),
        }
        None
    }

    /// Carries out a command of the log tab.
    pub fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        if self.searching {
            return self.command_in_search(command, context);
        }
        match command {
            Command::LogPause => self.pause(context.size),
            Command::LogWrap => {
                self.wrap = !self.wrap;
                self.side = 0;
            }
            Command::Search => self.searching = true,
            Command::NextMatch => self.seek(false, context),
            Command::PreviousMatch => self.seek(true, context),
            Command::Left => self.side = self.side.saturating_sub(SIDE),
            Command::Right if !self.wrap => self.side = (self.side + SIDE).min(4096),
            Command::Back if !self.search.is_empty() => {
                self.search = search_field();
                self.found = None;
            }
            other => return self.scroll(other, context.size),
        }
        true
    }

    fn command_in_search(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Accept => {
                self.searching = false;
                self.seek(true, context);
            }
            Command::Cancel => {
                self.searching = false;
                self.search = search_field();
                self.found = None;
            }
            _ => return false,
        }
        true
    }

    /// Takes a key of the search.
    pub fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        if self.searching {
            self.search.key(key);
        }
    }

    /// Takes pasted text for the search.
    pub fn paste(&mut self, text: &str) {
        if self.searching {
            self.search.paste(text);
        }
    }

    /// Goes to the next match; the first time to the newest.
    fn seek(&mut self, backwards: bool, context: &mut Context<'_>) {
        if self.search.is_empty() {
            return;
        }
        let start = match (self.found, backwards) {
            (Some(found), true) => found,
            (Some(found), false) => found + 1,
            (None, true) => self.buffer.end(),
            (None, false) => self.buffer.first(),
        };
        match self.buffer.find(self.search.text(), start, backwards) {
            Some(found) => {
                self.following = false;
                self.found = Some(found);
                let height = self.rows(context.size);
                let shown = self.top..self.top + height;
                if !shown.contains(&found) {
                    self.top = found.saturating_sub(height / 2).max(self.buffer.first());
                }
            }
            None => context.say(Toast::hint(format!("'{}' is not in the log", self.search.text()))),
        }
    }

    fn pause(&mut self, size: Size) {
        self.following = !self.following;
        if !self.following {
            self.top = self.tail(self.rows(size));
        }
    }

    /// The first line on screen when the newest lines are.
    fn tail(&self, height: usize) -> usize {
        self.buffer.end().saturating_sub(height).max(self.buffer.first())
    }

    fn scroll(&mut self, command: Command, size: Size) -> bool {
        let height = self.rows(size).max(1);
        let end = self.tail(height);
        let top = if self.following { end } else { self.top.max(self.buffer.first()) };
        let moved = match command {
            Command::Up => top.saturating_sub(1),
            Command::Down => top + 1,
            Command::HalfPageUp => top.saturating_sub(height / 2 + 1),
            Command::HalfPageDown => top + height / 2 + 1,
            Command::PageUp => top.saturating_sub(height),
            Command::PageDown => top + height,
            Command::Top => 0,
            Command::Bottom => {
                self.following = true;
                return true;
            }
            _ => return false,
        };
        let back = moved < top;
        self.top = moved.clamp(self.buffer.first(), end);
        // Scrolling up leaves the newest lines; arriving there again, or wishing to go beyond, follows them.
        self.following = !back && self.top >= end;
        true
    }

    /// The rows that show lines, in a body of this size.
    fn rows(&self, size: Size) -> usize {
        let search = u16::from(self.searching || !self.search.is_empty());
        usize::from(page::Areas::new(size).content.height.saturating_sub(1 + search))
    }

    /// Draws the log.
    pub fn draw(&self, application: &Application, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        view::draw(self, application, look, area, buffer);
    }
}
