//! What the hands work with: the strategies on one side, repositories on the other, and a stream between them.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use super::means::{Component, Found, Kept, Label, Means, Tell};
use super::pace::Pace;
use crate::backup::repository::{Feed, NewSnapshot, Repository, RepositoryError, Source};
use crate::backup::secrets;
use crate::backup::strategy::{self, Incoming, Place, Resumed, Sink, Wanted, Work};
use crate::cluster::Cluster;
use crate::domain::Problem;
use crate::domain::backup::{BackupPart, Depth, Location};
use crate::domain::text::bytes;
use crate::operate::StepError;

/// Works on one cluster.
pub struct Tools {
    cluster: Cluster,
}

impl Tools {
    /// On this cluster.
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    async fn open(&self, location: &Location) -> Result<Repository, StepError> {
        let secrets = secrets::resolve(location, Some(&self.cluster)).await.map_err(StepError::lasting)?;
        let opened = Repository::open(location, &secrets).await;
        opened.map_err(|error| failed(&error, format!("the location {} cannot be opened", location.name)))
    }

    fn wanted<'a>(&'a self, component: &Component<'a>) -> Wanted<'a> {
        Wanted {
            cluster: &self.cluster,
            namespace: component.namespace,
            deployment: component.deployment,
            name: component.name,
            component: component.spec,
            volume: component.volume,
        }
    }

    /// The container that is worked on: of a pod of the component, or of one that stands in for it.
    async fn place(&self, component: &Component<'_>) -> Result<Place, StepError> {
        let wanted = self.wanted(component);
        Ok(match &component.helper {
            Some(helper) => strategy::helper(wanted, helper).await?,
            None => strategy::find(wanted).await?,
        })
    }

    /// What stood in for a component goes when its work is done.
    async fn put_away(&self, component: &Component<'_>) -> Result<(), StepError> {
        if let Some(helper) = &component.helper {
            strategy::remove_helpers(&self.cluster, component.namespace, &helper.labels).await?;
        }
        Ok(())
    }

    async fn keep_whole(
        &self,
        location: &Location,
        label: Label,
        of: Component<'_>,
        (total, tell): (Option<u64>, Tell<'_>),
    ) -> Result<Kept, StepError> {
        let repository = self.open(location).await?;
        let place = self.place(&of).await?;
        let (feed, source) = Source::channel();
        let saving = repository.save(snapshot(label), source, |_| {});
        let work = Work { cluster: &self.cluster, place: &place, total, tell };
        let (saved, dumped) = tokio::join!(saving, strategy::dump(work, Pipe(feed)));
        let (saved, dumped) = match (saved, dumped) {
            (Ok(saved), Ok(dumped)) => (saved, dumped),
            // the stream broke because it could not be kept, or was not kept because it broke
            (Err(error), _) if !matches!(error, RepositoryError::Broken { .. }) => {
                return Err(failed(&error, format!("{} cannot be kept in {}", of.name, location.name)));
            }
            (_, Err(error)) => return Err(error.into()),
            (Err(error), Ok(_)) => return Err(failed(&error, format!("{} was not kept whole", of.name))),
        };
        if saved.bytes != dumped.bytes {
            let why = format!("{} bytes were read, and {} kept", dumped.bytes, saved.bytes);
            repository
                .delete(&[saved.snapshot])
                .await
                .map_err(|error| failed(&error, "a snapshot is left"))?;
            return Err(StepError::transient(Problem::new(
                format!("{} was not kept whole", of.name),
                why,
                "back it up again",
            )));
        }
        self.put_away(&of).await?;
        Ok(Kept {
            snapshot: saved.snapshot,
            bytes: saved.bytes,
            stored: saved.stored,
            digest: saved.digest,
            server: dumped.server,
            warnings: dumped.warnings,
        })
    }

    async fn write_back(
        &self,
        location: &Location,
        from: &BackupPart,
        path: Option<&str>,
        (into, tell): (Component<'_>, Tell<'_>),
    ) -> Result<Vec<Problem>, StepError> {
        let repository = self.open(location).await?;
        let cannot = || format!("{} cannot be read from {}", from.name(), location.name);
        let (size, stream) =
            repository.read(&from.snapshot).await.map_err(|error| failed(&error, cannot()))?;
        if size != from.bytes {
            return Err(StepError::lasting(Problem::new(
                cannot(),
                format!("the snapshot {} has {size} bytes, and {} were kept", from.snapshot, from.bytes),
                "verify the backup, and restore another one",
            )));
        }
        let place = self.place(&into).await?;
        let incoming = Incoming {
            size,
            stream: stream.map(|piece| piece.map_err(io::Error::other)),
            server: from.server.clone(),
            path: path.map(str::to_owned),
            force: false,
        };
        let work = Work { cluster: &self.cluster, place: &place, total: Some(size), tell };
        let restored = strategy::restore(work, incoming).await?;
        self.put_away(&into).await?;
        Ok(restored.warnings)
    }

    async fn read_back(
        &self,
        location: &Location,
        snapshot: &str,
        tell: Tell<'_>,
    ) -> Result<(u64, String), StepError> {
        let repository = self.open(location).await?;
        let cannot = || format!("the snapshot {snapshot} cannot be read back");
        let (size, mut stream) = repository.read(snapshot).await.map_err(|error| failed(&error, cannot()))?;
        let (mut hasher, mut pace) = (Sha256::new(), Pace::new(Some(size)));
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| failed(&error, cannot()))?;
            hasher.update(&piece);
            if let Some(progress) = pace.add(piece.len() as u64) {
                tell(progress);
            }
        }
        Ok((pace.done(), hex(&hasher.finalize())))
    }
}

/// The way from a dump into a snapshot.
struct Pipe(Feed);

impl Sink for Pipe {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Problem> {
        self.0.send(bytes).await.map_err(|_| not_kept())
    }

    async fn finish(self) -> Result<(), Problem> {
        self.0.finish().await.map_err(|_| not_kept())
    }
}

/// Told only where the repository has no reason of its own.
fn not_kept() -> Problem {
    Problem::new("What was read is not kept any more", "its repository has given it up", "try again")
}

fn snapshot(label: Label) -> NewSnapshot {
    NewSnapshot { host: label.host, path: label.path, tags: label.tags, time: label.time }
}

fn failed(error: &RepositoryError, what: impl Into<String>) -> StepError {
    let problem = error.problem(what);
    match error.is_passing() {
        true => StepError::transient(problem),
        false => StepError::lasting(problem),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Means for Tools {
    fn keep<'a>(
        &'a self,
        location: &'a Location,
        label: Label,
        of: Component<'a>,
        progress: (Option<u64>, Tell<'a>),
    ) -> BoxFuture<'a, Result<Kept, StepError>> {
        Box::pin(self.keep_whole(location, label, of, progress))
    }

    fn write<'a>(
        &'a self,
        location: &'a Location,
        label: Label,
        text: Vec<u8>,
    ) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async move {
            let repository = self.open(location).await?;
            let saved = repository.save(snapshot(label), Source::of(text), |_| {}).await;
            let cannot = || format!("nothing can be written to {}", location.name);
            Ok(saved.map_err(|error| failed(&error, cannot()))?.snapshot)
        })
    }

    fn restore<'a>(
        &'a self,
        location: &'a Location,
        from: &'a BackupPart,
        path: Option<&'a str>,
        into: (Component<'a>, Tell<'a>),
    ) -> BoxFuture<'a, Result<Vec<Problem>, StepError>> {
        Box::pin(self.write_back(location, from, path, into))
    }

    fn quiesce<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            let place = strategy::find(self.wanted(&component)).await?;
            Ok(strategy::quiesce(&self.cluster, &place).await?)
        })
    }

    fn holds<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<bool, StepError>> {
        Box::pin(async move {
            let place = strategy::find(self.wanted(&component)).await?;
            Ok(strategy::holds(&self.cluster, &place).await?)
        })
    }

    fn resume<'a>(&'a self, component: Component<'a>) -> BoxFuture<'a, Result<bool, StepError>> {
        Box::pin(async move {
            let place = strategy::find(self.wanted(&component)).await?;
            Ok(strategy::resume(&self.cluster, &place).await? == Resumed::InTime)
        })
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        labels: Vec<(&'static str, String)>,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move { Ok(strategy::remove_helpers(&self.cluster, namespace, &labels).await?) })
    }

    fn list<'a>(&'a self, location: &'a Location) -> BoxFuture<'a, Result<Vec<Found>, StepError>> {
        Box::pin(async move {
            let found = self.open(location).await?.snapshots().await;
            let cannot = || format!("the snapshots in {} cannot be listed", location.name);
            let found = found.map_err(|error| failed(&error, cannot()))?;
            Ok(found.into_iter().map(|known| Found { snapshot: known.id, tags: known.tags }).collect())
        })
    }

    fn delete<'a>(
        &'a self,
        location: &'a Location,
        snapshots: Vec<String>,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            let deleted = self.open(location).await?.delete(&snapshots).await;
            let cannot = || format!("snapshots in {} cannot be deleted", location.name);
            deleted.map_err(|error| failed(&error, cannot()))
        })
    }

    fn check<'a>(
        &'a self,
        location: &'a Location,
        depth: Depth,
        snapshots: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<String>, StepError>> {
        Box::pin(async move {
            let found = self.open(location).await?.check(depth, &snapshots).await;
            let cannot = || format!("{} cannot be checked", location.name);
            let faults = found.map_err(|error| failed(&error, cannot()))?;
            Ok(faults.into_iter().map(|fault| fault.what).collect())
        })
    }

    fn measure<'a>(
        &'a self,
        location: &'a Location,
        snapshot: &'a str,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Result<(u64, String), StepError>> {
        Box::pin(self.read_back(location, snapshot, tell))
    }

    fn prune<'a>(&'a self, location: &'a Location) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async move {
            let pruned = self.open(location).await?.prune(false).await;
            let cannot = || format!("{} cannot be pruned", location.name);
            let pruned = pruned.map_err(|error| failed(&error, cannot()))?;
            let files = pruned.files;
            let later = match pruned.marked {
                0 => String::new(),
                marked => format!("; {} go a day later", bytes(marked)),
            };
            Ok(format!("{files} files deleted, {} freed{later}", bytes(pruned.bytes)))
        })
    }
}
