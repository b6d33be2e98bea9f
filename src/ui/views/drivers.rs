//! The drivers: what can be deployed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::driver::{DriverSpec, ServiceScope};
use crate::domain::{DriverVersion, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::{inset, rows_from};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::views::facts::{Main, Title};
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint, pair, scroll};

/// The drivers that can be deployed, and what each says about itself.
#[derive(Debug, Default)]
pub struct DriversView {
    cursor: Cursor,
}

struct Areas {
    title: Rect,
    head: Rect,
    rows: Rect,
    detail: Rect,
}

impl Areas {
    fn new(area: Rect, count: usize) -> Self {
        let title = u16::from(area.height >= 4);
        let head = u16::from(area.height >= 3);
        let left = area.height - title - head;
        let wanted = u16::try_from(count).unwrap_or(u16::MAX);
        let rows = if left < 8 { left } else { wanted.clamp(1, left / 2) };
        Self {
            title: Rect { height: title, ..area },
            head: Rect { height: head, ..rows_from(area, title) },
            rows: Rect { height: rows, ..rows_from(area, title + head) },
            detail: rows_from(area, title + head + rows),
        }
    }
}

impl DriversView {
    /// Its name.
    pub const NAME: &str = "drivers";

    fn page(world: &World, size: Size) -> usize {
        let area = Rect::new(0, 0, size.width, size.height);
        usize::from(Areas::new(area, world.drivers.len()).rows.height)
    }

    fn selected<'a>(&self, world: &'a World) -> Option<&'a DriverVersion> {
        world.drivers.get(self.cursor.at).map(|driver| &**driver)
    }
}

impl Screen for DriversView {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Table
    }

    fn flags(&self, world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Row, !world.drivers.is_empty());
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Open | Command::NewDeployment => {
                let name = self.selected(context.world).map(|driver| driver.reference.name.clone());
                context.steps.push(Step::ShowForm(name));
                true
            }
            other => {
                let page = Self::page(context.world, context.size);
                self.cursor.command(other, context.world.drivers.len(), page)
            }
        }
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.cursor.settle(context.world.drivers.len(), Self::page(context.world, context.size));
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::NewDeployment, Command::ShowApplications, Command::Palette, Command::Help, Command::Back]
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let areas = Areas::new(area, world.drivers.len());
        Title::plain(Main::Drivers).draw((world, None), look, areas.title, buffer);
        if world.drivers.is_empty() {
            let next =
                ["A driver says how one application is deployed; load one from its directory".to_owned()];
            empty(buffer, rows_from(area, areas.title.height), look, "No drivers are loaded", &next);
            return;
        }
        let columns = columns();
        let grid = Grid::new(columns, areas.rows, look);
        grid.head(buffer, areas.head, None);
        let page = usize::from(areas.rows.height);
        let offset = window(self.cursor.at, self.cursor.offset, world.drivers.len(), page);
        for (row, (index, driver)) in areas.rows.rows().zip(world.drivers.iter().enumerate().skip(offset)) {
            grid.row(buffer, row, cells(driver, look), index == self.cursor.at);
        }
        scroll::bar(buffer, areas.rows, look, offset, world.drivers.len());
        if let Some(driver) = self.selected(world) {
            paint::rule(buffer, areas.detail, look.style(Role::Border));
            let place = inset(rows_from(areas.detail, 1), 1);
            paint::lines(buffer, place, about(driver, look, usize::from(place.width)));
        }
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::content("DRIVER", 0, (10, 14, 28), 24),
        Column::content("VERSION", 1, (7, 7, 12), 10),
        Column::content("OFFERS", 2, (6, 7, 14), 10),
        Column::content("SUPPORTS", 4, (10, 10, 24), 16),
        Column::rest("DESCRIPTION", 3, 20, 40),
    ]
}

fn cells(driver: &DriverVersion, look: &Look<'_>) -> Vec<Line<'static>> {
    let spec = &driver.spec;
    let description = spec.info.description.trim().lines().next().unwrap_or("").to_owned();
    vec![
        Line::from(look.span(Role::Title, driver.reference.name.clone())),
        Line::from(look.span(Role::Text, driver.reference.version.clone())),
        Line::from(look.span(Role::Text, spec.default_version.clone())),
        Line::from(look.span(Role::Muted, spec.supported_versions.clone())),
        Line::from(look.span(Role::Muted, description)),
    ]
}

fn about(driver: &DriverVersion, look: &Look<'_>, width: usize) -> Vec<Line<'static>> {
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
