//! The filter language: fuzzy words, `column:value` and `column:=value` terms, and `!` for not.

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str, Utf32String};

/// What a row offers to a filter, lower-cased once per picture.
#[derive(Debug, Clone, Default)]
pub struct Haystack {
    /// What fuzzy words are matched against: the names.
    name: Utf32String,
    /// Values by column.
    columns: Vec<(&'static str, String)>,
}

impl Haystack {
    /// `name` is matched fuzzily; the values of `columns` are matched by what they contain, or as a whole.
    pub fn new(name: &str, columns: &[(&'static str, &str)]) -> Self {
        let columns = columns.iter().map(|(column, value)| (*column, value.to_lowercase())).collect();
        Self { name: Utf32String::from(name.to_lowercase()), columns }
    }

    /// The values of the columns whose names begin so.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a String> {
        let columns = self.columns.iter().filter(move |(column, _)| column.starts_with(name));
        columns.map(|(_, value)| value)
    }
}

#[derive(Debug, Clone)]
enum Term {
    Word {
        fuzzy: Atom,
        text: String,
    },
    Column {
        name: String,
        value: String,
    },
    /// The column's whole value.
    Exact {
        name: String,
        value: String,
    },
}

/// A filter. Every term must match.
#[derive(Debug, Clone, Default)]
pub struct Query {
    terms: Vec<(Term, bool)>,
}

impl Query {
    /// Reads `notes !env:test health:degraded`, and `env:=demo` for the whole value. Everything is a query; an empty one matches all.
    pub fn parse(text: &str) -> Self {
        let terms = text.split_whitespace().filter_map(|word| {
            let (word, wanted) = word.strip_prefix('!').map_or((word, true), |rest| (rest, false));
            let word = word.to_lowercase();
            let term = match word.split_once(':') {
                Some((name, value)) if !name.is_empty() => match value.strip_prefix('=') {
                    Some(whole) => Term::Exact { name: name.to_owned(), value: whole.to_owned() },
                    None => Term::Column { name: name.to_owned(), value: value.to_owned() },
                },
                _ if word.is_empty() => return None,
                _ => Term::Word { fuzzy: atom(&word), text: word },
            };
            Some((term, wanted))
        });
        Self { terms: terms.collect() }
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The indices of the rows that match, in their order.
    pub fn matches<'a>(&self, rows: impl Iterator<Item = &'a Haystack>) -> Vec<usize> {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let all = rows.enumerate();
        all.filter(|(_, row)| self.matches_one(row, &mut matcher)).map(|(index, _)| index).collect()
    }

    fn matches_one(&self, row: &Haystack, matcher: &mut Matcher) -> bool {
        self.terms.iter().all(|(term, wanted)| term.matches(row, *wanted, matcher) == *wanted)
    }

    /// The characters of `name` that the words match: for highlighting.
    pub fn highlights(&self, name: &str) -> Vec<usize> {
        let lower = name.to_lowercase();
        let mut found: Vec<u32> = Vec::new();
        if self.terms.is_empty() || lower.chars().count() != name.chars().count() {
            return Vec::new();
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut characters = Vec::new();
        for (term, wanted) in &self.terms {
            if let (Term::Word { fuzzy, .. }, true) = (term, wanted) {
                fuzzy.indices(Utf32Str::new(&lower, &mut characters), &mut matcher, &mut found);
            }
        }
        found.into_iter().filter_map(|index| usize::try_from(index).ok()).collect()
    }
}

impl Term {
    /// A word that is not wanted is matched by what the row contains, never fuzzily: `!te` must not hide `notes`.
    fn matches(&self, row: &Haystack, wanted: bool, matcher: &mut Matcher) -> bool {
        match self {
            Self::Word { fuzzy, text } => {
                row.columns.iter().any(|(_, value)| value.contains(text.as_str()))
                    || (wanted && fuzzy.score(row.name.slice(..), matcher).is_some())
            }
            Self::Column { name, value } => row.values(name).any(|content| content.contains(value.as_str())),
            Self::Exact { name, value } => row.values(name).any(|content| content == value),
        }
    }
}

fn atom(word: &str) -> Atom {
    Atom::new(word, CaseMatching::Respect, Normalization::Smart, AtomKind::Fuzzy, false)
}

/// The items that match all words of `query`, best first; all, in their order, for an empty query. A word matches the
/// first text of an item fuzzily, or the second by what it contains.
pub fn rank<'a>(query: &str, items: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<usize> {
    let query = query.trim().to_lowercase();
    let words: Vec<(&str, Atom)> = query.split_whitespace().map(|word| (word, atom(word))).collect();
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut characters = Vec::new();
    let mut ranked: Vec<(u32, usize)> = Vec::new();
    for (index, (label, about)) in items.enumerate() {
        let (label, about) = (label.to_lowercase(), about.to_lowercase());
        let mut score = |(word, fuzzy): &(&str, Atom)| {
            let found = fuzzy.score(Utf32Str::new(&label, &mut characters), &mut matcher);
            found.map(|found| u32::from(found) + 1).or_else(|| about.contains(word).then_some(1))
        };
        let Some(total) = words.iter().map(&mut score).sum::<Option<u32>>() else { continue };
        let begins = !query.is_empty() && label.starts_with(&query);
        ranked.push((total + if begins { 1000 } else { 0 }, index));
    }
    ranked.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    ranked.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Haystack> {
        let row = |name: &'static str, env: &'static str, health: &'static str| {
            Haystack::new(
                &format!("{env}/{name}"),
                &[("name", name), ("environment", env), ("health", health)],
            )
        };
        vec![
            row("notes", "demo", "Healthy"),
            row("Wiki", "demo", "Degraded"),
            row("notes-test", "test", "Degraded"),
        ]
    }

    fn found(query: &str) -> Vec<usize> {
        Query::parse(query).matches(rows().iter())
    }

    #[test]
    fn words_are_fuzzy_and_columns_contain() {
        assert_eq!(found(""), [0, 1, 2]);
        assert_eq!(found("nts"), [0, 2]);
        assert_eq!(found("WIKI"), [1]);
        assert_eq!(found("env:demo"), [0, 1]);
        assert_eq!(found("health:degraded env:test"), [2]);
        assert_eq!(found("!test"), [0, 1]);
        assert_eq!(found("notes !env:test"), [0]);
        assert_eq!(found("nothing:here"), [] as [usize; 0]);
    }

    #[test]
    fn a_whole_value_is_asked_for_with_an_equals_sign() {
        assert_eq!(found("name:notes"), [0, 2]);
        assert_eq!(found("name:=notes"), [0]);
        assert_eq!(found("!name:=notes"), [1, 2]);
        assert_eq!(found("env:=DEMO health:=healthy"), [0]);
        assert_eq!(found("env:=dem"), [] as [usize; 0]);
        assert_eq!(found("env:="), [] as [usize; 0]);
    }

    #[test]
    fn matches_are_highlighted_by_character() {
        assert_eq!(Query::parse("wk").highlights("Wiki"), [0, 2]);
        assert_eq!(Query::parse("env:demo").highlights("Wiki"), [] as [usize; 0]);
    }

    #[test]
    fn the_best_comes_first() {
        let items = [("show-quota", "what is left"), ("quit", "leave"), ("copy-url", "for the browser")];
        let found = |query| rank(query, items.into_iter());
        assert_eq!(found("q"), [1, 0]);
        assert_eq!(found("browser"), [2]);
        assert_eq!(found(""), [0, 1, 2]);
        assert_eq!(found("zz"), [] as [usize; 0]);
    }
}
