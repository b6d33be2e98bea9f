//! `spec.version`, `spec.supported_versions` and what else speaks of versions.

use crate::domain::driver::UpgradesFrom;
use crate::domain::{DriverSpec, version};
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Place, Tree};

/// The driver's own version.
pub(super) fn own(spec: &Fields<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = spec.required_text("version", report)?;
    if !version::is_version(&text) {
        let message = format!("spec.version is '{text}', expected a version such as 1.0.0");
        report.error(spec.place_of("version"), message, "");
    }
    Some(text)
}

/// The versions of the application, in a specification that has nothing else: which are supported, and which are offered.
pub(super) fn of_application(spec: &Fields<'_>, report: &mut Report<'_>) -> DriverSpec {
    let supported_versions = spec.text("supported_versions", report);
    let default_version = spec.required_text("default_version", report).unwrap_or_default();
    let mut known_versions = Vec::new();
    let known = spec.get("known_versions").map(|node| report.places_of_texts(node, "spec.known_versions"));
    let mut offered = vec![("default_version", spec.place_of("default_version"), default_version.clone())];
    for (place, text) in known.unwrap_or_default() {
        known_versions.push(text.clone());
        offered.push(("known_versions", place, text));
    }
    if check(spec.place_of("supported_versions"), "spec.supported_versions", &supported_versions, report) {
        for (field, place, text) in offered.iter().filter(|(_, _, text)| !text.is_empty()) {
            check_offered(*place, field, text, &supported_versions, report);
        }
    }
    DriverSpec { supported_versions, default_version, known_versions, ..DriverSpec::default() }
}

/// A version that is offered is one that can be deployed.
fn check_offered(place: Place, field: &str, text: &str, supported: &str, report: &mut Report<'_>) {
    match version::matches(supported, text) {
        Ok(true) => {}
        Ok(false) => {
            let message = format!("spec.{field}: '{text}' is not in supported_versions '{supported}'");
            report.error(place, message, "correct one of them");
        }
        Err(problem) => {
            report.error(place, format!("spec.{field}: {}: {}", problem.what, problem.why), problem.next);
        }
    }
}

/// `upgrades_from`: a text or a list is about the application's versions, a mapping names `application` and `driver`.
pub(super) fn upgrades_from(spec: &Fields<'_>, report: &mut Report<'_>) -> UpgradesFrom {
    let Some(node) = spec.get("upgrades_from") else { return UpgradesFrom::default() };
    if !matches!(node.tree, Tree::Map(_)) {
        return UpgradesFrom { application: ranges(node, "spec.upgrades_from", report), driver: Vec::new() };
    }
    let fields = Fields::open(node, "spec.upgrades_from", &["application", "driver"], report);
    let mut named = |name: &str| {
        let node = fields.get(name);
        node.map(|node| ranges(node, &fields.path_of(name), report)).unwrap_or_default()
    };
    UpgradesFrom { application: named("application"), driver: named("driver") }
}

fn ranges(node: &Node, path: &str, report: &mut Report<'_>) -> Vec<String> {
    let found = report.places_of_texts(node, path);
    let good = found.into_iter().filter(|(place, range)| check(*place, path, range, report));
    good.map(|(_, range)| range).collect()
}

/// Whether a range can be read. A bare version can, as Cargo reads it: that is worth a word.
fn check(place: Place, path: &str, range: &str, report: &mut Report<'_>) -> bool {
    if let Err(problem) = version::check_range(range) {
        report.error(place, format!("{path}: {}, {}", problem.what, problem.why), problem.next);
        return false;
    }
    if let Some(bare) = version::bare_version(range) {
        let message =
            format!("{path}: '{bare}' is read as '^{bare}': that version and later ones of its line");
        report.warn(place, message, format!("write ^{bare}, or =={bare} for that one alone"));
    }
    true
}
