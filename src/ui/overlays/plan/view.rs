//! Drawing a plan dialog.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::{PlanDialog, Stage, Subject};
use crate::domain::Plan;
use crate::domain::plan::{Step, Verb};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{centred, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::{Role, verb_role};
use crate::ui::widgets::{frame, paint, pair, problem_lines, scroll};

/// The widest dialog.
const WIDEST: u16 = 92;
/// The rows around the list: borders, target, gaps, summary, buttons.
const AROUND: u16 = 9;
/// The column of values.
const LABELS: usize = 10;

/// Whether a plan can be read in a body of this size: the target and at least one item.
pub fn is_readable(size: Size) -> bool {
    size.width >= 40 && size.height > AROUND
}

/// The rows of the list that are on screen, in a body of this size.
pub fn page(size: Size) -> usize {
    usize::from(size.height.saturating_sub(AROUND))
}

fn inner_width(width: u16) -> usize {
    usize::from(width.saturating_sub(2).min(WIDEST).saturating_sub(4))
}

/// The rows that the list of a plan has.
pub fn length(plan: &Plan, size: Size) -> usize {
    plan.steps.len() + warnings(plan, inner_width(size.width)).len()
}

fn warnings(plan: &Plan, width: usize) -> Vec<String> {
    let wrapped = plan.warnings.iter().flat_map(|warning| {
        let lines = format::wrap(warning, width.saturating_sub(3)).into_iter().enumerate();
        lines.map(|(index, line)| if index == 0 { format!("▲ {line}") } else { format!("  {line}") })
    });
    wrapped.collect()
}

/// Draws the dialog.
pub fn draw(dialog: &PlanDialog, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let width = area.width.saturating_sub(2).min(WIDEST);
    let inner = inner_width(area.width);
    match &dialog.stage {
        Stage::Ready(plan) | Stage::Sending(_, plan) => shown(dialog, plan, look, area, buffer),
        Stage::Explaining => {
            let body = explanation(dialog, look, inner);
            let labels = ("Not now", "Show the plan");
            boxed(dialog, look, buffer, (area, width), (body, labels));
        }
        Stage::Wanted | Stage::Planning(_) => {
            let text = format!("{} Making the plan …", look.spinner());
            let body = vec![Line::from(look.span(Role::Progress, text)), nothing_written(look)];
            boxed(dialog, look, buffer, (area, width), (body, ("Cancel", "")));
        }
        Stage::Failed(problem) => {
            let mut body = problem_lines(look, problem, inner);
            body.extend([Line::default(), nothing_written(look)]);
            boxed(dialog, look, buffer, (area, width), (body, ("Back", "Plan again")));
        }
    }
}

fn nothing_written(look: &Look<'_>) -> Line<'static> {
    Line::from(look.span(Role::Muted, "Nothing has been written."))
}

fn title(dialog: &PlanDialog) -> String {
    match &dialog.subject {
        Subject::Deployment(draft) => format!("Deploy {} to {}", draft.name, draft.environment),
        Subject::Installation { cluster, .. } => format!("Install Styrmin on {cluster}"),
        Subject::Other(_) => "Plan".to_owned(),
    }
}

/// A box just large enough for its text and buttons.
fn boxed(
    dialog: &PlanDialog,
    look: &Look<'_>,
    buffer: &mut Buffer,
    (area, width): (Rect, u16),
    (body, labels): (Vec<Line<'static>>, (&str, &str)),
) {
    let height = u16::try_from(body.len()).unwrap_or(u16::MAX).saturating_add(4);
    let inside = frame::dialog(buffer, centred(area, width, height), look, &title(dialog));
    let text = Rect { height: inside.height.saturating_sub(2), ..inside };
    paint::lines(buffer, text, body);
    buttons(dialog, look, labels, inside, buffer);
}

fn explanation(dialog: &PlanDialog, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let Subject::Installation { cluster, real } = &dialog.subject else { return Vec::new() };
    let place = if *real { "a real cluster" } else { "the embedded sandbox" };
    let paragraphs = [
        format!("Styrmin is not installed on {cluster} ({place}), and nothing has been written to it."),
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

/// The plan: where it writes, what, what to know before, and the two buttons.
fn shown(dialog: &PlanDialog, plan: &Plan, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let width = area.width.saturating_sub(2).min(WIDEST);
    let list = warnings(plan, inner_width(area.width));
    let len = plan.steps.len() + list.len();
    let height = u16::try_from(len).unwrap_or(u16::MAX).saturating_add(AROUND - 1);
    let inside = frame::dialog(buffer, centred(area, width, height), look, &plan.title);
    let target = vec![
        look.span(Role::Cluster, format!(" {} ", plan.cluster)),
        look.span(Role::Muted, "  into "),
        look.span(Role::Title, plan.target.clone()),
    ];
    paint::line(buffer, row(inside, 0), pair(look, "writes to", LABELS, target));
    let middle = rows_from(inside, 2);
    let rows = Rect { height: middle.height.saturating_sub(4), ..middle };
    let names = plan
        .steps
        .iter()
        .map(|step| format::width(step.object.as_ref().map_or(&step.name, |object| &object.name)))
        .max()
        .unwrap_or(0);
    let lines = list.into_iter().map(|text| Line::from(look.span(Role::Warn, text)));
    let lines = lines.chain(plan.steps.iter().map(|item| line_of(item, names, look)));
    let offset = dialog.offset.min(len.saturating_sub(usize::from(rows.height)));
    paint::lines(buffer, Rect { width: rows.width.saturating_sub(1), ..rows }, lines.skip(offset));
    scroll::bar(buffer, rows, look, offset, len);
    paint::line(buffer, row(inside, inside.height.saturating_sub(3)), summary(plan, look));
    let labels = match (&dialog.stage, &dialog.subject, plan.is_empty()) {
        (Stage::Sending(..), ..) => ("Close", ""),
        (_, _, true) => ("Close", ""),
        (_, Subject::Deployment(_), _) => ("Cancel", "Deploy"),
        (_, Subject::Installation { .. }, _) => ("Cancel", "Install"),
        (_, Subject::Other(_), _) => ("Cancel", "Carry out"),
    };
    if matches!(dialog.stage, Stage::Sending(..)) {
        let text = format!("{} Recording …", look.spinner());
        let place = row(inside, inside.height.saturating_sub(1));
        paint::line(buffer, place, Line::from(look.span(Role::Progress, text)));
    }
    buttons(dialog, look, labels, inside, buffer);
}

fn line_of(item: &Step, names: usize, look: &Look<'_>) -> Line<'static> {
    let names = names.clamp(8, 34);
    let (kind, name) = match &item.object {
        Some(object) => (object.kind.as_str(), object.name.as_str()),
        None => (item.verb.as_str(), item.name.as_str()),
    };
    Line::from(vec![
        look.span(verb_role(item.verb), format!("{} ", item.verb.sign())),
        look.span(Role::Text, format!("{:<24} ", format::cut(kind, 24))),
        look.span(Role::Title, format!("{:<names$}  ", format::cut(name, names))),
        look.span(Role::Muted, item.note.clone()),
    ])
}

fn summary(plan: &Plan, look: &Look<'_>) -> Line<'static> {
    let words = [
        (Verb::Create, "to create"),
        (Verb::Update, "to change"),
        (Verb::Delete, "to delete"),
        (Verb::Unchanged, "unchanged"),
    ];
    let mut spans = Vec::new();
    for (verb, word) in words {
        let count = plan.steps.iter().filter(|item| item.verb == verb).count();
        if count > 0 {
            spans.push(look.span(verb_role(verb), format!("{} {count} {word}", verb.sign())));
            spans.push(Span::raw("   "));
        }
    }
    let hash = plan.hash();
    spans.push(look.span(Role::Muted, format!("plan {}", &hash[..hash.len().min(8)])));
    Line::from(spans)
}

/// The two buttons in the last row: back on the left, on to the right of it; an empty label is no button.
fn buttons(dialog: &PlanDialog, look: &Look<'_>, labels: (&str, &str), inside: Rect, buffer: &mut Buffer) {
    let (back, forward) = labels;
    let forward_focus = dialog.forward && !forward.is_empty();
    let key = |command| look.key(command, Layer::Dialog);
    let mut spans = vec![frame::button(look, back, Some(&key(Command::Cancel)), !forward_focus)];
    if !forward.is_empty() {
        let command = match dialog.stage {
            Stage::Ready(_) => Some(Command::Confirm),
            Stage::Failed(_) => Some(Command::PlanAgain),
            _ => None,
        };
        let key = command.map(key);
        spans.push(Span::raw("  "));
        spans.push(frame::button(look, forward, key.as_deref(), forward_focus));
    }
    let place = row(inside, inside.height.saturating_sub(1));
    paint::line(buffer, place, Line::from(spans).right_aligned());
}
