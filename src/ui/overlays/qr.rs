//! A URL as a QR code, for the camera of a phone.

mod code;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

pub use self::code::Cells;
use self::code::Code;
use crate::domain::World;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{centred, rows_from};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::widgets::{frame, paint};

/// The columns and rows that the box has around what it shows.
const AROUND: (u16, u16) = (4, 2);
/// The columns of the text beside the code.
const BESIDE: u16 = 30;
/// The fewest columns that the text beside it makes any sense in.
const LEAST: u16 = 18;

/// A URL as a QR code.
#[derive(Debug)]
pub struct Qr {
    url: String,
    cells: Cells,
    code: Option<Code>,
}

/// Where things stand: the whole box, the code, the text.
struct Places {
    whole: Rect,
    beside: bool,
    code: (u16, u16),
    quiet: u16,
}

impl Qr {
    /// Its name.
    pub const NAME: &str = "QR code";

    /// The code of a URL, on a terminal that shows such cells.
    pub fn new(url: String, cells: Cells) -> Self {
        let code = Code::new(&url);
        Self { url, cells, code }
    }

    /// What there is to say beside the code.
    fn notes(&self, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
        let wrap = |role: Role, text: &str| -> Vec<Line<'static>> {
            format::wrap(text, width).into_iter().map(|part| Line::from(look.span(role, part))).collect()
        };
        let mut lines: Vec<Line<'static>> = format::wrap(&self.url, width)
            .into_iter()
            .map(|part| Line::from(look.link(part, &self.url)))
            .collect();
        if is_here_only(&self.url) {
            let said = "▲ This host is this very machine: a phone cannot reach it. Give the environment a suffix that leads here.";
            lines.extend(wrap(Role::Warn, said));
        }
        if self.cells == Cells::Plain {
            let said =
                "Without colours it is light on a dark background; elsewhere some cameras do not take it.";
            lines.extend(wrap(Role::Muted, said));
        }
        lines
    }

    /// What is shown in its place where it cannot be.
    fn excuse(&self, room: Rect) -> Option<String> {
        let Some(code) = &self.code else {
            return Some("The URL is too long for a QR code.".to_owned());
        };
        if self.cells == Cells::None {
            return Some("ASCII without colours cannot show a QR code.".to_owned());
        }
        if self.places(room).is_some() {
            return None;
        }
        let (width, height) = self.cells.size(code, code::QUIET_LEAST);
        let (width, height) = (width + AROUND.0, height + AROUND.1 + 1);
        Some(format!("The window is too small for the QR code: it needs {width} × {height}."))
    }

    /// Beside each other where that fits, else the text below; with as much quiet around the code as there is room for.
    fn places(&self, room: Rect) -> Option<Places> {
        let code = self.code.as_ref().filter(|_| self.cells != Cells::None)?;
        for quiet in [code::QUIET, code::QUIET_LEAST] {
            let (width, height) = self.cells.size(code, quiet);
            let beside = room.width.saturating_sub(width + AROUND.0 + 2).min(BESIDE);
            if beside >= LEAST && height + AROUND.1 <= room.height {
                let whole = centred(room, width + AROUND.0 + 2 + beside, height + AROUND.1);
                return Some(Places { whole, beside: true, code: (width, height), quiet });
            }
            let below = room.height.saturating_sub(height + AROUND.1).min(4);
            if width + AROUND.0 <= room.width && below >= 1 {
                let whole = centred(room, width + AROUND.0, height + AROUND.1 + below);
                return Some(Places { whole, beside: false, code: (width, height), quiet });
            }
        }
        None
    }
}

/// Whether a URL leads to the machine that it is opened on.
fn is_here_only(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || host == "localhost" || host.ends_with(".localhost")
}

impl Screen for Qr {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Accept | Command::Cancel | Command::Back => context.steps.push(Step::Close),
            Command::CopyUrl => context.copy(&self.url),
            _ => return false,
        }
        true
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Accept, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let title = format::short_url(&self.url).to_owned();
        let (Some(places), Some(code)) = (self.places(area), &self.code) else {
            let width = area.width.saturating_sub(2).min(60);
            let room = usize::from(width.saturating_sub(AROUND.0));
            let excuse = self.excuse(area).unwrap_or_default();
            let mut lines: Vec<Line<'static>> = format::wrap(&excuse, room)
                .into_iter()
                .map(|part| Line::from(look.span(Role::Warn, part)))
                .collect();
            lines.push(Line::default());
            lines.extend(self.notes(look, room));
            let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(AROUND.1);
            let inside = frame::dialog(buffer, centred(area, width, height), look, &title);
            paint::lines(buffer, inside, lines);
            return;
        };
        let inside = frame::dialog(buffer, places.whole, look, &title);
        let (width, height) = places.code;
        let place = Rect { width: width.min(inside.width), height: height.min(inside.height), ..inside };
        self.cells.draw(code, places.quiet, place, buffer);
        let text = match places.beside {
            true => {
                let x = inside.x + (width + 2).min(inside.width);
                Rect { x, width: inside.right() - x, ..inside }
            }
            false => rows_from(inside, height),
        };
        paint::lines(buffer, text, self.notes(look, usize::from(text.width)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_this_machine_is_told() {
        for url in [
            "http://notes-demo.localhost:8480/",
            "http://localhost/",
            "https://127.0.0.1:8443/x",
            "http://[::1]:80/",
        ] {
            assert!(is_here_only(url), "{url}");
        }
        for url in [
            "https://notes.example.org/",
            "http://10.0.0.1/",
            "http://localhost.example.org/",
            "http://[fd00::1]/",
        ] {
            assert!(!is_here_only(url), "{url}");
        }
    }

    #[test]
    fn there_is_a_place_or_an_excuse_at_every_size() {
        let url =
            "https://a-rather-long-name-of-a-service-in-production.apps.cluster-7.example.org/path?query=1";
        for cells in [Cells::Plain, Cells::None, Cells::Blocks(code::WHITE_BLACK)] {
            let qr = Qr::new(url.to_owned(), cells);
            for (width, height) in (1..120).flat_map(|width| (1..50).map(move |height| (width, height))) {
                let room = Rect::new(0, 0, width, height);
                let places = qr.places(room);
                assert_eq!(places.is_some(), qr.excuse(room).is_none(), "{width} {height}");
                if let Some(places) = places {
                    assert!(places.code.0 + AROUND.0 <= places.whole.width && places.whole.width <= width);
                    assert!(places.code.1 + AROUND.1 <= places.whole.height && places.whole.height <= height);
                }
            }
        }
        assert!(Qr::new("x".repeat(4_000), Cells::Plain).excuse(Rect::new(0, 0, 500, 500)).is_some());
    }
}
