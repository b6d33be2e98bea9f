//! What a plan dialog lists: warnings and facts, then the steps in order, or what they change line by line.

use ratatui::text::{Line, Span};

use crate::domain::diff::{Change, ObjectDiff};
use crate::domain::plan::{Class, Step, Verb};
use crate::domain::text::plain;
use crate::domain::{Plan, Preview};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::{Role, verb_role};
use crate::ui::widgets::diff;

/// How many lines of a chart's notes are shown.
const NOTES_MAX: usize = 200;
/// The indentation of what goes on below a step.
const BELOW: usize = 4;

/// The lines of a plan: its warnings and facts, then its steps, or the differences.
pub fn lines(preview: &Preview, differences: bool, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let plan = &preview.plan;
    let mut lines = marked("▲", Role::Warn, &plan.warnings, look, width);
    lines.extend(marked("·", Role::Text, &plan.facts, look, width));
    if differences {
        for diff in &preview.diffs {
            lines.extend((!lines.is_empty()).then(Line::default));
            lines.extend(diff::lines(diff, look, width));
        }
    } else {
        let columns = Columns::of(plan);
        for step in &plan.steps {
            let changes = preview.diffs.iter().find(|diff| Some(&diff.object) == step.object.as_ref());
            lines.extend(step_lines(step, changes, columns, look, width));
        }
        lines.extend(notes(&preview.notes, look, width));
    }
    lines
}

/// What the chart tells, below the steps.
fn notes(text: &str, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let title = [Line::default(), Line::from(look.span(Role::Title, "Notes of the chart"))];
    let told = text.trim().lines().take(NOTES_MAX).flat_map(|line| {
        // a chart may write anything
        let plain = plain(line);
        match plain.trim().is_empty() {
            true => vec![String::new()],
            false => format::wrap(&plain, width),
        }
    });
    title.into_iter().chain(told.map(|line| Line::from(look.span(Role::Text, line)))).collect()
}

/// Sentences behind a mark, wrapped.
fn marked(mark: &str, role: Role, sentences: &[String], look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let wrapped = sentences.iter().flat_map(|sentence| {
        let lines = format::wrap(sentence, width.saturating_sub(3)).into_iter().enumerate();
        lines.map(|(index, line)| format!("{} {line}", if index == 0 { mark } else { " " }))
    });
    wrapped.map(|text| Line::from(look.span(role, text))).collect()
}

/// How wide kinds and names are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    kind: usize,
    name: usize,
}

impl Columns {
    fn of(plan: &Plan) -> Self {
        let objects = || plan.steps.iter().filter_map(|step| step.object.as_ref());
        let kind = objects().map(|object| format::width(&object.kind)).max().unwrap_or(0);
        let name = objects().map(|object| format::width(&object.name)).max().unwrap_or(0);
        Self { kind: kind.clamp(8, 24), name: name.clamp(8, 34) }
    }
}

/// A step: its sign, kind and name, what it costs, and its note; a note that does not fit goes on below.
fn step_lines(
    step: &Step,
    changes: Option<&ObjectDiff>,
    columns: Columns,
    look: &Look<'_>,
    width: usize,
) -> Vec<Line<'static>> {
    let mut spans = vec![look.span(verb_role(step.verb), format!("{} ", step.verb.sign()))];
    match &step.object {
        Some(object) => {
            let kind = format::cut(&object.kind, columns.kind);
            let name = format::cut(&object.name, columns.name);
            spans.push(look.span(Role::Text, format!("{kind:<0$} ", columns.kind)));
            spans.push(look.span(Role::Title, format!("{name:<0$}", columns.name)));
        }
        None => spans.push(look.span(Role::Text, step.name.clone())),
    }
    spans.extend(mark(step.class).map(|(role, mark)| look.span(role, format!("  {mark}"))));
    let writes = matches!(step.verb, Verb::Update | Verb::Adopt | Verb::Replace);
    let counts = changes.filter(|_| writes).map(|diff| counts(diff, look)).unwrap_or_default();
    let note = note(step);
    let used: usize = spans.iter().chain(&counts).map(Span::width).sum();
    if note.is_empty() || used + 2 + format::width(&note) <= width {
        spans.extend((!note.is_empty()).then(|| look.span(Role::Muted, format!("  {note}"))));
        spans.extend(counts);
        return vec![Line::from(spans)];
    }
    spans.extend(counts);
    let mut lines = vec![Line::from(spans)];
    for part in format::wrap(&note, width.saturating_sub(BELOW)) {
        lines.push(Line::from(vec![Span::raw(" ".repeat(BELOW)), look.span(Role::Muted, part)]));
    }
    lines
}

/// The word of a class that costs something.
fn mark(class: Class) -> Option<(Role, String)> {
    match class {
        Class::Safe => None,
        Class::Disruptive => Some((Role::Warn, format!("▲ {}", class.as_str()))),
        Class::Destructive => Some((Role::Fail, format!("✗ {}", class.as_str()))),
    }
}

/// The step's own words; what it does, where it says nothing else.
fn note(step: &Step) -> String {
    let Some(object) = step.object.as_ref().filter(|_| step.note.is_empty()) else {
        return step.note.clone();
    };
    match step.verb {
        Verb::Record => step.name.replace(&object.to_string(), "it"),
        Verb::Create | Verb::Update | Verb::Delete | Verb::Unchanged => String::new(),
        Verb::Replace => "is deleted and created anew".to_owned(),
        verb @ (Verb::Adopt | Verb::Wait | Verb::Run | Verb::Read) => verb.as_str().to_owned(),
    }
}

fn counts(diff: &ObjectDiff, look: &Look<'_>) -> Vec<Span<'static>> {
    let (added, removed) = diff.counts();
    let shown =
        [(Change::Added, added), (Change::Removed, removed)].into_iter().filter(|(_, count)| *count > 0);
    shown
        .map(|(change, count)| look.span(diff::role(change), format!("  {}{count}", change.sign())))
        .collect()
}

/// How many objects become what, how many lines come and go, and by which hash the plan is confirmed.
pub fn summary(preview: &Preview, key: &str, look: &Look<'_>) -> Vec<Line<'static>> {
    let mut objects = objects(&preview.plan, look);
    let hash = preview.plan.hash();
    let hash = look.span(Role::Muted, format!("plan {}", &hash[..hash.len().min(8)]));
    if preview.diffs.is_empty() {
        objects.extend([Span::raw("   "), hash]);
        return vec![Line::from(objects)];
    }
    let counts = preview.diffs.iter().map(ObjectDiff::counts);
    let (added, removed) = counts.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    let differing = format::count(preview.diffs.len(), "object");
    let lines = vec![
        look.span(diff::role(Change::Added), format!("+{added}")),
        look.span(diff::role(Change::Removed), format!(" -{removed}")),
        look.span(Role::Muted, format!(" lines in {differing}   {key}   ")),
        hash,
    ];
    vec![Line::from(objects), Line::from(lines)]
}

fn objects(plan: &Plan, look: &Look<'_>) -> Vec<Span<'static>> {
    let words = [
        (Verb::Create, "to create"),
        (Verb::Update, "to change"),
        (Verb::Adopt, "to adopt"),
        (Verb::Replace, "to replace"),
        (Verb::Delete, "to delete"),
        (Verb::Run, "to run"),
        (Verb::Read, "to read"),
        (Verb::Unchanged, "unchanged"),
    ];
    let mut spans = Vec::new();
    for (verb, word) in words {
        let count = plan.steps.iter().filter(|item| item.verb == verb).count();
        if count > 0 {
            spans.extend((!spans.is_empty()).then(|| Span::raw("  ")));
            spans.push(look.span(verb_role(verb), format!("{} {count} {word}", verb.sign())));
        }
    }
    if spans.is_empty() {
        spans.push(look.span(Role::Muted, "no object changes"));
    }
    spans
}
