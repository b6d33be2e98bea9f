//! Helm charts, rendered in process as Helm renders them.

mod archive;
mod error;
pub mod functions;
mod glob;
mod ignore;
pub mod random;
pub mod value;
