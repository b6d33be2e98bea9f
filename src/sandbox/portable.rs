//! A sandbox's objects as YAML: out of a directory that no sandbox runs in, and into another.
//!
//! An export is for taking up again what there was: objects keep their uids, their status and their owners, so that nothing
//! is collected and nothing is made twice. Left out is what a sandbox makes anew by itself: see [`export`].

mod documents;
mod export;
mod import;

use std::path::PathBuf;

pub use documents::HEADER;
pub use export::{Export, export};
pub use import::{Imported, import};

use super::SandboxError;

/// Why objects are not exported or imported. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The directory cannot be used.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Nothing has ever been kept there.
    #[error("there is no sandbox in {}", path.display())]
    Nothing {
        /// The directory.
        path: PathBuf,
    },
    /// The namespace does not exist.
    #[error("there is no namespace {name:?}")]
    NoNamespace {
        /// Its name.
        name: String,
    },
    /// A document is not what an export holds.
    #[error("line {line}: {why}")]
    Document {
        /// Where it begins, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// An object cannot be written as YAML.
    #[error("{what} cannot be written: {why}")]
    Unwritable {
        /// The object.
        what: String,
        /// Why.
        why: String,
    },
    /// The disk does not take it. Part of it may have been written: importing again goes on.
    #[error("the objects are not on the disk: {why}")]
    Disk {
        /// What the system said.
        why: String,
    },
}
