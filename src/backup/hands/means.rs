//! What the hands work with: components of applications, and repositories. A trait, so that what the hands do can be tested without
//! either.

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::backup::strategy::Helper;
use crate::domain::Problem;
use crate::domain::backup::{BackupPart, Depth, Location};
use crate::domain::driver::ComponentSpec;
use crate::domain::operation::StepProgress;
use crate::operate::StepError;

/// Told how far something is, at most twice a second.
pub type Tell<'a> = &'a (dyn Fn(StepProgress) + Send + Sync);

/// A component, or a volume of it, that is read or written.
#[derive(Debug, Clone)]
pub struct Component<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The deployment's name.
    pub deployment: &'a str,
    /// The component's name.
    pub name: &'a str,
    /// What its driver says of it.
    pub spec: &'a ComponentSpec,
    /// The volume, of the strategy `disk`.
    pub volume: Option<&'a str>,
    /// The pod that stands in for it, when it is stopped meanwhile.
    pub helper: Option<Helper>,
}

/// What stands on a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The cluster's name.
    pub host: String,
    /// The path of its one file.
    pub path: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its time.
    pub time: Timestamp,
}

/// What was kept of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The snapshot, in hexadecimal.
    pub snapshot: String,
    /// What was read, in bytes.
    pub bytes: u64,
    /// What was new to the repository, in bytes as stored.
    pub stored: u64,
    /// The SHA-256 of what was read, in hexadecimal.
    pub digest: String,
    /// The version of the server; empty where there is none.
    pub server: String,
    /// What a person should know all the same.
    pub warnings: Vec<Problem>,
}

/// A snapshot in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name, in hexadecimal.
    pub snapshot: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What the hands work with. Dropping what it gives ends what is under way.
pub trait Means: Send + Sync {
    /// Reads a component, and keeps it as a snapshot; `expected` is how much it was the last time. There is a snapshot only when
    /// everything that was read is whole.
    fn keep<'a>(
        &'a self,
        location: &'a Location,
        label: Label,
        of: Component<'a>,
        progress: (Option<u64>, Tell<'a>),
    ) -> BoxFuture<'a, Result<Kept, StepError>>;

    /// Keeps a small file; gives its snapshot.
    fn write<'a>(
        &'a self,
        location: &'a Location,
        label: Label,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<String, StepError>>;

    /// Makes a component what was kept of it; of a volume only `path`, when there is one. Gives what a person should know.
    fn restore<'a>(
        &'a self,
        location: &'a Location,
        from: &'a BackupPart,
        path: Option<&'a str>,
        into: (Component<'a>, Tell<'a>),
    ) -> BoxFuture<'a, Result<Vec<Problem>, StepError>>;

    /// Makes a component hold still, for a limited time.
    fn quiesce<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<(), StepError>>;

    /// Whether it has held still until now.
    fn holds<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<bool, StepError>>;

    /// Lets it go again; whether it held still until now.
    fn resume<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<bool, StepError>>;

    /// Takes away what stood in for components of an operation.
    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        labels: Vec<(&'static str, String)>,
    ) -> BoxFuture<'a, Result<(), StepError>>;

    /// The snapshots in a location.
    fn list<'a>(&'a self, location: &'a Location) -> BoxFuture<'a, Result<Vec<Found>, StepError>>;

    /// Deletes snapshots. What is not there is deleted.
    fn delete<'a>(
        &'a self,
        location: &'a Location,
        snapshots: Vec<String>,
    ) -> BoxFuture<'a, Result<(), StepError>>;

    /// What is wrong with snapshots: each fault names its file.
    fn check<'a>(
        &'a self,
        location: &'a Location,
        depth: Depth,
        snapshots: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<String>, StepError>>;

    /// Reads the file of a snapshot back: its size, and its SHA-256 in hexadecimal.
    fn measure<'a>(
        &'a self,
        location: &'a Location,
        snapshot: &'a str,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Result<(u64, String), StepError>>;

    /// Takes away what no snapshot needs; says how much.
    fn prune<'a>(&'a self, location: &'a Location) -> BoxFuture<'a, Result<String, StepError>>;
}
