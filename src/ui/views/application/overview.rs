//! The overview: what is being done to it, why it is not well, components with their pods and containers, routes, conditions.

mod operation;
mod parts;
mod routes;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::page::Areas;
use crate::domain::world::{Application, LogTarget};
use crate::domain::{Health, OperationId, OperationView, Problem, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::progress;
use crate::ui::widgets;
use crate::ui::widgets::page::plain;

/// What a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A container whose log can be followed.
    Container(LogTarget),
    /// A route, by its URL.
    Route(String),
    /// An operation that can be looked at.
    Operation(OperationId),
    /// Something to read.
    Text,
}

/// What the overview shows.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The application.
    pub application: &'a Application,
    /// What is being done to it, or was done last.
    pub operation: Option<&'a OperationView>,
}

impl<'a> Shown<'a> {
    /// What there is to show of an application.
    pub fn of(application: &'a Application, world: &'a World) -> Self {
        Self { application, operation: progress::of(world, application) }
    }
}

type Page<'a> = widgets::page::Page<'a, Item>;

fn page<'a>(shown: Shown<'_>, look: &'a Look<'a>, width: u16) -> Page<'a> {
    let application = shown.application;
    let mut page = Page::new(look, width);
    // What is under way, or went wrong, comes first; what went well is worth a line at the end.
    let (first, last) = match shown.operation {
        Some(view) if operation::comes_first(view) => (Some(view), None),
        other => (None, other),
    };
    if let Some(view) = first {
        operation::section(&mut page, view, application);
    }
    problem(&mut page, shown);
    causes(&mut page, application);
    page.section("COMPONENTS");
    if application.components.is_empty() {
        page.add(None, vec![look.span(Role::Muted, "  none yet")]);
    }
    for part in &application.components {
        parts::component(&mut page, part);
    }
    if !application.routes.is_empty() {
        page.section("ROUTES");
        application.routes.iter().for_each(|view| routes::route(&mut page, application, view));
    }
    if !application.conditions.is_empty() {
        page.section("CONDITIONS");
        application.conditions.iter().for_each(|it| parts::condition(&mut page, it));
    }
    if let Some(view) = last {
        operation::section(&mut page, view, application);
    }
    page
}

fn problem(page: &mut Page<'_>, shown: Shown<'_>) {
    let Some(problem) = &shown.application.problem else { return };
    let first =
        shown.operation.filter(|view| operation::comes_first(view)).and_then(|view| view.first_problem());
    if first.is_some_and(|(_, first)| first.what == problem.what && first.why == problem.why) {
        return;
    }
    page.section("THE ENGINE STOPPED");
    told(page, problem);
}

/// A problem, and the key that settles it when it is about fields that somebody else owns.
fn told(page: &mut Page<'_>, problem: &Problem) {
    page.problem(Item::Text, problem);
    if problem.contested.is_some() {
        let key = page.look.key(Command::Settle, Layer::Detail);
        let text = format!("          {key} settles who has these fields");
        page.add(None, vec![page.look.span(Role::Muted, text)]);
    }
}

/// The chain of causes, from the outermost object inwards.
fn causes(page: &mut Page<'_>, application: &Application) {
    let last = application.verdict.innermost();
    // What stopped the engine is told above, with what to do next.
    let told = |problem: &Problem| last.is_some_and(|cause| cause.message.starts_with(&problem.what));
    if last.is_none() || application.problem.as_ref().is_some_and(told) {
        return;
    }
    let heading = if application.health() == Health::Progressing { "WAITING FOR" } else { "WHY" };
    page.section(heading);
    for (depth, cause) in application.verdict.causes.iter().enumerate() {
        let arm = if depth == 0 { String::new() } else { format!("{}↳ ", "  ".repeat(depth - 1)) };
        let lead = vec![
            page.look.span(Role::Muted, format!("  {arm}")),
            page.look.span(Role::Text, format!("{} ", cause.object)),
            page.look.span(Role::Title, format!("{} ", cause.reason)),
        ];
        let indent = Line::from(lead.clone()).width();
        if cause.message.is_empty() || indent + format::width(&cause.message) <= page.width {
            page.wrapped(Some(Item::Text), lead, Role::Text, &cause.message);
        } else {
            page.add(Some(Item::Text), lead);
            let indent = format!("    {}", "  ".repeat(depth));
            for part in format::wrap(&cause.message, page.width.saturating_sub(indent.len()).max(16)) {
                page.add(None, vec![Span::raw(indent.clone()), page.look.span(Role::Text, part)]);
            }
        }
    }
}

/// What the cursor is on.
pub fn item_at(shown: Shown<'_>, width: u16, at: usize) -> Option<Item> {
    plain(|look| page(shown, look, width).item_at(at))
}

/// Moves the cursor over the lines that stand for something.
pub fn move_cursor(cursor: &mut Cursor, command: Command, shown: Shown<'_>, size: Size) -> bool {
    plain(|look| page(shown, look, size.width).move_cursor(cursor, command, height(size)))
}

/// Brings the cursor to a line that exists, and that line on screen.
pub fn settle(cursor: &mut Cursor, shown: Shown<'_>, size: Size) {
    plain(|look| page(shown, look, size.width).settle(cursor, height(size)));
}

fn height(size: Size) -> usize {
    usize::from(Areas::new(size).content.height)
}

/// Draws the overview.
pub fn draw(shown: Shown<'_>, cursor: Cursor, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    page(shown, look, area.width).draw(cursor, area, buffer);
}
