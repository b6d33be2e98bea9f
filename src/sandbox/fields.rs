//! Server-side apply and `managedFields`: who set which field, and what happens when two set the same one.
//!
//! ```text
//! path (f: k: v: i:) → set (a tree of paths) → walk (value ↔ set, compare, merge, remove) → apply, update → managed (the entries)
//! ```

mod apply;
mod managed;
mod path;
mod set;
mod update;
mod walk;

pub use apply::{ApplyRequest, apply};
pub use path::PathElement;
pub use set::FieldSet;
pub use update::{Writer, same_except_time, track_update};

#[cfg(test)]
mod tests;
