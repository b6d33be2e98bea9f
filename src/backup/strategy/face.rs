//! What is handed to a strategy, and what it hands back.

use bytes::Bytes;

use crate::backup::repository::{Closed, Feed};
use crate::cluster::Cluster;
use crate::domain::Problem;
use crate::domain::driver::ComponentSpec;
use crate::domain::operation::StepProgress;

use super::Place;

/// Where the bytes of a dump go. Dropped without [`Sink::finish`] it knows that they are not whole.
pub trait Sink: Send {
    /// Takes the next bytes; waits while there is no room.
    ///
    /// # Errors
    /// Why no more are taken.
    fn send(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Problem>> + Send;

    /// That was all of it, and it is whole.
    ///
    /// # Errors
    /// Why it is not kept all the same.
    fn finish(self) -> impl Future<Output = Result<(), Problem>> + Send;
}

impl Sink for Feed {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Problem> {
        Feed::send(self, bytes).await.map_err(unread)
    }

    async fn finish(self) -> Result<(), Problem> {
        Feed::finish(self).await.map_err(unread)
    }
}

/// Whoever keeps the stream says why it does not any more; that is the answer to ask for.
fn unread(closed: Closed) -> Problem {
    Problem::new("the backup is not kept any more", closed.to_string(), "see what the location says")
}

/// Where a strategy works, and whom it tells how far it is.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The container.
    pub place: &'a Place,
    /// Bytes in all, as far as is known: of a dump, those of the last backup.
    pub total: Option<u64>,
    /// Told at most twice a second.
    pub tell: &'a (dyn Fn(StepProgress) + Send + Sync),
}

/// A component was read, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dumped {
    /// What was read, in bytes.
    pub bytes: u64,
    /// The version of the server as it says it (`15.18`); empty where there is none.
    pub server: String,
    /// How many tables or files, where the tool names them; otherwise 0.
    pub items: u64,
    /// What a person should know all the same.
    pub warnings: Vec<Problem>,
}

/// What is restored.
pub struct Incoming<S> {
    /// The size of the stream, in bytes.
    pub size: u64,
    /// The stream, from its beginning.
    pub stream: S,
    /// The version of the server that it was dumped from; empty: it is not known.
    pub server: String,
    /// Of the strategy `disk`: only this path, relative to the volume's root. What else is there stays as it is.
    pub path: Option<String>,
    /// Restored even where the versions forbid it.
    pub force: bool,
}

/// A component was restored, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// What was written, in bytes of the stream.
    pub bytes: u64,
    /// The version of the server that it was restored into; empty where there is none.
    pub server: String,
    /// What a person should know all the same.
    pub warnings: Vec<Problem>,
}

/// How a component that held still was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It held still until now.
    InTime,
    /// The pod had let it go before, or is another one: what was read meanwhile may not be of one moment.
    TooLate,
}

/// Which way data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Out of the component.
    Dump,
    /// Into it.
    Restore,
}

impl Direction {
    /// Whether the component must be stopped for it. Then it is worked on in a pod of our own, see [`Helper`].
    pub fn needs_stop(self, component: &ComponentSpec) -> bool {
        let strategy = component.backup.as_deref().unwrap_or_default();
        match self {
            Self::Dump => strategy == "neo4j",
            Self::Restore => {
                component.backup_target.restore.stop.unwrap_or(matches!(strategy, "neo4j" | "disk"))
            }
        }
    }
}

/// A pod of our own that stands in for a stopped component: its image, its variables, its volumes, and a command that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// Its name: the same for the same step, so that it is found again after a crash. See [`StepRun::child_name`](crate::operate::StepRun::child_name).
    pub name: String,
    /// Its labels: operation and step. See [`StepRun::labels`](crate::operate::StepRun::labels).
    pub labels: Vec<(&'static str, String)>,
}
