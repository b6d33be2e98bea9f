//! Velero: where a team runs it, its own resources are written and followed, and its backups are shown beside ours.
//!
//! Fields and phases: Velero 1.18, `pkg/apis/velero/v1`. Nothing here asks the bucket: Velero does.

mod follow;
mod left;
mod mirror;
mod object;
mod place;
mod read;
mod sight;

pub use follow::{
    Ended, VeleroError, cancel, delete, follow, installed, is_there, list, until_deleted, write,
};
pub use left::forget_schedules;
pub use mirror::Mirror;
pub use object::{Scope, backup, restore, schedule};
pub use place::{available, location_of};
pub use read::{Report, catalogued, report};

/// The group and version of its resources.
pub const API_VERSION: &str = "velero.io/v1";
/// The namespace that it runs in unless its administrator chose another one.
pub const NAMESPACE: &str = "velero";
