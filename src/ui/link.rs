//! Links on screen (OSC 8). A buffer's cells cannot carry a link, and what a line will be cut to, scrolled away to or covered by is
//! known only when everything is drawn. So a span that leads somewhere is marked with a number in the colour of its underline, which
//! the cockpit uses for nothing else; once all is drawn the marks are taken out of the cells, and told beside the frame.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Color, Style};
use ratatui::text::Span;

use super::format;
use crate::domain::World;

/// A cell that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The cell.
    pub at: Position,
    /// The URL.
    pub url: String,
}

/// A number for a URL, in what a colour can hold. Two URLs of one number lead nowhere.
fn number(url: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    // 24 bits, never 0
    (u32::try_from(hasher.finish() & 0xff_ffff).unwrap_or(0)).max(1)
}

/// A span that leads to a URL.
pub fn mark(span: Span<'static>, url: &str) -> Span<'static> {
    let [_, red, green, blue] = number(url).to_be_bytes();
    let style = Style::new().underline_color(Color::Rgb(red, green, blue));
    Span { style: span.style.patch(style), ..span }
}

/// Whether a URL may be told to a terminal: no character of it could end the sequence, or begin another one.
fn is_plain(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.len() <= 2_000 && url.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

/// Takes the marks out of a buffer; what they lead to, row by row, is one of the URLs of the picture.
pub fn take(buffer: &mut Buffer, world: &World) -> Vec<Linked> {
    let mut marked = Vec::new();
    let mut wide = 0;
    let mut last = 0;
    for index in 0..buffer.content.len() {
        let cell = &mut buffer.content[index];
        let Color::Rgb(red, green, blue) = cell.underline_color else {
            // the second half of a wide character belongs to the first one
            if wide > 0 {
                wide -= 1;
                marked.push((index, last));
            }
            continue;
        };
        cell.underline_color = Color::Reset;
        last = u32::from_be_bytes([0, red, green, blue]);
        wide = format::width(cell.symbol()).saturating_sub(1);
        marked.push((index, last));
    }
    if marked.is_empty() {
        return Vec::new();
    }
    let known = urls(world);
    let linked = marked.into_iter().filter_map(|(index, number)| {
        let url = (*known.get(&number)?)?;
        let (x, y) = buffer.pos_of(index);
        Some(Linked { at: Position::new(x, y), url: url.to_owned() })
    });
    linked.collect()
}

/// The URLs by their numbers; none where two have the same.
fn urls(world: &World) -> HashMap<u32, Option<&str>> {
    let mut known: HashMap<u32, Option<&str>> = HashMap::new();
    let routes = world.applications.iter().flat_map(|application| &application.routes);
    for url in routes.map(|route| route.url.as_str()).filter(|url| is_plain(url)) {
        let place = known.entry(number(url)).or_insert(Some(url));
        if place.is_some_and(|other| other != url) {
            *place = None;
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::text::Line;

    use super::*;
    use crate::ui::sample;
    use crate::ui::widgets::paint;

    const NOTES: &str = "http://notes-demo.localhost:8480/";

    fn drawn(line: Line<'static>, width: u16) -> Buffer {
        let area = Rect::new(0, 0, width, 2);
        let mut buffer = Buffer::empty(area);
        paint::line(&mut buffer, Rect { y: 1, height: 1, ..area }, line);
        buffer
    }

    fn shown(linked: &[Linked], buffer: &Buffer) -> String {
        linked.iter().map(|it| buffer[it.at].symbol()).collect()
    }

    #[test]
    fn a_link_is_told_cell_by_cell_and_leaves_no_trace() {
        let line = Line::from(vec![Span::raw("see "), mark(Span::raw("notes"), NOTES), Span::raw(" now")]);
        let mut buffer = drawn(line, 20);
        let linked = take(&mut buffer, &sample::world());
        assert_eq!(shown(&linked, &buffer), "notes");
        assert!(linked.iter().all(|it| it.url == NOTES && it.at.y == 1), "{linked:?}");
        assert!(buffer.content.iter().all(|cell| cell.underline_color == Color::Reset));
    }

    #[test]
    fn what_is_cut_or_covered_is_no_link() {
        let mut buffer = drawn(Line::from(mark(Span::raw("notes"), NOTES)), 3);
        paint::line(&mut buffer, Rect::new(0, 1, 1, 1), Line::from("x"));
        paint::clear(&mut buffer, Rect::new(1, 1, 1, 1), Style::new());
        let linked = take(&mut buffer, &sample::world());
        assert_eq!(shown(&linked, &buffer), "…", "the mark of what was cut still leads there");
    }

    #[test]
    fn wide_characters_are_linked_whole() {
        let mut buffer = drawn(Line::from(mark(Span::raw("日本"), NOTES)), 8);
        let linked = take(&mut buffer, &sample::world());
        assert_eq!(linked.iter().map(|it| it.at.x).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn only_urls_of_the_picture_that_cannot_harm_a_terminal_are_links() {
        let mut world = sample::world();
        let mut broken = (*world.applications[0]).clone();
        let evil = "http://a\u{1b}]0;b";
        broken.routes[0].url = evil.to_owned();
        world.applications[0] = std::sync::Arc::new(broken);
        for url in [evil, "http://elsewhere.example.org/", NOTES] {
            let mut buffer = drawn(Line::from(mark(Span::raw("notes"), url)), 20);
            assert_eq!(take(&mut buffer, &world), [], "{url}");
        }
        for url in ["javascript:x", "http://a b", "https://é", &format!("http://{}", "a".repeat(2_000))] {
            assert!(!is_plain(url), "{url}");
        }
    }
}
