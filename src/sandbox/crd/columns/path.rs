//! JSON paths in Kubernetes' dialect: `.spec.items[*].name`, `[1:3]`, `['a.b']`, `..name`, `[?(@.type=="Ready")].status`.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    /// `[start:end:step]`.
    Slice(Option<i64>, Option<i64>, usize),
    All,
    /// `..`: the value and everything below it.
    Deep,
    /// `[0,2]`, `['a','b']`.
    Union(Vec<Step>),
    /// `?(@.a>3)`; without a comparison it asks whether there is a value at all.
    Where(Vec<Step>, Option<(Comparison, Operand)>),
}

/// `==`, `!=`, `<`, `<=`, `>`, `>=`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Comparison {
    less: bool,
    equal: bool,
    greater: bool,
}

/// What a filter compares with.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Literal(Value),
    Path(Vec<Step>),
}

/// The operators of filters, the long ones first.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison { less: false, equal: true, greater: false }),
    ("!=", Comparison { less: true, equal: false, greater: true }),
    ("<=", Comparison { less: true, equal: true, greater: false }),
    (">=", Comparison { less: false, equal: true, greater: true }),
    ("<", Comparison { less: true, equal: false, greater: false }),
    (">", Comparison { less: false, equal: false, greater: true }),
];

/// Every value at a JSON path, in order; none when the path is not understood.
pub fn values_at<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    if let Some(steps) = parse(path) {
        follow(object, &steps, &mut found);
    }
    found
}

/// The first value at a JSON path; null when there is none or the path is not understood.
pub fn at_path(object: &Value, path: &str) -> Value {
    values_at(object, path).first().map_or(Value::Null, |value| (*value).clone())
}

/// Sets a value at a path of fields (`.spec.replicas`), making the objects on the way; `false` when the path is another one.
pub fn put_at_path(object: &mut Value, path: &str, value: Value) -> bool {
    let Some(steps) = parse(path) else { return false };
    let mut place = object;
    for step in steps {
        let Step::Field(name) = step else { return false };
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[&name];
    }
    *place = value;
    true
}

fn follow<'a>(value: &'a Value, steps: &[Step], found: &mut Vec<&'a Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    match step {
        Step::Field(name) => value.get(name).into_iter().for_each(|child| follow(child, rest, found)),
        Step::Index(index) => {
            let item = place(*index, items.len()).and_then(|at| items.get(at));
            item.into_iter().for_each(|item| follow(item, rest, found));
        }
        Step::Slice(start, end, step) => {
            let (start, end) = bounds(*start, *end, items.len());
            let chosen = items.get(start..end).unwrap_or_default();
            chosen.iter().step_by(*step).for_each(|item| follow(item, rest, found));
        }
        Step::All => children(value).into_iter().for_each(|child| follow(child, rest, found)),
        Step::Deep => deep(value, &mut |inner| follow(inner, rest, found)),
        Step::Union(steps) => {
            for step in steps {
                let mut chosen = Vec::new();
                follow(value, std::slice::from_ref(step), &mut chosen);
                chosen.into_iter().for_each(|chosen| follow(chosen, rest, found));
            }
        }
        Step::Where(path, wanted) => {
            let chosen = items.iter().filter(|item| passes(item, path, wanted.as_ref()));
            chosen.for_each(|item| follow(item, rest, found));
        }
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn deep<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a Value)) {
    let below = children(value);
    if !below.is_empty() {
        visit(value);
    }
    below.into_iter().for_each(|child| deep(child, visit));
}

/// Where an index points to; a negative one counts from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { length + index } else { index }).ok()
}

fn bounds(start: Option<i64>, end: Option<i64>, length: usize) -> (usize, usize) {
    let at = |index: i64| place(index, length).unwrap_or(0).min(length);
    let (start, end) = (start.map_or(0, at), end.map_or(length, at));
    (start.min(end), end)
}

fn passes(item: &Value, path: &[Step], wanted: Option<&(Comparison, Operand)>) -> bool {
    let mut found = Vec::new();
    follow(item, path, &mut found);
    let Some((comparison, operand)) = wanted else { return !found.is_empty() };
    let mut other = Vec::new();
    match operand {
        Operand::Literal(value) => other.push(value),
        Operand::Path(path) => follow(item, path, &mut other),
    }
    match (found.first(), other.first()) {
        (Some(left), Some(right)) => comparison.holds(left, right),
        _ => false,
    }
}

impl Comparison {
    /// Values of different types compare as nothing.
    fn holds(self, left: &Value, right: &Value) -> bool {
        let ordering = match (left, right) {
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (Value::Number(left), Value::Number(right)) => {
                left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
            }
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match ordering {
            Some(Ordering::Less) => self.less,
            Some(Ordering::Equal) => self.equal,
            Some(Ordering::Greater) => self.greater,
            None => false,
        }
    }
}

fn parse(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let path = path.trim();
    let path = path.strip_prefix('{').and_then(|path| path.strip_suffix('}')).unwrap_or(path);
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Deep);
            // a name follows at once, a bracket on its own
            rest = if after.starts_with('[') { after } else { &rest[1..] };
        } else if let Some(after) = rest.strip_prefix('.') {
            let (name, after) = name(after);
            match name.as_str() {
                "" => {}
                "*" => steps.push(Step::All),
                _ => steps.push(Step::Field(name)),
            }
            rest = after;
        } else {
            let inside = rest.strip_prefix('[')?;
            let end = closing(inside)?;
            steps.push(bracket(&inside[..end])?);
            rest = &inside[end + 1..];
        }
    }
    Some(steps)
}

/// A field name up to the next `.` or `[`; a backslash keeps the next character.
fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                name.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '.' | '[' => return (name, &text[at..]),
            _ => name.push(c),
        }
    }
    (name, "")
}

/// The bracket that ends this one, heeding quotes and brackets inside.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    outside_quotes(text).find_map(|(at, c)| {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
        None
    })
}

/// The characters that are not inside quotes, with their places.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    text.char_indices().filter(move |&(_, c)| match (quote, c) {
        (None, '"' | '\'') => {
            quote = Some(c);
            false
        }
        (Some(open), c) => {
            if open == c {
                quote = None;
            }
            false
        }
        (None, _) => true,
    })
}

fn bracket(text: &str) -> Option<Step> {
    let text = text.trim();
    if let Some(filter) = text.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        return filtered(filter);
    }
    let commas: Vec<usize> = outside_quotes(text).filter(|&(_, c)| c == ',').map(|(at, _)| at).collect();
    if commas.is_empty() {
        return single(text);
    }
    let starts = std::iter::once(0).chain(commas.iter().map(|at| at + 1));
    let ends = commas.iter().copied().chain(std::iter::once(text.len()));
    let parts: Option<Vec<Step>> =
        starts.zip(ends).map(|(start, end)| single(text[start..end].trim())).collect();
    parts.map(Step::Union)
}

/// `*`, a quoted name, an index or a slice.
fn single(text: &str) -> Option<Step> {
    if text == "*" {
        return Some(Step::All);
    }
    if let Some(name) = quoted(text) {
        return Some(Step::Field(name));
    }
    if !text.contains(':') {
        return text.parse().ok().map(Step::Index);
    }
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let bound = |at: usize| match parts.get(at).copied().unwrap_or("") {
        "" => Some(None),
        number => number.parse::<i64>().ok().map(Some),
    };
    let step = usize::try_from(bound(2)?.unwrap_or(1)).ok().filter(|&step| step > 0)?;
    (parts.len() <= 3).then_some(Step::Slice(bound(0)?, bound(1)?, step))
}

fn filtered(filter: &str) -> Option<Step> {
    let found = outside_quotes(filter).find_map(|(at, _)| {
        COMPARISONS.iter().find(|(sign, _)| filter[at..].starts_with(sign)).map(|found| (at, *found))
    });
    let Some((at, (sign, comparison))) = found else { return Some(Step::Where(inner(filter)?, None)) };
    let right = filter[at + sign.len()..].trim();
    let operand = match quoted(right) {
        Some(text) => Operand::Literal(Value::from(text)),
        None if right.starts_with('@') => Operand::Path(inner(right)?),
        None => Operand::Literal(serde_json::from_str(right).ok()?),
    };
    Some(Step::Where(inner(&filter[..at])?, Some((comparison, operand))))
}

/// A path that starts at the item.
fn inner(text: &str) -> Option<Vec<Step>> {
    parse(text.trim().strip_prefix('@')?)
}

fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(text.strip_prefix(quote)?.strip_suffix(quote)?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        json!({"spec": {"replicas": 3, "items": ["a", "b", "c"]}, "metadata": {"annotations": {"a.b/c": "x"}},
            "status": {"conditions": [{"type": "Other", "status": "False", "n": 1}, {"type": "Ready", "status": "True", "n": 5}]}})
    }

    #[test]
    fn the_first_value_at_a_path() {
        let cases = [
            (".spec.replicas", json!(3)),
            ("{.spec.replicas}", json!(3)),
            (".spec.items[0]", json!("a")),
            (".spec.items[-1]", json!("c")),
            (".spec.items[7]", Value::Null),
            (r".metadata.annotations.a\.b/c", json!("x")),
            (".metadata.annotations['a.b/c']", json!("x")),
            (r#".status.conditions[?(@.type=="Ready")].status"#, json!("True")),
            (".status.conditions[?(@.type == 'Other')].status", json!("False")),
            (r#".status.conditions[?(@.type=="None")].status"#, Value::Null),
            (".status.conditions[?(@.n>=5)].type", json!("Ready")),
            (".status.conditions[?(@.type!='Other')].type", json!("Ready")),
            (".status.conditions[?(@.missing)].type", Value::Null),
            (".status.conditions[?(@.status==@.status)].type", json!("Other")),
            (".nope.deep", Value::Null),
            (".spec[", Value::Null),
            (".spec.items[1:2:0]", Value::Null),
        ];
        for (path, expected) in cases {
            assert_eq!(at_path(&object(), path), expected, "{path}");
        }
    }

    #[test]
    fn every_value_at_a_path() {
        let cases = [
            (".spec.items[*]", json!(["a", "b", "c"])),
            (".spec.items[1:]", json!(["b", "c"])),
            (".spec.items[:-1]", json!(["a", "b"])),
            (".spec.items[::2]", json!(["a", "c"])),
            (".spec.items[2:1]", json!([])),
            (".spec.items[0,2]", json!(["a", "c"])),
            (".spec['items','replicas'][*]", json!(["a", "b", "c"])),
            (".status.conditions[*].type", json!(["Other", "Ready"])),
            ("..type", json!(["Other", "Ready"])),
            (".status..n", json!([1, 5])),
            (".metadata.annotations.*", json!(["x"])),
        ];
        for (path, expected) in cases {
            let found: Value = values_at(&object(), path).into_iter().cloned().collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn values_are_put_at_paths() {
        let mut object = json!({});
        assert!(put_at_path(&mut object, ".spec.scale.replicas", json!(2)));
        assert_eq!(object, json!({"spec": {"scale": {"replicas": 2}}}));
        assert!(!put_at_path(&mut object, ".spec.items[0]", json!(2)));
    }
}
