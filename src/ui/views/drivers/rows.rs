//! The rows of the table: versions grouped by their driver, the latest first.

use std::sync::Arc;

use ratatui::text::Line;

use crate::domain::DriverVersion;
use crate::domain::driver::latest;
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::Column;

/// The characters of a digest that are shown.
const DIGEST: usize = 8;
/// What is said behind the latest version of a driver.
const LATEST: &str = " latest";

/// The columns, as wide as what stands in them.
pub fn columns(drivers: &[Arc<DriverVersion>]) -> Vec<Column> {
    let widest = |of: &dyn Fn(&DriverVersion) -> usize| {
        u16::try_from(drivers.iter().map(|driver| of(driver)).max().unwrap_or(0)).unwrap_or(u16::MAX)
    };
    let text = |of: fn(&DriverVersion) -> &str| widest(&|driver| format::width(of(driver)));
    let version = widest(&|driver| format::width(&driver.reference.version) + format::width(LATEST));
    vec![
        Column::fixed("", 1, 1),
        Column::content("DRIVER", 0, (6, 14, 28), text(|driver| &driver.reference.name)),
        Column::content("VERSION", 1, (7, 14, 24), version),
        Column::content("OFFERS", 2, (6, 7, 14), text(|driver| &driver.spec.default_version)),
        Column::content("SUPPORTS", 5, (8, 10, 24), text(|driver| &driver.spec.supported_versions)),
        Column::content("FROM", 3, (8, 12, 36), widest(&|driver| format::width(&from(driver)))),
        Column::rest("DESCRIPTION", 4, 20, 40),
    ]
}

/// The cells of one version. The driver's name stands at the first of its versions, and where the table begins (`first`).
pub fn cells(
    drivers: &[Arc<DriverVersion>],
    index: usize,
    (marked, first): (bool, bool),
    look: &Look<'_>,
) -> Vec<Line<'static>> {
    let driver = &drivers[index];
    let (spec, reference) = (&driver.spec, &driver.reference);
    let begins = first || index == 0 || drivers[index - 1].reference.name != reference.name;
    let name = if begins { reference.name.as_str() } else { "" };
    let mut version = vec![look.span(Role::Text, reference.version.clone())];
    if is_latest(drivers, driver) {
        version.push(look.span(Role::Ok, LATEST));
    }
    let description = spec.info.description.trim().lines().next().unwrap_or("").to_owned();
    vec![
        Line::from(look.span(Role::Accent, if marked { "●" } else { " " })),
        Line::from(look.span(Role::Title, name)),
        Line::from(version),
        Line::from(look.span(Role::Text, spec.default_version.clone())),
        Line::from(look.span(Role::Muted, spec.supported_versions.clone())),
        Line::from(look.span(Role::Muted, from(driver))),
        Line::from(look.span(Role::Muted, description)),
    ]
}

/// Whether it is the version that a new deployment takes.
pub fn is_latest(drivers: &[Arc<DriverVersion>], driver: &DriverVersion) -> bool {
    latest(drivers, &driver.reference.name).is_some_and(|latest| latest.reference == driver.reference)
}

/// Where it comes from, in a few words: its pulled chart, else its source.
fn from(driver: &DriverVersion) -> String {
    match &driver.chart {
        Some(pin) => format!("chart {} {}", pin.version, short(&pin.digest)),
        None => driver.source.clone(),
    }
}

/// The chart that was pulled: its version, the beginning of its digest, and where it came from.
pub fn chart(driver: &DriverVersion) -> Option<String> {
    let pin = driver.chart.as_ref()?;
    Some(format!("{} ({}) from {}", pin.version, short(&pin.digest), pin.origin))
}

/// The beginning of a digest.
fn short(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(DIGEST).collect()
}
