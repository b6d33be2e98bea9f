//! The parts of the view of backups.

use crate::domain::World;
use crate::domain::backup::Schedule;

/// A part of the view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Section {
    /// What was kept.
    #[default]
    Backups,
    /// When it is kept by itself.
    Schedules,
    /// Where.
    Locations,
    /// What is due next, and what was not done.
    Calendar,
}

impl Section {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Backups, Self::Schedules, Self::Locations, Self::Calendar];

    /// Its place among them.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The next one, or the one before; round and round.
    pub fn turn(self, forwards: bool) -> Self {
        let step = if forwards { 1 } else { Self::ALL.len() - 1 };
        Self::ALL[(self.index() + step) % Self::ALL.len()]
    }

    /// Its name, with how much there is in it, and a mark where somebody should look.
    pub fn label(self, world: &World) -> String {
        let marked = |fault: bool| if fault { " ▲" } else { "" };
        match self {
            Self::Backups => format!("Backups {}", world.backups.len()),
            Self::Schedules => {
                let fault = world.schedules.iter().any(|view| view.problem.is_some());
                format!("Schedules {}{}", world.schedules.len(), marked(fault))
            }
            Self::Locations => {
                let fault = is_any_location_faulty(world);
                format!("Locations {}{}", world.locations.len(), marked(fault))
            }
            Self::Calendar => "Next 24 hours".to_owned(),
        }
    }
}

/// Whether the last check of a location found something.
pub fn is_any_location_faulty(world: &World) -> bool {
    world.locations.iter().any(|view| view.checked.as_ref().is_some_and(|(_, problem)| problem.is_some()))
}

/// `notes in demo`, or `all of demo`: what a schedule backs up.
pub fn what(schedule: &Schedule) -> String {
    match &schedule.application {
        Some(application) => format!("{application} in {}", schedule.environment),
        None => format!("all of {}", schedule.environment),
    }
}
