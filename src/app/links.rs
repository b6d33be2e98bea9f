//! Links in the terminal (OSC 8): after each frame, the cells that lead somewhere are written once more between the sequences that
//! begin and end a link, but only where the terminal does not have them so already.

use std::collections::HashMap;

use ratatui::backend::Backend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};

use super::terminal::Surface;
use crate::ui::Linked;

/// What the terminal shows of links.
#[derive(Debug, Default)]
pub struct Links {
    area: Rect,
    shown: HashMap<Position, (String, Cell)>,
}

/// Cells beside each other that lead to the same URL, or to none any more.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// Where they lead to.
    pub url: Option<String>,
    /// The cells and where they stand, from left to right.
    pub cells: Vec<(Position, Cell)>,
}

impl Links {
    /// The terminal was emptied: it has no links any more.
    pub fn forget(&mut self) {
        self.shown.clear();
    }

    /// Takes note of what was drawn, and of the cells that lead somewhere. What comes back is to be written, so that each cell leads
    /// where it should: a cell that changed was written without its link, and one that did not change still has the old one.
    pub fn settle(&mut self, buffer: &Buffer, linked: Vec<Linked>) -> Vec<Run> {
        if buffer.area != self.area {
            // ratatui empties a terminal whose size changed
            (self.area, self.shown) = (buffer.area, HashMap::new());
        }
        let before = std::mem::take(&mut self.shown);
        let found = linked.into_iter().filter_map(|it| Some((it.at, (it.url, buffer.cell(it.at)?.clone()))));
        self.shown = found.collect();
        let new = self.shown.iter().filter(|(at, now)| before.get(*at) != Some(*now));
        let new = new.map(|(at, (url, cell))| (*at, Some(url.clone()), cell.clone()));
        let is_left =
            |at: &Position, was: &Cell| !self.shown.contains_key(at) && buffer.cell(*at) == Some(was);
        let gone = before.iter().filter(|(at, (_, was))| is_left(at, was));
        let gone = gone.map(|(at, (_, was))| (*at, None, was.clone()));
        runs(new.chain(gone).collect())
    }
}

/// Puts cells beside each other together.
fn runs(mut cells: Vec<(Position, Option<String>, Cell)>) -> Vec<Run> {
    cells.sort_by_key(|(at, ..)| (at.y, at.x));
    let mut runs: Vec<Run> = Vec::new();
    for (at, url, cell) in cells {
        let follows = |run: &&mut Run| {
            let last = run.cells.last().map(|(last, _)| *last);
            run.url == url && last == Some(Position { x: at.x.wrapping_sub(1), ..at })
        };
        match runs.last_mut().filter(follows) {
            Some(run) => run.cells.push((at, cell)),
            None => runs.push(Run { url, cells: vec![(at, cell)] }),
        }
    }
    runs
}

/// Writes runs of cells.
///
/// # Errors
/// When the terminal cannot be written to.
pub fn write<B: Backend + Surface>(backend: &mut B, runs: &[Run]) -> Result<(), B::Error> {
    for run in runs {
        backend.link(run.url.as_deref());
        // the second half of a wide character is no cell of its own to the terminal
        let mut free = 0;
        let cells = run.cells.iter().filter(|(at, cell)| {
            let shown = at.x >= free;
            if shown {
                free = at.x.saturating_add(u16::try_from(columns(cell)).unwrap_or(1));
            }
            shown
        });
        let written = backend.draw(cells.map(|(at, cell)| (at.x, at.y, cell)));
        if run.url.is_some() {
            backend.link(None);
        }
        written?;
    }
    Ok(())
}

fn columns(cell: &Cell) -> usize {
    crate::ui::format::width(cell.symbol()).max(1)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io;
    use std::num::NonZero;
    use std::sync::{Arc, Mutex};

    use ratatui::backend::{ClearType, CrosstermBackend, TestBackend, WindowSize};
    use ratatui::layout::Size;
    use ratatui::{Terminal, TerminalOptions, Viewport};

    use super::*;

    const ONE: &str = "http://one.localhost/";
    const TWO: &str = "http://two.localhost/";

    /// A terminal that keeps what is written, with links in angle brackets.
    #[derive(Default)]
    struct Written(String);

    impl Surface for Written {
        fn link(&mut self, url: Option<&str>) {
            self.0.push_str(&url.map_or("</>".to_owned(), |url| format!("<{url}>")));
        }
    }

    impl Backend for Written {
        type Error = Infallible;

        fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, cells: I) -> Result<(), Infallible> {
            cells.for_each(|(_, _, cell)| self.0.push_str(cell.symbol()));
            Ok(())
        }

        fn hide_cursor(&mut self) -> Result<(), Infallible> {
            Ok(())
        }

        fn show_cursor(&mut self) -> Result<(), Infallible> {
            Ok(())
        }

        fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
            Ok(Position::ORIGIN)
        }

        fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> Result<(), Infallible> {
            Ok(())
        }

        fn clear(&mut self) -> Result<(), Infallible> {
            Ok(())
        }

        fn clear_region(&mut self, _: ClearType) -> Result<(), Infallible> {
            Ok(())
        }

        fn size(&self) -> Result<Size, Infallible> {
            Ok(Size::new(20, 2))
        }

        fn window_size(&mut self) -> Result<WindowSize, Infallible> {
            Ok(WindowSize { columns_rows: Size::new(20, 2), pixels: Size::ZERO })
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    fn buffer(text: &str) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(20, 2)).unwrap();
        let drawn = terminal.draw(|frame| frame.render_widget(text, frame.area())).unwrap();
        drawn.buffer.clone()
    }

    /// Marks columns of the first row.
    fn linked(columns: std::ops::Range<u16>, url: &str) -> Vec<Linked> {
        columns.map(|x| Linked { at: Position::new(x, 0), url: url.to_owned() }).collect()
    }

    fn settled(links: &mut Links, text: &str, linked: Vec<Linked>) -> String {
        let mut written = Written::default();
        write(&mut written, &links.settle(&buffer(text), linked)).unwrap();
        written.0
    }

    #[test]
    fn a_link_is_written_once_and_again_where_its_cells_change() {
        let mut links = Links::default();
        assert_eq!(settled(&mut links, "see one now", linked(4..7, ONE)), format!("<{ONE}>one</>"));
        assert_eq!(settled(&mut links, "see one now", linked(4..7, ONE)), "");
        assert_eq!(
            settled(&mut links, "see one!now", linked(4..7, ONE)),
            "",
            "what is beside it is no matter"
        );
        assert_eq!(settled(&mut links, "see ore now", linked(4..7, ONE)), format!("<{ONE}>r</>"));
    }

    #[test]
    fn a_cell_that_stays_and_leads_elsewhere_or_nowhere_is_written_again() {
        let mut links = Links::default();
        settled(&mut links, "see one now", linked(4..7, ONE));
        assert_eq!(settled(&mut links, "see one now", linked(4..7, TWO)), format!("<{TWO}>one</>"));
        assert_eq!(settled(&mut links, "see one now", Vec::new()), "</>one", "the old link is taken away");
        settled(&mut links, "see one now", linked(4..7, ONE));
        assert_eq!(
            settled(&mut links, "... ... ...", Vec::new()),
            "",
            "those cells were written anew already"
        );
    }

    #[test]
    fn an_emptied_terminal_gets_its_links_again() {
        let mut links = Links::default();
        let all = || [linked(0..3, ONE), linked(3..6, TWO)].concat();
        let shown = format!("<{ONE}>one</><{TWO}>two</>");
        assert_eq!(settled(&mut links, "onetwo", all()), shown);
        links.forget();
        assert_eq!(settled(&mut links, "onetwo", all()), shown);
    }

    #[test]
    fn wide_characters_are_written_once() {
        let mut links = Links::default();
        assert_eq!(settled(&mut links, "日本 x", linked(0..4, ONE)), format!("<{ONE}>日本</>"));
    }

    /// What a terminal gets.
    #[derive(Clone, Default)]
    struct Wire(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Where links begin and end on the screen of a terminal.
    #[derive(Default)]
    struct Seen(Vec<((u16, u16), String)>);

    impl vt100::Callbacks for Seen {
        fn unhandled_osc(&mut self, screen: &mut vt100::Screen, words: &[&[u8]]) {
            let words: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).into()).collect();
            assert_eq!(words[0], "8", "{words:?}");
            self.0.push((screen.cursor_position(), words[2..].join(";")));
        }
    }

    #[test]
    fn a_terminal_shows_the_same_text_with_links_as_without() {
        let (wire, area) = (Wire::default(), Rect::new(0, 0, 24, 3));
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let mut terminal = Terminal::with_options(CrosstermBackend::new(wire.clone()), options).unwrap();
        let cells = |count: u16| NonZero::new(count).unwrap();
        let mut parser = vt100::Parser::new_with_callbacks(cells(3), cells(24), 0, Seen::default());
        let mut links = Links::default();
        let frames = [
            ("see one and two 日本", [linked(4..7, ONE), linked(12..15, TWO)].concat()),
            ("see one and ten 日本", [linked(4..7, ONE), linked(12..15, TWO), linked(16..20, ONE)].concat()),
            ("see one and ten 日本", linked(12..15, TWO)),
            ("nothing at all", Vec::new()),
        ];
        let mut seen = Vec::new();
        for (text, linked) in frames {
            let frame = terminal.draw(|frame| frame.render_widget(text, frame.area())).unwrap();
            let runs = links.settle(frame.buffer, linked);
            write(terminal.backend_mut(), &runs).unwrap();
            parser.process(&std::mem::take(&mut *wire.0.lock().unwrap()));
            assert_eq!(parser.screen().contents().trim_end(), text);
            seen.push(std::mem::take(&mut parser.callbacks_mut().0));
        }
        let at = |column: u16, url: &str| ((0, column), url.to_owned());
        assert_eq!(seen[0][1], at(7, ""), "{seen:?}");
        assert_eq!((seen[0][3].clone(), seen[0].len()), (at(15, ""), 4), "{seen:?}");
        assert_eq!(seen[1].iter().filter(|(_, url)| url == ONE).count(), 1, "the first one stays: {seen:?}");
        assert_eq!(seen[1].last(), Some(&at(20, "")));
        assert!(seen[2].iter().all(|(_, url)| url.is_empty()) && !seen[2].is_empty(), "{seen:?}");
        assert!(seen[3].is_empty(), "{seen:?}");
    }

    #[test]
    fn cells_outside_of_the_terminal_are_left_alone() {
        let mut links = Links::default();
        assert_eq!(settled(&mut links, "one", linked(18..30, ONE)), format!("<{ONE}>  </>"));
    }
}
