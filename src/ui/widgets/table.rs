//! Tables whose columns give way to each other: the least important ones go first on narrow screens.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use super::paint;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The columns between two columns.
const GAP: u16 = 2;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Whether it is kept: 0 is kept longest.
    pub priority: u8,
    /// The width below which it is not shown.
    pub min: u16,
    /// The width that it would like: its widest content.
    pub ideal: u16,
    /// What it does with room beyond its least width.
    pub stretch: Stretch,
}

/// What a column does with room beyond its least width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// It takes as much as its content needs.
    Content,
    /// It takes what its content needs, or nothing: half of it is of no use.
    Whole,
    /// It takes all that is left.
    Rest,
}

impl Column {
    /// A column of fixed width.
    pub fn fixed(title: &'static str, priority: u8, width: u16) -> Self {
        Self { title, priority, min: width, ideal: width, stretch: Stretch::Content }
    }

    /// A column that is as wide as its content: at least `least`, at most `most`. It is not shown when less than its
    /// content, up to `enough`, fits.
    pub fn content(
        title: &'static str,
        priority: u8,
        (least, enough, most): (u16, u16, u16),
        content: u16,
    ) -> Self {
        let min = content.clamp(least, enough);
        Self { title, priority, min, ideal: content.clamp(min, most), stretch: Stretch::Content }
    }

    /// A column that shows something short in `min` columns, or its whole content.
    pub fn whole(title: &'static str, priority: u8, min: u16, content: u16) -> Self {
        Self { title, priority, min, ideal: content.max(min), stretch: Stretch::Whole }
    }

    /// A column that is at least `min` wide and takes what is left.
    pub fn rest(title: &'static str, priority: u8, min: u16, ideal: u16) -> Self {
        Self { title, priority, min, ideal, stretch: Stretch::Rest }
    }

    /// The column where there is something in it: nobody needs an empty one. One that does not fit takes those with it that are kept
    /// less long, so the empty one comes last; its index stays.
    pub fn shown_if(self, holds: bool) -> Self {
        if holds { self } else { Self::fixed(self.title, u8::MAX, u16::MAX) }
    }
}

/// A column that is shown: its index among all, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its index among all columns.
    pub index: usize,
    /// Its first column on screen, from the table's left edge.
    pub x: u16,
    /// Its width.
    pub width: u16,
}

/// Chooses the columns that fit into `width`, and their widths: by priority, first every minimum, then every ideal.
pub fn fit(columns: &[Column], width: u16) -> Vec<Placed> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns[*index].priority);
    let mut left = width;
    let mut widths: Vec<Option<u16>> = vec![None; columns.len()];
    for index in &order {
        let column = &columns[*index];
        let first = widths.iter().all(Option::is_none);
        let needed = if first { column.min.min(left) } else { column.min.saturating_add(GAP) };
        if needed > left {
            break;
        }
        left -= needed;
        widths[*index] = Some(if first { needed } else { column.min });
    }
    for index in &order {
        if let Some(width) = &mut widths[*index] {
            let wanted = columns[*index].ideal.saturating_sub(*width);
            let whole = columns[*index].stretch == Stretch::Whole;
            let more = if whole && wanted > left { 0 } else { wanted.min(left) };
            *width += more;
            left -= more;
        }
    }
    let growing = order
        .iter()
        .rev()
        .find(|index| columns[**index].stretch == Stretch::Rest && widths[**index].is_some());
    if let Some(width) = growing.and_then(|index| widths[*index].as_mut()) {
        *width += left;
    }
    place(&widths)
}

fn place(widths: &[Option<u16>]) -> Vec<Placed> {
    let mut x = 0;
    let shown = widths.iter().enumerate().filter_map(|(index, width)| Some((index, (*width)?)));
    let placed = shown.map(|(index, width)| {
        let placed = Placed { index, x, width };
        x += width + GAP;
        placed
    });
    placed.collect()
}

/// A table whose columns were fitted to a width.
#[derive(Debug)]
pub struct Grid<'a> {
    look: &'a Look<'a>,
    columns: Vec<Column>,
    placed: Vec<Placed>,
}

impl<'a> Grid<'a> {
    /// The table for a width, without the mark of the selection and the scroll bar.
    pub fn new(columns: Vec<Column>, area: Rect, look: &'a Look<'a>) -> Self {
        Self { placed: fit(&columns, content(area).width), look, columns }
    }

    /// Draws the headings; `sorted` is marked.
    pub fn head(&self, buffer: &mut Buffer, area: Rect, sorted: Option<usize>) {
        for place in &self.placed {
            let title = self.columns[place.index].title;
            let text = if sorted == Some(place.index) { format!("{title} ↓") } else { title.to_owned() };
            paint::line(
                buffer,
                cell(content(area), place),
                Line::from(self.look.span(Role::TableHead, text)),
            );
        }
    }

    /// The width of a column; 0 when it is not shown.
    pub fn width(&self, index: usize) -> u16 {
        self.placed.iter().find(|place| place.index == index).map_or(0, |place| place.width)
    }

    /// Draws one row. `cells` has one line per column of the table, shown or not.
    pub fn row(&self, buffer: &mut Buffer, area: Rect, cells: Vec<Line<'static>>, selected: bool) {
        select(buffer, area, self.look, selected);
        let inside = content(area);
        let mut cells: Vec<Option<Line<'static>>> = cells.into_iter().map(Some).collect();
        for place in &self.placed {
            if let Some(line) = cells.get_mut(place.index).and_then(Option::take) {
                paint::line(buffer, cell(inside, place), line);
            }
        }
        settle(buffer, area, self.look, selected);
    }
}

/// Marks a row as the selected one.
pub fn select(buffer: &mut Buffer, area: Rect, look: &Look<'_>, selected: bool) {
    if selected {
        paint::tint(buffer, area, look.style(Role::Selection));
        paint::line(buffer, area, Line::from(look.span(Role::SelectionMark, "▌")));
    }
}

/// Takes the colours out of a selected row where the selection is shown by reversed colours: there a red text would become
/// a red block. To be called once the row's text is drawn.
pub fn settle(buffer: &mut Buffer, area: Rect, look: &Look<'_>, selected: bool) {
    let style = look.style(Role::Selection);
    if !selected || !style.add_modifier.contains(Modifier::REVERSED) {
        return;
    }
    let colour = style.fg.unwrap_or(Color::Reset);
    let calm = Style::new().fg(colour).bg(style.bg.unwrap_or(Color::Reset)).remove_modifier(Modifier::DIM);
    paint::tint(buffer, area, calm);
}

/// The part of a row, or of a table, that is right of the selection's mark.
pub fn content(area: Rect) -> Rect {
    Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area }
}

fn cell(area: Rect, place: &Placed) -> Rect {
    let x = area.x + place.x.min(area.width);
    Rect { x, width: place.width.min(area.right().saturating_sub(x)), ..area }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("HEALTH", 0, 13),
            Column::content("NAME", 1, (8, 8, 30), 20),
            Column::fixed("AGE", 3, 4),
            Column::rest("URL", 2, 10, 25),
        ]
    }

    fn widths(width: u16) -> Vec<(usize, u16)> {
        fit(&columns(), width).into_iter().map(|place| (place.index, place.width)).collect()
    }

    #[test]
    fn columns_give_way_by_priority() {
        assert_eq!(widths(100), [(0, 13), (1, 20), (2, 4), (3, 57)]);
        assert_eq!(widths(50), [(0, 13), (1, 17), (2, 4), (3, 10)]);
        assert_eq!(widths(36), [(0, 13), (1, 9), (3, 10)]);
        assert_eq!(widths(24), [(0, 13), (1, 9)]);
        assert_eq!(widths(5), [(0, 5)]);
        assert_eq!(widths(0), [(0, 0)]);
    }

    #[test]
    fn an_empty_column_takes_no_other_with_it() {
        let shown = |holds: bool| {
            let mut columns = columns();
            columns[1] = columns[1].shown_if(holds);
            fit(&columns, 100).into_iter().map(|place| place.index).collect::<Vec<_>>()
        };
        assert_eq!(shown(true), [0, 1, 2, 3]);
        assert_eq!(shown(false), [0, 2, 3]);
    }

    #[test]
    fn columns_never_overlap_or_leave_the_table() {
        for width in 0..200 {
            let placed = fit(&columns(), width);
            for pair in placed.windows(2) {
                assert_eq!(pair[0].x + pair[0].width + GAP, pair[1].x);
            }
            assert!(placed.last().is_none_or(|last| last.x + last.width <= width));
        }
    }
}
