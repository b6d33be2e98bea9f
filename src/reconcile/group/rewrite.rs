//! What a clone of an application is asked for: the same, with hosts, namespaces and references that point at the clone. Pure.

use serde_json::Value;

use crate::domain::DeploymentDraft;

/// A text and what stands in its place in the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// What is looked for.
    pub old: String,
    /// What it becomes.
    pub new: String,
}

impl Replacement {
    /// One of these.
    pub fn new(old: impl Into<String>, new: impl Into<String>) -> Self {
        Self { old: old.into(), new: new.into() }
    }
}

/// The draft of the clone in `environment`, without the hosts that were given to the copied one: every parameter, argument and variable with the replacements made. Longer ones count
/// first, and what was put in is not looked at again.
pub fn clone_of(draft: &DeploymentDraft, environment: &str, replacements: &[Replacement]) -> DeploymentDraft {
    let mut copy =
        DeploymentDraft { environment: environment.to_owned(), hosts: Vec::new(), ..draft.clone() };
    let mut sorted: Vec<&Replacement> =
        replacements.iter().filter(|one| !one.old.is_empty() && one.old != one.new).collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.old.len()));
    for value in copy.parameters.values_mut() {
        rewrite(value, &sorted);
    }
    for component in copy.components.values_mut() {
        let texts = component.command.iter_mut().chain(&mut component.args).chain(component.env.values_mut());
        for text in texts {
            *text = replaced(text, &sorted);
        }
    }
    copy
}

/// What points into a namespace: names of Services with it, short and long.
pub fn namespace(old: &str, new: &str, cluster_domain: &str) -> Vec<Replacement> {
    let suffixes = [format!(".svc.{cluster_domain}"), ".svc".to_owned(), String::new()];
    suffixes
        .iter()
        .map(|suffix| Replacement::new(format!(".{old}{suffix}"), format!(".{new}{suffix}")))
        .collect()
}

/// Parameters and variables of a draft that still name `old`: nobody knows what they mean by it.
pub fn still_naming(draft: &DeploymentDraft, old: &str) -> Vec<String> {
    // as a host name, or by itself; not as a word among others
    let named = |text: &str| {
        let mut hosts = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')));
        let in_host = |host: &str| {
            let host = host.trim_matches('.');
            host.contains('.') && host.split('.').any(|label| label == old)
        };
        text.trim() == old || hosts.any(in_host)
    };
    fn texts(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().flat_map(texts).collect(),
            Value::Object(fields) if !fields.contains_key("secret") => {
                fields.values().flat_map(texts).collect()
            }
            _ => Vec::new(),
        }
    }
    let parameters = draft.parameters.iter().filter(|(_, value)| texts(value).into_iter().any(named));
    let mut found: Vec<String> = parameters.map(|(name, _)| name.clone()).collect();
    for (name, component) in &draft.components {
        let texts = component.command.iter().chain(&component.args).chain(component.env.values());
        if texts.into_iter().any(|text| named(text)) {
            found.push(format!("the component {name}"));
        }
    }
    found
}

fn rewrite(value: &mut Value, replacements: &[&Replacement]) {
    match value {
        // A reference to a Secret names no host.
        Value::Object(fields) if !fields.contains_key("secret") => {
            fields.values_mut().for_each(|value| rewrite(value, replacements));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| rewrite(value, replacements)),
        Value::String(text) => *text = replaced(text, replacements),
        _ => {}
    }
}

fn replaced(text: &str, replacements: &[&Replacement]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    'letters: while let Some(letter) = rest.chars().next() {
        let before = result.chars().next_back();
        for Replacement { old, new } in replacements.iter().copied() {
            if let Some(after) = rest.strip_prefix(old.as_str())
                && is_bound(before, old, after)
            {
                result += new;
                rest = after;
                continue 'letters;
            }
        }
        result.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    result
}

/// Whether a name that was found is a whole one, and no part of a longer host name.
fn is_bound(before: Option<char>, found: &str, after: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let starts = found.starts_with('.') || before.is_none_or(|c| !inner(c) && c != '.');
    let follows = after.chars().next();
    let label_goes_on = follows == Some('.') && after.chars().nth(1).is_some_and(inner);
    starts && follows.is_none_or(|c| !inner(c)) && !label_goes_on
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ComponentOverride;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn rewritten(text: &str) -> String {
        let mut all = namespace("demo", "copy", "cluster.local");
        all.push(Replacement::new("notes-demo.example.org", "notes-copy.example.org"));
        let draft = DeploymentDraft {
            parameters: BTreeMap::from([("p".to_owned(), json!(text))]),
            ..DeploymentDraft::default()
        };
        clone_of(&draft, "copy", &all).parameters["p"].as_str().unwrap().to_owned()
    }

    #[test]
    fn hosts_and_namespaces_point_at_the_clone() {
        for (old, new) in [
            ("https://notes-demo.example.org/x", "https://notes-copy.example.org/x"),
            ("postgres://db.demo.svc:5432/a", "postgres://db.copy.svc:5432/a"),
            ("db.demo.svc.cluster.local", "db.copy.svc.cluster.local"),
            ("db.demo.svc.cluster.local.", "db.copy.svc.cluster.local."),
            ("redis://cache.demo:6379/0", "redis://cache.copy:6379/0"),
            // names that only look like it
            ("my-notes-demo.example.org", "my-notes-demo.example.org"),
            ("x.notes-demo.example.org", "x.notes-demo.example.org"),
            ("notes-demo.example.org.uk", "notes-demo.example.org.uk"),
            ("db.other.demo.svcs", "db.other.demo.svcs"),
            ("a demo of it", "a demo of it"),
            ("", ""),
        ] {
            assert_eq!(rewritten(old), new);
        }
    }

    #[test]
    fn what_still_names_the_copied_namespace_is_found() {
        let of = |text: &str| {
            let draft = DeploymentDraft {
                parameters: BTreeMap::from([("p".to_owned(), json!([text]))]),
                ..DeploymentDraft::default()
            };
            !still_naming(&draft, "demo").is_empty()
        };
        for naming in ["demo", "db.demo.internal:5432", "http://demo.example.org/x"] {
            assert!(of(naming), "{naming}");
        }
        for other in ["a demo of it", "the demo. And more", "demos", "db.copy.svc", "my-demo.example.org"] {
            assert!(!of(other), "{other}");
        }
    }

    #[test]
    fn secrets_stay_references_and_overrides_are_rewritten_too() {
        let secret = json!({"secret": "notes-demo.example.org", "key": "k"});
        let draft = DeploymentDraft {
            environment: "demo".into(),
            parameters: BTreeMap::from([
                ("s".to_owned(), secret.clone()),
                ("l".to_owned(), json!(["http://db.demo.svc", 1])),
            ]),
            components: BTreeMap::from([(
                "web".to_owned(),
                ComponentOverride {
                    env: BTreeMap::from([("DB".to_owned(), "db.demo.svc".to_owned())]),
                    args: vec!["--db=db.demo.svc".to_owned()],
                    ..ComponentOverride::default()
                },
            )]),
            ..DeploymentDraft::default()
        };
        let copy = clone_of(&draft, "copy", &namespace("demo", "copy", "cluster.local"));
        assert_eq!(copy.environment, "copy");
        assert_eq!(copy.parameters["s"], secret);
        assert_eq!(copy.parameters["l"], json!(["http://db.copy.svc", 1]));
        assert_eq!(copy.components["web"].env["DB"], "db.copy.svc");
        assert_eq!(copy.components["web"].args, ["--db=db.copy.svc"]);
    }
}
