//! `driver.styrmin.yml`: the tree becomes a specification, and everything that is wrong with it is told with its place.

mod components;
mod extras;
mod parameters;
mod services;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Fields, Report};
use super::suggest;
use super::yaml::{Node, Place};
use crate::domain::names::check_label;
use crate::domain::{DriverRef, DriverSpec, version};

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
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> Option<(DriverRef, DriverSpec)> {
    let document = Fields::open(node, "the document", &["apiVersion", "kind", "metadata", "spec"], report);
    expect_word(&document, "apiVersion", API_VERSION, report);
    expect_word(&document, "kind", KIND, report);
    let name = document.require("metadata", report).and_then(|node| metadata(node, report));
    let spec = document.require("spec", report)?;
    let fields = Fields::open(spec, "spec", &SPEC_FIELDS, report);
    let version = driver_version(&fields, report);
    let spec = DriverSpec {
        supported_versions: fields.text("supported_versions", report),
        default_version: fields.required_text("default_version", report).unwrap_or_default(),
        known_versions: fields.texts("known_versions", report),
        info: extras::info(&fields, report),
        helm: extras::helm(&fields, files, report),
        components: components::read(&fields, report),
        parameters: parameters::read(&fields, report),
        ..DriverSpec::default()
    };
    let components: Vec<&str> = spec.components.keys().map(String::as_str).collect();
    let spec = DriverSpec {
        services: services::read(&fields, &components, report),
        env_vars: extras::env_vars(&fields, &components, report),
        container_overrides: extras::container_overrides(&fields, &components, report),
        actions: extras::actions(&fields, files, report),
        ..spec.clone()
    };
    check_versions(&fields, &spec, report);
    Some((DriverRef { name: name?, version: version? }, spec))
}

fn metadata(node: &Node, report: &mut Report<'_>) -> Option<String> {
    let fields = Fields::open(node, "metadata", &["name", "labels", "annotations"], report);
    let name = fields.required_text("name", report)?;
    label(fields.place_of("name"), "driver", &name, report);
    Some(name)
}

fn driver_version(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = fields.required_text("version", report)?;
    if !version::is_version(&text) {
        let message = format!("spec.version is '{text}', expected a version such as 1.0.0");
        report.error(fields.place_of("version"), message, "");
    }
    Some(text)
}

/// Checks the range, and that the versions that are offered are in it.
fn check_versions(fields: &Fields<'_>, spec: &DriverSpec, report: &mut Report<'_>) {
    for name in ["supported_versions", "upgrades_from"] {
        let range = fields.text(name, &mut Report::new("", ""));
        if let Err(problem) = version::check_range(&range) {
            report.error(
                fields.place_of(name),
                format!("spec.{name}: {}, {}", problem.what, problem.why),
                problem.next,
            );
        }
    }
    let offered = [("default_version", fields.place_of("default_version"), spec.default_version.as_str())];
    let known = fields.items("known_versions", &mut Report::new("", "")).iter().zip(&spec.known_versions);
    let known = known.map(|(node, text)| ("known_versions", node.place, text.as_str()));
    for (field, place, text) in offered.into_iter().chain(known).filter(|(_, _, text)| !text.is_empty()) {
        if version::matches(&spec.supported_versions, text) == Ok(false) {
            let message =
                format!("spec.{field}: '{text}' is not in supported_versions '{}'", spec.supported_versions);
            report.error(place, message, "correct one of them");
        }
    }
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
        let hint = suggest::hint(name, components.iter().copied());
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
