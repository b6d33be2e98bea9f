//! The names of a custom resource: which ones are free in its group.

use serde_json::{Value, json};

/// Why a name is not accepted: a reason and a message.
pub type Conflict = (&'static str, String);

/// The names of a definition that no other established one of its group has, and the last conflict, as a real server tells
/// it. A name that was accepted before stays where a new one is taken.
pub fn accept(crd: &Value, others: &[&Value]) -> (Value, Option<Conflict>) {
    let group: Vec<&Value> = others
        .iter()
        .filter(|other| {
            other["spec"]["group"] == crd["spec"]["group"]
                && other["metadata"]["name"] != crd["metadata"]["name"]
        })
        .map(|other| &other["status"]["acceptedNames"])
        .collect();
    let resources: Vec<&str> = group.iter().flat_map(|names| resource_names(names)).collect();
    let kinds: Vec<&str> = group.iter().flat_map(|names| kind_names(names)).collect();
    let (wanted, before) = (&crd["spec"]["names"], &crd["status"]["acceptedNames"]);
    let mut accepted = wanted.clone();
    let mut conflict = None;
    for (field, reason, taken) in [
        ("plural", "PluralConflict", &resources),
        ("singular", "SingularConflict", &resources),
        ("shortNames", "ShortNamesConflict", &resources),
        ("kind", "KindConflict", &kinds),
        ("listKind", "ListKindConflict", &kinds),
    ] {
        let Some(name) = texts(&wanted[field]).into_iter().find(|name| taken.contains(name)) else {
            continue;
        };
        conflict = Some((reason, format!("{name:?} is already in use")));
        accepted[field] = match before.get(field) {
            Some(kept) => kept.clone(),
            None if matches!(field, "plural" | "kind") => json!(""),
            None => Value::Null,
        };
    }
    if let Some(names) = accepted.as_object_mut() {
        names.retain(|_, name| !name.is_null());
    }
    (accepted, conflict)
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if !text.is_empty() => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn resource_names(names: &Value) -> Vec<&str> {
    ["plural", "singular", "shortNames"].iter().flat_map(|field| texts(&names[*field])).collect()
}

fn kind_names(names: &Value) -> Vec<&str> {
    ["kind", "listKind"].iter().flat_map(|field| texts(&names[*field])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_accepted() {
        let first = json!({"metadata": {"name": "as.g.io"}, "spec": {"group": "g.io"},
            "status": {"acceptedNames": {"plural": "as", "singular": "a", "kind": "A", "listKind": "AList", "shortNames": ["x"]}}});
        let names = json!({"plural": "bs", "singular": "b", "kind": "A", "listKind": "AList", "shortNames": ["x", "y"]});
        let second = json!({"metadata": {"name": "bs.g.io"}, "spec": {"group": "g.io", "names": names}});
        let (accepted, conflict) = accept(&second, &[&first]);
        assert_eq!(accepted, json!({"plural": "bs", "singular": "b", "kind": ""}));
        assert_eq!(conflict, Some(("ListKindConflict", "\"AList\" is already in use".to_owned())));
        let (accepted, conflict) = accept(&second, &[]);
        assert_eq!((&accepted, conflict), (&second["spec"]["names"], None));
    }
}
