//! A cursor in a list that scrolls.

use super::keymap::Command;

/// A cursor in a list that scrolls. Its numbers are made to fit by [`Cursor::settle`] after every change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The row that the cursor is on.
    pub at: usize,
    /// The first row that is shown.
    pub offset: usize,
}

impl Cursor {
    /// Moves by a command; false when the command moves nothing. `page` is the number of rows on screen.
    pub fn command(&mut self, command: Command, len: usize, page: usize) -> bool {
        let page = page.max(1);
        let half = (page / 2).max(1);
        let last = len.saturating_sub(1);
        self.at = match command {
            Command::Up => self.at.saturating_sub(1),
            Command::Down => self.at.saturating_add(1),
            Command::HalfPageUp => self.at.saturating_sub(half),
            Command::HalfPageDown => self.at.saturating_add(half),
            Command::PageUp => self.at.saturating_sub(page),
            Command::PageDown => self.at.saturating_add(page),
            Command::Top => 0,
            Command::Bottom => last,
            _ => return false,
        };
        self.settle(len, page);
        true
    }

    /// Brings the cursor into the list, and the rows on screen to the cursor.
    pub fn settle(&mut self, len: usize, page: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        self.offset = window(self.at, self.offset, len, page);
    }
}

/// The first row to show so that row `at` is among the `page` rows on screen, moving as little as possible from `offset`.
pub fn window(at: usize, offset: usize, len: usize, page: usize) -> usize {
    let page = page.max(1);
    let lowest = (at + 1).saturating_sub(page);
    offset.clamp(lowest, at.max(lowest)).min(len.saturating_sub(page))
}

/// Scrolls a text of `len` lines, of which `page` are on screen and `offset` is the first; false when the command scrolls nothing.
/// [`Command::Next`] and [`Command::Previous`] go to where a part of it begins: to one of `starts`.
pub fn scroll(offset: &mut usize, command: Command, (len, page): (usize, usize), starts: &[usize]) -> bool {
    let last = len.saturating_sub(page);
    let jump = match command {
        Command::Next => starts.iter().copied().find(|start| *start > *offset),
        Command::Previous => starts.iter().copied().rfind(|start| *start < *offset),
        other => {
            // The text scrolls as a whole: the cursor is its first row.
            let mut cursor = Cursor { at: (*offset).min(last), offset: 0 };
            let moved = cursor.command(other, last + 1, page);
            *offset = cursor.at;
            return moved;
        }
    };
    *offset = jump.unwrap_or(*offset).min(last);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_list_and_on_screen() {
        let mut cursor = Cursor::default();
        assert!(cursor.command(Command::PageDown, 100, 10));
        assert_eq!(cursor, Cursor { at: 10, offset: 1 });
        cursor.command(Command::Bottom, 100, 10);
        assert_eq!(cursor, Cursor { at: 99, offset: 90 });
        cursor.command(Command::Down, 100, 10);
        assert_eq!(cursor.at, 99);
        cursor.settle(5, 10);
        assert_eq!(cursor, Cursor { at: 4, offset: 0 });
        cursor.settle(0, 0);
        assert_eq!(cursor, Cursor::default());
        assert!(!cursor.command(Command::Open, 5, 5));
    }

    #[test]
    fn scrolling_moves_as_little_as_possible() {
        assert_eq!(window(5, 3, 20, 5), 3);
        assert_eq!(window(8, 3, 20, 5), 4);
        assert_eq!(window(2, 3, 20, 5), 2);
        assert_eq!(window(2, 9, 3, 5), 0);
    }
}
