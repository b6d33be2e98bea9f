//! What stands in brackets in a path: an item of a list, by its place, its keys, or itself.

use serde_json::{Map, Value};

/// Names one item of a list.
pub(super) enum Selector {
    /// `[0]`
    Place(usize),
    /// `[containerPort=80,protocol="TCP"]`
    Keys(Vec<(String, Value)>),
    /// `[="x"]`, as the server writes it, or `["x"]`
    Itself(Value),
}

impl Selector {
    /// The selector at the start of a path, and the rest of the path.
    pub(super) fn parse(path: &str) -> Option<(Self, &str)> {
        let inside = path.strip_prefix('[')?;
        let (end, commas) = bounds(inside)?;
        let (content, rest) = (&inside[..end], &inside[end + 1..]);
        if let Ok(place) = content.parse() {
            return Some((Self::Place(place), rest));
        }
        if let Some(value) = content.strip_prefix('=').or_else(|| content.starts_with('"').then_some(content))
        {
            return Some((Self::Itself(serde_json::from_str(value).ok()?), rest));
        }
        let starts = std::iter::once(0).chain(commas.iter().map(|comma| comma + 1));
        let ends = commas.iter().copied().chain([end]);
        let keys = starts.zip(ends).map(|(from, to)| {
            let (key, value) = content[from..to].split_once('=')?;
            Some((key.to_owned(), serde_json::from_str(value).ok()?))
        });
        Some((Self::Keys(keys.collect::<Option<_>>()?), rest))
    }

    /// Where the item is.
    pub(super) fn position(&self, items: &[Value]) -> Option<usize> {
        match self {
            Self::Place(place) => Some(*place).filter(|place| *place < items.len()),
            Self::Itself(value) => items.iter().position(|item| item == value),
            Self::Keys(keys) => {
                items.iter().position(|item| keys.iter().all(|(key, value)| has(item, key, value)))
            }
        }
    }

    /// The item as it has to be made where there is none; a place alone does not tell.
    pub(super) fn item(self) -> Option<Value> {
        match self {
            Self::Place(_) => None,
            Self::Itself(value) => Some(value),
            Self::Keys(keys) => Some(Value::Object(keys.into_iter().collect::<Map<_, _>>())),
        }
    }
}

/// Whether an item has that key; the protocol of a port is TCP unless it says otherwise.
fn has(item: &Value, key: &str, value: &Value) -> bool {
    match item.get(key) {
        Some(found) => found == value,
        None => key == "protocol" && value == "TCP",
    }
}

/// Where the bracket closes, and where commas are before it, quoted texts left out.
fn bounds(inside: &str) -> Option<(usize, Vec<usize>)> {
    let (mut quoted, mut escaped, mut commas) = (false, false, Vec::new());
    for (position, character) in inside.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => commas.push(position),
            ']' if !quoted => return Some((position, commas)),
            _ => {}
        }
    }
    None
}
