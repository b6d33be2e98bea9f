//! Sets of completion indexes, and their text in a Job's status: `0-2,4,6,7`.

use std::collections::BTreeSet;

/// Completion indexes, each below the Job's `completions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Indexes(BTreeSet<i64>);

impl Indexes {
    /// Reads the text form; what is no number or not below `limit` is left out.
    pub(super) fn parse(text: &str, limit: i64) -> Self {
        let mut indexes = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<i64>(), last.trim().parse::<i64>()) {
                indexes.extend(first.max(0)..last.saturating_add(1).min(limit));
            }
        }
        Self(indexes)
    }

    /// Adds an index.
    pub(super) fn insert(&mut self, index: i64) {
        self.0.insert(index);
    }

    /// Takes an index out.
    pub(super) fn remove(&mut self, index: i64) {
        self.0.remove(&index);
    }

    /// Whether an index is in the set.
    pub(super) fn contains(&self, index: i64) -> bool {
        self.0.contains(&index)
    }

    /// How many there are.
    pub(super) fn len(&self) -> i64 {
        self.0.len() as i64
    }

    /// How many of them are in another set too.
    pub(super) fn common(&self, other: &Self) -> i64 {
        self.0.intersection(&other.0).count() as i64
    }

    /// The text form: runs of three and more as `first-last`.
    pub(super) fn text(&self) -> String {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for index in &self.0 {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *index => *last = *index,
                _ => runs.push((*index, *index)),
            }
        }
        let texts = runs.into_iter().map(|(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first},{last}"),
            _ => format!("{first}-{last}"),
        });
        texts.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_read_and_written() {
        for text in ["", "0", "0,1", "0-2", "0-2,4,6,7", "1,3-9"] {
            assert_eq!(Indexes::parse(text, 100).text(), text);
        }
        assert_eq!(Indexes::parse("0-9", 3).text(), "0-2", "what the Job no longer has is left out");
        assert_eq!(Indexes::parse("x,-1,2-1", 9), Indexes::default());
    }
}
