//! The secrets of an action: read when its run begins, handed to nothing but the requests that need them, and masked wherever
//! they come back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::failed;
use crate::cluster::Cluster;
use crate::domain::{Problem, SecretReference, SecretText};
use crate::operate::StepError;
use crate::reconcile::own_secret;

/// What stands in the place of a secret.
const COVER: &str = "(secret)";
/// Shorter texts are not masked: they stand everywhere.
const LEAST: usize = 4;

/// The values behind the handles that a function has.
pub(super) struct Secrets(BTreeMap<(String, String), SecretText>);

/// Covers secrets in what is printed.
#[derive(Clone)]
pub(super) struct Mask(Vec<SecretText>);

impl Secrets {
    /// Reads every secret that `context` has a handle of.
    ///
    /// # Errors
    /// A Secret cannot be read.
    pub async fn of(cluster: &Cluster, namespace: &str, context: &Value) -> Result<Self, StepError> {
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        collect(context, &mut wanted);
        let mut values = BTreeMap::new();
        for (secret, keys) in wanted {
            let key = own_secret::key(namespace, secret.clone());
            let live = cluster.get(&key).await.map_err(failed)?.unwrap_or_default();
            for name in keys {
                let bytes = live["data"][&name].as_str().and_then(|text| STANDARD.decode(text).ok());
                if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    values.insert((secret.clone(), name), SecretText::new(text));
                }
            }
        }
        Ok(Self(values))
    }

    /// The value that a handle stands for.
    ///
    /// # Errors
    /// It is not where it should be.
    pub fn get(&self, reference: &SecretReference) -> Result<&SecretText, Problem> {
        self.0.get(&(reference.secret.clone(), reference.key.clone())).ok_or_else(|| {
            Problem::new(
                "A secret is not there",
                format!("Secret/{} has no text under {}", reference.secret, reference.key),
                "type it again",
            )
        })
    }

    /// What covers them.
    pub fn mask(&self) -> Mask {
        let mut parts: Vec<SecretText> = Vec::new();
        for value in self.0.values() {
            let lines = value.reveal().lines().map(str::trim);
            let whole = std::iter::once(value.reveal());
            parts.extend(whole.chain(lines).filter(|part| part.len() >= LEAST).map(SecretText::new));
        }
        // the longest first: a part of one is not shown beside what covers another
        parts.sort_by_key(|part| std::cmp::Reverse(part.reveal().len()));
        parts.dedup();
        Mask(parts)
    }
}

impl Mask {
    /// The text with its secrets covered.
    pub fn cover(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), COVER))
    }

    /// The beginning of a longer text with its secrets covered, also one whose beginning only is in it.
    pub fn cover_cut(&self, text: &str) -> String {
        let mut covered = self.cover(text);
        // where the cut went through a letter
        let whole = covered.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let shown = self.0.iter().filter_map(|secret| shown_at_the_end(whole, secret.reveal())).max();
        if let Some(shown) = shown {
            covered.truncate(whole.len() - shown);
            covered.push_str(COVER);
        }
        covered
    }

    /// Where a text that goes on may be cut so that the cut goes through no secret: at the latest such place; 0 where there is none
    /// before more of it has come.
    pub fn safe_cut(&self, text: &[u8]) -> usize {
        let longest = self.0.first().map_or(0, |secret| secret.reveal().len());
        let mut cut = text.len().saturating_sub(longest.saturating_sub(1));
        loop {
            let through =
                self.0.iter().filter_map(|secret| begins_before(text, secret.reveal().as_bytes(), cut)).min();
            match through {
                Some(begin) => cut = begin,
                None => return cut,
            }
        }
    }
}

/// How many bytes of the beginning of a secret stand at the end of a text; none when they are too few to tell anything.
fn shown_at_the_end(text: &str, secret: &str) -> Option<usize> {
    let ends = secret.char_indices().map(|(at, _)| at).rev().take_while(|at| *at >= LEAST);
    let mut beginnings = ends.filter_map(|at| secret.get(..at));
    beginnings.find(|beginning| text.ends_with(beginning)).map(str::len)
}

/// Where a secret begins that a cut would go through.
fn begins_before(text: &[u8], secret: &[u8], cut: usize) -> Option<usize> {
    let first = (cut + 1).saturating_sub(secret.len());
    (first..cut).find(|begin| text[*begin..].starts_with(secret))
}

/// The handles in a context, by Secret.
fn collect(value: &Value, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            if let Some(reference) = map.get("$secret").and_then(SecretReference::read) {
                let keys = found.entry(reference.secret).or_default();
                if !keys.contains(&reference.key) {
                    keys.push(reference.key);
                }
            }
            map.values().for_each(|value| collect(value, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_whole_and_line_by_line() {
        let key = |name: &str| ("s".to_owned(), name.to_owned());
        let secrets = Secrets(BTreeMap::from([
            (key("a"), SecretText::new("hunter2")),
            (key("b"), SecretText::new("first line\nsecond line")),
            (key("c"), SecretText::new("abc")),
        ]));
        let mask = secrets.mask();
        assert_eq!(mask.cover("it is hunter2, hunter2!"), "it is (secret), (secret)!");
        assert_eq!(mask.cover("x second line y"), "x (secret) y");
        assert_eq!(mask.cover("abc stays: it is too short"), "abc stays: it is too short");
        for (cut, covered) in [
            ("x hunte", "x (secret)"),
            ("x hunter2", "x (secret)"),
            ("x hun", "x hun"),
            ("x firs", "x (secret)"),
        ] {
            assert_eq!(mask.cover_cut(cut), covered);
        }
        assert_eq!(mask.cover_cut("first line\nsecond\u{fffd}"), "(secret)\n(secret)");
    }

    #[test]
    fn no_cut_goes_through_a_secret() {
        let mask = Mask(vec![SecretText::new("0123456789"), SecretText::new("6789abc")]);
        assert_eq!(mask.safe_cut(b"............................"), 19);
        assert_eq!(mask.safe_cut(b"................0123456789.."), 16);
        assert_eq!(mask.safe_cut(b"0123456789abc........."), 13);
        assert_eq!(mask.safe_cut(b"......0123456789abc..."), 6, "they overlap");
        assert_eq!(mask.safe_cut(b"0123456789"), 0);
        assert_eq!(Mask(Vec::new()).safe_cut(b"abc"), 3);
    }
}
