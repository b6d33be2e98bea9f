//! Velero: where a team runs it, its own resources are written and followed, and its backups are shown beside ours.
//!
//! Fields and phases: Velero 1.18, `pkg/apis/velero/v1`. Nothing here asks the bucket: Velero does.

mod follow;
mod object;
mod read;

pub use follow::{Ended, VeleroError, cancel, delete, follow, installed, list, write};
pub use object::{Scope, backup, restore, schedule};
pub use read::{Report, catalogued, report};

/// The group and version of its resources.
pub const API_VERSION: &str = "velero.io/v1";
/// The namespace that it runs in unless its administrator chose another one.
pub const NAMESPACE: &str = "velero";
