//! Helm charts, rendered in process as Helm renders them.

pub mod engine;
pub mod format;
pub mod functions;
pub mod json;
pub mod random;
pub mod toml;
pub mod value;
pub mod yaml;
