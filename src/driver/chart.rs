//! Helm charts, rendered in process as Helm renders them.
//!
//! ```text
//! archive ─┐                            values, release, capabilities, what was looked up
//!          ├─► load ─► Chart ─► render ─► dependencies ─► merge ─► schema ─► engine ─► manifests ─► Rendered
//! files ───┘   (may be kept)  aliases, conditions, imports   │                │ functions   objects, hooks, CRDs, notes
//!                                                            ▼                ▼
//!                                                         warnings     Wants: ask the cluster, render once more
//! ```
//!
//! Helm 3.17 is followed to the letter (`tests/charts` compares with the real one), but for what would be unsafe or make no sense:
//! links and nested archives without bound are refused, a schema fetches nothing, what a provider adds to the cluster's version does
//! not count in `kubeVersion`, a chart that stands under two aliases has its own charts under both, as in Helm 4.

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
mod versions;
pub mod yaml;

pub use capabilities::Capabilities;
pub use error::ChartError;
pub use hooks::{ChartHook, DeletePolicy, HookEvent, hooks_at, is_kept};
pub use load::{Chart, values_from_yaml};
pub use manifests::Document;
pub use release::Release;
pub use render::{Lookups, Outcome, Rendered, Request, Seed, render};
