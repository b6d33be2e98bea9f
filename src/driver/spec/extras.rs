//! `spec.info`, `spec.env_vars` and `spec.container_overrides`.

use crate::domain::driver::{ContainerOverride, DriverInfo, EnvVarSpec};
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Tree};

pub(super) fn info(spec: &Fields<'_>, report: &mut Report<'_>) -> DriverInfo {
    let Some(node) = spec.get("info") else { return DriverInfo::default() };
    let fields = Fields::open(node, "spec.info", &["description", "authors", "license", "links"], report);
    let mut links = Vec::new();
    for (position, node) in fields.items("links", report).iter().enumerate() {
        let link = Fields::open(node, &format!("spec.info.links[{position}]"), &["link", "url"], report);
        links.push((link.text("link", report), link.required_text("url", report).unwrap_or_default()));
    }
    DriverInfo {
        description: fields.text("description", report),
        authors: fields.texts("authors", report),
        license: fields.text("license", report),
        links,
    }
}

pub(super) fn env_vars(spec: &Fields<'_>, components: &[&str], report: &mut Report<'_>) -> Vec<EnvVarSpec> {
    let mut variables = Vec::new();
    for (position, node) in spec.items("env_vars", report).iter().enumerate() {
        let path = format!("spec.env_vars[{position}]");
        let fields = Fields::open(node, &path, &["name", "description", "level", "components"], report);
        let name = fields.required_text("name", report);
        let path = fields.path_of("components");
        let mut named = Vec::new();
        if let Some(node) = fields.get("components") {
            for (place, component) in report.places_of_texts(node, &path) {
                super::known_component(place, &path, &component, components, report);
                named.push(component);
            }
        }
        variables.push(EnvVarSpec {
            name: name.unwrap_or_default(),
            description: fields.text("description", report),
            level: fields.text("level", report),
            components: named,
        });
    }
    variables
}

pub(super) fn container_overrides(
    spec: &Fields<'_>,
    components: &[&str],
    report: &mut Report<'_>,
) -> Vec<ContainerOverride> {
    let known = ["component", "container", "command", "args", "description"];
    let mut overrides = Vec::new();
    for (position, node) in spec.items("container_overrides", report).iter().enumerate() {
        let fields = Fields::open(node, &format!("spec.container_overrides[{position}]"), &known, report);
        let component = fields.required_text("component", report);
        if let Some(component) = &component {
            let place = fields.place_of("component");
            super::known_component(place, &fields.path_of("component"), component, components, report);
        }
        let container = fields.required_text("container", report);
        if let Some(container) = &container {
            super::label(fields.place_of("container"), "container", container, report);
        }
        let (command, usual_command) = may_override(&fields, "command", report);
        let (args, usual_args) = may_override(&fields, "args", report);
        overrides.push(ContainerOverride {
            component: component.unwrap_or_default(),
            container: container.unwrap_or_default(),
            command,
            args,
            usual_command,
            usual_args,
            description: fields.text("description", report),
        });
    }
    overrides
}

/// Whether it may be overridden: `true`, `false`, or what it usually is, which says that it may.
fn may_override(fields: &Fields<'_>, name: &str, report: &mut Report<'_>) -> (bool, Vec<String>) {
    let Some(node) = fields.get(name) else { return (false, Vec::new()) };
    match node {
        Node { tree: Tree::Text(_) | Tree::List(_), .. } => (true, fields.texts(name, report)),
        _ => (fields.flag(name, report), Vec::new()),
    }
}
