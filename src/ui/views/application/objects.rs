//! The inventory of an application: every object of it that exists.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::ObjectSummary;
use crate::domain::object::Detail;
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::layout::rows_from;
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, scroll};

/// Draws the objects.
pub fn draw(application: &Application, cursor: Cursor, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let objects = &application.objects;
    if objects.is_empty() {
        empty(buffer, area, look, "No objects yet", &["They appear as the engine applies them".to_owned()]);
        return;
    }
    let head = Rect { height: area.height.min(1), ..area };
    let rows = rows_from(area, 1);
    let columns = columns(objects);
    let grid = Grid::new(columns, area, look);
    grid.head(buffer, head, None);
    let offset = window(cursor.at, cursor.offset, objects.len(), usize::from(rows.height));
    for (row, (index, object)) in rows.rows().zip(objects.iter().enumerate().skip(offset)) {
        let selected = index == cursor.at;
        grid.row(buffer, row, cells(object, look), selected);
    }
    scroll::bar(buffer, rows, look, offset, objects.len());
}

fn columns(objects: &[ObjectSummary]) -> Vec<Column> {
    let widest = |text: fn(&ObjectSummary) -> &str| {
        let widths = objects.iter().map(|object| format::width(text(object)));
        u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX)
    };
    vec![
        Column::fixed("HEALTH", 1, 13),
        Column::content("KIND", 2, (10, 14, 30), widest(|object| &object.key.kind)),
        Column::content("NAME", 0, (12, 30, 50), widest(|object| &object.key.name)),
        Column::fixed("AGE", 4, 5),
        Column::rest("DETAIL", 3, 12, 24),
    ]
}

fn cells(object: &ObjectSummary, look: &Look<'_>) -> Vec<Line<'static>> {
    let age = object.created.map(|created| look.age(created)).unwrap_or_default();
    vec![
        Line::from(look.health(object.verdict.health)),
        Line::from(look.span(Role::Muted, object.key.kind.clone())),
        Line::from(look.span(Role::Title, object.key.name.clone())),
        Line::from(look.span(Role::Muted, age)),
        Line::from(look.span(Role::Muted, detail(object))),
    ]
}

/// The most telling facts of a kind; its cause instead, when it is not well.
fn detail(object: &ObjectSummary) -> String {
    if object.deleting {
        return "is being deleted".to_owned();
    }
    if let Some(headline) = object.verdict.headline() {
        return headline.replace('\n', " ");
    }
    match &object.detail {
        Detail::Workload(workload) => {
            format!("{}/{} ready  {}", workload.ready, workload.desired, workload.images.join(", "))
        }
        Detail::Pod(pod) => format!("{}  {}", pod.phase, pod.ip),
        Detail::Service { cluster_ip, ports } => {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            format!("{cluster_ip}  port {}", ports.join(", "))
        }
        Detail::Route(route) => {
            let hosts: Vec<&str> = route.rules.iter().map(|rule| rule.host.as_str()).collect();
            hosts.join(", ")
        }
        Detail::Endpoints { endpoints, .. } => format!("{}/{} ready", endpoints.ready, endpoints.total),
        Detail::Gateway(gateway) => format!("{}  {}", gateway.class, gateway.addresses.join(", ")),
        Detail::Certificate { secret, report } => match report.renewal {
            Some(renewal) => format!("Secret/{secret}  renewed on {}", renewal.strftime("%Y-%m-%d")),
            None => format!("Secret/{secret}"),
        },
        Detail::Volume { phase, size } => format!("{size}  {phase}"),
        Detail::Other => String::new(),
    }
}
