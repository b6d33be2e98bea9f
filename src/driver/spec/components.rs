//! `spec.components`.

use std::collections::BTreeMap;

use crate::domain::driver::ComponentSpec;
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Tree};

const STRATEGIES: [&str; 6] = ["disk", "postgres", "mariadb", "mongodb", "neo4j", "action"];

/// The components by name.
pub(super) fn read(spec: &Fields<'_>, report: &mut Report<'_>) -> BTreeMap<String, ComponentSpec> {
    let Some(node) = spec.require("components", report) else { return BTreeMap::new() };
    let entries = report.entries(node, "spec.components");
    if entries.is_empty() {
        report.error(node.place, "spec.components is empty, expected at least one component", "");
    }
    let mut components = BTreeMap::new();
    for (key, node) in entries {
        super::label(key.place, "component", &key.name, report);
        components
            .insert(key.name.clone(), component(node, &format!("spec.components.{}", key.name), report));
    }
    components
}

fn component(node: &Node, path: &str, report: &mut Report<'_>) -> ComponentSpec {
    let fields = Fields::open(node, path, &["identifier", "backup", "defaults", "description"], report);
    let labels = fields.require("identifier", report).map(|node| identifier(node, path, report));
    let (backup, volumes) = fields.get("backup").map(|node| backup(node, path, report)).unwrap_or_default();
    ComponentSpec { labels: labels.unwrap_or_default(), backup, volumes, defaults: defaults(&fields, report) }
}

fn identifier(node: &Node, path: &str, report: &mut Report<'_>) -> BTreeMap<String, String> {
    let fields = Fields::open(node, &format!("{path}.identifier"), &["label"], report);
    let Some(label) = fields.require("label", report) else { return BTreeMap::new() };
    let path = fields.path_of("label");
    let entries = report.entries(label, &path);
    if entries.is_empty() && matches!(label.tree, Tree::Map(_)) {
        report.error(
            label.place,
            format!("{path} is empty, expected the labels that find the component"),
            "",
        );
    }
    let mut labels = BTreeMap::new();
    for (key, value) in entries {
        if let Some(text) = report.text(value, &format!("{path}.{}", key.name)) {
            labels.insert(key.name.clone(), text);
        }
    }
    labels
}

/// The strategy and its volumes. A text alone is the strategy.
fn backup(node: &Node, path: &str, report: &mut Report<'_>) -> (Option<String>, Vec<String>) {
    let path = format!("{path}.backup");
    if let Tree::Text(strategy) = &node.tree {
        if !STRATEGIES.contains(&strategy.as_str()) {
            let message = format!("{path} is '{strategy}', expected one of {}", STRATEGIES.join(", "));
            report.error(node.place, message, super::nearest_hint(strategy, &STRATEGIES));
        }
        return (Some(strategy.clone()), Vec::new());
    }
    let known = ["kind", "volume", "volumes", "database", "action", "container"];
    let fields = Fields::open(node, &path, &known, report);
    let strategy = super::one_of(&fields, "kind", &STRATEGIES, report);
    let mut volumes = fields.texts("volumes", report);
    volumes.extend(Some(fields.text("volume", report)).filter(|volume| !volume.is_empty()));
    if strategy.as_deref() == Some("disk") && volumes.is_empty() {
        report.error(
            fields.place,
            format!("{path} has no volumes, the strategy disk needs at least one"),
            "",
        );
    }
    (strategy, volumes)
}

fn defaults(fields: &Fields<'_>, report: &mut Report<'_>) -> BTreeMap<String, serde_json::Value> {
    let Some(node) = fields.get("defaults") else { return BTreeMap::new() };
    let entries = report.entries(node, &fields.path_of("defaults"));
    entries.into_iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect()
}
