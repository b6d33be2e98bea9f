//! Which functions there are, and for which types.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::sandbox::crd::rules::types::Type;

/// What one function takes and gives.
#[derive(Debug)]
pub struct Overload {
    /// Whether the first argument is a receiver.
    pub method: bool,
    /// The types of its arguments.
    pub arguments: Vec<Type<'static>>,
    /// The type of its result.
    pub result: Type<'static>,
}

/// The overloads of a function; empty when there is none.
pub fn overloads(name: &str) -> &'static [Overload] {
    static ALL: OnceLock<HashMap<&'static str, Vec<Overload>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut all: HashMap<&'static str, Vec<Overload>> = HashMap::new();
        for (name, overload) in TEXT.lines().filter_map(declaration) {
            all.entry(name).or_default().push(overload);
        }
        all
    });
    all.get(name).map_or(&[], Vec::as_slice)
}

/// Functions that expressions have in Kubernetes and not here.
pub const ABSENT: [&str; 14] = [
    "semver",
    "isSemver",
    "format.named",
    "format.dns1123Label",
    "format.dns1123Subdomain",
    "format.uuid",
    "format.qualifiedName",
    "format.labelValue",
    "math.greatest",
    "math.least",
    "distinct",
    "slice",
    "flatten",
    "sort",
];

/// One per line: a method as `receiver .name arguments > result`, a function as `name arguments > result`.
const TEXT: &str = include_str!("declarations.txt");

fn declaration(line: &'static str) -> Option<(&'static str, Overload)> {
    let (left, result) = line.split_once(" > ")?;
    let mut words: Vec<&'static str> = left.split_whitespace().collect();
    let method = words.get(1).is_some_and(|word| word.starts_with('.'));
    let name = words.remove(usize::from(method));
    let arguments = words.into_iter().map(type_of).collect::<Option<_>>()?;
    Some((name.trim_start_matches('.'), Overload { method, arguments, result: type_of(result.trim())? }))
}

fn type_of(text: &'static str) -> Option<Type<'static>> {
    let inner = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix(')');
    if let Some(of) = inner("list(") {
        return Some(Type::List(Arc::new(type_of(of)?)));
    }
    if let Some(of) = inner("optional(") {
        return Some(Type::Optional(Arc::new(type_of(of)?)));
    }
    if let Some((key, value)) = inner("map(").and_then(|of| of.split_once(',')) {
        return Some(Type::Map(Arc::new(type_of(key)?), Arc::new(type_of(value)?)));
    }
    Some(match text {
        "A" => Type::Parameter(0),
        "B" => Type::Parameter(1),
        plain => Type::Plain(plain),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_declares() {
        for line in TEXT.lines().filter(|line| !line.is_empty()) {
            assert!(declaration(line).is_some(), "{line}");
        }
        assert_eq!(overloads("substring").len(), 2);
        assert!(overloads("substring")[0].method);
        assert!(overloads("nothing").is_empty());
        for absent in ABSENT {
            assert!(overloads(absent).is_empty(), "{absent}");
        }
    }
}
