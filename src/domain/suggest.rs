//! The nearest of a set of names.

/// Names longer than this have no nearest one: the comparison takes the product of both lengths.
const LONGEST: usize = 64;

/// How many names are listed when none is near.
const LISTED: usize = 12;

/// The candidate that is most like `name`, when one is like it at all: at most a third of its letters differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    if name.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean 'x'?", or the list of what there is; empty when there is nothing.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, all.iter().copied()) {
        Some(candidate) => format!("did you mean '{candidate}'?"),
        None if all.is_empty() => String::new(),
        None => {
            let shown: Vec<&str> =
                all.iter().copied().filter(|name| name.len() <= LONGEST).take(LISTED).collect();
            let more = if shown.len() < all.len() { ", …" } else { "" };
            format!("there is: {}{more}", shown.join(", "))
        }
    }
}

/// Insertions, deletions, substitutions and swaps of neighbours between two texts.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let substituted = last[column] + usize::from(a != b);
            let mut best = substituted.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["services", "parameters", "components", "version"];
        assert_eq!(nearest("service", names), Some("services"));
        assert_eq!(nearest("paramters", names), Some("parameters"));
        assert_eq!(nearest("Version", names), Some("version"));
        assert_eq!(nearest("vresion", names), Some("version"));
        assert_eq!(nearest("helm", names), None);
        assert_eq!(hint("helm", ["a", "b"]), "there is: a, b");
    }
}
