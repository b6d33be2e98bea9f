//! `fieldPath`: the field that a rule is about.

use serde_json::Value;

/// The path that a `fieldPath` of a rule at a schema stands for: `.a.b` is `a.b`, `.a['k']` of a map is `a[k]`.
///
/// # Errors
/// What is wrong with it.
pub fn field_path(text: &str, schema: &Value) -> Result<String, String> {
    let mut rest = text;
    let mut at = schema;
    let mut path = String::new();
    while !rest.is_empty() {
        let name;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            name = after[..end].to_owned();
            rest = &after[end..];
            if name.is_empty() {
                return Err("unexpected end of JSON path".to_owned());
            }
        } else if let Some(after) = rest.strip_prefix('[') {
            (name, rest) = bracketed(after)?;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            return Err(format!("expected [ or . but got: {}", &rest[..end]));
        }
        let properties = &at["properties"];
        if properties.is_object() {
            at = properties.get(&name).ok_or("does not refer to a valid field")?;
            let dot = if path.is_empty() { "" } else { "." };
            path = format!("{path}{dot}{name}");
        } else if at["additionalProperties"].is_object() {
            at = &at["additionalProperties"];
            path = format!("{path}[{name}]");
        } else {
            return Err("does not refer to a valid field".to_owned());
        }
    }
    Ok(path)
}

/// The name in quotes before a closing bracket, and what follows.
fn bracketed(text: &str) -> Result<(String, &str), String> {
    let single = || "expected single quoted string".to_owned();
    let inner = text.strip_prefix('\'').ok_or_else(single)?;
    let mut name = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => {
                let rest = inner[at + 1..].strip_prefix(']').ok_or("expected ]")?;
                return Ok((name, rest));
            }
            '\\' => match chars.next() {
                Some((_, escaped @ ('\'' | '\\'))) => name.push(escaped),
                Some((_, 'n')) => name.push('\n'),
                Some((_, 't')) => name.push('\t'),
                Some((_, other)) => {
                    return Err(format!("invalid string literal: invalid escape char \\{other}"));
                }
                None => return Err(single()),
            },
            plain => name.push(plain),
        }
    }
    Err(single())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_follow_the_schema() {
        let schema = json!({"properties": {"a": {"properties": {"b.c": {"type": "string"}}},
            "m": {"additionalProperties": {"type": "string"}}, "l": {"type": "array"}}});
        assert_eq!(field_path(".a['b.c']", &schema).unwrap(), "a.b.c");
        assert_eq!(field_path(".m['x']", &schema).unwrap(), "m[x]");
        assert_eq!(field_path(".m.y", &schema).unwrap(), "m[y]");
        for wrong in ["a", ".x", ".l[0]", ".l['a']", ".", ".a['b", ".a['b.c'"] {
            assert!(field_path(wrong, &schema).is_err(), "{wrong}");
        }
    }
}
