//! `driver.styrmin.yml`: the tree becomes a specification, and everything that is wrong with it is told with its place.

mod actions;
mod backup;
mod chart;
mod components;
mod extras;
mod parameters;
mod peers;
mod services;
mod versions;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::content::Content;
use super::reader::{Fields, Report};
use super::suggest;
use super::yaml::{Node, Place};
use crate::domain::names::check_label;
use crate::domain::{DriverRef, DriverSpec};

const API_VERSION: &str = "styrmin.io/v1";
const KIND: &str = "ApplicationDriver";

const SPEC_FIELDS: [&str; 13] = [
    "version",
    "supported_versions",
    "default_version",
    "known_versions",
    "upgrades_from",
    "info",
    "helm",
    "components",
    "services",
    "parameters",
    "env_vars",
    "container_overrides",
    "actions",
];

/// Reads the document. None when not even its name and version can be told; the report says the rest.
pub(super) fn read(
    node: &Node,
    content: &Content,
    report: &mut Report<'_>,
) -> Option<(DriverRef, DriverSpec)> {
    let document = Fields::open(node, "the document", &["apiVersion", "kind", "metadata", "spec"], report);
    expect_word(&document, "apiVersion", API_VERSION, report);
    expect_word(&document, "kind", KIND, report);
    let name = document.require("metadata", report).and_then(|node| metadata(node, report));
    let spec = document.require("spec", report)?;
    let fields = Fields::open(spec, "spec", &SPEC_FIELDS, report);
    let version = versions::own(&fields, report);
    let (components, backups) = components::read(&fields, report);
    let spec = DriverSpec {
        upgrades_from: versions::upgrades_from(&fields, report),
        info: extras::info(&fields, report),
        helm: chart::read(&fields, content, report),
        components,
        parameters: parameters::read(&fields, report),
        ..versions::of_application(&fields, report)
    };
    let components: Vec<&str> = spec.components.keys().map(String::as_str).collect();
    let services = services::read(&fields, &components, report);
    let env_vars = extras::env_vars(&fields, &components, report);
    let container_overrides = extras::container_overrides(&fields, &components, report);
    let actions = actions::read(&fields, &content.texts, report);
    backup::check(&spec.components, &backups, &actions, report);
    let spec = DriverSpec { services, env_vars, container_overrides, actions, ..spec };
    Some((DriverRef { name: name?, version: version? }, spec))
}

fn metadata(node: &Node, report: &mut Report<'_>) -> Option<String> {
    let fields = Fields::open(node, "metadata", &["name", "labels", "annotations"], report);
    let name = fields.required_text("name", report)?;
    label(fields.place_of("name"), "driver", &name, report);
    Some(name)
}

fn expect_word(fields: &Fields<'_>, name: &str, expected: &str, report: &mut Report<'_>) {
    let Some(found) = fields.required_text(name, report) else { return };
    if found != expected {
        report.error(fields.place_of(name), format!("{name} is '{found}', expected '{expected}'"), "");
    }
}

/// A name that becomes part of Kubernetes names.
fn label(place: Place, what: &str, name: &str, report: &mut Report<'_>) {
    if let Err(problem) = check_label(what, name) {
        report.error(place, format!("{}: {}", problem.what, problem.why), problem.next);
    }
}

/// One of a set of words; another one is an error with the nearest.
fn one_of(fields: &Fields<'_>, name: &str, words: &[&str], report: &mut Report<'_>) -> Option<String> {
    let word = fields.required_text(name, report)?;
    if words.contains(&word.as_str()) {
        return Some(word);
    }
    let message = format!("{} is '{word}', expected one of {}", fields.path_of(name), words.join(", "));
    report.error(fields.place_of(name), message, nearest_hint(&word, words));
    None
}

fn nearest_hint(word: &str, words: &[&str]) -> String {
    suggest::nearest(word, words.iter().copied())
        .map(|found| format!("did you mean '{found}'?"))
        .unwrap_or_default()
}

/// Names a component that must exist.
fn known_component(place: Place, path: &str, name: &str, components: &[&str], report: &mut Report<'_>) {
    if !components.contains(&name) {
        let hint = report.hint(name, components.iter().copied());
        report.error(place, format!("{path} names the component '{name}', which does not exist"), hint);
    }
}

/// Names inside a list that must differ.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, place: Place, what: &str, name: &str, report: &mut Report<'_>) {
        if !self.0.insert(name.to_owned()) {
            report.error(
                place,
                format!("the {what} '{name}' is declared twice"),
                "give each a name of its own",
            );
        }
    }
}
