//! What the page of an operation shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::{OperationPage, output, steps};
use crate::domain::operation::OperationEvent;
use crate::domain::world::EngineView;
use crate::domain::{OperationState, OperationView, Problem, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::output::Feed;
use crate::ui::views::progress::{self, Standing};
use crate::ui::widgets::{self, empty, paint};

/// The columns before what happened: its time of day, and the gaps around that.
const CLOCK: usize = 12;

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A step, by its position in the plan.
    Step(usize),
    /// Something to read.
    Text,
}

/// The operations that steps began, by the step.
pub type Children = BTreeMap<usize, Arc<OperationView>>;

/// What is known of an operation beside its steps.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// What happened.
    pub events: Events<'a>,
    /// What one of its steps prints and calls.
    pub feed: &'a Feed,
    /// The operations that its steps began.
    pub children: &'a Children,
}

/// What happened, as far as it is known.
pub type Events<'a> = Option<&'a Result<Vec<OperationEvent>, Problem>>;

/// The lines of the page.
pub type Page<'a> = widgets::page::Page<'a, Item>;

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    title: Rect,
    facts: Rect,
    rule: Rect,
    content: Rect,
}

impl Areas {
    /// The parts: the content comes first, then the title, the facts, a rule.
    fn inside(area: Rect) -> Self {
        let (title, facts, rule) = match area.height {
            0..4 => (0, 0, 0),
            4..7 => (1, 0, 0),
            7..12 => (1, 1, 0),
            12.. => (1, 1, 1),
        };
        Self {
            title: Rect { height: title, ..area },
            facts: Rect { height: facts, ..rows_from(area, title) },
            rule: Rect { height: rule, ..rows_from(area, title + facts) },
            content: rows_from(area, title + facts + rule),
        }
    }

    /// The rows that the page has in a body of this size.
    pub fn height(size: Size) -> usize {
        usize::from(Self::inside(Rect::new(0, 0, size.width, size.height)).content.height)
    }
}

/// Draws the view.
pub fn draw(view: &OperationPage, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(operation) = &view.seen else {
        let next = "It ended long ago, and newer ones took its place; or the first picture has not come yet"
            .to_owned();
        empty(
            buffer,
            area,
            look,
            &format!("Operation {} is not among those that are shown", view.id),
            &[next],
        );
        return;
    };
    let areas = Areas::inside(area);
    head(operation, look, &areas, buffer);
    facts(operation, world, look, areas.facts, buffer);
    paint::rule(buffer, areas.rule, look.style(Role::Border));
    page(operation, view.told(), look, area.width).draw(view.cursor, areas.content, buffer);
}

fn head(view: &OperationView, look: &Look<'_>, areas: &Areas, buffer: &mut Buffer) {
    let title = inset(areas.title, 1);
    let right = Line::from(Standing::of(view).span(look)).right_aligned();
    let width = title.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 2);
    let left = Line::from(vec![
        look.span(Role::Muted, "Operations › "),
        look.span(Role::Title, view.operation.plan.title.clone()),
    ]);
    paint::line(buffer, title, right);
    paint::line(buffer, Rect { width, ..title }, left);
}

/// A bar of its steps, how long it takes, who wants it and why.
fn facts(view: &OperationView, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let operation = &view.operation;
    let mut spans = progress::bar(view, look);
    spans.push(look.span(Role::Text, format!(" {}", progress::steps(view))));
    let mut told = Vec::new();
    told.extend(progress::warnings(view));
    told.extend(progress::took(view, look));
    if operation.state.is_final() {
        told.extend(operation.times.ended.map(|ended| look.ago(ended)));
    } else if world.engine == EngineView::None {
        told.push("nobody runs the engine".to_owned());
    }
    told.push(format!("by {}", operation.origin.actor));
    told.push(operation.origin.cause.clone());
    let told: String = told.iter().map(|part| format!(" · {part}")).collect();
    spans.push(look.span(Role::Muted, told));
    paint::line(buffer, inset(row(area, 0), 1), Line::from(spans));
}

/// The page: what holds it up first, then its steps, then what happened.
pub fn page<'a>(view: &OperationView, told: Told<'_>, look: &'a Look<'a>, width: u16) -> Page<'a> {
    let mut page = Page::new(look, width);
    cause(&mut page, view);
    page.section("STEPS");
    steps::add(&mut page, view, told.children);
    output::add(&mut page, view, told.feed);
    journal(&mut page, view, told.events);
    page
}

/// The first cause that holds it up, in whole sentences; and what a person can do.
fn cause(page: &mut Page<'_>, view: &OperationView) {
    let look = page.look;
    let standing = Standing::of(view);
    let ended = view.operation.state.is_final();
    if let Some((position, problem)) = view.first_problem() {
        page.section(match standing {
            Standing::Asking => "A STEP ASKS",
            Standing::Plain(OperationState::Failed | OperationState::PartiallyFailed) => "WHY IT FAILED",
            _ if ended => "WHY IT ENDED",
            _ => "WHAT HOLDS IT UP",
        });
        page.problem(Item::Text, &progress::in_step(view, position, problem));
    }
    let hint = |page: &mut Page<'_>, command, text: String| {
        let key = look.key(command, Layer::Detail);
        page.add(
            None,
            vec![Span::raw("  "), look.span(Role::Key, key), look.span(Role::Text, format!(" {text}"))],
        );
    };
    if standing == Standing::Asking {
        hint(page, Command::AnswerStep, "answers, with what each answer means".to_owned());
    }
    if let Some(actor) = view.operation.orders.cancelled_by.as_ref().filter(|_| !ended) {
        let text = format!("{actor} cancelled it: it ends at the next boundary of a step");
        page.wrapped(None, vec![look.span(Role::Warn, "  ■ ")], Role::Text, &text);
    } else if view.operation.orders.superseded && !ended {
        let text = "Something newer is wanted: it ends at the next boundary of a step";
        page.wrapped(None, vec![look.span(Role::Progress, "  → ")], Role::Text, text);
    }
}

/// What happened, the newest first: what one looks for at night is the end.
fn journal(page: &mut Page<'_>, view: &OperationView, events: Events<'_>) {
    let look = page.look;
    let times = &view.operation.times;
    page.heading(vec![
        look.span(Role::Section, "WHAT HAPPENED"),
        look.span(Role::Muted, format!("  newest first; asked for {}", format::moment(times.created))),
    ]);
    let events = match events {
        None => return page.add(None, vec![look.span(Role::Muted, "  reading the journal …")]),
        Some(Err(problem)) => return page.problem(Item::Text, problem),
        Some(Ok(events)) => events,
    };
    if events.is_empty() {
        page.add(None, vec![look.span(Role::Muted, "  nothing yet")]);
    }
    for event in events.iter().rev() {
        let step = event.step.and_then(|position| view.operation.plan.steps.get(position));
        let mut lead = vec![look.span(Role::Muted, format!("  {}  ", format::clock(event.at)))];
        lead.extend(step.map(|step| look.span(Role::Text, format!("{}  ", step.name))));
        let used: usize = lead.iter().map(Span::width).sum();
        if used + format::width(&event.message) <= page.width {
            lead.push(look.span(Role::Muted, event.message.clone()));
            page.add(Some(Item::Text), lead);
            continue;
        }
        page.add(Some(Item::Text), lead);
        page.wrapped(None, vec![Span::raw(" ".repeat(CLOCK))], Role::Muted, &event.message);
    }
}
