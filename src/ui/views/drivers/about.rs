//! What a driver version says about itself, in brief: the part below the table.

use ratatui::text::Line;

use super::rows;
use crate::domain::DriverVersion;
use crate::domain::driver::{DriverSpec, ServiceScope};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::pair;

/// What the selected version says about itself, in brief.
pub fn about(driver: &DriverVersion, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
    let spec = &driver.spec;
    let column = 12;
    let mut lines: Vec<Line<'static>> = Vec::new();
    for part in format::wrap(spec.info.description.trim(), width) {
        lines.push(Line::from(look.span(Role::Text, part)));
    }
    lines.push(Line::default());
    let facts = [
        ("components", components(spec)),
        ("services", services(spec)),
        ("parameters", parameters(spec)),
        ("actions", spec.actions.iter().map(|action| action.name.clone()).collect::<Vec<_>>().join(", ")),
        ("licence", spec.info.license.clone()),
        ("authors", spec.info.authors.join(", ")),
        ("from", driver.source.clone()),
        ("chart", rows::chart(driver).unwrap_or_default()),
    ];
    for (label, text) in facts.into_iter().filter(|(_, text)| !text.is_empty()) {
        for (index, part) in format::wrap(&text, width.saturating_sub(column)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(pair(look, label, column, vec![look.span(Role::Text, part)]));
        }
    }
    for (name, url) in &spec.info.links {
        lines.push(pair(look, name, column, vec![look.span(Role::Url, url.clone())]));
    }
    lines
}

fn components(spec: &DriverSpec) -> String {
    let part = |(name, component): (&String, &crate::domain::driver::ComponentSpec)| match &component.backup {
        Some(strategy) => format!("{name} (backup: {strategy})"),
        None => name.clone(),
    };
    spec.components.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn services(spec: &DriverSpec) -> String {
    let part = |service: &crate::domain::driver::ServiceSpec| {
        let scope = if service.scope == ServiceScope::External { "external" } else { "internal" };
        format!("{} {}:{} {scope}", service.name, service.kind, service.port)
    };
    spec.services.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn parameters(spec: &DriverSpec) -> String {
    let part = |parameter: &crate::domain::driver::ParameterSpec| {
        let required = if parameter.default.is_none() { ", required" } else { "" };
        format!("{} ({}{required})", parameter.name, parameter.kind.as_str())
    };
    spec.parameters.iter().map(part).collect::<Vec<_>>().join(", ")
}
