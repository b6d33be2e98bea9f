//! Helm charts, rendered in process as Helm renders them.

mod archive;
mod capabilities;
mod decode;
mod dependencies;
mod documents;
pub mod engine;
mod error;
mod files;
mod format;
pub mod functions;
mod glob;
mod hooks;
mod ignore;
mod json;
mod load;
mod manifests;
mod merge;
mod metadata;
mod plain;
mod random;
mod record;
mod release;
mod render;
mod schema;
mod toml;
mod value;
pub(in crate::driver) mod versions;
pub mod yaml;

pub use capabilities::Capabilities;
pub use engine::{Limits, LookupKey};
pub use error::ChartError;
pub use hooks::{ChartHook, DeletePolicy, HookEvent, is_kept};
pub use load::{Chart, values_from_yaml};
pub use manifests::Document;
pub use release::Release;
pub use render::{Lookups, Outcome, Rendered, Request, Seed, render};
