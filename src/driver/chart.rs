//! Helm charts, rendered in process as Helm renders them.

pub mod functions;
pub mod random;
pub mod value;
