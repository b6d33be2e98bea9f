//! The manifest of a backup: what it is, and all that is needed to deploy the application anew. It is kept beside the data, so that a
//! location tells by itself what lies in it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::backup::Backup;
use crate::domain::{DeploymentDraft, ObjectKey, Problem};

/// The path of the manifest in its snapshot.
pub const PATH: &str = "/manifest.json";
/// The tag of its snapshot.
pub const TAG: &str = "manifest";
/// The newest form of a manifest that is understood.
const FORMAT: u32 = 1;

/// What is written beside the data of a backup. It has no secrets: where values are secret there are references.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file: 1.
    pub format: u32,
    /// The backup, as the catalogue has it, but for its manifest.
    pub backup: Backup,
    /// The identifier of the deployment.
    pub uid: String,
    /// What was asked for.
    pub draft: DeploymentDraft,
    /// The context of the instance that ran.
    pub context: Value,
    /// The objects that it consisted of.
    pub objects: Vec<ObjectKey>,
}

impl Manifest {
    /// The manifest of a backup.
    pub fn new(backup: Backup, uid: String, draft: DeploymentDraft, context: Value) -> Self {
        Self { format: FORMAT, backup, uid, draft, context, objects: Vec::new() }
    }

    /// As it is kept.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn write(&self) -> Result<Vec<u8>, Problem> {
        serde_json::to_vec_pretty(self).map_err(|error| {
            Problem::new("The manifest cannot be written", error.to_string(), "report this: it is a defect")
        })
    }

    /// From what was kept.
    ///
    /// # Errors
    /// It is no manifest, or a newer Styrmin wrote it.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let damaged = |error: serde_json::Error| {
            Problem::new("A manifest cannot be read", error.to_string(), "verify the backup")
        };
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.format > FORMAT {
            return Err(Problem::new(
                "A manifest cannot be read",
                format!("a newer Styrmin wrote it: its form is {}, this one knows {FORMAT}", head.format),
                "use that version of Styrmin",
            ));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }
}
