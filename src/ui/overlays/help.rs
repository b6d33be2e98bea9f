//! The keys that work where help was asked for, put together from the keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::World;
use crate::ui::keymap::{Command, Flags, Group, Keymap, Layer};
use crate::ui::layout::{centred, rows_from};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::widgets::{frame, paint, scroll};

/// The widest help.
const WIDEST: u16 = 84;
/// The column of the keys.
const KEYS: usize = 22;

/// The keys that work where help was asked for.
#[derive(Debug)]
pub struct Help {
    title: String,
    rows: Vec<Row>,
    offset: usize,
}

#[derive(Debug)]
enum Row {
    Gap,
    Group(&'static str),
    Command(String, &'static str),
}

impl Help {
    /// Its name.
    pub const NAME: &str = "help";

    /// The help for a layer, where these facts hold.
    pub fn new(keymap: &Keymap, layer: Layer, flags: &Flags) -> Self {
        let mut rows = Vec::new();
        for group in Group::ALL {
            let commands: Vec<Row> = Command::ALL
                .iter()
                .filter(|command| command.group() == group)
                .filter_map(|command| {
                    let keys = keymap.keys_of(*command, layer, flags);
                    (!keys.is_empty()).then(|| Row::Command(keys.join("  "), command.doc()))
                })
                .collect();
            if !commands.is_empty() {
                rows.extend((!rows.is_empty()).then_some(Row::Gap));
                rows.push(Row::Group(group.title()));
                rows.extend(commands);
            }
        }
        Self { title: format!("Keys ({} keymap)", keymap.name), rows, offset: 0 }
    }

    fn page(size: Size) -> usize {
        usize::from(size.height.saturating_sub(2))
    }
}

impl Screen for Help {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Cancel | Command::Back | Command::Accept | Command::Help => {
                context.steps.push(Step::Close);
                true
            }
            other => {
                let page = Self::page(context.size);
                // The page scrolls as a whole: the cursor is its first row.
                let last = self.rows.len().saturating_sub(page);
                let mut cursor = Cursor { at: self.offset.min(last), offset: 0 };
                let moved = cursor.command(other, last + 1, page);
                self.offset = cursor.at;
                moved
            }
        }
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Down, Command::Up, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let height = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).saturating_add(2);
        let place = centred(area, WIDEST.min(area.width.saturating_sub(2)), height.min(area.height));
        let inside = frame::dialog(buffer, place, look, &self.title);
        let page = usize::from(inside.height);
        let offset = window(self.offset, self.offset, self.rows.len(), page);
        let lines = self.rows.iter().skip(offset).map(|row| match row {
            Row::Gap => Line::default(),
            Row::Group(title) => Line::from(look.span(Role::Section, title.to_uppercase())),
            Row::Command(keys, doc) => {
                Line::from(vec![look.span(Role::Key, format!("{keys:<KEYS$} ")), look.span(Role::Text, *doc)])
            }
        });
        paint::lines(buffer, Rect { width: inside.width.saturating_sub(1), ..inside }, lines);
        scroll::bar(buffer, rows_from(inside, 0), look, offset, self.rows.len());
    }
}
