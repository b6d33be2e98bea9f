//! What lies on top of a view: the plan that is to be confirmed, a question, help, and pickers.

mod help;
mod picker;
mod plan;
mod question;

pub use help::Help;
pub use picker::Picker;
pub use plan::PlanDialog;
pub use question::Question;
