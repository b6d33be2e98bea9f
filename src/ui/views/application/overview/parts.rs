//! The lines of components, pods, containers and conditions.

use ratatui::text::Span;

use super::{Item, Page};
use crate::domain::ObjectSummary;
use crate::domain::object::{ContainerSummary, Detail, PodDetail};
use crate::domain::world::{ComponentView, Condition, LogTarget};
use crate::ui::format;
use crate::ui::theme::{Role, health_role};

/// The columns after a pod's name: state, age, and the beginning of the rest.
const AFTER_NAME: usize = 51;

/// A component and its pods. It opens into the log of its first container.
pub fn component(page: &mut Page<'_>, part: &ComponentView) {
    let look = page.look;
    let ready = if part.ready < part.desired { Role::Warn } else { Role::Text };
    let first = part.pods.iter().find_map(|pod| match &pod.detail {
        Detail::Pod(detail) => detail.containers.first().map(|container| container_item(pod, container)),
        _ => None,
    });
    page.add(
        Some(first.unwrap_or(Item::Text)),
        vec![
            Span::raw("  "),
            look.mark(part.verdict.health),
            look.span(Role::Title, format!(" {:<16} ", format::cut(&part.name, 16))),
            look.span(health_role(part.verdict.health), format!("{:<12}", part.verdict.health.as_str())),
            look.span(ready, format!("{:<6}", format!("{}/{}", part.ready, part.desired))),
            look.span(Role::Muted, part.images.join(", ")),
        ],
    );
    for object in &part.pods {
        if let Detail::Pod(detail) = &object.detail {
            pod(page, object, detail);
        }
    }
}

fn container_item(pod: &ObjectSummary, container: &ContainerSummary) -> Item {
    Item::Container(LogTarget {
        namespace: pod.key.namespace.clone(),
        pod: pod.key.name.clone(),
        container: container.name.clone(),
    })
}

/// A pod; with one container both share a line.
fn pod(page: &mut Page<'_>, object: &ObjectSummary, detail: &PodDetail) {
    let look = page.look;
    let width = page.width.saturating_sub(AFTER_NAME).clamp(14, 44);
    let age = object.created.map(|created| look.age(created)).unwrap_or_default();
    let name = |indent: usize, text: &str| {
        let width = width - indent;
        look.span(Role::Text, format!(" {:<width$} ", format::cut(text, width)))
    };
    let age = look.span(Role::Muted, format!("{age:<5}"));
    let place =
        look.span(Role::Muted, format!("{}{}", detail.ip, if detail.simulated { "  simulated" } else { "" }));
    let lead = vec![Span::raw("    "), look.mark(object.verdict.health), name(0, &object.key.name)];
    if let [only] = detail.containers.as_slice() {
        let state = if object.deleting {
            look.span(Role::Progress, state_text("Terminating"))
        } else {
            state(page, only)
        };
        let spans = lead.into_iter().chain([state, age, restarts(page, only), gap(only), place]);
        page.add(Some(container_item(object, only)), spans.collect());
        return;
    }
    let phase = if object.deleting { "Terminating" } else { detail.phase.as_str() };
    let spans = lead.into_iter().chain([look.span(Role::Muted, state_text(phase)), age, place]);
    page.add(Some(Item::Text), spans.collect());
    for container in &detail.containers {
        let lead = [look.span(Role::Muted, "      ·"), name(2, &container.name)];
        let spans = lead.into_iter().chain([
            state(page, container),
            Span::raw(" ".repeat(5)),
            restarts(page, container),
        ]);
        page.add(Some(container_item(object, container)), spans.collect());
    }
}

fn state_text(text: &str) -> String {
    format!("{:<19}", format::cut(text, 18))
}

fn state(page: &Page<'_>, container: &ContainerSummary) -> Span<'static> {
    let role = match container.state.as_str() {
        "Running" if container.ready => Role::Ok,
        "Running" | "ContainerCreating" | "PodInitializing" | "Pending" => Role::Progress,
        "Completed" => Role::Muted,
        _ => Role::Fail,
    };
    let not_ready = container.state == "Running" && !container.ready;
    let text = if not_ready { "Running, not ready" } else { &container.state };
    page.look.span(role, state_text(text))
}

/// How often the container was restarted, and the exit code of its last end.
fn restarts(page: &Page<'_>, container: &ContainerSummary) -> Span<'static> {
    let count = usize::try_from(container.restarts).unwrap_or(usize::MAX);
    let exit = container.exit_code.filter(|code| *code != 0).map(|code| format!("exit {code}"));
    let parts: Vec<String> =
        (count > 0).then(|| format::count(count, "restart")).into_iter().chain(exit).collect();
    let text = parts.join(", ");
    page.look.span(Role::Warn, text)
}

/// What stands between restarts and the address.
fn gap(container: &ContainerSummary) -> Span<'static> {
    let quiet = container.restarts == 0 && container.exit_code.is_none_or(|code| code == 0);
    Span::raw(if quiet { "" } else { "  " })
}

/// A condition of the custom resource.
pub fn condition(page: &mut Page<'_>, condition: &Condition) {
    let look = page.look;
    let good = match condition.kind.as_str() {
        "Ready" | "Reachable" => condition.status == "True",
        _ => condition.status == "False",
    };
    let (glyph, role) = match (condition.status.as_str(), good) {
        ("Unknown", _) => ("?", Role::Unknown),
        ("True", _) if condition.kind == "Reconciling" => (look.spinner(), Role::Progress),
        (_, true) => ("✓", Role::Ok),
        _ => ("▲", Role::Warn),
    };
    let lead = vec![
        look.span(role, format!("  {glyph} ")),
        look.span(Role::Text, format!("{:<13}", condition.kind)),
        look.span(role, format!("{:<8}", condition.status)),
    ];
    let text = match (condition.reason.as_str(), condition.message.as_str()) {
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    };
    page.wrapped(Some(Item::Text), lead, Role::Muted, &text);
}
