//! The actions of an application's driver: those that a person starts, how each went the last time, and what runs by itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::domain::driver::{ActionSpec, Mode, OnFailure, ParameterKind, ParameterSpec};
use crate::domain::world::Application;
use crate::domain::{OperationKind, OperationView, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::list::Cursor;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::progress::{self, Standing};
use crate::ui::widgets::empty;
use crate::ui::widgets::page::{self, plain};

/// The widest name that the words beside it are lined up with.
const NAME: usize = 24;

/// A line stands for an action that a person starts, by its number among those.
type Page<'a> = page::Page<'a, usize>;

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The application.
    pub application: &'a Application,
    /// The picture.
    pub world: &'a World,
}

/// The actions of an application's driver that a person starts; none when the driver is not loaded.
pub fn manual<'a>(application: &Application, world: &'a World) -> Vec<&'a ActionSpec> {
    all(application, world).iter().filter(|action| action.hook.is_none()).collect()
}

fn all<'a>(application: &Application, world: &'a World) -> &'a [ActionSpec] {
    let wanted = &application.deployment.draft.driver;
    let driver = world.drivers.iter().find(|driver| driver.reference == *wanted);
    driver.map_or(&[], |driver| &driver.spec.actions)
}

/// The last time that a person ran an action, while that is among the operations that are shown.
pub fn last_run<'a>(application: &Application, world: &'a World, name: &str) -> Option<&'a OperationView> {
    let is_it = |view: &&OperationView| {
        view.operation.kind == OperationKind::Action
            && view.operation.action.as_ref().is_some_and(|request| request.action == name)
    };
    world.operations_of(application).find(is_it)
}

/// The last runs of all actions that a person starts.
pub fn last_runs<'a>(shown: Shown<'a>) -> impl Iterator<Item = &'a OperationView> {
    let Shown { application, world } = shown;
    let manual = manual(application, world).into_iter();
    manual.filter_map(move |action| last_run(application, world, &action.name))
}

/// The action that the cursor is on.
pub fn selected<'a>(cursor: Cursor, shown: Shown<'a>, width: u16) -> Option<&'a ActionSpec> {
    let at = plain(|look| page(shown, look, width).item_at(cursor.at))?;
    manual(shown.application, shown.world).get(at).copied()
}

/// Moves the cursor over the actions that a person starts.
pub fn move_cursor(
    cursor: &mut Cursor,
    command: Command,
    shown: Shown<'_>,
    (width, height): (u16, u16),
) -> bool {
    plain(|look| page(shown, look, width).move_cursor(cursor, command, usize::from(height)))
}

/// Brings the cursor to an action that exists.
pub fn settle(cursor: &mut Cursor, shown: Shown<'_>, (width, height): (u16, u16)) {
    plain(|look| page(shown, look, width).settle(cursor, usize::from(height)));
}

/// Draws the actions.
pub fn draw(shown: Shown<'_>, cursor: Cursor, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let driver = &shown.application.deployment.draft.driver;
    if all(shown.application, shown.world).is_empty() {
        let known = shown.world.drivers.iter().any(|loaded| loaded.reference == *driver);
        let (heading, next) = match known {
            true => {
                (format!("{driver} has no actions"), "Whoever writes a driver can give it some: spec.actions")
            }
            false => (format!("{driver} is no longer loaded"), "Load it again to see and run its actions"),
        };
        empty(buffer, area, look, &heading, &[next.to_owned()]);
        return;
    }
    page(shown, look, area.width).draw(cursor, area, buffer);
}

fn page<'a>(shown: Shown<'_>, look: &'a Look<'a>, width: u16) -> Page<'a> {
    let mut page = Page::new(look, width);
    let actions = all(shown.application, shown.world);
    let longest = actions.iter().map(|action| format::width(&action.name)).max().unwrap_or(0).min(NAME);
    let manual = manual(shown.application, shown.world);
    if !manual.is_empty() {
        let (run, again) =
            (look.key(Command::Open, Layer::Detail), look.key(Command::RunAgain, Layer::Detail));
        let hint = format!("  {run} plans one, {again} plans it with the answers of its last run");
        page.heading(vec![look.span(Role::Section, "ACTIONS"), look.span(Role::Muted, hint)]);
    }
    for (index, action) in manual.iter().enumerate() {
        startable(&mut page, (index, action), shown, longest);
    }
    let mut hooked: Vec<&ActionSpec> = actions.iter().filter(|action| action.hook.is_some()).collect();
    hooked.sort_by_key(|action| (action.hook, action.mode));
    if !hooked.is_empty() {
        page.section("WHAT RUNS BY ITSELF");
    }
    for action in hooked {
        by_itself(&mut page, action, longest);
    }
    page
}

/// An action that a person starts: how it went, what it is for, what it asks.
fn startable(page: &mut Page<'_>, (index, action): (usize, &ActionSpec), shown: Shown<'_>, longest: usize) {
    let look = page.look;
    let mut spans = name(page, action, longest, Role::Title);
    match last_run(shown.application, shown.world, &action.name) {
        None => spans.push(look.span(Role::Muted, "○ not run yet")),
        Some(view) => {
            spans.push(Standing::of(view).span(look));
            spans.extend(progress::warnings(view).map(|warned| look.span(Role::Warn, format!("  {warned}"))));
            let told: String = told(view, look).iter().map(|part| format!(" · {part}")).collect();
            spans.push(look.span(Role::Muted, told));
        }
    }
    page.add(Some(index), spans);
    about(page, action);
    if !action.prompts.is_empty() {
        let asks: Vec<String> = action.prompts.iter().map(prompt).collect();
        let lead = vec![look.span(Role::Muted, "    asks for ")];
        page.wrapped(None, lead, Role::Text, &asks.join(", "));
    }
}

/// When it was, how long it took, and who wanted it.
fn told(view: &OperationView, look: &Look<'_>) -> Vec<String> {
    let ago = view.operation.times.ended.map(|ended| look.ago(ended));
    let took = progress::took(view, look);
    let took = if view.operation.state.is_final() { took.map(|took| format!("took {took}")) } else { took };
    ago.into_iter().chain(took).chain([format!("by {}", view.operation.origin.actor)]).collect()
}

fn prompt(spec: &ParameterSpec) -> String {
    let label = if spec.label.is_empty() { &spec.name } else { &spec.label };
    match spec.kind {
        ParameterKind::Secret => format!("{label} (secret)"),
        _ => label.clone(),
    }
}

/// An action at a hook: when it runs, and what its failure means.
fn by_itself(page: &mut Page<'_>, action: &ActionSpec, longest: usize) {
    let hook = action.hook.map_or("", |hook| hook.as_str());
    let mode = action.mode.unwrap_or(Mode::Core);
    let mut when = format!("at {hook} · {}: {}", mode.as_str(), moment(mode));
    if !action.after.is_empty() {
        when += &format!(" · after {}", action.after.join(", "));
    }
    if action.on_failure == OnFailure::Warn {
        when += " · its failure does not count";
    }
    let lead = name(page, action, longest, Role::Text);
    page.wrapped(None, lead, Role::Muted, &when);
    about(page, action);
}

fn moment(mode: Mode) -> &'static str {
    match mode {
        Mode::Pre => "before anything else",
        Mode::Core => "beside what is applied",
        Mode::Post => "after all went well",
        Mode::Failed => "when something failed",
        Mode::Finally => "at the end, however it ended",
    }
}

fn name(page: &Page<'_>, action: &ActionSpec, longest: usize, role: Role) -> Vec<Span<'static>> {
    let name = format::cut(&action.name, NAME);
    vec![Span::raw("  "), page.look.span(role, format!("{name:<longest$}")), Span::raw("  ")]
}

fn about(page: &mut Page<'_>, action: &ActionSpec) {
    let text = action.description.trim().replace('\n', " ");
    if !text.is_empty() {
        page.wrapped(None, vec![Span::raw("    ")], Role::Muted, &text);
    }
}
