//! A backup as the catalogue has it. The catalogue can be rebuilt from the manifests in the location.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::names::{bounded, short_hash};
use crate::domain::words::words;
use crate::domain::{DeploymentDraft, DriverRef, Operation, OperationId, Problem};

/// The longest part of a backup's name that is its application's.
const APPLICATION_MAX: usize = 40;
/// What tells the backup that a restore makes first from every other one of the operation.
pub const SAFETY: &str = "safety";

/// The name of a backup, unique everywhere: `notes-20261129t114403-3f2a9c1b`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BackupId(pub String);

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BackupId {
    /// The name of a backup that an operation makes: the same whenever it is asked for. `mark` tells those of one operation apart;
    /// empty for the one that it is about.
    pub fn of(operation: &Operation, mark: &str) -> Self {
        let created = operation.times.created;
        let (id, moment) = (operation.id.to_string(), created.to_string());
        let hash = short_hash(&[&operation.plan_hash, &id, &moment, mark]);
        let application = bounded(&[&operation.subject.name], APPLICATION_MAX);
        Self(format!("{application}-{}-{hash}", created.strftime("%Y%m%dt%H%M%S")))
    }
}

words! {
    /// Where a backup stands.
    BackupState {
        /// Recorded, not begun.
        Queued => "Queued",
        /// Being made.
        Running => "Running",
        /// Every component was kept, and what was written is what was read.
        Completed => "Completed",
        /// Some components were kept, others were not.
        PartiallyFailed => "PartiallyFailed",
        /// Nothing of use was kept.
        Failed => "Failed",
        /// Somebody ended it; what was kept until then does not count.
        Cancelled => "Cancelled",
    }
}

words! {
    /// Who makes and keeps backups.
    Engine {
        /// We: streamed into a repository in restic's format.
        Styrmin => "styrmin",
        /// Velero, on the cluster.
        Velero => "velero",
    }
}

words! {
    /// Where the backup of one component stands.
    PartState {
        /// Not begun.
        Pending => "Pending",
        /// Being read.
        Running => "Running",
        /// Kept whole.
        Completed => "Completed",
        /// Not kept.
        Failed => "Failed",
    }
}

words! {
    /// How thoroughly a backup is verified.
    Depth {
        /// Its snapshots are there, and everything that they name is in the index and has its size.
        Quick => "quick",
        /// All of its data is read back, and compared with the digests that were taken when it was made.
        Full => "full",
        /// It is restored into an environment of its own, becomes healthy, and answers.
        Drill => "drill",
    }
}

/// Why a backup was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Trigger {
    /// A person.
    Person,
    /// A schedule.
    Schedule {
        /// Its name.
        name: String,
    },
    /// What it keeps was about to be overwritten.
    Restore,
    /// The application was about to be taken away.
    Delete,
    /// A function of its driver called `back_up`.
    Action,
    /// An environment was to be cloned as it is.
    Clone,
}

/// The application that a backup was made of, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSource {
    /// The cluster that the application ran on.
    pub cluster: String,
    /// Its environment.
    pub environment: String,
    /// The application.
    pub application: String,
    /// The instance that ran.
    pub instance: u32,
    /// Its driver.
    pub driver: DriverRef,
    /// The version of the application.
    pub application_version: String,
    /// What was asked for when its instance was frozen: what a new application is made from. Secrets are references.
    #[serde(default)]
    pub draft: Option<DeploymentDraft>,
}

/// A backup of one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its name.
    pub id: BackupId,
    /// Who made it.
    pub engine: Engine,
    /// What it was made of.
    #[serde(flatten)]
    pub source: BackupSource,
    /// The location.
    pub location: String,
    /// Where it stands.
    pub state: BackupState,
    /// When it was begun.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The operation that made it, while it is recorded.
    pub operation: Option<OperationId>,
    /// Why.
    pub trigger: Trigger,
    /// The environment backup that it is part of: a name that its members share.
    pub group: Option<String>,
    /// One per component with a strategy, in the driver's order.
    pub parts: Vec<BackupPart>,
    /// Kept whatever the retention says.
    pub pinned: bool,
    /// The last verification of each depth, newest first.
    pub verified: Vec<Verification>,
    /// The snapshot that holds its manifest; none before it is complete.
    pub manifest: Option<String>,
    /// Why it is not complete.
    pub problem: Option<Problem>,
}

/// What was kept of one component: a snapshot with one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPart {
    /// The component; empty of Velero's, which keeps an application as a whole.
    pub component: String,
    /// The strategy: `disk`, `postgres`, `mariadb`, `mongodb`, `neo4j`, `action`; `velero` for all that Velero keeps.
    pub strategy: String,
    /// The volume, of the strategy `disk`: one part for each.
    pub volume: Option<String>,
    /// Where it stands.
    pub state: PartState,
    /// What was read, in bytes.
    pub bytes: u64,
    /// What was new to the repository, in bytes as stored.
    pub stored: u64,
    /// The SHA-256 of the stream, in hexadecimal; empty before it is complete.
    pub digest: String,
    /// The snapshot, in hexadecimal; empty before it is complete.
    pub snapshot: String,
    /// The path of the file in the snapshot.
    pub path: String,
    /// The version of the dumped server, as it says it; empty where there is none.
    pub server: String,
    /// Why it was not kept.
    pub problem: Option<Problem>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How thorough.
    pub depth: Depth,
    /// When it ended.
    pub at: Timestamp,
    /// What is wrong; none: nothing.
    pub problem: Option<Problem>,
}

impl BackupPart {
    /// What it is called: `db`, `db/data`.
    pub fn name(&self) -> String {
        match &self.volume {
            Some(volume) => format!("{}/{volume}", self.component),
            None => self.component.clone(),
        }
    }
}

impl BackupState {
    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl Backup {
    /// Whether everything can be restored from it, as far as is known: complete, and no later verification found fault with it.
    pub fn is_good(&self) -> bool {
        self.state == BackupState::Completed
            && self.newest_verification().is_none_or(|last| last.problem.is_none())
    }

    /// The parts that are whole: each as component and volume.
    pub fn whole_parts(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let whole = self.parts.iter().filter(|part| part.state == PartState::Completed);
        whole.map(|part| (part.component.as_str(), part.volume.as_deref()))
    }

    /// Whether it is of the same application as another one.
    pub fn is_of_same(&self, other: &Self) -> bool {
        let of = |backup: &Self| {
            let source = &backup.source;
            (source.cluster.clone(), source.environment.clone(), source.application.clone())
        };
        of(self) == of(other)
    }

    /// Whether it is the newest good backup of its application among `known`, or has the newest good copy of one of its components.
    /// Those that other programs keep do not count.
    pub fn is_last_good<'a>(&self, known: impl IntoIterator<Item = &'a Self>) -> bool {
        let counts = |backup: &Self| backup.engine == Engine::Styrmin && backup.is_good();
        let is_newer = |other: &&Self| {
            counts(other) && self.is_of_same(other) && (other.created, &other.id) > (self.created, &self.id)
        };
        let newer: Vec<&Self> = known.into_iter().filter(is_newer).collect();
        let is_kept = |part| newer.iter().any(|other| other.whole_parts().any(|known| known == part));
        counts(self) && (newer.is_empty() || !self.whole_parts().all(is_kept))
    }

    /// The last verification of any depth.
    pub fn newest_verification(&self) -> Option<&Verification> {
        self.verified.iter().max_by_key(|verification| verification.at)
    }

    /// When it was last proven restorable: by a drill, unless something found fault with it later.
    pub fn proven(&self) -> Option<Timestamp> {
        let drills = self.verified.iter().filter(|last| last.depth == Depth::Drill && last.problem.is_none());
        drills.map(|drill| drill.at).max().filter(|_| self.is_good())
    }

    /// The state in one word: a complete one that was verified is `Verified`, one with which fault was found `Damaged`.
    pub fn word(&self) -> &'static str {
        match (self.state, self.newest_verification()) {
            (BackupState::Completed, Some(last)) if last.problem.is_some() => "Damaged",
            (BackupState::Completed, Some(_)) => "Verified",
            (state, _) => state.as_str(),
        }
    }

    /// Adds what a verification found: of each depth the last one is kept, newest first.
    pub fn add_verification(&mut self, found: Verification) {
        self.verified.retain(|known| known.depth != found.depth);
        self.verified.push(found);
        self.verified.sort_by_key(|known| std::cmp::Reverse(known.at));
    }

    /// What was read of all components, in bytes.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// What was new to the repository, in bytes.
    pub fn stored(&self) -> u64 {
        self.parts.iter().map(|part| part.stored).sum()
    }
}
