//! The modules of a QR code in the cells of a terminal: dark on light whatever the theme is, for that is what cameras look for.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Style};

use crate::ui::config::UiOptions;
use crate::ui::theme::ColourDepth;

/// The modules of quiet around a code, as its standard asks for.
pub const QUIET: u16 = 4;
/// As many as cameras get by with where there is no room for more.
pub const QUIET_LEAST: u16 = 2;
/// White and black, exactly.
pub const WHITE_BLACK: (Color, Color) = (Color::Rgb(255, 255, 255), Color::Rgb(0, 0, 0));

/// A QR code.
#[derive(Debug)]
pub struct Code {
    size: u16,
    /// Row by row, whether a module is dark.
    dark: Vec<bool>,
}

/// How its modules are shown: what is light, what is dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// Two modules above each other in a cell, in colours.
    Blocks((Color, Color)),
    /// Two cells beside each other for a module, in colours of the background: no glyph is needed.
    Spaces((Color, Color)),
    /// As blocks, without colours: what is light has the colour of text.
    Plain,
    /// Not at all.
    None,
}

impl Code {
    /// The code of a text; none when it is too long for one.
    pub fn new(text: &str) -> Option<Self> {
        let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Low).ok()?;
        let size = code.size();
        let rows = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
        let dark = rows.map(|(x, y)| code.get_module(x, y)).collect();
        Some(Self { size: u16::try_from(size).ok()?, dark })
    }

    /// Whether a module is dark; what is outside is quiet. Counted from where the quiet begins.
    fn is_dark(&self, x: u16, y: u16, quiet: u16) -> bool {
        let inside = |at: u16| at.checked_sub(quiet).filter(|at| *at < self.size);
        let (Some(x), Some(y)) = (inside(x), inside(y)) else { return false };
        let index = usize::from(y) * usize::from(self.size) + usize::from(x);
        self.dark.get(index).copied().unwrap_or(false)
    }
}

impl Cells {
    /// What a terminal can show.
    pub fn of(options: &UiOptions) -> Self {
        let colours = match options.colours {
            ColourDepth::Full => Some(WHITE_BLACK),
            // the fixed part of the palette: the first sixteen are what the person made of them
            ColourDepth::Indexed => Some((Color::Indexed(231), Color::Indexed(16))),
            ColourDepth::Sixteen => Some((Color::White, Color::Black)),
            ColourDepth::Mono => None,
        };
        match (colours, options.ascii) {
            (Some(colours), false) => Self::Blocks(colours),
            (Some(colours), true) => Self::Spaces(colours),
            (None, false) => Self::Plain,
            (None, true) => Self::None,
        }
    }

    /// The columns and rows that a code needs, with the quiet around it.
    pub fn size(self, code: &Code, quiet: u16) -> (u16, u16) {
        let modules = code.size + 2 * quiet;
        match self {
            Self::Spaces(_) => (modules * 2, modules),
            Self::Blocks(_) | Self::Plain | Self::None => (modules, modules.div_ceil(2)),
        }
    }

    /// Draws a code.
    pub fn draw(self, code: &Code, quiet: u16, area: Rect, buffer: &mut Buffer) {
        for Position { x, y } in area.intersection(buffer.area).positions() {
            let (column, row) = (x - area.x, y - area.y);
            let (glyph, style) = self.cell(code, quiet, (column, row));
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_char(glyph).set_style(style);
            }
        }
    }

    fn cell(self, code: &Code, quiet: u16, (column, row): (u16, u16)) -> (char, Style) {
        let (upper, lower) = (code.is_dark(column, row * 2, quiet), code.is_dark(column, row * 2 + 1, quiet));
        match self {
            Self::Blocks((light, dark)) => {
                let colour = |is_dark: bool| if is_dark { dark } else { light };
                let glyph = if upper == lower { ' ' } else { '▀' };
                (glyph, Style::new().fg(colour(upper)).bg(colour(lower)))
            }
            Self::Spaces((light, dark)) => {
                let is_dark = code.is_dark(column / 2, row, quiet);
                (' ', Style::new().bg(if is_dark { dark } else { light }))
            }
            Self::Plain => {
                let glyph = match (upper, lower) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                };
                (glyph, Style::new())
            }
            Self::None => (' ', Style::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://notes-demo.localhost:8480/";

    /// What a camera sees: the modules that a drawn buffer shows, light or dark.
    fn seen(cells: Cells, code: &Code, quiet: u16) -> Vec<Vec<bool>> {
        let (width, height) = cells.size(code, quiet);
        let area = Rect::new(3, 1, width, height);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width + 6, height + 2));
        cells.draw(code, quiet, area, &mut buffer);
        let modules = code.size + 2 * quiet;
        let is_dark = |x: u16, y: u16| match cells {
            Cells::Spaces((_, dark)) => buffer[(area.x + 2 * x + 1, area.y + y)].bg == dark,
            Cells::Blocks((_, dark)) => {
                let cell = &buffer[(area.x + x, area.y + y / 2)];
                (if y.is_multiple_of(2) && cell.symbol() == "▀" { cell.fg } else { cell.bg }) == dark
            }
            Cells::Plain | Cells::None => {
                let symbol = buffer[(area.x + x, area.y + y / 2)].symbol();
                !(symbol == "█" || symbol == if y.is_multiple_of(2) { "▀" } else { "▄" })
            }
        };
        (0..modules).map(|y| (0..modules).map(|x| is_dark(x, y)).collect()).collect()
    }

    #[test]
    fn what_is_drawn_is_the_code_with_quiet_around_it() {
        let code = Code::new(URL).unwrap();
        assert_eq!(code.size, 29);
        for cells in [Cells::Blocks(WHITE_BLACK), Cells::Spaces(WHITE_BLACK), Cells::Plain] {
            for quiet in [QUIET_LEAST, QUIET] {
                let seen = seen(cells, &code, quiet);
                for (y, row) in seen.iter().enumerate() {
                    for (x, dark) in row.iter().enumerate() {
                        let (x, y) = (u16::try_from(x).unwrap(), u16::try_from(y).unwrap());
                        let inside = |at: u16| (quiet..quiet + code.size).contains(&at);
                        let wanted = inside(x)
                            && inside(y)
                            && code.dark[usize::from(y - quiet) * 29 + usize::from(x - quiet)];
                        assert_eq!(*dark, wanted, "{cells:?} {x} {y}");
                    }
                }
                // the three marks that a camera finds a code by
                let corner = usize::from(quiet);
                assert!(seen[corner][corner..corner + 7].iter().all(|dark| *dark));
                assert!(!seen[corner + 1][corner + 1]);
            }
        }
    }

    #[test]
    fn a_terminal_shows_what_it_can() {
        let of = |colours, ascii| Cells::of(&UiOptions { colours, ascii, ..UiOptions::default() });
        assert_eq!(of(ColourDepth::Full, false), Cells::Blocks(WHITE_BLACK));
        assert_eq!(of(ColourDepth::Sixteen, true), Cells::Spaces((Color::White, Color::Black)));
        assert_eq!(of(ColourDepth::Mono, false), Cells::Plain);
        assert_eq!(of(ColourDepth::Mono, true), Cells::None);
        assert!(Code::new(&"x".repeat(3_000)).is_none());
    }
}
