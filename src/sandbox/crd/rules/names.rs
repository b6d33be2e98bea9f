//! Names of properties in expressions.

use super::parse::WORDS;

/// Words of the language that are values: a field cannot be called so either.
const LITERALS: [&str; 3] = ["true", "false", "null"];

/// The name that a property has in expressions; `None` when it has none there.
pub fn escape(property: &str) -> Option<String> {
    if LITERALS.contains(&property) || WORDS.contains(&property) {
        return Some(format!("__{property}__"));
    }
    let starts = |c: char| c.is_ascii_alphabetic() || "_.-/".contains(c);
    if !property.starts_with(starts) || !property.chars().all(|c| starts(c) || c.is_ascii_digit()) {
        return None;
    }
    let escaped = property
        .replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__");
    Some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_properties() {
        let cases = [
            ("plain", Some("plain")),
            ("a__b", Some("a__underscores__b")),
            ("x.y-z/w", Some("x__dot__y__dash__z__slash__w")),
            ("namespace", Some("__namespace__")),
            ("in", Some("__in__")),
            ("9a", None),
            ("a b", None),
            ("", None),
        ];
        for (property, expected) in cases {
            assert_eq!(escape(property).as_deref(), expected, "{property}");
        }
    }
}
