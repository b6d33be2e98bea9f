//! `spec.info`, `spec.helm`, `spec.env_vars`, `spec.container_overrides` and `spec.actions`.

use std::collections::BTreeMap;

use crate::domain::driver::{ActionSpec, ContainerOverride, DriverInfo, EnvVarSpec, HelmChart};
use crate::driver::reader::{Fields, Report};
use crate::driver::suggest;
use crate::driver::yaml::{Node, Tree};

const HOOKS: [&str; 7] = ["setup", "upgrade", "stop", "start", "backup", "restore", "delete"];
const MODES: [&str; 5] = ["pre", "core", "post", "failed", "finally"];

pub(super) fn info(spec: &Fields<'_>, report: &mut Report<'_>) -> DriverInfo {
    let Some(node) = spec.get("info") else { return DriverInfo::default() };
    let fields = Fields::open(node, "spec.info", &["description", "authors", "license", "links"], report);
    let mut links = Vec::new();
    for (position, node) in fields.items("links", report).iter().enumerate() {
        let link = Fields::open(node, &format!("spec.info.links[{position}]"), &["link", "url"], report);
        links.push((link.text("link", report), link.text("url", report)));
    }
    DriverInfo {
        description: fields.text("description", report),
        authors: fields.texts("authors", report),
        license: fields.text("license", report),
        links,
    }
}

pub(super) fn helm(
    spec: &Fields<'_>,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> Option<HelmChart> {
    let node = spec.get("helm")?;
    let fields = Fields::open(node, "spec.helm", &["main"], report);
    let main = fields.require("main", report)?;
    let known = ["location", "version", "values", "values_template"];
    let fields = Fields::open(main, "spec.helm.main", &known, report);
    let location = fields.required_text("location", report)?;
    let remote = ["oci://", "https://", "http://"].iter().any(|scheme| location.starts_with(scheme));
    if !remote {
        let chart = format!("{}/Chart.yaml", location.trim_start_matches("./").trim_end_matches('/'));
        if location.contains("..") || location.starts_with('/') || !files.contains_key(&chart) {
            let message = format!("spec.helm.main.location is '{location}', and the driver has no {chart}");
            let hint = "expected oci://…, https://… or a chart's directory inside the driver";
            report.error(fields.place_of("location"), message, hint);
        }
    }
    let version = fields.text("version", report);
    if remote && version.is_empty() {
        report.error(fields.place, "spec.helm.main has no version", "pin the chart's version");
    }
    let name = if fields.get("values_template").is_some() { "values_template" } else { "values" };
    let values = fields.text(name, report);
    if !values.is_empty() && !files.contains_key(&values) {
        let hint = suggest::hint(&values, files.keys().map(String::as_str));
        report.error(
            fields.place_of(name),
            format!("spec.helm.main.{name}: the driver has no file '{values}'"),
            hint,
        );
    }
    Some(HelmChart {
        location,
        version: Some(version).filter(|version| !version.is_empty()),
        values: if values.is_empty() { "values.j2.yml".to_owned() } else { values },
    })
}

pub(super) fn env_vars(spec: &Fields<'_>, components: &[&str], report: &mut Report<'_>) -> Vec<EnvVarSpec> {
    let mut variables = Vec::new();
    for (position, node) in spec.items("env_vars", report).iter().enumerate() {
        let path = format!("spec.env_vars[{position}]");
        let fields = Fields::open(node, &path, &["name", "description", "level", "components"], report);
        let Some(name) = fields.required_text("name", report) else { continue };
        let named = fields.texts("components", report);
        for component in &named {
            let place = fields.place_of("components");
            super::known_component(place, &fields.path_of("components"), component, components, report);
        }
        let description = fields.text("description", report);
        variables.push(EnvVarSpec {
            name,
            description,
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
        let Some(component) = fields.required_text("component", report) else { continue };
        let place = fields.place_of("component");
        super::known_component(place, &fields.path_of("component"), &component, components, report);
        overrides.push(ContainerOverride {
            component,
            container: fields.required_text("container", report).unwrap_or_default(),
            command: fields.flag("command", report),
            args: fields.flag("args", report),
            description: fields.text("description", report),
        });
    }
    overrides
}

pub(super) fn actions(
    spec: &Fields<'_>,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> Vec<ActionSpec> {
    let mut names = super::Names::default();
    let mut actions = Vec::new();
    let items = spec.items("actions", report);
    if let Some(first) = items.first() {
        report.warn(first.place, "actions are recorded and shown, but not run yet", "");
    }
    for (position, node) in items.iter().enumerate() {
        if let Some(action) = action(node, &format!("spec.actions[{position}]"), files, report) {
            names.add(node.place, "action", &action.name, report);
            actions.push(action);
        }
    }
    actions
}

fn action(
    node: &Node,
    path: &str,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> Option<ActionSpec> {
    let known = ["name", "hook", "mode", "location", "description", "prompts", "after"];
    let fields = Fields::open(node, path, &known, report);
    let name = fields.required_text("name", report);
    let word = |field: &str, words: &[&str], report: &mut Report<'_>| {
        fields.get(field).and_then(|_| super::one_of(&fields, field, words, report))
    };
    let hook = word("hook", &HOOKS, report);
    let mode = word("mode", &MODES, report);
    if fields.get("mode").is_some() && fields.get("hook").is_none() {
        let message = format!("{path} has a mode and no hook");
        report.error(fields.place_of("mode"), message, format!("add one of {}", HOOKS.join(", ")));
    }
    let location = fields.required_text("location", report)?;
    check_location(&fields, &location, files, report);
    if let Some(prompts) =
        fields.get("prompts").filter(|prompts| !matches!(prompts.tree, Tree::List(_) | Tree::Map(_)))
    {
        report.expected(prompts, &fields.path_of("prompts"), "a list");
    }
    Some(ActionSpec { name: name?, hook, mode, location, description: fields.text("description", report) })
}

/// `file::function`, and the file must be there.
fn check_location(
    fields: &Fields<'_>,
    location: &str,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) {
    let place = fields.place_of("location");
    let path = fields.path_of("location");
    let Some((file, function)) =
        location.split_once("::").filter(|(file, name)| !file.is_empty() && !name.is_empty())
    else {
        report.error(
            place,
            format!("{path} is '{location}', expected file::function"),
            "such as actions.star::upgrade",
        );
        return;
    };
    let Some(text) = files.get(file) else {
        let hint = suggest::hint(file, files.keys().map(String::as_str));
        report.error(place, format!("{path}: the driver has no file '{file}'"), hint);
        return;
    };
    if file.ends_with(".py") {
        let message = format!("{path}: Python actions are not run, Starlark ones will be");
        report.warn(place, message, "write it as actions.star");
    }
    let functions = text.lines().filter_map(|line| line.strip_prefix("def ")?.split(['(', ' ']).next());
    let functions: Vec<&str> = functions.collect();
    if !functions.contains(&function) {
        let hint = suggest::hint(function, functions.iter().copied());
        report.error(place, format!("{path}: {file} has no function '{function}'"), hint);
    }
}
