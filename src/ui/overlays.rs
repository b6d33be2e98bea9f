//! What lies on top of a view: the plan that is to be confirmed, help, and pickers.

mod help;
mod picker;
mod plan;

pub use help::Help;
pub use picker::Picker;
pub use plan::PlanDialog;
