//! Drivers: read, check, and render them. A driver is untrusted input: sizes, depth and template work are limited, and
//! nothing outside its directory is read.

mod built_in;
pub mod chart;
mod content;
pub mod context;
mod diagnostic;
pub mod fetch;
#[cfg(test)]
mod fuzz;
mod load;
mod reader;
mod render;
mod skeleton;
mod spec;
mod templates;
mod values;
mod yaml;

pub use crate::domain::parameters::check_parameters;
use crate::domain::suggest;
pub use crate::domain::version;
pub use built_in::{SOURCE as BUILT_IN, built_in};
pub use content::Content;
pub use diagnostic::{Diagnostic, Severity, problem};
pub use load::{Loaded, SPEC_FILE, load_content, load_directory, load_files};
pub use render::{Circumstances, Outcome, RenderedHook, Rendering, check_deployable, render, render_alone};
pub use skeleton::skeleton;
pub use values::values;
