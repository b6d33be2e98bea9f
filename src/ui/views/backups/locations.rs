//! Locations: where backups are kept, and whether that can be trusted.

use ratatui::text::{Line, Span};

use crate::domain::backup::{LocationKind, LocationView, S3Credentials, SecretSource};
use crate::domain::{Environment, Problem};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::Column;

/// The columns of the table.
pub fn columns([name, address, environments, _]: [u16; 4]) -> Vec<Column> {
    vec![
        Column::fixed("STATE", 0, 13),
        Column::content("NAME", 1, (6, 14, 24), name),
        Column::content("WHERE", 2, (12, 30, 60), address),
        Column::fixed("BACKUPS", 3, 7),
        Column::fixed("    SIZE", 4, 8),
        Column::content("FOR", 5, (6, 12, 32), environments),
        Column::fixed("CHECKED", 6, 7),
    ]
}

/// The cells of a location.
pub fn cells(
    view: &LocationView,
    environments: &[Environment],
    look: &Look<'_>,
    quiet: Role,
) -> Vec<Line<'static>> {
    let location = &view.location;
    let size = view.size.map_or_else(|| "–".to_owned(), format::bytes);
    let checked = view.checked.as_ref().map_or_else(|| "–".to_owned(), |(at, _)| look.age(*at));
    let of = self::environments(&location.name, environments);
    vec![
        Line::from(state(view, look)),
        Line::from(look.span(Role::Title, location.name.clone())),
        Line::from(look.span(Role::Text, location.address())),
        Line::from(look.span(quiet, view.backups.to_string())).right_aligned(),
        Line::from(look.span(quiet, size)).right_aligned(),
        if of.is_empty() {
            Line::from(look.span(Role::Warn, "▲ none"))
        } else {
            Line::from(look.span(quiet, of))
        },
        Line::from(look.span(quiet, checked)),
    ]
}

/// The environments that are backed up to a location, in words.
pub fn environments(location: &str, environments: &[Environment]) -> String {
    let its = environments.iter().filter(|it| it.backup_location.as_deref() == Some(location));
    its.map(|environment| environment.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn fault(view: &LocationView) -> Option<&Problem> {
    view.checked.as_ref().and_then(|(_, problem)| problem.as_ref())
}

fn state(view: &LocationView, look: &Look<'_>) -> Span<'static> {
    match (fault(view), &view.checked) {
        (Some(_), _) => look.span(Role::Fail, "✗ Faulty"),
        (None, Some(_)) => look.span(Role::Ok, "✓ Good"),
        (None, None) => look.span(Role::Muted, "○ Not checked"),
    }
}

/// What there is to say about a location, the most important first.
pub fn detail(
    view: &LocationView,
    environments: &[Environment],
    look: &Look<'_>,
    quiet: Role,
) -> Vec<Line<'static>> {
    let location = &view.location;
    let mut lines = Vec::new();
    match (fault(view), &view.checked) {
        (Some(problem), _) => {
            lines.push(Line::from(vec![
                look.span(Role::Fail, format!("✗ {}: ", problem.what)),
                look.span(Role::Text, problem.why.replace('\n', " ")),
            ]));
            lines.push(Line::from(look.span(Role::Text, format!("  next {}", problem.next))));
        }
        (None, Some((at, _))) => lines.push(Line::from(vec![
            look.span(Role::Ok, "✓ "),
            look.span(Role::Text, format!("Nothing was found wrong with it {}", look.ago(*at))),
        ])),
        (None, None) => lines.push(Line::from(vec![
            look.span(Role::Muted, "○ "),
            look.span(
                Role::Text,
                format!("styrmin location check {} says whether it can be used", location.name),
            ),
        ])),
    }
    if self::environments(&location.name, environments).is_empty() {
        let name = &location.name;
        let said = format!("▲ No environment uses it: styrmin location assign {name} --environment NAME");
        lines.push(Line::from(look.span(Role::Warn, said)));
    }
    lines.push(Line::from(vec![
        look.span(quiet, "  key from "),
        look.span(Role::Text, source(&location.key)),
        look.span(quiet, access(&location.kind)),
    ]));
    let repository = location.repository.as_deref().unwrap_or("not opened yet");
    let said = format!("  repository {} · {}", format::cut(repository, 16), location.address());
    lines.push(Line::from(look.span(quiet, said)));
    lines
}

/// Where a secret comes from; never what it is.
fn source(source: &SecretSource) -> String {
    match source {
        SecretSource::Secret { namespace, name, key } => format!("Secret {namespace}/{name}, {key}"),
        SecretSource::Environment { variable } => format!("the variable {variable}"),
        SecretSource::File { path } => format!("the file {}", path.display()),
        SecretSource::Unneeded => "none is needed".to_owned(),
    }
}

fn access(kind: &LocationKind) -> String {
    match kind {
        LocationKind::Directory { .. } => " · a directory of the engine's machine".to_owned(),
        LocationKind::S3 { region, credentials, .. } => {
            let from = match credentials {
                S3Credentials::Secret { namespace, name } => format!("Secret {namespace}/{name}"),
                S3Credentials::Environment => "the engine's environment".to_owned(),
                S3Credentials::Profile { profile } => format!("the AWS profile {profile}"),
            };
            format!(" · access from {from} · {region}")
        }
        LocationKind::Velero { namespace, .. } => format!(" · kept by Velero in the namespace {namespace}"),
    }
}
