//! What somebody else changed of an application, and what is done about it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::World;
use crate::domain::drift::{Drift, DriftAnswer, DriftMode, DriftedField};
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::empty;
use crate::ui::widgets::page::{self, plain};

/// A line stands for an object that drifted, by its index.
type Page<'a> = page::Page<'a, usize>;

/// Moves the cursor over the objects.
pub fn move_cursor(
    cursor: &mut Cursor,
    command: Command,
    application: &Application,
    width: u16,
    height: u16,
) -> bool {
    plain(|look| content(application, look, width).move_cursor(cursor, command, usize::from(height)))
}

/// Brings the cursor to an object that exists.
pub fn settle(cursor: &mut Cursor, application: &Application, width: u16, height: u16) {
    plain(|look| content(application, look, width).settle(cursor, usize::from(height)));
}

/// Draws what drifted.
pub fn draw(
    application: &Application,
    cursor: Cursor,
    (world, look): (&World, &Look<'_>),
    area: Rect,
    buffer: &mut Buffer,
) {
    let (mode, said_by) = mode(application, world);
    if application.drift.is_empty() {
        let heading = if mode == DriftMode::Ignore { "Drift is not looked at" } else { "Nothing drifted" };
        let next = match mode {
            DriftMode::Correct => {
                "Every object is as it was written. When somebody else changes one, it is set right, and told here."
            }
            DriftMode::Warn => {
                "Every object is as it was written. When somebody else changes one, it is shown here and left as it is."
            }
            DriftMode::Ignore => "What somebody else changes is nobody's business here.",
        };
        empty(
            buffer,
            area,
            look,
            heading,
            &[next.to_owned(), format!("Drift mode: {} ({said_by})", mode.as_str())],
        );
        return;
    }
    let mut page = Page::new(look, area.width);
    page.add(
        None,
        vec![
            look.span(Role::Muted, "mode "),
            look.span(Role::Title, mode.as_str()),
            look.span(Role::Muted, format!(" ({said_by})")),
        ],
    );
    fill(&mut page, application);
    page.draw(cursor, area, buffer);
}

/// The mode, and who says so.
fn mode(application: &Application, world: &World) -> (DriftMode, String) {
    let draft = &application.deployment.draft;
    if let Some(mode) = draft.drift {
        return (mode, "as the application says".to_owned());
    }
    let environment = world.environment(&draft.environment);
    (
        environment.map(|found| found.drift).unwrap_or_default(),
        format!("as environment {} says", draft.environment),
    )
}

/// The page as the cursor sees it.
fn content<'a>(application: &Application, look: &'a Look<'a>, width: u16) -> Page<'a> {
    let mut page = Page::new(look, width);
    page.add(None, Vec::new());
    fill(&mut page, application);
    page
}

fn fill(page: &mut Page<'_>, application: &Application) {
    for (index, drift) in application.drift.iter().enumerate() {
        page.add(None, Vec::new());
        object(page, index, drift);
    }
}

/// An object: since when, its fields, and what is done about it.
fn object(page: &mut Page<'_>, index: usize, drift: &Drift) {
    let look = page.look;
    let what = match (drift.missing, drift.fields.len()) {
        (true, _) => "is gone".to_owned(),
        (false, 0) => "is not as it was written".to_owned(),
        (false, count) => format!("differs in {}", format::count(count, "field")),
    };
    page.add(
        Some(index),
        vec![
            look.span(Role::Warn, "≠ "),
            look.span(Role::Title, drift.object.to_string()),
            look.span(Role::Text, format!(" {what}")),
            look.span(Role::Muted, format!("  found {}", look.ago(drift.since))),
        ],
    );
    for field in &drift.fields {
        self::field(page, field);
    }
    let key = look.key(Command::Correct, Layer::Detail);
    let (sign, role, text) = match drift.answer {
        DriftAnswer::Correcting => (look.spinner(), Role::Progress, "it is being set right".to_owned()),
        DriftAnswer::Tolerated => {
            ("·", Role::Muted, format!("it is left as it is; {key} plans to set it right"))
        }
        DriftAnswer::Fought(times) => (
            "▲",
            Role::Warn,
            format!(
                "set right {} in ten minutes and changed back each time: left alone until whoever writes it stops. Let one \
                 of the two have it",
                format::count(usize::try_from(times).unwrap_or(usize::MAX), "time")
            ),
        ),
    };
    page.wrapped(None, vec![look.span(role, format!("    {sign} "))], role, &text);
}

/// A field: as it should be, as it is, and who has it now.
fn field(page: &mut Page<'_>, field: &DriftedField) {
    let look = page.look;
    page.add(None, vec![look.span(Role::Text, format!("    {}", field.path))]);
    page.wrapped(None, vec![look.span(Role::Muted, "      wanted  ")], Role::Ok, &field.wanted);
    let found = field.found.as_deref().unwrap_or("(gone)");
    let by = field.manager.as_ref().map(|manager| format!(", by {manager}")).unwrap_or_default();
    page.wrapped(None, vec![look.span(Role::Muted, "      found   ")], Role::Fail, &format!("{found}{by}"));
}
