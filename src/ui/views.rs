//! The views: what fills the body of the screen.

mod action_form;
mod application;
mod applications;
mod asking;
mod backup;
mod backups;
mod clone;
mod comparison;
mod deploy;
mod drivers;
mod environment;
mod environments;
mod facts;
mod keeping;
mod moving;
mod operation;
mod operations;
mod output;
mod progress;
mod restore;
mod routes;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use action_form::ActionForm;
pub use application::{ApplicationView, earlier, manual};
pub use applications::ApplicationsView;
pub use backup::BackupPage;
pub use backups::BackupsView;
pub use clone::CloneForm;
pub use comparison::ComparisonView;
pub use deploy::DeployForm;
pub use drivers::{DriverComparison, DriverPage, DriversView};
pub use environment::EnvironmentForm;
pub use environments::{EnvironmentPage, EnvironmentsView};
pub use keeping::is_never_kept;
pub use operation::OperationPage;
pub use operations::OperationsView;
pub use output::OutputPage;
pub use restore::RestoreForm;
pub use routes::{RoutePage, RoutesView};

use super::keymap::{Command, Layer};
use super::look::Look;
use super::screen::{Context, Screen};
use crate::domain::World;

/// A screen that shows nothing.
#[derive(Debug)]
pub struct Nothing;

/// The screen that shows nothing.
pub const NOTHING: Nothing = Nothing;

impl Screen for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn layer(&self) -> Layer {
        Layer::Table
    }

    fn command(&mut self, _command: Command, _context: &mut Context<'_>) -> bool {
        false
    }

    fn hints(&self) -> &'static [Command] {
        &[]
    }

    fn draw(&self, _world: &World, _look: &Look<'_>, _area: Rect, _buffer: &mut Buffer) {}
}
