//! One driver version, and everything that it says about itself.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::{PLACE, before, find, nothing_before, rows, sections};
use crate::domain::driver::latest;
use crate::domain::{DriverRef, DriverVersion, World};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::inset;
use crate::ui::list::scroll as scroll_text;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::widgets::page::plain;
use crate::ui::widgets::sheet::Sheet;
use crate::ui::widgets::{empty, headed, paint, scroll};

/// One driver version.
#[derive(Debug)]
pub struct DriverPage {
    reference: DriverRef,
    /// The first line on screen.
    offset: usize,
}

impl DriverPage {
    /// Its name.
    pub const NAME: &str = "driver";

    /// The page of a driver version.
    pub fn new(reference: DriverRef) -> Self {
        Self { reference, offset: 0 }
    }

    /// How many lines there are, and where sections begin.
    fn measure(&self, world: &World, width: u16) -> (usize, Vec<usize>) {
        let Some(driver) = find(world, &self.reference) else { return (0, Vec::new()) };
        plain(|look| {
            let sheet = sheet(driver, world, look, width);
            (sheet.lines.len(), sheet.starts)
        })
    }

    fn compare(&self, context: &mut Context<'_>) {
        let Some(driver) = find(context.world, &self.reference) else { return };
        match before(context.world, driver) {
            Some(older) => {
                let step = Step::CompareDrivers(older.reference.clone(), self.reference.clone());
                context.steps.push(step);
            }
            None => context.say(Toast::hint(nothing_before(driver))),
        }
    }
}

fn sheet<'a>(driver: &DriverVersion, world: &World, look: &'a Look<'a>, width: u16) -> Sheet<'a> {
    let mut sheet = Sheet::new(look, usize::from(width.saturating_sub(3)));
    let latest = latest(&world.drivers, &driver.reference.name);
    let latest = latest.map_or(driver.reference.version.as_str(), |latest| &latest.reference.version);
    sections::write(&mut sheet, driver, latest);
    sheet
}

impl Screen for DriverPage {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Detail
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Drivers, true);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::NewDeployment => context.steps.push(Step::ShowForm(Some(self.reference.name.clone()))),
            Command::CompareVersions => self.compare(context),
            Command::CopyName => context.copy(&self.reference.to_string()),
            other => {
                let (len, starts) = self.measure(context.world, context.size.width);
                return scroll_text(&mut self.offset, other, (len, headed::height(context.size)), &starts);
            }
        }
        true
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        let (len, _) = self.measure(context.world, context.size.width);
        self.offset = self.offset.min(len.saturating_sub(headed::height(context.size)));
    }

    fn hints(&self) -> &'static [Command] {
        &[
            Command::Down,
            Command::Next,
            Command::NewDeployment,
            Command::CompareVersions,
            Command::ShowDrivers,
            Command::Help,
            Command::Back,
        ]
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let inside = headed::content(area);
        let found = find(world, &self.reference);
        if area.height > inside.height {
            let latest = found.is_some_and(|driver| rows::is_latest(&world.drivers, driver));
            let right = Line::from(look.span(Role::Ok, if latest { "latest" } else { "" }));
            let place = Rect { height: area.height - inside.height, ..area };
            headed::head(place, look, (PLACE, self.reference.to_string()), right, buffer);
        }
        let Some(driver) = found else {
            let next = "What was deployed with it keeps what was rendered".to_owned();
            empty(buffer, inside, look, "This version is no longer loaded", &[next]);
            return;
        };
        let lines = sheet(driver, world, look, area.width).lines;
        let len = lines.len();
        let offset = self.offset.min(len.saturating_sub(usize::from(inside.height)));
        paint::lines(buffer, inset(inside, 1), lines.into_iter().skip(offset));
        scroll::bar(buffer, inside, look, offset, len);
    }
}
