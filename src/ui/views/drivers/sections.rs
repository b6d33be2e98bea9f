//! Everything that a driver version says about itself, section by section.

use serde_json::Value;

use crate::domain::DriverVersion;
use crate::domain::driver::{
    ActionSpec, ComponentSpec, ContainerOverride, DriverSpec, OnFailure, ParameterKind, ParameterSpec,
    ServiceScope, ServiceSpec,
};
use crate::ui::format;
use crate::ui::theme::Role;
use crate::ui::widgets::sheet::Sheet;

/// Every section that has something to say; `latest` is the version that a new deployment takes.
pub fn write(sheet: &mut Sheet<'_>, driver: &DriverVersion, latest: &str) {
    let spec = &driver.spec;
    about(sheet, driver, latest);
    provenance(sheet, driver);
    section(sheet, "PARAMETERS", "", &spec.parameters, parameter);
    if !spec.components.is_empty() {
        sheet.section("COMPONENTS", &spec.components.len().to_string());
        for (name, spec) in &spec.components {
            component(sheet, name, spec);
        }
    }
    section(sheet, "SERVICES", "", &spec.services, service);
    section(sheet, "ACTIONS", "", &spec.actions, action);
    section(sheet, "ENVIRONMENT VARIABLES", "", &spec.env_vars, |sheet, variable| {
        let of = some("of ", &variable.components.join(", "));
        sheet.item(&variable.name, &joined(&[some("set by ", &variable.level), of]));
        sheet.below(&variable.description);
    });
    section(sheet, "OVERRIDES", "", &spec.container_overrides, container);
}

fn section<T>(
    sheet: &mut Sheet<'_>,
    title: &str,
    remark: &str,
    items: &[T],
    write: impl Fn(&mut Sheet<'_>, &T),
) {
    if items.is_empty() {
        return;
    }
    sheet.section(title, &format!("{}{remark}", items.len()));
    for item in items {
        write(sheet, item);
    }
}

fn about(sheet: &mut Sheet<'_>, driver: &DriverVersion, latest: &str) {
    let DriverSpec { info, upgrades_from, .. } = &driver.spec;
    sheet.section("WHAT IT IS", "");
    sheet.text(&info.description);
    if driver.reference.version != latest {
        sheet.fact_in(Role::Warn, "older", &format!("a new deployment takes {latest}, the latest version"));
    }
    sheet.fact("offers", &driver.spec.default_version);
    sheet.fact("supports", &driver.spec.supported_versions);
    sheet.fact("versions", &driver.spec.known_versions.join(", "));
    sheet.fact("upgrades from", &upgrades_from.application.join(" or "));
    sheet.fact("from drivers", &upgrades_from.driver.join(" or "));
    sheet.fact("licence", &info.license);
    sheet.fact("authors", &info.authors.join(", "));
    for (name, url) in &info.links {
        sheet.fact_in(Role::Url, name, url);
    }
}

fn provenance(sheet: &mut Sheet<'_>, driver: &DriverVersion) {
    sheet.section("WHERE IT COMES FROM", "");
    sheet.fact("source", &driver.source);
    sheet.fact("loaded", &driver.loaded_at.map(format::moment).unwrap_or_default());
    sheet.fact("digest", &driver.digest);
    sheet.fact("texts", &driver.files.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
    if let Some(helm) = &driver.spec.helm {
        let named = [Some(helm.location.clone()), helm.chart.clone(), helm.version.clone()];
        sheet.fact("chart", &joined(&named));
        sheet.fact("its values", &helm.values);
    }
    if let Some(pin) = &driver.chart {
        sheet.fact("pulled", &format!("version {}", pin.version));
        sheet.fact("pulled from", &pin.origin);
        sheet.fact("chart digest", &pin.digest);
    }
}

fn parameter(sheet: &mut Sheet<'_>, spec: &ParameterSpec) {
    let kind = match &spec.kind {
        ParameterKind::Enum(values) => format!("one of {}", values.join(", ")),
        ParameterKind::Secret => "secret, kept in a Secret only".to_owned(),
        other => other.as_str().to_owned(),
    };
    let default = match (&spec.default, &spec.kind) {
        (None, _) => "required".to_owned(),
        // Whatever stands there is not for a screen.
        (Some(_), ParameterKind::Secret) => "optional".to_owned(),
        (Some(value), _) => format!("default {}", shown(value)),
    };
    let pattern = spec.pattern.as_deref().map(|pattern| format!("must match {pattern}"));
    sheet.item(&spec.name, &joined(&[Some(kind), Some(default), spec.limits(), pattern]));
    let label = Some(&spec.label).filter(|label| label.to_lowercase().replace(' ', "_") != spec.name);
    sheet.below(&joined(&[label.cloned(), Some(spec.description.trim().to_owned())]));
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if !text.trim().is_empty() => text.clone(),
        other => other.to_string(),
    }
}

fn component(sheet: &mut Sheet<'_>, name: &str, spec: &ComponentSpec) {
    let backup = spec.backup.as_ref().map(|strategy| format!("backup: {strategy}"));
    sheet.item(name, backup.as_deref().unwrap_or("no backup strategy"));
    sheet.below(&spec.description);
    let labels: Vec<String> = spec.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    sheet.below(&some("labels ", &labels.join(", ")).unwrap_or_default());
    let target = &spec.backup_target;
    sheet.below(&joined(&[
        some("volumes ", &spec.volumes.join(", ")),
        some("container ", target.container.as_deref().unwrap_or_default()),
        some("database ", target.database.as_deref().unwrap_or_default()),
        some("action ", target.action.as_deref().unwrap_or_default()),
    ]));
}

fn service(sheet: &mut Sheet<'_>, spec: &ServiceSpec) {
    let scope = if spec.scope == ServiceScope::External { "external" } else { "internal" };
    let port = match spec.target_port {
        Some(target) => format!("port {} → {target}", spec.port),
        None => format!("port {}", spec.port),
    };
    let tls = spec.tls.as_ref().map(|_| "tls".to_owned());
    sheet.item(
        &spec.name,
        &joined(&[
            Some(spec.kind.clone()),
            Some(scope.to_owned()),
            Some(port),
            some("component ", &spec.component),
            some("path ", &spec.path),
            tls,
        ]),
    );
}

fn action(sheet: &mut Sheet<'_>, spec: &ActionSpec) {
    let when = match (spec.hook, spec.mode) {
        (None, _) => "by hand".to_owned(),
        (Some(hook), mode) => format!("{} {}", mode.map_or("core", |mode| mode.as_str()), hook.as_str()),
    };
    sheet.item(&spec.name, &joined(&[Some(when), Some(spec.location.clone())]));
    sheet.below(&spec.description);
    let retries = (spec.retries > 0).then(|| format!("tried again {} times", spec.retries));
    let goes_on = (spec.on_failure == OnFailure::Warn).then(|| "its failure stops nothing".to_owned());
    sheet.below(&joined(&[
        some("after ", &spec.after.join(", ")),
        spec.timeout.map(|seconds| format!("at most {seconds}s")),
        retries,
        goes_on,
    ]));
    for prompt in &spec.prompts {
        let label = if prompt.label.is_empty() { &prompt.name } else { &prompt.label };
        sheet.below(&format!("asks for {label} ({})", prompt.kind.as_str()));
    }
}

fn container(sheet: &mut Sheet<'_>, spec: &ContainerOverride) {
    let may = [(spec.command, "command"), (spec.args, "arguments")];
    let may: Vec<&str> = may.into_iter().filter(|(may, _)| *may).map(|(_, what)| what).collect();
    sheet.item(&format!("{}/{}", spec.component, spec.container), &may.join(" and "));
    sheet.below(&spec.description);
    sheet.below(&joined(&[
        some("usual command ", &spec.usual_command.join(" ")),
        some("usual arguments ", &spec.usual_args.join(" ")),
    ]));
}

/// `text` with words before it; none when there is none.
fn some(before: &str, text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("{before}{text}"))
}

/// What there is of these, one behind the other.
fn joined(parts: &[Option<String>]) -> String {
    let parts: Vec<&str> =
        parts.iter().flatten().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}
