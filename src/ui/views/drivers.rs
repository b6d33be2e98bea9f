//! The drivers: what can be deployed, version by version.

mod about;
mod comparison;
mod page;
mod rows;
mod sections;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use comparison::DriverComparison;
pub use page::DriverPage;

use crate::domain::{DriverRef, DriverVersion, World};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::{inset, rows_from};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::views::facts::{Main, Title};
use crate::ui::widgets::table::Grid;
use crate::ui::widgets::{empty, paint, scroll};

/// Where one is, before the name of a driver.
const PLACE: &str = "Drivers › ";

/// The drivers that can be deployed, and what each says about itself.
#[derive(Debug, Default)]
pub struct DriversView {
    cursor: Cursor,
    /// The versions that are marked for a comparison: at most two, of one driver.
    marked: Vec<DriverRef>,
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

    /// Marks the selected version, or takes its mark away. A third mark takes the place of the first, and a mark of another
    /// driver that of all: only versions of one driver are compared.
    fn mark(&mut self, world: &World) {
        let Some(reference) = self.selected(world).map(|driver| driver.reference.clone()) else { return };
        if let Some(at) = self.marked.iter().position(|marked| *marked == reference) {
            self.marked.remove(at);
            return;
        }
        self.marked.retain(|marked| marked.name == reference.name);
        if self.marked.len() == 2 {
            self.marked.remove(0);
        }
        self.marked.push(reference);
    }

    /// What is compared, the older one first: the two that are marked; the marked one and the selected one; else the selected one
    /// and the one before it.
    fn pair<'a>(&self, world: &'a World) -> Option<(&'a DriverVersion, &'a DriverVersion)> {
        let selected = self.selected(world)?;
        let mut marked = self.marked.iter().filter_map(|reference| find(world, reference));
        let pair = match (marked.next(), marked.next()) {
            (Some(first), Some(second)) => (first, second),
            (Some(first), None)
                if first.reference.name == selected.reference.name
                    && first.reference != selected.reference =>
            {
                (first, selected)
            }
            _ => (before(world, selected)?, selected),
        };
        Some(if pair.0.age_order(pair.1).is_gt() { (pair.1, pair.0) } else { pair })
    }

    fn compare(&self, context: &mut Context<'_>) {
        let Some(selected) = self.selected(context.world) else { return };
        match self.pair(context.world) {
            Some((old, new)) => {
                let step = Step::CompareDrivers(old.reference.clone(), new.reference.clone());
                context.steps.push(step);
            }
            None => context.say(Toast::hint(nothing_before(selected))),
        }
    }
}

/// The driver version of that name, while it is loaded.
fn find<'a>(world: &'a World, reference: &DriverRef) -> Option<&'a DriverVersion> {
    world.drivers.iter().find(|driver| driver.reference == *reference).map(|driver| &**driver)
}

/// The version of the same driver before this one.
fn before<'a>(world: &'a World, driver: &DriverVersion) -> Option<&'a DriverVersion> {
    let older = world
        .drivers
        .iter()
        .map(|other| &**other)
        .filter(|other| other.reference.name == driver.reference.name && other.age_order(driver).is_lt());
    older.max_by(|a, b| a.age_order(b))
}

fn nothing_before(driver: &DriverVersion) -> String {
    format!("No version of {} before {} is loaded", driver.reference.name, driver.reference.version)
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
        flags.set(Flag::Drivers, true);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Open => {
                let selected = self.selected(context.world).map(|driver| driver.reference.clone());
                context.steps.extend(selected.map(Step::ShowDriver));
                true
            }
            Command::Mark => {
                self.mark(context.world);
                true
            }
            Command::CompareVersions => {
                self.compare(context);
                true
            }
            Command::NewDeployment => {
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
        self.marked.retain(|marked| find(context.world, marked).is_some());
        self.cursor.settle(context.world.drivers.len(), Self::page(context.world, context.size));
    }

    fn hints(&self) -> &'static [Command] {
        &[
            Command::Open,
            Command::NewDeployment,
            Command::CompareVersions,
            Command::Mark,
            Command::ShowApplications,
            Command::Palette,
            Command::Help,
            Command::Back,
        ]
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
        let grid = Grid::new(rows::columns(&world.drivers), areas.rows, look);
        grid.head(buffer, areas.head, None);
        let page = usize::from(areas.rows.height);
        let offset = window(self.cursor.at, self.cursor.offset, world.drivers.len(), page);
        for (row, index) in areas.rows.rows().zip(offset..world.drivers.len()) {
            let marked = self.marked.contains(&world.drivers[index].reference);
            let cells = rows::cells(&world.drivers, index, (marked, index == offset), look);
            grid.row(buffer, row, cells, index == self.cursor.at);
        }
        scroll::bar(buffer, areas.rows, look, offset, world.drivers.len());
        if let Some(driver) = self.selected(world) {
            paint::rule(buffer, areas.detail, look.style(Role::Border));
            let place = inset(rows_from(areas.detail, 1), 1);
            paint::lines(buffer, place, about::about(driver, look, usize::from(place.width)));
        }
    }
}

#[cfg(test)]
mod tests;
