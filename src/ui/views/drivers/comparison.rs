//! How two versions of a driver differ, file by file.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::{PLACE, find};
use crate::domain::diff::{self, Change};
use crate::domain::driver::{Changes, Fate, FileChange};
use crate::domain::{DriverRef, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::inset;
use crate::ui::list::scroll as scroll_text;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::widgets::diff::role;
use crate::ui::widgets::{empty, headed, paint, scroll};

/// The columns before a line's text: its sign and a blank.
const SIGN: usize = 2;

/// How two versions of one driver differ.
#[derive(Debug)]
pub struct DriverComparison {
    old: DriverRef,
    new: DriverRef,
    /// None while one of the two was never seen.
    compared: Option<Compared>,
    /// The first line on screen.
    offset: usize,
}

/// What differs, and how it is laid out: files can be long, and a screen is drawn often.
#[derive(Debug)]
struct Compared {
    /// The digests of both: when they stay, so does what differs.
    digests: (String, String),
    changes: Changes,
    width: u16,
    rows: Vec<Row>,
    /// The rows at which files begin.
    starts: Vec<usize>,
}

/// A row: a gap, a file, or a part of one of its lines with the sign before it.
#[derive(Debug, Clone)]
enum Row {
    Gap,
    File(usize),
    Line(Change, &'static str, String),
}

impl DriverComparison {
    /// Its name.
    pub const NAME: &str = "driver-comparison";

    /// How version `new` of a driver differs from version `old`.
    pub fn new(old: DriverRef, new: DriverRef) -> Self {
        Self { old, new, compared: None, offset: 0 }
    }

    /// Compares when a version is another one than before; lays out again when the width is another one.
    fn follow(&mut self, world: &World, width: u16) {
        if let (Some(old), Some(new)) = (find(world, &self.old), find(world, &self.new)) {
            let digests = (old.digest.clone(), new.digest.clone());
            if self.compared.as_ref().is_none_or(|known| known.digests != digests) {
                let changes = Changes::between(old, new);
                let (rows, starts) = layout(&changes.files, width);
                self.compared = Some(Compared { digests, changes, width, rows, starts });
            }
        }
        if let Some(compared) = self.compared.as_mut().filter(|compared| compared.width != width) {
            (compared.rows, compared.starts) = layout(&compared.changes.files, width);
            compared.width = width;
        }
    }
}

/// The rows of every file, and where each begins. What does not fit goes on below it, because it may be what changed.
fn layout(files: &[FileChange], width: u16) -> (Vec<Row>, Vec<usize>) {
    let width = usize::from(width).saturating_sub(3 + SIGN).max(8);
    let (mut rows, mut starts) = (Vec::new(), Vec::new());
    for (index, file) in files.iter().enumerate() {
        if index > 0 {
            rows.push(Row::Gap);
        }
        starts.push(rows.len());
        rows.push(Row::File(index));
        for line in &file.lines {
            for (part, text) in format::break_hard(&line.text, width).into_iter().enumerate() {
                let sign = if part == 0 { line.change.sign() } else { " " };
                rows.push(Row::Line(line.change, sign, text));
            }
        }
    }
    (rows, starts)
}

impl Compared {
    fn line(&self, row: &Row, look: &Look<'_>) -> Line<'static> {
        match row {
            Row::Gap => Line::default(),
            Row::File(index) => {
                self.changes.files.get(*index).map(|file| heading(file, look)).unwrap_or_default()
            }
            Row::Line(change, sign, text) => {
                Line::from(look.span(role(*change), format!("{sign:<SIGN$}{text}")))
            }
        }
    }
}

fn heading(file: &FileChange, look: &Look<'_>) -> Line<'static> {
    let mut spans = vec![look.span(Role::Title, file.path.clone())];
    match file.fate {
        Fate::Added => spans.push(look.span(role(Change::Added), "  added")),
        Fate::Removed => spans.push(look.span(role(Change::Removed), "  removed")),
        Fate::Changed => {}
    }
    let (added, removed) = diff::counts(&file.lines);
    for (change, count) in [(Change::Added, added), (Change::Removed, removed)] {
        if count > 0 {
            spans.push(look.span(role(change), format!("  {}{count}", change.sign())));
        }
    }
    Line::from(spans)
}

impl Screen for DriverComparison {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Drivers, true);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::NewDeployment => context.steps.push(Step::ShowForm(Some(self.new.name.clone()))),
            Command::CompareVersions => context.say(Toast::hint("This is how they differ")),
            Command::CopyName => context.say(Toast::hint("There is no name to copy here")),
            other => {
                let Some(compared) = &self.compared else { return false };
                let size = (compared.rows.len(), headed::height(context.size));
                return scroll_text(&mut self.offset, other, size, &compared.starts);
            }
        }
        true
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.follow(context.world, context.size.width);
        let len = self.compared.as_ref().map_or(0, |compared| compared.rows.len());
        self.offset = self.offset.min(len.saturating_sub(headed::height(context.size)));
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Down, Command::Next, Command::Previous, Command::ShowDrivers, Command::Help, Command::Back]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let inside = headed::content(area);
        if area.height > inside.height {
            let right = self
                .compared
                .as_ref()
                .map(|known| headed::counts(known.changes.files.len(), "file", known.changes.counts(), look));
            let name = format!("{} {} → {}", self.new.name, self.old.version, self.new.version);
            let place = Rect { height: area.height - inside.height, ..area };
            headed::head(place, look, (PLACE, name), right.unwrap_or_default(), buffer);
        }
        let Some(compared) = &self.compared else {
            let next = "Only what is loaded can be compared".to_owned();
            empty(buffer, inside, look, "One of them is no longer loaded", &[next]);
            return;
        };
        if compared.changes.files.is_empty() {
            let (heading, next) = if compared.changes.unseen {
                ("No text differs", "Their digests do: what differs is a file that is no text")
            } else {
                ("Nothing differs", "Both consist of the same files, to the letter")
            };
            empty(buffer, inside, look, heading, &[next.to_owned()]);
            return;
        }
        let len = compared.rows.len();
        let page = usize::from(inside.height);
        let offset = self.offset.min(len.saturating_sub(page));
        let visible = compared.rows.iter().skip(offset).take(page);
        paint::lines(buffer, inset(inside, 1), visible.map(|row| compared.line(row, look)));
        scroll::bar(buffer, inside, look, offset, len);
    }
}
