//! Helm charts, rendered in process as Helm renders them.

pub mod engine;
pub mod format;
pub mod functions;
pub mod random;
pub mod value;
