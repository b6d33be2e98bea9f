//! YAML, read and written as Helm does: by `sigs.k8s.io/yaml`, which goes through JSON on the way, and so by YAML 1.1 with a
//! few deviations of its own.

mod analyze;
mod convert;
mod emit;
mod nodes;
mod read;
mod resolve;
mod sort;
#[cfg(test)]
mod tests;
mod timestamp;
mod write;

pub use read::{YamlError, read, read_all};
pub use write::{write, write_pretty};
