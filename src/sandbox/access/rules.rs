//! One rule of a role (`rbac/v1 PolicyRule`): what it allows, and what one set of rules leaves of another.

use serde_json::{Value, json};

use super::attributes::Attributes;
use crate::sandbox::object::list;

/// Stands for everything.
const ALL: &str = "*";

fn texts<'a>(rule: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    rule.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_empty(rule: &Value, field: &str) -> bool {
    texts(rule, field).next().is_none()
}

fn names(rule: &Value, field: &str, wanted: &str) -> bool {
    texts(rule, field).any(|own| own == ALL || own == wanted)
}

/// Whether a rule allows what is asked.
pub fn allows(rule: &Value, asked: &Attributes) -> bool {
    if !names(rule, "verbs", &asked.verb) {
        return false;
    }
    if !asked.is_resource() {
        return texts(rule, "nonResourceURLs").any(|own| covers_path(own, &asked.path));
    }
    names(rule, "apiGroups", &asked.group)
        && texts(rule, "resources").any(|own| covers_resource(own, &asked.resource, &asked.subresource))
        && (is_empty(rule, "resourceNames") || texts(rule, "resourceNames").any(|own| own == asked.name))
}

/// `pods`, `pods/log`, `*/scale`, `*`.
fn covers_resource(own: &str, resource: &str, subresource: &str) -> bool {
    if own == ALL {
        return true;
    }
    match own.split_once('/') {
        None => subresource.is_empty() && own == resource,
        Some((of, part)) => !subresource.is_empty() && part == subresource && (of == ALL || of == resource),
    }
}

/// `/api/*` is everything that begins so.
fn covers_path(own: &str, path: &str) -> bool {
    own == ALL
        || own == path
        || own.strip_suffix('*').is_some_and(|start| path.starts_with(start.trim_end_matches('*')))
}

/// What of `wanted` is in none of the rules that are held: one group, resource, verb and name at a time.
pub fn missing(held: &[Value], wanted: &[Value]) -> Vec<Value> {
    let single = wanted.iter().flat_map(break_down);
    single.filter(|part| !held.iter().any(|own| covers(own, part))).collect()
}

/// A rule as many that each say one thing.
fn break_down(rule: &Value) -> Vec<Value> {
    let mut parts = Vec::new();
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for verb in texts(rule, "verbs") {
                let part = json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
                if is_empty(rule, "resourceNames") {
                    parts.push(part);
                    continue;
                }
                for name in texts(rule, "resourceNames") {
                    let mut named = part.clone();
                    named["resourceNames"] = json!([name]);
                    parts.push(named);
                }
            }
        }
    }
    for path in texts(rule, "nonResourceURLs") {
        for verb in texts(rule, "verbs") {
            parts.push(json!({"nonResourceURLs": [path], "verbs": [verb]}));
        }
    }
    parts
}

/// Whether one rule grants all that a part grants.
fn covers(own: &Value, part: &Value) -> bool {
    let held = |field: &str| texts(part, field).all(|wanted| names(own, field, wanted));
    held("verbs")
        && held("apiGroups")
        && texts(part, "resources").all(|wanted| {
            let (resource, subresource) = wanted.split_once('/').unwrap_or((wanted, ""));
            texts(own, "resources").any(|own| covers_resource(own, resource, subresource))
        })
        && texts(part, "nonResourceURLs")
            .all(|wanted| texts(own, "nonResourceURLs").any(|own| covers_path(own, wanted)))
        && (is_empty(own, "resourceNames")
            || (!is_empty(part, "resourceNames")
                && texts(part, "resourceNames")
                    .all(|wanted| texts(own, "resourceNames").any(|own| own == wanted))))
}

/// Joins the verbs of parts that are otherwise the same; parts about paths stay as they are.
pub fn compact(parts: Vec<Value>) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    for part in parts {
        let same = joined.iter_mut().find(|other| {
            !is_empty(&part, "resources")
                && ["apiGroups", "resources", "resourceNames"]
                    .iter()
                    .all(|field| other.get(*field) == part.get(*field))
        });
        match same.and_then(|other| other.get_mut("verbs")).and_then(Value::as_array_mut) {
            Some(verbs) => verbs.extend(list(&part, "/verbs").iter().cloned()),
            None => joined.push(part),
        }
    }
    joined
}

/// A rule as the API server writes it in a refusal: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`.
pub fn describe(rule: &Value) -> String {
    let fields = [
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    ];
    let shown: Vec<String> = fields
        .iter()
        .filter(|(_, field)| !is_empty(rule, field))
        .map(|(name, field)| format!("{name}:{}", quoted(texts(rule, field))))
        .collect();
    format!("{{{}}}", shown.join(", "))
}

/// `["a" "b"]`.
pub fn quoted<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = all.map(|one| format!("{one:?}")).collect();
    format!("[{}]", all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(verb: &str, resource: &str, name: &str) -> Attributes {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Attributes {
            verb: verb.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            name: name.into(),
            ..Attributes::default()
        }
    }

    fn rule(resources: &[&str]) -> Value {
        json!({"verbs": ["get"], "apiGroups": [""], "resources": resources})
    }

    #[test]
    fn resources_are_named_with_their_subresources() {
        let cases = [
            ("pods", "pods", true),
            ("pods", "pods/log", false),
            ("pods/log", "pods/log", true),
            ("pods/log", "pods", false),
            ("*/scale", "deployments/scale", true),
            ("*/scale", "scale", false),
            ("*", "pods/log", true),
            ("pods/*", "pods/log", false),
        ];
        for (own, asked, allowed) in cases {
            assert_eq!(allows(&rule(&[own]), &ask("get", asked, "")), allowed, "{own} {asked}");
        }
    }

    #[test]
    fn a_rule_with_names_is_for_those_alone() {
        let named =
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["pods"], "resourceNames": ["a"]});
        assert!(allows(&named, &ask("delete", "pods", "a")));
        assert!(!allows(&named, &ask("delete", "pods", "b")));
        assert!(!allows(&named, &ask("list", "pods", "")));
        let elsewhere = Attributes { group: "apps".into(), ..ask("get", "pods", "") };
        assert!(!allows(&rule(&["pods"]), &elsewhere));
    }

    #[test]
    fn paths_may_end_in_a_star() {
        let paths = |own: &str| json!({"verbs": ["get"], "nonResourceURLs": [own]});
        let ask = |path: &str| Attributes { verb: "get".into(), path: path.into(), ..Attributes::default() };
        for (own, path, allowed) in [
            ("/api", "/api", true),
            ("/api", "/api/v1", false),
            ("/api/*", "/api/v1", true),
            ("/api/*", "/api", false),
            ("*", "/metrics", true),
        ] {
            assert_eq!(allows(&paths(own), &ask(path)), allowed, "{own} {path}");
        }
        assert!(!allows(&rule(&["*"]), &ask("/api")));
    }

    #[test]
    fn what_is_missing_is_said_part_by_part() {
        let held = [
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "*/scale"]}),
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]}),
            json!({"verbs": ["get"], "nonResourceURLs": ["/api/*"]}),
        ];
        let covered = [
            rule(&["pods", "deployments/scale"]),
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]}),
            json!({"verbs": ["get"], "nonResourceURLs": ["/api/v1"]}),
        ];
        assert_eq!(missing(&held, &covered), Vec::<Value>::new());
        let wanted = [
            json!({"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods"]}),
            rule(&["secrets"]),
            json!({"verbs": ["get"], "apiGroups": ["a.b"], "resources": ["x/y"], "resourceNames": ["n"]}),
            json!({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}),
        ];
        let texts: Vec<String> = compact(missing(&held, &wanted)).iter().map(describe).collect();
        assert_eq!(
            texts,
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}"#,
                r#"{APIGroups:["a.b"], Resources:["x/y"], ResourceNames:["n"], Verbs:["get"]}"#,
                r#"{NonResourceURLs:["/metrics"], Verbs:["get"]}"#,
            ]
        );
    }
}
