//! What lies on top of a view: the plan that is to be confirmed, questions that lead to one, help, and pickers.

mod choice;
mod help;
mod pause;
mod picker;
mod plan;
mod qr;
mod question;
mod replicas;
mod retention;

pub use choice::{Answer, Choice};
pub use help::Help;
pub use pause::Pause;
pub use picker::Picker;
pub use plan::PlanDialog;
pub use qr::{Cells, Qr};
pub use question::Question;
pub use replicas::Replicas;
pub use retention::Retention;
