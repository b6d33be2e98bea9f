//! Helm charts, rendered in process as Helm renders them.

mod archive;
pub mod capabilities;
mod decode;
mod dependencies;
mod documents;
pub mod engine;
pub mod error;
mod files;
pub mod format;
pub mod functions;
mod glob;
pub mod hooks;
mod ignore;
pub mod json;
pub mod load;
pub mod manifests;
mod merge;
pub mod metadata;
mod plain;
pub mod random;
mod record;
pub mod release;
pub mod render;
mod schema;
pub mod toml;
pub mod value;
pub(in crate::driver) mod versions;
pub mod yaml;

pub use capabilities::Capabilities;
pub use engine::{Limits, LookupKey};
pub use error::ChartError;
pub use hooks::{ChartHook, DeletePolicy, HookEvent, hooks_at, is_kept};
pub use load::{Chart, values_from_yaml};
pub use manifests::Document;
pub use release::Release;
pub use render::{Lookups, Outcome, Rendered, Request, Seed, render};
