//! One backup: where it stands, what it consists of, how it was verified, and how it is read without us.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::backups::{key_of, maker, on_backup};
use super::{keeping, moving, progress};
use crate::domain::backup::{Backup, BackupId, BackupPart, Engine};
use crate::domain::{Problem, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::inset;
use crate::ui::list::scroll as scroll_text;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::screen::{Context, Screen, Step, Tab};
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::widgets::page::plain;
use crate::ui::widgets::sheet::Sheet;
use crate::ui::widgets::{empty, headed, paint, scroll};

/// Where one is.
const PLACE: &str = "Backups › ";

/// One backup, as a page that scrolls.
#[derive(Debug)]
pub struct BackupPage {
    id: BackupId,
    offset: usize,
}

impl BackupPage {
    /// Its name.
    pub const NAME: &str = "backup";

    /// The page of a backup.
    pub fn new(id: BackupId) -> Self {
        Self { id, offset: 0 }
    }

    fn backup<'a>(&self, world: &'a World) -> Option<&'a Backup> {
        world.backups.iter().find(|backup| backup.id == self.id).map(|backup| &**backup)
    }

    /// How many lines there are, and where sections begin.
    fn measure(&self, world: &World, width: u16) -> (usize, Vec<usize>) {
        let Some(backup) = self.backup(world) else { return (0, Vec::new()) };
        plain(|look| {
            let sheet = sheet(backup, world, look, width);
            (sheet.lines.len(), sheet.starts)
        })
    }

    fn show_maker(&self, context: &mut Context<'_>) {
        match self.backup(context.world).and_then(|backup| maker(backup, context.world)) {
            Some(view) => context.steps.push(Step::ShowOperation(view.operation.id)),
            None => context.say(Toast::hint("The operation that made it is not shown any more")),
        }
    }
}

fn sheet<'a>(backup: &Backup, world: &World, look: &'a Look<'a>, width: u16) -> Sheet<'a> {
    let width = usize::from(width.saturating_sub(3));
    let mut sheet = Sheet::new(look, width);
    if let Some(view) = maker(backup, world).filter(|_| !backup.state.is_final()) {
        sheet.section("UNDER WAY", &format!("operation {}", view.operation.id));
        if let Some(moved) = moving::current(view) {
            let step = progress::current(view).and_then(|at| view.operation.plan.steps.get(at));
            sheet.text(step.map_or("", |step| step.name.as_str()));
            let mut spans = vec![Span::raw("  ")];
            spans.extend(moving::spans(moved, look, width.saturating_sub(2)));
            sheet.lines.push(Line::from(spans));
        }
    }
    if let Some(problem) = &backup.problem {
        told(&mut sheet, "WHY IT IS NOT COMPLETE", problem);
    }
    let fault = backup.newest_verification().and_then(|last| last.problem.as_ref());
    if let Some(problem) = fault {
        told(&mut sheet, "WHAT WAS FOUND WRONG WITH IT", problem);
    }
    parts(&mut sheet, backup);
    verifications(&mut sheet, backup, look);
    origin(&mut sheet, backup, look);
    by_hand(&mut sheet, backup, world);
    sheet
}

fn told(sheet: &mut Sheet<'_>, title: &str, problem: &Problem) {
    sheet.section(title, "");
    sheet.fact_in(Role::Fail, "what", &problem.what);
    sheet.fact("why", &problem.why);
    sheet.fact("next", &problem.next);
}

fn parts(sheet: &mut Sheet<'_>, backup: &Backup) {
    let all = format!("{} read, {} new", format::bytes(backup.bytes()), format::bytes(backup.stored()));
    sheet.section("WHAT WAS KEPT", &format!("{} parts · {all}", keeping::kept(backup).replace('/', " of ")));
    for part in &backup.parts {
        let size = format!(
            "{} · {} · {} read, {} new",
            part.strategy,
            part.state.as_str(),
            format::bytes(part.bytes),
            format::bytes(part.stored)
        );
        sheet.item(&keeping::part_name(part), &size);
        if let Some(problem) = &part.problem {
            sheet.below_in(Role::Fail, &format!("✗ {}: {}", problem.what, problem.why));
        }
        sheet.below(&seal(part));
    }
}

/// What a part can be told by.
fn seal(part: &BackupPart) -> String {
    let named = |label: &str, text: &str| (!text.is_empty()).then(|| format!("{label} {text}"));
    let short = |text: &str| text.chars().take(16).collect::<String>();
    let told = [
        Some(part.server.clone()).filter(|server| !server.is_empty()),
        named("snapshot", &short(&part.snapshot)),
        named("sha256", &short(&part.digest)),
        named("file", &part.path),
    ];
    told.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn verifications(sheet: &mut Sheet<'_>, backup: &Backup, look: &Look<'_>) {
    sheet.section("VERIFIED", "");
    if backup.verified.is_empty() {
        sheet.text("Never. A backup that was not restored is a hope: a drill proves it.");
    }
    for last in &backup.verified {
        let when = format!("{}, {}", look.ago(last.at), format::moment(last.at));
        match &last.problem {
            None => sheet.fact_in(Role::Ok, last.depth.as_str(), &format!("✓ {when}")),
            Some(problem) => {
                sheet.fact_in(Role::Fail, last.depth.as_str(), &format!("✗ {when}: {}", problem.what));
            }
        }
    }
}

fn origin(sheet: &mut Sheet<'_>, backup: &Backup, look: &Look<'_>) {
    sheet.section("WHERE IT COMES FROM", "");
    sheet.fact("backup", &backup.id.0);
    sheet.fact("made", &format!("{}, {}", look.ago(backup.created), format::moment(backup.created)));
    sheet
        .fact("took", &backup.ended.map(|ended| format::duration(backup.created, ended)).unwrap_or_default());
    sheet.fact("why", &keeping::trigger(backup));
    sheet.fact("part of", backup.group.as_deref().unwrap_or_default());
    sheet
        .fact("application", &format!("{} {}", backup.source.application, backup.source.application_version));
    sheet.fact("driver", &backup.source.driver.to_string());
    sheet.fact("instance", &backup.source.instance.to_string());
    sheet.fact("cluster", &backup.source.cluster);
    sheet.fact("manifest", backup.manifest.as_deref().unwrap_or("none yet"));
    if backup.pinned {
        sheet.fact_in(Role::Accent, "pinned", "◆ no retention deletes it");
    }
}

/// How it is read with the public program alone.
fn by_hand(sheet: &mut Sheet<'_>, backup: &Backup, world: &World) {
    let location = world.locations.iter().find(|view| view.location.name == backup.location);
    let parts = backup.parts.iter().filter(|part| !part.snapshot.is_empty());
    let (Some(view), Engine::Styrmin) = (location, backup.engine) else { return };
    let address = view.location.address();
    sheet.section("WITHOUT STYRMIN", "whoever has the key reads it with the public restic");
    for part in parts {
        let short: String = part.snapshot.chars().take(8).collect();
        sheet.below(&format!("restic -r {address} dump {short} {}", part.path));
    }
}

impl Screen for BackupPage {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        let backup = self.backup(world);
        flags.set(Flag::Backups, true);
        flags.set(Flag::Backup, backup.is_some());
        flags.set(Flag::Row, backup.is_some_and(|backup| maker(backup, world).is_some()));
        let busy = backup.and_then(|it| maker(it, world)).is_some_and(progress::can_be_cancelled);
        flags.set(Flag::Busy, busy);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let world = context.world;
        if let Some(backup) = self.backup(world) {
            if on_backup(command, backup, context) {
                return true;
            }
            if let Some(tab) = Tab::of(command) {
                let key = key_of(backup);
                match key.find(world) {
                    Some(_) => context.steps.push(Step::ShowApplication(key, tab)),
                    None => context.say(Toast::hint("Its application is not there any more")),
                }
                return true;
            }
            if let (Command::CancelOperation, Some(view)) = (command, maker(backup, world)) {
                super::operations::ask_to_cancel(view, context);
                return true;
            }
        }
        if command == Command::Open {
            self.show_maker(context);
            return true;
        }
        let (len, starts) = self.measure(world, context.size.width);
        scroll_text(&mut self.offset, command, (len, headed::height(context.size)), &starts)
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let (len, _) = self.measure(context.world, context.size.width);
        self.offset = self.offset.min(len.saturating_sub(headed::height(context.size)));
    }

    fn hints(&self) -> &'static [Command] {
        &[
            Command::Restore,
            Command::CancelOperation,
            Command::VerifyBackup,
            Command::VerifyFully,
            Command::Drill,
            Command::PinBackup,
            Command::DeleteBackup,
            Command::Next,
            Command::Help,
            Command::Back,
        ]
    }

    fn lasts(&self, world: &World, now: Timestamp, _size: Size) -> Option<Duration> {
        let backup = self.backup(world)?;
        if !backup.state.is_final() {
            return Some(SPIN);
        }
        let told = backup.verified.iter().map(|last| last.at).chain([backup.created]);
        told.map(|at| format::age_lasts(now, at)).min()
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let inside = headed::content(area);
        let backup = self.backup(world);
        if area.height > inside.height {
            let right = Line::from(backup.map_or_else(Span::default, |it| keeping::standing(it, look)));
            let place = Rect { height: area.height - inside.height, ..area };
            let name = backup.map_or_else(
                || self.id.to_string(),
                |it| {
                    format!(
                        "{} in {}, {}",
                        it.source.application,
                        it.source.environment,
                        format::moment(it.created)
                    )
                },
            );
            headed::head(place, look, (PLACE, name), right, buffer);
        }
        let Some(backup) = backup else {
            let next = "It was deleted, or the first picture has not come yet".to_owned();
            empty(buffer, inside, look, &format!("{} is not in the catalogue", self.id), &[next]);
            return;
        };
        let lines = sheet(backup, world, look, area.width).lines;
        let len = lines.len();
        let offset = self.offset.min(len.saturating_sub(usize::from(inside.height)));
        paint::lines(buffer, inset(inside, 1), lines.into_iter().skip(offset));
        scroll::bar(buffer, inside, look, offset, len);
    }
}
