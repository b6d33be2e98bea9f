//! Keeps the catalogue equal to what Velero has, and Velero's schedules equal to ours. It runs only where the engine does, and wakes
//! when something changes: in the records, or on the cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::follow::{VeleroError, installed, named};
use super::left::{self, is_ours, name_of};
use super::read::catalogued;
use super::sight::{Home, Sight};
use crate::cluster::{ApplyOptions, Cluster, Followed};
use crate::domain::backup::{Backup, BackupId, BackupSource, BackupState, Engine};
use crate::domain::conditions::Conditions;
use crate::domain::{ObjectKey, Problem, labels};
use crate::store::{Store, StoreError};

/// How long to rest after something went wrong, at first and at most.
const REST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(60);
/// The definition of its backups.
const DEFINITION: &str = "backups.velero.io";

/// What sees to Velero on one cluster.
pub struct Mirror {
    store: Store,
    cluster: Cluster,
}

impl Mirror {
    /// One that has not begun.
    pub fn new(store: Store, cluster: Cluster) -> Self {
        Self { store, cluster }
    }

    /// Sees to it until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.look() => {}
        }
    }

    async fn look(&self) {
        let mut changes = self.store.changes();
        let mut rest = REST;
        loop {
            changes.mark_unchanged();
            match Sight::of(&self.store, self.cluster.name()).await {
                Ok(sight) => {
                    rest = REST;
                    tokio::select! {
                        () = self.watch(&sight) => {}
                        moved = self.until_other(&sight, &mut changes) => if !moved { return },
                    }
                }
                Err(problem) => {
                    tracing::warn!(%problem, "what Velero is to keep cannot be read");
                    tokio::time::sleep(rest).await;
                    rest = (rest * 2).min(REST_MAX);
                }
            }
        }
    }

    /// Waits until the records say something else; not so when nobody will say anything any more.
    async fn until_other(&self, sight: &Sight, changes: &mut watch::Receiver<u64>) -> bool {
        while changes.changed().await.is_ok() {
            if !matches!(Sight::of(&self.store, self.cluster.name()).await, Ok(now) if now == *sight) {
                return true;
            }
        }
        false
    }

    /// Sees to every Velero of a sight; ends never.
    async fn watch(&self, sight: &Sight) {
        let homes = sight.homes.iter().map(|(namespace, home)| self.keep(namespace, home, sight));
        futures::future::join_all(homes).await;
        std::future::pending::<()>().await;
    }

    async fn keep(&self, namespace: &str, home: &Home, sight: &Sight) {
        let mut rest = REST;
        loop {
            // what was seen to once is news again when it fails
            let began = std::time::Instant::now();
            let ended = self.see_to(namespace, home, sight).await;
            if let Err(problem) = ended {
                tracing::warn!(%problem, namespace, "Velero cannot be seen to");
            }
            rest = if began.elapsed() > REST_MAX { REST } else { (rest * 2).min(REST_MAX) };
            tokio::time::sleep(rest).await;
        }
    }

    async fn see_to(&self, namespace: &str, home: &Home, sight: &Sight) -> Result<(), Problem> {
        self.until_served().await.map_err(|error| error.problem())?;
        self.write_schedules(namespace, home, sight).await?;
        let backups = named("Backup", namespace, "any");
        let mut events = Box::pin(self.cluster.follow_all(&backups).await.map_err(|error| error.problem())?);
        while let Some(event) = events.next().await {
            match event {
                Ok(Followed::All(all)) => self.take_all(&all, home, sight).await?,
                Ok(Followed::Changed(object)) => self.take(&object, home, sight).await?,
                Ok(Followed::Gone(object)) => {
                    if let Some(name) = object["metadata"]["name"].as_str() {
                        self.forget(&BackupId(name.to_owned()), home).await?;
                    }
                }
                // the watch begins anew by itself
                Err(error) => tracing::debug!(%error, "a watch on Velero's backups was lost"),
            }
        }
        Ok(())
    }

    /// Waits until Velero is installed.
    async fn until_served(&self) -> Result<(), VeleroError> {
        if installed(&self.cluster).await? {
            return Ok(());
        }
        let definition = ObjectKey {
            api_version: "apiextensions.k8s.io/v1".to_owned(),
            kind: "CustomResourceDefinition".to_owned(),
            namespace: String::new(),
            name: DEFINITION.to_owned(),
        };
        let mut seen = Box::pin(self.cluster.follow(&definition).await?);
        while let Some(event) = seen.next().await {
            let is_served = |found: Value| Conditions::of(&found).holds("Established").is_some();
            if event.ok().flatten().is_some_and(is_served) {
                break;
            }
        }
        match installed(&self.cluster).await? {
            true => Ok(()),
            false => Err(VeleroError::NotInstalled),
        }
    }

    async fn take_all(&self, all: &[Value], home: &Home, sight: &Sight) -> Result<(), StoreError> {
        for object in all {
            self.take(object, home, sight).await?;
        }
        let there: BTreeSet<&str> =
            all.iter().filter_map(|object| object["metadata"]["name"].as_str()).collect();
        for known in self.store.backups(self.cluster.name()).await? {
            if !there.contains(known.id.0.as_str()) {
                self.forget(&known.id, home).await?;
            }
        }
        Ok(())
    }

    /// Records one of Velero's backups, as far as it is of an environment here.
    async fn take(&self, object: &Value, home: &Home, sight: &Sight) -> Result<(), StoreError> {
        let storage = object["spec"]["storageLocation"].as_str().unwrap_or_default();
        let found = read(object, self.cluster.name(), sight);
        let Some((found, location)) = found.zip(home.location(storage)) else { return Ok(()) };
        let found = Backup { location: location.to_owned(), ..found };
        match self.store.backup(&found.id).await? {
            None => self.store.record_backup(&found).await,
            Some(known) if merged(&known, &found) == known => Ok(()),
            Some(_) => {
                let change = move |known: &mut Backup| *known = merged(known, &found);
                let id = BackupId(object["metadata"]["name"].as_str().unwrap_or_default().to_owned());
                self.store.change_backup(&id, change).await.map(drop)
            }
        }
    }

    /// Takes a backup out of the catalogue that Velero does not have any more.
    async fn forget(&self, id: &BackupId, home: &Home) -> Result<(), StoreError> {
        let Some(known) = self.store.backup(id).await? else { return Ok(()) };
        let lies_here = home.locations.iter().any(|(name, _)| *name == known.location);
        match lies_here && known.source.cluster == self.cluster.name() && goes(&known) {
            true => self.store.forget_backup(id).await,
            false => Ok(()),
        }
    }

    /// Makes Velero's schedules what ours are. What is not ours is left alone.
    async fn write_schedules(&self, namespace: &str, home: &Home, sight: &Sight) -> Result<(), Problem> {
        let there = match left::schedules(&self.cluster, namespace).await {
            // without any of ours that is no trouble
            Err(VeleroError::NotInstalled) if home.schedules.is_empty() => return Ok(()),
            found => found.map_err(|error| error.problem())?,
        };
        for wanted in &home.schedules {
            let name = name_of(wanted);
            if there.iter().any(|known| name_of(known) == name && !is_ours(known)) {
                tracing::warn!(schedule = name, "Velero has a schedule of that name that is not ours");
                continue;
            }
            let applied = self.cluster.apply(wanted, ApplyOptions::default()).await;
            applied.map_err(|error| error.problem())?;
        }
        let wanted: BTreeSet<String> = home.schedules.iter().map(name_of).collect();
        let deleted = left::delete(&self.cluster, &there, &sight.environments, &wanted).await;
        deleted.map_err(|error| error.problem())
    }
}

/// A backup of one of the environments: of the one that it names, or else of the first one by name.
fn read(object: &Value, cluster: &str, sight: &Sight) -> Option<Backup> {
    let named = object["metadata"]["labels"][labels::ENVIRONMENT].as_str();
    let mut found = sight.environments.iter().filter_map(|environment| {
        catalogued(object, cluster, (environment.name.as_str(), environment.namespace.as_str()))
    });
    match named {
        Some(named) => found.find(|backup| backup.source.environment == named),
        None => found.next(),
    }
}

/// What is recorded of a backup once Velero says `found` of it.
fn merged(known: &Backup, found: &Backup) -> Backup {
    if known.engine != Engine::Velero || known.source.cluster != found.source.cluster {
        return known.clone();
    }
    if known.operation.is_some() {
        // while it is under way its operation speaks; and what somebody cancelled stays so
        let waits = !known.state.is_final() || known.state == BackupState::Cancelled;
        if waits || !found.state.is_final() {
            return known.clone();
        }
        let Backup { state, problem, parts, .. } = found.clone();
        return Backup { state, problem, parts, ended: found.ended.or(known.ended), ..known.clone() };
    }
    let Backup { pinned, verified, group, source, .. } = known.clone();
    // where it is of is Velero's to say; what ran there is only known here
    let source = BackupSource {
        environment: found.source.environment.clone(),
        application: found.source.application.clone(),
        ..source
    };
    Backup { pinned, verified, group, source, ..found.clone() }
}

/// Whether a backup of which Velero has nothing leaves the catalogue. One of ours that is under way may not be written yet, and one
/// that failed never was.
fn goes(known: &Backup) -> bool {
    known.engine == Engine::Velero
        && (known.operation.is_none()
            || matches!(known.state, BackupState::Completed | BackupState::PartiallyFailed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Environment, OperationId};
    use serde_json::json;

    fn sight() -> Sight {
        let environments = vec![Environment::new("a", "c", "a"), Environment::new("b", "c", "b")];
        Sight { environments, ..Sight::default() }
    }

    fn object(namespaces: &[&str], environment: Option<&str>, phase: &str) -> Value {
        let mut object = json!({
            "metadata": {"name": "x", "creationTimestamp": "2026-11-29T03:00:00Z", "labels": {}},
            "spec": {"includedNamespaces": namespaces, "storageLocation": "default"},
            "status": {"phase": phase},
        });
        if let Some(environment) = environment {
            object["metadata"]["labels"][labels::ENVIRONMENT] = environment.into();
        }
        object
    }

    #[test]
    fn a_backup_is_of_the_environment_that_it_names_or_of_the_first_one() {
        let of = |object: &Value| read(object, "c", &sight()).map(|backup| backup.source.environment);
        assert_eq!(of(&object(&["*"], None, "Completed")).as_deref(), Some("a"));
        assert_eq!(of(&object(&["*"], Some("b"), "Completed")).as_deref(), Some("b"));
        assert_eq!(of(&object(&["b"], None, "Completed")).as_deref(), Some("b"));
        assert_eq!(of(&object(&["z"], None, "Completed")), None);
    }

    #[test]
    fn a_storage_location_is_that_of_the_location_which_names_it() {
        let locations = vec![("any".to_owned(), None), ("far".to_owned(), Some("offsite".to_owned()))];
        let home = Home { locations, ..Home::default() };
        assert_eq!((home.location("offsite"), home.location("default")), (Some("far"), Some("any")));
        let only = Home { locations: home.locations[1..].to_vec(), ..Home::default() };
        assert_eq!(only.location("default"), None);
    }

    #[test]
    fn what_is_ours_speaks_for_itself_while_it_is_under_way() {
        let found = |phase: &str| read(&object(&["a"], None, phase), "c", &sight()).unwrap();
        let foreign = Backup { pinned: true, ..found("InProgress") };
        let after = merged(&foreign, &found("Completed"));
        assert_eq!((after.state, after.pinned), (BackupState::Completed, true));
        let ours = |state| Backup { operation: Some(OperationId(7)), state, ..found("InProgress") };
        for (state, then) in [
            (BackupState::Running, BackupState::Running),
            (BackupState::Cancelled, BackupState::Cancelled),
            (BackupState::Failed, BackupState::Completed),
        ] {
            assert_eq!(merged(&ours(state), &found("Completed")).state, then, "{state:?}");
        }
        let mut other = found("InProgress");
        other.source.cluster = "d".into();
        assert_eq!(merged(&other, &found("Completed")), other);
        assert!(goes(&foreign) && goes(&ours(BackupState::Completed)));
        assert!(!goes(&ours(BackupState::Running)) && !goes(&ours(BackupState::Failed)));
    }
}
