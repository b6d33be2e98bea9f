//! What every table of the cockpit is: rows that are filtered, narrowed and sorted, and a cursor that stays on its row.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::filter::Filter;
use super::keymap::{Command, Layer};
use super::list::{Cursor, window};
use super::look::Look;
use super::query::Haystack;
use super::widgets::scroll;
use super::widgets::table::Grid;

/// What a table keeps of a picture. Rows are numbered in the picture's order.
pub trait Listed: Default {
    /// What names a row across pictures: the cursor stays on it when others come and go.
    type Key: Clone + PartialEq;
    /// What it can be sorted by, at first by the default; `()` where it cannot.
    type Sort: Copy + Default;

    /// What filters look at, for each row.
    fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack>;

    /// The name of a row; none where the cursor need not stay on it.
    fn key(&self, index: usize) -> Option<&Self::Key>;

    /// Whether somebody should look at a row.
    fn is_fault(&self, index: usize) -> bool;

    /// What it is sorted by after `by`; none: it cannot be sorted.
    fn next_sort(&self, _by: Self::Sort) -> Option<Self::Sort> {
        None
    }

    /// Sorts rows that are in the picture's order.
    fn sort(&self, _shown: &mut [usize], _by: Self::Sort) {}

    /// The environments that it can be narrowed to, in any order; none: it cannot be narrowed to one.
    fn environments(&self) -> Option<Vec<String>> {
        None
    }

    /// Whether a row is shown when the table is narrowed to an environment.
    fn is_in(&self, _index: usize, _environment: &str) -> bool {
        true
    }
}

/// The rows of a table, those of them that are shown, and the cursor.
#[derive(Debug)]
pub struct Listing<R: Listed> {
    rows: R,
    /// The rows that the filter lets through, sorted.
    shown: Vec<usize>,
    cursor: Cursor,
    /// What the cursor stays on; none until it was moved: then it stays on top, whatever comes there.
    selected: Option<R::Key>,
    /// The cursor stays on the first row too, before it was moved.
    holds: bool,
    /// How many rows fit on screen.
    page: usize,
    filter: Filter,
    faults_only: bool,
    /// Only what belongs to this environment is shown.
    scope: Option<String>,
    sort: R::Sort,
}

impl<R: Listed> Listing<R> {
    /// A table without rows; `placeholder` shows what can be typed into its filter.
    pub fn new(placeholder: &'static str) -> Self {
        Self {
            rows: R::default(),
            shown: Vec::new(),
            cursor: Cursor::default(),
            selected: None,
            holds: false,
            page: 0,
            filter: Filter::new(placeholder),
            faults_only: false,
            scope: None,
            sort: R::Sort::default(),
        }
    }

    /// The same, with a cursor that stays on its row even before it was moved.
    pub fn holding(self) -> Self {
        Self { holds: true, ..self }
    }

    /// Every row.
    pub fn rows(&self) -> &R {
        &self.rows
    }

    /// How many rows there are, shown or not.
    pub fn len(&self) -> usize {
        self.rows.haystacks().len()
    }

    /// The rows that are shown, in order.
    pub fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// How many of how many rows are shown, when not all are.
    pub fn narrowed(&self) -> Option<(usize, usize)> {
        (self.shown.len() != self.len()).then_some((self.shown.len(), self.len()))
    }

    /// The row that the cursor is on.
    pub fn current(&self) -> Option<usize> {
        self.shown.get(self.cursor.at).copied()
    }

    /// The rows that are on screen.
    pub fn on_screen(&self) -> impl Iterator<Item = usize> {
        self.shown.iter().skip(self.cursor.offset).take(self.page).copied()
    }

    /// The filter above it.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether the filter is being typed.
    pub fn is_typing(&self) -> bool {
        self.filter.is_open()
    }

    /// Whether only what somebody should look at is shown.
    pub fn faults_only(&self) -> bool {
        self.faults_only
    }

    /// The environment that it is narrowed to.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// What it is sorted by.
    pub fn sorted_by(&self) -> R::Sort {
        self.sort
    }

    /// The keymap layer that is on top.
    pub fn layer(&self) -> Layer {
        if self.is_typing() { Layer::Input } else { Layer::Table }
    }

    /// The commands to hint at: `hints`, except while the filter is being typed.
    pub fn hints(&self, hints: &'static [Command]) -> &'static [Command] {
        if self.is_typing() { &[Command::Accept, Command::Cancel] } else { hints }
    }

    /// Lets the rows `take` over a picture; `page` of them fit on screen.
    pub fn take(&mut self, page: usize, take: impl FnOnce(&mut R)) {
        take(&mut self.rows);
        self.page = page;
        self.reorder();
    }

    /// Moves, narrows or sorts; false when the command means nothing to a table. While the filter is being typed, everything is for
    /// it: ask [`Self::is_typing`] before any other command is carried out.
    pub fn command(&mut self, command: Command) -> bool {
        if self.is_typing() { self.in_filter(command) } else { self.narrow(command) || self.moves(command) }
    }

    /// Takes a key that is bound to nothing, while the filter is being typed.
    pub fn key(&mut self, key: KeyEvent) {
        if self.filter.key(key) {
            self.reorder();
        }
    }

    /// Takes pasted text; nothing happens unless the filter is being typed.
    pub fn paste(&mut self, text: &str) {
        if self.is_typing() {
            self.filter.paste(text);
            self.reorder();
        }
    }

    /// Shows what a filter lets through, from the top; what else narrows it stays, except that it is not for faults only.
    pub fn show_only(&mut self, query: &str) {
        self.filter.clear();
        self.filter.paste(query);
        (self.faults_only, self.selected, self.cursor) = (false, None, Cursor::default());
        self.reorder();
    }

    /// Puts another cursor in the place of its own: for tables that share what narrows them. To be followed by [`Self::take`].
    pub fn swap_cursor(&mut self, cursor: Cursor) -> Cursor {
        std::mem::replace(&mut self.cursor, cursor)
    }

    /// Draws the rows that are on screen, and the scroll bar. `cells` gets the number of a row and whether the cursor is on it; a row
    /// without cells stays empty.
    pub fn draw(
        &self,
        grid: &Grid<'_>,
        look: &Look<'_>,
        (area, buffer): (Rect, &mut Buffer),
        cells: impl Fn(usize, bool) -> Option<Vec<Line<'static>>>,
    ) {
        let page = usize::from(area.height);
        let offset = window(self.cursor.at, self.cursor.offset, self.shown.len(), page);
        for (place, (at, index)) in area.rows().zip(self.shown.iter().enumerate().skip(offset)) {
            let selected = at == self.cursor.at;
            if let Some(cells) = cells(*index, selected) {
                grid.row(buffer, place, cells, selected);
            }
        }
        scroll::bar(buffer, area, look, offset, self.shown.len());
    }

    /// Filters and sorts anew; the cursor stays on its row where that is still shown.
    fn reorder(&mut self) {
        let found = self.filter.query().matches(self.rows.haystacks()).into_iter();
        let found = found.filter(|index| self.scope.as_ref().is_none_or(|it| self.rows.is_in(*index, it)));
        self.shown = found.filter(|index| !self.faults_only || self.rows.is_fault(*index)).collect();
        self.rows.sort(&mut self.shown, self.sort);
        if let Some(key) = &self.selected
            && let Some(at) = self.shown.iter().position(|index| self.rows.key(*index) == Some(key))
        {
            self.cursor.at = at;
        }
        self.cursor.settle(self.shown.len(), self.page);
        if self.holds {
            self.remember();
        }
    }

    fn remember(&mut self) {
        if let Some(key) = self.current().and_then(|index| self.rows.key(index)) {
            self.selected = Some(key.clone());
        }
    }

    fn moves(&mut self, command: Command) -> bool {
        let moved = self.cursor.command(command, self.shown.len(), self.page);
        if moved {
            self.remember();
        }
        moved
    }

    /// Commands while the filter is being typed.
    fn in_filter(&mut self, command: Command) -> bool {
        match command {
            Command::Accept => self.filter.close(),
            Command::Cancel => {
                self.filter.clear();
                self.reorder();
            }
            other => return self.moves(other),
        }
        true
    }

    fn narrow(&mut self, command: Command) -> bool {
        match command {
            Command::Filter => self.filter.open(),
            Command::FaultsOnly => self.faults_only = !self.faults_only,
            Command::Sort => match self.rows.next_sort(self.sort) {
                Some(next) => self.sort = next,
                None => return false,
            },
            Command::Scope => match self.rows.environments() {
                Some(environments) => self.turn_scope(environments),
                None => return false,
            },
            Command::Back if self.faults_only || self.scope.is_some() || !self.filter.is_empty() => {
                (self.faults_only, self.scope) = (false, None);
                self.filter.clear();
            }
            _ => return false,
        }
        self.reorder();
        true
    }

    /// Narrows it to the environment after the one it is narrowed to, by name; after the last one it is not.
    fn turn_scope(&mut self, mut environments: Vec<String>) {
        environments.sort_unstable();
        environments.dedup();
        let at = self.scope.as_ref().and_then(|scope| environments.iter().position(|name| name == scope));
        self.scope = environments.into_iter().nth(at.map_or(0, |at| at + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with their environments; those with a `!` are faults.
    #[derive(Debug, Default)]
    struct Names(Vec<(&'static str, &'static str, Haystack)>);

    impl Names {
        fn take(&mut self, names: &[(&'static str, &'static str)]) {
            let row = |(name, environment): &(&'static str, &'static str)| {
                (*name, *environment, Haystack::new(name, &[("name", name)]))
            };
            self.0 = names.iter().map(row).collect();
        }
    }

    impl Listed for Names {
        type Key = &'static str;
        /// Backwards.
        type Sort = bool;

        fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack> {
            self.0.iter().map(|(_, _, haystack)| haystack)
        }

        fn key(&self, index: usize) -> Option<&Self::Key> {
            self.0.get(index).map(|(name, _, _)| name)
        }

        fn is_fault(&self, index: usize) -> bool {
            self.0[index].0.ends_with('!')
        }

        fn next_sort(&self, backwards: bool) -> Option<bool> {
            Some(!backwards)
        }

        fn sort(&self, shown: &mut [usize], backwards: bool) {
            if backwards {
                shown.reverse();
            }
        }

        fn environments(&self) -> Option<Vec<String>> {
            Some(self.0.iter().map(|(_, environment, _)| (*environment).to_owned()).collect())
        }

        fn is_in(&self, index: usize, environment: &str) -> bool {
            self.0[index].1 == environment
        }
    }

    const NAMES: [(&str, &str); 4] =
        [("notes", "demo"), ("wiki!", "demo"), ("shop", "test"), ("mail!", "test")];

    fn listing() -> Listing<Names> {
        let mut listing = Listing::new("");
        listing.take(3, |rows: &mut Names| rows.take(&NAMES));
        listing
    }

    fn shown(listing: &Listing<Names>) -> Vec<&'static str> {
        listing.shown().iter().filter_map(|index| listing.rows().key(*index).copied()).collect()
    }

    fn current(listing: &Listing<Names>) -> Option<&'static str> {
        listing.current().and_then(|index| listing.rows().key(index).copied())
    }

    #[test]
    fn it_is_narrowed_by_words_faults_and_environments_and_back_undoes_all() {
        let mut listing = listing();
        let scopes = [Some("demo"), Some("test"), None].map(|scope| {
            assert!(listing.command(Command::Scope));
            (listing.scope() == scope, shown(&listing).len())
        });
        assert_eq!(scopes, [(true, 2), (true, 2), (true, 4)]);
        listing.command(Command::Scope);
        listing.command(Command::FaultsOnly);
        assert_eq!((shown(&listing), listing.narrowed()), (vec!["wiki!"], Some((1, 4))));
        listing.command(Command::Filter);
        listing.paste("shop");
        listing.command(Command::Accept);
        assert_eq!(shown(&listing), [""; 0]);
        assert!(listing.command(Command::Back));
        assert_eq!((shown(&listing).len(), listing.scope(), listing.faults_only()), (4, None, false));
        assert!(!listing.command(Command::Back), "nothing is left to undo: the view closes");
    }

    #[test]
    fn while_a_filter_is_typed_everything_is_for_it() {
        let mut listing = listing();
        listing.paste("wiki");
        assert!(listing.filter().is_empty(), "it is not open");
        listing.command(Command::Filter);
        assert_eq!(
            (listing.layer(), listing.hints(&[])),
            (Layer::Input, &[Command::Accept, Command::Cancel][..])
        );
        assert!(!listing.command(Command::FaultsOnly) && !listing.faults_only());
        listing.paste("!wiki");
        assert!(listing.command(Command::Down));
        assert_eq!(current(&listing), Some("shop"), "the cursor moves all the same");
        listing.command(Command::Cancel);
        assert_eq!((shown(&listing).len(), listing.layer()), (4, Layer::Table));
        assert_eq!(current(&listing), Some("shop"));
    }

    #[test]
    fn the_cursor_stays_on_its_row_once_it_was_moved() {
        let mut listing = listing();
        let more = |rows: &mut Names| rows.take(&[&[("new", "demo")], &NAMES[..]].concat());
        listing.take(3, more);
        assert_eq!(current(&listing), Some("new"), "it was not moved: the first row has it");
        listing.command(Command::Bottom);
        listing.command(Command::Sort);
        assert_eq!((current(&listing), shown(&listing)[0]), (Some("mail!"), "mail!"));
        listing.command(Command::Sort);
        assert_eq!(listing.on_screen().collect::<Vec<_>>(), [2, 3, 4]);
        listing.take(3, |rows| rows.take(&NAMES[..2]));
        assert_eq!(current(&listing), Some("wiki!"), "its row is gone");
        listing.show_only("notes");
        assert_eq!((current(&listing), listing.on_screen().count()), (Some("notes"), 1));
    }

    #[test]
    fn a_cursor_that_holds_stays_on_the_first_row_too() {
        let mut listing = listing().holding();
        listing.take(3, |rows| rows.take(&NAMES));
        listing.take(3, |rows| rows.take(&[&[("new", "demo")], &NAMES[..]].concat()));
        assert_eq!(current(&listing), Some("notes"));
    }
}
