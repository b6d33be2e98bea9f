//! What a step of an action prints and calls, live: on a page of its own, and in a few lines on that of its operation.

mod feed;
mod timeline;
mod view;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use self::feed::Feed;
pub use self::timeline::{Width, rows};
use crate::domain::call::StepId;
use crate::domain::plan::Verb;
use crate::domain::{OperationView, Step, World};
use crate::ui::event::{Reply, RequestId};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::list::scroll;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Tab};
use crate::ui::views::operations::{ask_to_cancel, show_application};
use crate::ui::views::progress;
use crate::ui::widgets::page::plain;

/// Whether a step runs a function of the driver, which prints and calls.
pub fn has_output(step: &Step) -> bool {
    step.verb == Verb::Run && step.object.is_none()
}

/// What one step printed and called.
#[derive(Debug)]
pub struct OutputPage {
    step: StepId,
    /// Its operation, as it was seen last.
    seen: Option<Arc<OperationView>>,
    feed: Feed,
    /// The newest lines stay on screen.
    following: bool,
    /// The first row on screen.
    top: usize,
    wrap: bool,
}

impl OutputPage {
    /// Its name.
    pub const NAME: &str = "output";

    /// The page of a step's output.
    pub fn new(step: StepId) -> Self {
        Self { step, seen: None, feed: Feed::default(), following: true, top: 0, wrap: true }
    }

    /// The rows that there are in a body of this size, and those that are on screen.
    fn extent(&self, size: Size) -> (usize, usize) {
        let area = view::content(Rect::new(0, 0, size.width, size.height));
        let len = plain(|look| rows(&self.feed, look, view::width(area.width, self.wrap)).len());
        (len, usize::from(area.height))
    }

    /// The first row on screen stays inside of the text; at its end while it is followed.
    fn settle(&mut self, size: Size) {
        let (len, page) = self.extent(size);
        let last = len.saturating_sub(page);
        self.top = if self.following { last } else { self.top.min(last) };
    }

    fn scroll(&mut self, command: Command, size: Size) -> bool {
        let extent = self.extent(size);
        let moved = scroll(&mut self.top, command, extent, &[]);
        if moved {
            self.following = command == Command::Bottom || self.top >= extent.0.saturating_sub(extent.1);
        }
        moved
    }
}

impl Screen for OutputPage {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Output, true);
        flags.set(Flag::Busy, self.seen.as_deref().is_some_and(progress::can_be_cancelled));
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::LogWrap => self.wrap = !self.wrap,
            Command::LogPause => self.following = !self.following,
            Command::CancelOperation => {
                let Some(view) = &self.seen else { return false };
                ask_to_cancel(view, context);
            }
            other => match (Tab::of(other), &self.seen) {
                (Some(tab), Some(view)) => show_application(view, tab, context),
                _ => return self.scroll(other, context.size),
            },
        }
        self.settle(context.size);
        true
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        let left = self.feed.reply(id, reply);
        self.settle(context.size);
        left
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        if let Some(view) = context.world.operation(self.step.operation) {
            self.seen = Some(Arc::clone(view));
        }
        self.feed.follow(Some(self.step), context);
        self.settle(context.size);
    }

    fn leave(&mut self, context: &mut Context<'_>) {
        self.feed.stop(context);
    }

    fn hints(&self) -> &'static [Command] {
        &[
            Command::LogPause,
            Command::LogWrap,
            Command::Bottom,
            Command::CancelOperation,
            Command::ShowOverview,
            Command::Help,
            Command::Back,
        ]
    }

    fn lasts(&self, _world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        progress::lasts(self.seen.as_ref()?, now)
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        view::draw(self, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
