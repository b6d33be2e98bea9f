//! Where things are on the screen, from its size alone.

use ratatui::layout::{Rect, Size};

/// Where things are on the screen. Parts that do not fit are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The cluster, its link, the counts.
    pub header: Rect,
    /// What is wrong with the link, when something is.
    pub banner: Rect,
    /// The view.
    pub body: Rect,
    /// Key hints.
    pub footer: Rect,
}

impl Layout {
    /// The layout for a size; with a banner when `stale`. The body comes first, then the footer, then the header.
    pub fn new(size: Size, stale: bool) -> Self {
        let screen = Rect::new(0, 0, size.width, size.height);
        let header = u16::from(size.height >= 6);
        let banner = u16::from(stale && size.height >= 8);
        let footer = u16::from(size.height >= 4);
        let row = |y: u16, height: u16| Rect { y, height, ..screen };
        let body_height = size.height.saturating_sub(header + banner + footer);
        Self {
            header: row(0, header),
            banner: row(header, banner),
            body: row(header + banner, body_height),
            footer: row(size.height.saturating_sub(footer), footer),
        }
    }
}

/// A box of at most `width` × `height`, in the middle of `area`.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// One row of `area`, counted from its top; empty when it is outside.
pub fn row(area: Rect, index: u16) -> Rect {
    if index < area.height {
        Rect { y: area.y + index, height: 1, ..area }
    } else {
        Rect { height: 0, ..area }
    }
}

/// The rows of `area` from `from` on.
pub fn rows_from(area: Rect, from: u16) -> Rect {
    let from = from.min(area.height);
    Rect { y: area.y + from, height: area.height - from, ..area }
}

/// `area` with `margin` columns less on either side.
pub fn inset(area: Rect, margin: u16) -> Rect {
    let margin = margin.min(area.width / 2);
    Rect { x: area.x + margin, width: area.width - 2 * margin, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_screen_at_every_height() {
        for height in 0..40 {
            for stale in [false, true] {
                let layout = Layout::new(Size::new(80, height), stale);
                let parts = [layout.header, layout.banner, layout.body, layout.footer];
                assert_eq!(parts.iter().map(|part| part.height).sum::<u16>(), height);
                assert!(height == 0 || layout.body.height > 0);
            }
        }
    }

    #[test]
    fn boxes_stay_inside() {
        let area = Rect::new(2, 2, 10, 5);
        assert_eq!(centred(area, 4, 3), Rect::new(5, 3, 4, 3));
        assert_eq!(centred(area, 40, 30), area);
        assert_eq!(row(area, 5).height, 0);
        assert_eq!(rows_from(area, 9).height, 0);
        assert_eq!(inset(Rect::new(0, 0, 1, 1), 3).width, 1);
    }
}
