//! Locations: making them known, and looking into them. Who needs a cluster for their secrets is connected to it.

use std::path::{Path, PathBuf};

use crate::app::attended::Attended;
use crate::app::paths::Paths;
use crate::app::session::Session;
use crate::app::{Options, attended};
use crate::backup::repository::{Repository, RepositoryError};
use crate::backup::sweep::{Sweep, sweep};
use crate::backup::{scan, secrets, velero};
use crate::cluster::Cluster;
use crate::domain::backup::{
    Depth, Location, LocationKind, LocationView, PruneRequest, S3Credentials, SecretSource,
};
use crate::domain::{Clock, Environment, Problem, SystemClock, names, suggest};
use crate::store::Store;

pub use crate::backup::scan::Scan;
pub use crate::backup::sweep::Sweep as Swept;
pub use crate::backup::velero::NAMESPACE as VELERO_NAMESPACE;

mod key;
mod remove;

pub use key::{NewKey, write_secretly};

/// What is worked on: the records, and the cluster where it is needed.
pub struct Ground {
    /// The records.
    pub store: Store,
    /// Where the keys are that are made here; none where none are made.
    keys: Option<PathBuf>,
    cluster: Option<Cluster>,
    /// To be closed at the end.
    attended: Option<Attended>,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What is wrong, each with the file.
    pub faults: Vec<String>,
    /// How many snapshots there are.
    pub snapshots: usize,
    /// What all of its files take, in bytes.
    pub size: u64,
    /// Of Velero's, its own storage location: its status is all that is known of it.
    pub storage: Option<String>,
}

impl Ground {
    /// Opens the records; and the cluster when the location needs it.
    ///
    /// # Errors
    /// They cannot be opened.
    pub async fn open(options: &Options, for_location: impl Fn(&Location) -> bool) -> Result<Self, Problem> {
        let paths = Paths::resolve(options.state_dir.as_deref(), options.config_dir.as_deref())?;
        let store = attended::records(options.state_dir.as_deref())?;
        let all = store.locations().await?;
        let connects = all.iter().any(|view| for_location(&view.location) && needs_cluster(&view.location));
        match connects {
            true => Self::connected(options).await,
            false => Ok(Self { store, keys: Some(keys(&paths)), cluster: None, attended: None }),
        }
    }

    /// Opens the records, and the cluster in any case.
    ///
    /// # Errors
    /// They cannot be opened.
    pub async fn connected(options: &Options) -> Result<Self, Problem> {
        let paths = Paths::resolve(options.state_dir.as_deref(), options.config_dir.as_deref())?;
        let attended = Attended::open(options).await?;
        let ground = Self::of(&attended.session);
        Ok(Self { keys: Some(keys(&paths)), attended: Some(attended), ..ground })
    }

    /// What a session works on.
    pub fn of(session: &Session) -> Self {
        let (store, cluster) = (session.store.clone(), Some(session.cluster.clone()));
        Self { store, keys: None, cluster, attended: None }
    }

    /// Lets go of the cluster.
    pub async fn close(self) {
        if let Some(attended) = self.attended {
            attended.close().await;
        }
    }

    fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// Opens the repository of a location.
    ///
    /// # Errors
    /// Its secrets cannot be read, or it does not open.
    pub async fn repository(&self, location: &Location) -> Result<Repository, Problem> {
        if location.is_velero() {
            return Err(Problem::new(
                format!("The location {} has no repository of ours", location.name),
                "Velero keeps what lies in it; its backups are listed by themselves where the engine runs",
                "see styrmin backup list, or Velero's own tools",
            ));
        }
        let secrets = secrets::resolve(location, self.cluster()).await?;
        let opened = Repository::open(location, &secrets).await;
        opened.map_err(|error| error.problem(format!("The location {} cannot be opened", location.name)))
    }

    /// Makes the repository of a new location, or opens the one that is there, and records it. Gives whether it was there.
    ///
    /// # Errors
    /// The name is taken, the secrets cannot be read, or the place does not let us.
    pub async fn add(&self, location: Location) -> Result<(Location, bool), Problem> {
        let what = || format!("The location {} is not added", location.name);
        let secrets = secrets::resolve(&location, self.cluster()).await?;
        let there = match Repository::open(&location, &secrets).await {
            Ok(_) => true,
            Err(RepositoryError::WrongKey { place }) => {
                return Err(Problem::new(
                    what(),
                    format!("the repository in {place} was made with another key"),
                    "give that key, with --key-file, --key-env or --key-secret; or choose an empty place",
                ));
            }
            // it does not exist yet, or what is wrong is told in a moment
            Err(_) => false,
        };
        let repository = Repository::init(&location, &secrets).await;
        let repository = repository.map_err(|error| error.problem(what()))?;
        let location = Location { repository: Some(repository.id().to_owned()), ..location };
        self.store.upsert_location(&location).await?;
        let size = repository.size().await.ok();
        self.store.record_check(&location.name, (SystemClock.now(), None), size).await?;
        Ok((location, there))
    }

    /// Records a location that Velero keeps: nothing is made there.
    ///
    /// # Errors
    /// The records cannot be written.
    pub async fn add_velero(&self, location: &Location) -> Result<(), Problem> {
        Ok(self.store.upsert_location(location).await?)
    }

    /// Looks whether everything in a location can be restored, and records what was found.
    ///
    /// # Errors
    /// It does not open, or does not answer.
    pub async fn check(&self, name: &str, depth: Depth) -> Result<Checked, Problem> {
        let location = named(&self.store, name).await?.location;
        let checked = match location.is_velero() {
            true => self.look_at_velero(&location).await,
            false => self.look(&location, depth).await,
        };
        let problem = match &checked {
            Ok(checked) => damage(name, &checked.faults),
            Err(problem) => Some(problem.clone()),
        };
        let size = checked.as_ref().ok().filter(|checked| checked.storage.is_none());
        let size = size.map(|checked| checked.size);
        self.store.record_check(name, (SystemClock.now(), problem), size).await?;
        checked
    }

    async fn look(&self, location: &Location, depth: Depth) -> Result<Checked, Problem> {
        let repository = self.repository(location).await?;
        let failed = |error: RepositoryError| {
            error.problem(format!("The location {} cannot be checked", location.name))
        };
        let faults = repository.check(depth, &[]).await.map_err(failed)?;
        let snapshots = repository.snapshots().await.map_err(failed)?.len();
        let size = repository.size().await.map_err(failed)?;
        let faults = faults.into_iter().map(|fault| fault.what).collect();
        Ok(Checked { faults, snapshots, size, storage: None })
    }

    /// What Velero says of its storage location.
    async fn look_at_velero(&self, location: &Location) -> Result<Checked, Problem> {
        let what = || format!("The location {} cannot be checked", location.name);
        let cluster = self.cluster().ok_or_else(|| Problem::new(what(), "there is no cluster", ""))?;
        let found = velero::available(cluster, location).await.map_err(|error| error.problem())?;
        let (storage, problem) = found;
        let faults = problem.map(|problem| problem.to_string()).into_iter().collect();
        let snapshots = self.store.backups_in(&location.name).await?.len();
        Ok(Checked { faults, snapshots, size: 0, storage: Some(storage) })
    }

    /// Brings the backups in a location into the catalogue that it does not have.
    ///
    /// # Errors
    /// It does not open, does not answer, or the records cannot be written.
    pub async fn scan(&self, name: &str) -> Result<Scan, Problem> {
        let location = named(&self.store, name).await?.location;
        let repository = self.repository(&location).await?;
        let known = self.store.backups_in(name).await?;
        let scan = scan::scan(&repository, name, &known, SystemClock.now()).await;
        let mut scan =
            scan.map_err(|error| error.problem(format!("The location {name} cannot be scanned")))?;
        let mut found = Vec::new();
        for backup in std::mem::take(&mut scan.found) {
            match self.store.backup(&backup.id).await? {
                // in another location, under another name: the catalogue has one of each
                Some(known) if known.location != name => scan.unreadable.push((
                    backup.id.clone(),
                    Problem::new(
                        "It is in the catalogue already",
                        format!("in the location {}", known.location),
                        "remove that location if it is the same place",
                    ),
                )),
                _ => {
                    self.store.record_backup(&backup).await?;
                    found.push(backup);
                }
            }
        }
        scan.found = found;
        // whether everything in it can be restored, only a check says
        if let Ok(size) = repository.size().await {
            self.store.record_size(name, size).await?;
        }
        Ok(scan)
    }

    /// Compares a location with the catalogue. Backups of which something is gone count as damaged from then on.
    ///
    /// # Errors
    /// It does not open, does not answer, or the records cannot be written.
    pub async fn sweep(&self, name: &str) -> Result<Sweep, Problem> {
        let location = named(&self.store, name).await?.location;
        let repository = self.repository(&location).await?;
        let now = SystemClock.now();
        // in this order: what is made meanwhile is in the records before it is in the location
        let listed = scan::listed(&repository).await;
        let listed = listed.map_err(|error| error.problem(format!("The location {name} cannot be swept")))?;
        let known = self.store.backups_in(name).await?;
        let found = sweep(&known, &listed, now);
        for loss in &found.losses {
            let verification = loss.verification(now);
            let change = self.store.change_backup(&loss.backup, move |backup| {
                backup.verified.retain(|known| known.depth != verification.depth);
                backup.verified.insert(0, verification);
            });
            change.await?;
        }
        Ok(found)
    }

    /// The key of a location, as the public `restic` asks for it.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn key(&self, location: &Location) -> Result<zeroize::Zeroizing<String>, Problem> {
        Ok(secrets::resolve(location, self.cluster()).await?.password)
    }
}

/// Where the keys of locations are.
fn keys(paths: &Paths) -> PathBuf {
    paths.config.join("locations")
}

/// What is to be asked for so that a location and the catalogue agree again; none when they do.
pub fn cleaning(location: &str, found: &Sweep) -> Option<PruneRequest> {
    let request = PruneRequest {
        location: location.to_owned(),
        backups: found.losses.iter().filter(|loss| loss.everything).map(|loss| loss.backup.clone()).collect(),
        orphans: found.orphans.iter().map(|orphan| orphan.snapshot.clone()).collect(),
        even_the_last: false,
    };
    (!request.backups.is_empty() || !request.orphans.is_empty()).then_some(request)
}

/// Whether a secret of a location lies on a cluster, or whoever keeps it is asked there.
pub fn needs_cluster(location: &Location) -> bool {
    let credentials = match &location.kind {
        LocationKind::S3 { credentials, .. } => matches!(credentials, S3Credentials::Secret { .. }),
        LocationKind::Directory { .. } => false,
        // Velero is asked on its cluster
        LocationKind::Velero { .. } => true,
    };
    credentials || matches!(location.key, SecretSource::Secret { .. })
}

/// The location of this name.
///
/// # Errors
/// There is none.
pub async fn named(store: &Store, name: &str) -> Result<LocationView, Problem> {
    if let Some(view) = store.location(name).await? {
        return Ok(view);
    }
    let known = store.locations().await?;
    let hint = suggest::hint(name, known.iter().map(|view| view.location.name.as_str()));
    Err(Problem::new(format!("There is no location {name}"), hint, "see styrmin location list"))
}

/// Whether a location of this name can be added.
///
/// # Errors
/// The name cannot be one, or is taken.
pub async fn check_new(store: &Store, name: &str) -> Result<(), Problem> {
    names::check_label("location", name)?;
    if store.location(name).await?.is_some() {
        let next = "choose another name, or remove it first: its data stays";
        return Err(Problem::new(format!("The location {name} exists already"), "names are unique", next));
    }
    Ok(())
}

/// Which environments are backed up to a location.
///
/// # Errors
/// The records cannot be read.
pub async fn users(store: &Store, name: &str) -> Result<Vec<Environment>, Problem> {
    let mut found = Vec::new();
    for record in store.clusters().await? {
        found.extend(store.environments(&record.name).await?);
    }
    found.retain(|environment| environment.backup_location.as_deref() == Some(name));
    Ok(found)
}

/// Says that an environment is backed up to a location.
///
/// # Errors
/// One of them is not recorded.
pub async fn assign(store: &Store, name: &str, cluster: &str, environment: &str) -> Result<(), Problem> {
    named(store, name).await?;
    let found = store.environment(cluster, environment).await?;
    let found = found.ok_or_else(|| {
        let what = format!("There is no environment {environment} on {cluster}");
        Problem::new(what, "it is not recorded", "deploy something in it first")
    })?;
    let changed = Environment { backup_location: Some(name.to_owned()), ..found };
    Ok(store.upsert_environment(&changed).await?)
}

/// What a check says of a location.
fn damage(name: &str, faults: &[String]) -> Option<Problem> {
    let first = faults.first()?;
    let why = match faults.len() {
        1 => first.clone(),
        more => format!("{first}, and {} more", more - 1),
    };
    let next = format!("see all of it with styrmin location check {name}; back up again");
    Some(Problem::new(format!("The location {name} is damaged"), why, next))
}

/// A path as it counts from anywhere.
///
/// # Errors
/// There is no current directory.
pub fn absolute(path: &Path) -> Result<PathBuf, Problem> {
    std::path::absolute(path).map_err(|error| {
        Problem::new(format!("{} is no place", path.display()), error.to_string(), "name a directory")
    })
}
