//! Drawing a plan dialog.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::gate::{Gate, cost};
use super::{Focus, PlanDialog, Stage, list};
use crate::domain::plan::Class;
use crate::domain::{Intent, Preview};
use crate::ui::format;
use crate::ui::keymap::{Command, Keymap, Layer};
use crate::ui::layout::{centred, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{frame, paint, pair, problem_lines, scroll};

/// The widest dialog.
const WIDEST: u16 = 92;
/// What is said of a production environment that nobody unlocked.
const LOCKED: &str = "▲ production, read-only";
/// The rows of the border.
const BORDER: u16 = 2;
/// The column of values.
const LABELS: usize = 10;

/// Whether a plan can be read in a body of this size: where it writes to, at least one row of the list, what it costs.
pub fn is_readable(dialog: &PlanDialog, size: Size) -> bool {
    size.width >= 40 && page(dialog, size) > 0
}

/// The rows of the list that are on screen, in a body of this size.
pub fn page(dialog: &PlanDialog, size: Size) -> usize {
    let (theme, keymap) = (Theme::plain(), Keymap::empty());
    let look = plain(&theme, &keymap);
    let around = dialog.preview().map_or(0, |preview| {
        let foot = foot(dialog, preview, &look, inner_width(size.width));
        head(dialog, preview, &look, size.width).len() + foot.len()
    });
    usize::from(size.height.saturating_sub(BORDER)).saturating_sub(around)
}

/// The rows that the list has; none while there is no plan.
pub fn length(dialog: &PlanDialog, size: Size) -> Option<usize> {
    let (theme, keymap) = (Theme::plain(), Keymap::empty());
    let preview = dialog.preview()?;
    Some(list::lines(preview, dialog.differences, &plain(&theme, &keymap), inner_width(size.width)).len())
}

/// A look for what depends on neither colours nor time.
fn plain<'a>(theme: &'a Theme, keymap: &'a Keymap) -> Look<'a> {
    Look { theme, now: None, keymap, still: true }
}

fn box_width(width: u16) -> u16 {
    width.saturating_sub(2).min(WIDEST)
}

fn inner_width(width: u16) -> usize {
    usize::from(box_width(width).saturating_sub(5))
}

/// Draws the dialog.
pub fn draw(dialog: &PlanDialog, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let inner = inner_width(area.width);
    match &dialog.stage {
        Stage::Ready(preview) | Stage::Sending(_, preview) => shown(dialog, preview, look, area, buffer),
        Stage::Explaining => {
            boxed(
                dialog,
                look,
                buffer,
                area,
                (explanation(dialog, look, inner), ("Not now", "Show the plan")),
            );
        }
        Stage::Wanted | Stage::Planning(_) => {
            let text = format!("{} Making the plan …", look.spinner());
            let body = vec![Line::from(look.span(Role::Progress, text)), nothing_written(look)];
            boxed(dialog, look, buffer, area, (body, ("Cancel", "")));
        }
        Stage::Failed { problem, confirmed } => {
            let mut body = problem_lines(look, problem, inner);
            body.push(Line::default());
            body.push(match (*confirmed, &dialog.intent) {
                (false, _) => nothing_written(look),
                (true, Intent::Install) => {
                    muted(look, "What was written before stays; a new plan shows what is missing.")
                }
                (true, _) => muted(look, "Nothing was changed on the cluster."),
            });
            let settles = dialog.settles().is_some();
            if settles {
                let key = look.key(Command::PlanAgain, Layer::Dialog);
                body.push(muted(look, format!("{key} makes the plan again, once the fields are free.")));
            }
            let forward = if settles { "Say who has the fields" } else { "Plan again" };
            boxed(dialog, look, buffer, area, (body, ("Back", forward)));
        }
    }
}

fn muted(look: &Look<'_>, text: impl Into<String>) -> Line<'static> {
    Line::from(look.span(Role::Muted, text))
}

fn nothing_written(look: &Look<'_>) -> Line<'static> {
    muted(look, "Nothing has been written.")
}

/// A box just large enough for its text and buttons.
fn boxed(
    dialog: &PlanDialog,
    look: &Look<'_>,
    buffer: &mut Buffer,
    area: Rect,
    (body, labels): (Vec<Line<'static>>, (&str, &str)),
) {
    let width = box_width(area.width);
    let height = u16::try_from(body.len()).unwrap_or(u16::MAX).saturating_add(4);
    let inside = frame::dialog(buffer, centred(area, width, height), look, &dialog.about.title);
    let text = Rect { height: inside.height.saturating_sub(2), ..inside };
    paint::lines(buffer, text, body);
    paint::line(buffer, row(inside, inside.height.saturating_sub(1)), buttons(dialog, look, labels));
}

fn explanation(dialog: &PlanDialog, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let about = &dialog.about;
    let place = if about.real { "a real cluster" } else { "the embedded sandbox" };
    let paragraphs = [
        format!("Styrmin is not installed on {} ({place}), and nothing has been written to it.", about.name),
        "Applications are recorded as custom resources, so the cluster needs their definition, a namespace, and the \
         rights to use them."
            .to_owned(),
        "The plan names every object. It is carried out only when you confirm it; until then you can look around."
            .to_owned(),
    ];
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        lines.extend(
            format::wrap(&paragraph, width).into_iter().map(|part| Line::from(look.span(Role::Text, part))),
        );
        lines.push(Line::default());
    }
    lines.pop();
    lines
}

/// The plan: where it writes, what, what to know before, what it costs, and the two buttons.
fn shown(dialog: &PlanDialog, preview: &Preview, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let plan = &preview.plan;
    let inner = inner_width(area.width);
    let lines = list::lines(preview, dialog.differences, look, inner);
    let (head, foot) = (head(dialog, preview, look, area.width), foot(dialog, preview, look, inner));
    let len = lines.len();
    let above = u16::try_from(head.len()).unwrap_or(u16::MAX);
    let height = u16::try_from(len + head.len() + foot.len()).unwrap_or(u16::MAX).saturating_add(BORDER);
    let inside = frame::dialog(buffer, centred(area, box_width(area.width), height), look, &plan.title);
    paint::lines(buffer, inside, head);
    let middle = rows_from(inside, above);
    let below = u16::try_from(foot.len()).unwrap_or(u16::MAX).min(middle.height);
    let rows = Rect { height: middle.height - below, ..middle };
    let offset = dialog.offset.min(len.saturating_sub(usize::from(rows.height)));
    let text = Rect { width: rows.width.saturating_sub(1), ..rows };
    paint::lines(buffer, text, lines.into_iter().skip(offset));
    scroll::bar(buffer, rows, look, offset, len);
    let end = rows_from(middle, rows.height);
    let taken = foot.last().map_or(0, Line::width);
    paint::lines(buffer, end, foot);
    field(dialog, look, end, buffer);
    let said = match (&dialog.stage, dialog.gate(), dialog.focus) {
        (Stage::Sending(..), ..) => look.span(Role::Progress, format!("{} Recording …", look.spinner())),
        (_, Some(Gate::SecondLook), Focus::Forward) => {
            let key = look.key(Command::Confirm, Layer::Dialog);
            look.span(Role::Warn, format!("{key} again, or enter, carries it out"))
        }
        _ => return,
    };
    // the buttons need the room more
    if said.width() + taken < usize::from(inside.width) {
        let width = u16::try_from(said.width()).unwrap_or(0);
        let place = row(inside, inside.height.saturating_sub(1));
        paint::line(buffer, Rect { width, ..place }, Line::from(said));
    }
}

/// What stands above the list: the title where the border has no room for all of it, where the plan writes to, and a gap.
fn head(dialog: &PlanDialog, preview: &Preview, look: &Look<'_>, width: u16) -> Vec<Line<'static>> {
    let (plan, inner) = (&preview.plan, inner_width(width));
    let mut lines = Vec::new();
    if !frame::has_room(box_width(width), &plan.title) {
        let wrapped = format::wrap(&plan.title, inner).into_iter();
        lines.extend(wrapped.map(|part| Line::from(look.span(Role::Title, part))));
    }
    let cluster = |name: &str| look.span(Role::Cluster, format!(" {name} "));
    let mut together = vec![cluster(&plan.cluster), look.span(Role::Muted, "  into ")];
    together.push(look.span(Role::Title, plan.target.clone()));
    if dialog.locked {
        together.push(look.span(Role::Fail, format!("  {LOCKED}")));
    }
    let together = pair(look, "writes to", LABELS, together);
    if together.width() <= inner {
        lines.push(together);
    } else {
        let parts =
            format::break_hard(&plan.cluster, inner.saturating_sub(LABELS + 2)).into_iter().enumerate();
        let label = |index| if index == 0 { "writes to" } else { "" };
        lines.extend(parts.map(|(index, part)| pair(look, label(index), LABELS, vec![cluster(&part)])));
        let parts = format::break_hard(&plan.target, inner.saturating_sub(LABELS)).into_iter().enumerate();
        let label = |index| if index == 0 { "into" } else { "" };
        let said = |part| look.span(Role::Title, part);
        lines.extend(parts.map(|(index, part)| pair(look, label(index), LABELS, vec![said(part)])));
        lines.extend(dialog.locked.then(|| Line::from(look.span(Role::Fail, LOCKED))));
    }
    lines.push(Line::default());
    lines
}

/// What stands below the list, buttons included.
fn foot(dialog: &PlanDialog, preview: &Preview, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let plan = &preview.plan;
    let shows = if dialog.differences { "shows the steps" } else { "shows them" };
    let key = format!("{} {shows}", look.key(Command::ShowDifferences, Layer::Dialog));
    let mut lines = vec![Line::default()];
    lines.extend(list::summary(preview, &key, look));
    if plan.is_empty() {
        let text = "There is nothing to do: everything is as the plan says.";
        lines.push(Line::from(look.span(Role::Title, text)));
    }
    let (mark, role) =
        if plan.class() == Class::Destructive { ("✗ ", Role::Fail) } else { ("▲ ", Role::Warn) };
    let costs = cost(plan, &dialog.about.name).filter(|_| !plan.is_empty());
    for (index, part) in
        costs.into_iter().flat_map(|it| format::wrap(&it, width.saturating_sub(2))).enumerate()
    {
        let lead = if index == 0 { mark } else { "  " };
        lines.push(Line::from(vec![look.span(role, lead), look.span(role, part)]));
    }
    if let Some(gate) = dialog.gate() {
        lines.extend(gate.name().is_some().then(Line::default));
        lines.extend(question(dialog, gate, look).map(|asks| Line::from(look.span(Role::Text, asks))));
    }
    lines.push(Line::default());
    lines.push(match (&dialog.stage, plan.is_empty(), dialog.gate()) {
        (Stage::Sending(..), ..) | (_, true, _) => buttons(dialog, look, ("Close", "")),
        (_, _, Some(Gate::Unlock(_))) => buttons(dialog, look, ("Cancel", "Unlock")),
        _ => buttons(dialog, look, ("Cancel", dialog.about.verb)),
    });
    lines
}

/// What is asked to be typed, and how to get there; the field stands behind it.
fn question(dialog: &PlanDialog, gate: Gate<'_>, look: &Look<'_>) -> Option<String> {
    let lead = match dialog.focus {
        Focus::Field => String::new(),
        Focus::Back | Focus::Forward => format!("press {}, then ", look.key(Command::Confirm, Layer::Dialog)),
    };
    match gate {
        Gate::Press | Gate::SecondLook => None,
        Gate::TypeName(name) => Some(format!("To go on, {lead}type {name}: ")),
        Gate::Unlock(name) => Some(format!("To unlock {name}, {lead}type its name: ")),
    }
}

/// The field for the name that has to be typed: two rows above the buttons.
fn field(dialog: &PlanDialog, look: &Look<'_>, end: Rect, buffer: &mut Buffer) {
    let Some(question) = dialog.gate().and_then(|gate| question(dialog, gate, look)) else { return };
    let place = row(end, end.height.saturating_sub(3));
    let lead = u16::try_from(format::width(&question)).unwrap_or(u16::MAX).min(place.width);
    let rest = Rect { x: place.x + lead, width: place.width - lead, ..place };
    dialog.field.draw(buffer, rest, look, dialog.focus == Focus::Field);
}

/// The two buttons: back on the left, on to the right of it; an empty label is no button.
fn buttons(dialog: &PlanDialog, look: &Look<'_>, (back, forward): (&str, &str)) -> Line<'static> {
    let on_forward = dialog.focus == Focus::Forward && !forward.is_empty();
    let key = |command| look.key(command, Layer::Dialog);
    let on_back = !on_forward && dialog.focus != Focus::Field;
    let mut spans = vec![frame::button(look, back, Some(&key(Command::Cancel)), on_back)];
    if !forward.is_empty() {
        let key = match (&dialog.stage, dialog.gate()) {
            (Stage::Ready(_), Some(Gate::SecondLook)) if !on_forward => {
                let key = key(Command::Confirm);
                Some(format!("{key} {key}"))
            }
            (Stage::Ready(_), Some(Gate::TypeName(_) | Gate::Unlock(_))) if on_forward || !on_back => None,
            (Stage::Ready(_), _) => Some(key(Command::Confirm)),
            (Stage::Failed { .. }, _) if dialog.settles().is_none() => Some(key(Command::PlanAgain)),
            _ => None,
        };
        spans.push(Span::raw("  "));
        spans.push(frame::button(look, forward, key.as_deref(), on_forward));
    }
    Line::from(spans).right_aligned()
}
