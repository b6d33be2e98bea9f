//! `spec.components`.

use std::collections::BTreeMap;

use crate::domain::driver::ComponentSpec;
use crate::domain::names::is_label_text;
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Place, Tree};

use super::backup;

/// What [`is_label_text`] says, in words.
const LABEL_RULE: &str = "at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends; a prefix ends with '/'";

/// More pods than this nobody asks for by default.
const REPLICAS_MAX: u32 = 1_000;

pub(super) const FIELDS: [&str; 4] = ["identifier", "backup", "defaults", "description"];

/// The components by name, and where the backup of each stands, or itself.
pub(super) fn read(
    spec: &Fields<'_>,
    report: &mut Report<'_>,
) -> (BTreeMap<String, ComponentSpec>, BTreeMap<String, Place>) {
    let (mut components, mut places) = (BTreeMap::new(), BTreeMap::new());
    let Some(node) = spec.require("components", report) else { return (components, places) };
    let entries = report.entries(node, "spec.components");
    if entries.is_empty() {
        report.error(node.place, "spec.components is empty, expected at least one component", "");
    }
    for (key, node) in entries {
        super::label(key.place, "component", &key.name, report);
        let (component, place) = component(node, &format!("spec.components.{}", key.name), report);
        components.insert(key.name.clone(), component);
        places.insert(key.name.clone(), place);
    }
    (components, places)
}

fn component(node: &Node, path: &str, report: &mut Report<'_>) -> (ComponentSpec, Place) {
    let fields = Fields::open(node, path, &FIELDS, report);
    let labels = fields.require("identifier", report).map(|node| identifier(node, path, report));
    let mut component = fields.get("backup").map(|node| backup::read(node, path, report)).unwrap_or_default();
    component.labels = labels.unwrap_or_default();
    component.description = fields.text("description", report);
    component.defaults = defaults(&fields, report);
    (component, fields.place_of("backup"))
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
        let name = key.name.rsplit('/').next().unwrap_or("");
        if !is_label_text(name) || key.name.matches('/').count() > 1 {
            report.error(key.place, format!("{path} has '{}', which is no label", key.name), LABEL_RULE);
        }
        if let Some(text) = report.text(value, &format!("{path}.{}", key.name)) {
            if !text.is_empty() && !is_label_text(&text) {
                let message = format!("{path}.{} is '{text}', which no label can be", key.name);
                report.error(value.place, message, LABEL_RULE);
            }
            labels.insert(key.name.clone(), text);
        }
    }
    labels
}

/// What templates see when nothing overrides it. Those that we read ourselves have a shape.
fn defaults(fields: &Fields<'_>, report: &mut Report<'_>) -> BTreeMap<String, serde_json::Value> {
    let Some(node) = fields.get("defaults") else { return BTreeMap::new() };
    let path = fields.path_of("defaults");
    let entries = report.entries(node, &path);
    for (key, value) in &entries {
        let path = format!("{path}.{}", key.name);
        let list = matches!(value.tree, Tree::List(_));
        let text = matches!(value.tree, Tree::Text(_));
        match key.name.as_str() {
            "env" | "env_vars" if !list && !matches!(value.tree, Tree::Map(_)) => {
                report.expected(value, &path, "a mapping, or a list of { name, value }");
            }
            "command" | "args" if !list && !text => report.expected(value, &path, "a list of texts"),
            "replicas" => drop(report.count(value, &path, REPLICAS_MAX)),
            _ => {}
        }
    }
    entries.into_iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect()
}
