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
pub mod value;
mod versions;

pub use capabilities::Capabilities;
pub use engine::{Limits, LookupKey};
pub use error::ChartError;
pub use hooks::{ChartHook, DeletePolicy, HookEvent, hooks_at, is_kept};
pub use load::Chart;
pub use manifests::Document;
pub use release::Release;
pub use render::{Lookups, Outcome, Rendered, Request, Seed, render};

/// Values as a person gives them in a file: every number in it is a `float64`, as Helm reads it. Nothing at all is an empty
/// mapping.
///
/// # Errors
/// It is no YAML, or no mapping.
pub fn values_from_yaml(text: &str) -> Result<serde_json::Value, ChartError> {
    let values = documents::first(text).map_err(ChartError::Values)?;
    match plain::to_json(&values) {
        serde_json::Value::Null => Ok(serde_json::json!({})),
        values if values.is_object() => Ok(values),
        _ => Err(ChartError::Values("the values are no mapping".to_owned())),
    }
}
