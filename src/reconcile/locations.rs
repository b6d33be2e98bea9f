//! Operations about what lies in a backup location: backups are read back, and deleted. One after the other; nothing of them is a
//! wish that takes another one's place.

use super::confirm::check_hash;
use super::engine::Engine;
use super::queue::Name;
use crate::domain::backup::{
    Backup, BackupId, Depth, Engine as BackupEngine, PruneRequest, Request, VerifyRequest,
};
use crate::domain::canonical::canonical_digest;
use crate::domain::operation::{Goal, Origin, Subject};
use crate::domain::plan::{Class, Verb};
use crate::domain::text::bytes;
use crate::domain::{Intent, OperationKind, Plan, Preview, Problem, Step};
use crate::operate::{Done, Executor, Probed, StepError, StepRun};
use crate::store::NewOperation;

/// The step that reads a backup back.
pub(super) const VERIFY: &str = "verify backup";
/// What the names of steps begin with that delete a backup.
pub(super) const DELETE: &str = "delete ";
/// What the names of steps begin with that delete a snapshot which no backup has.
pub(super) const DELETE_ORPHAN: &str = "delete orphan ";
/// The step that takes away what no snapshot needs.
pub(super) const PRUNE: &str = "prune location";

/// How long reading back, or taking away, may take, in seconds.
const WITHIN: u32 = 12 * 3600;

/// A wish about a location, planned.
struct Proposal {
    location: String,
    kind: OperationKind,
    request: Request,
    plan: Plan,
}

impl Engine {
    /// What reading a backup back, or deleting some, would do.
    pub(super) async fn preview_in_location(&self, intent: &Intent) -> Result<Preview, Problem> {
        let Proposal { kind, plan, .. } = self.propose_in_location(intent).await?;
        Ok(Preview { kind: Some(kind), plan, ..Preview::default() })
    }

    /// Records what a person confirmed. Gives a sentence that says what was recorded.
    pub(super) async fn confirm_in_location(
        &self,
        intent: &Intent,
        plan_hash: &str,
        actor: &str,
    ) -> Result<String, Problem> {
        let Proposal { location, kind, request, plan } = self.propose_in_location(intent).await?;
        check_hash(&plan, plan_hash)?;
        let said = format!("{}: recorded", plan.title);
        let new = NewOperation {
            subject: Subject::location(self.cluster().name(), &location),
            kind,
            plan,
            origin: Origin {
                actor: actor.to_owned(),
                cause: "confirmed in the cockpit".to_owned(),
                confirmed: true,
            },
            goal: Goal::default(),
            instance: None,
            action: None,
            request: Some(request),
            parent: None,
        };
        self.store().begin_operation(new, None).await?;
        Ok(said)
    }

    async fn propose_in_location(&self, intent: &Intent) -> Result<Proposal, Problem> {
        match intent {
            Intent::Prune(request) => self.propose_to_prune(request).await,
            Intent::Verify(request) => self.propose_to_verify(request).await,
            _ => Err(Problem::new("this is not about a location", "", "report this: it is a defect")),
        }
    }

    async fn propose_to_verify(&self, request: &VerifyRequest) -> Result<Proposal, Problem> {
        let backup = self.kept(&request.backup).await?;
        if backup.engine == BackupEngine::Velero {
            return Err(super::keep::unverifiable(&backup));
        }
        if request.depth == Depth::Drill {
            return Err(Problem::new(
                "a drill is not a look at a location",
                "it restores the backup into an environment of its own",
                "ask for a drill",
            ));
        }
        let (id, depth) = (&backup.id, request.depth.as_str());
        let step = Step {
            timeout: WITHIN,
            note: match request.depth {
                Depth::Full => format!("{depth}: {} are read back", bytes(backup.bytes())),
                _ => format!("{depth}: everything that it names is there"),
            },
            digest: canonical_digest(&serde_json::json!([backup.id, depth, backup.manifest])),
            ..Step::named(Verb::Read, VERIFY)
        };
        let plan = self.plan_in_location(format!("Verify {id}"), &backup.location, vec![step]);
        let request = Request::Verify(request.clone());
        Ok(Proposal { location: backup.location, kind: OperationKind::Verify, request, plan })
    }

    async fn propose_to_prune(&self, request: &PruneRequest) -> Result<Proposal, Problem> {
        let location = self.location(&request.location).await?;
        let known = self.store().backups_in(&location.name).await?;
        let (mut steps, mut warnings) = (Vec::new(), Vec::new());
        for id in &request.backups {
            let backup = self.kept(id).await?;
            check_deletable(&backup, &location.name)?;
            warnings.extend(last_good(&backup, &known, &request.backups));
            steps.push(Step {
                class: Class::Destructive,
                timeout: WITHIN,
                note: format!(
                    "{} of {} in {}, {}",
                    backup.word(),
                    backup.source.application,
                    backup.source.environment,
                    bytes(backup.bytes())
                ),
                ..Step::named(Verb::Delete, format!("{DELETE}{id}"))
            });
        }
        steps.extend(request.orphans.iter().map(|orphan| Step {
            class: Class::Destructive,
            timeout: WITHIN,
            note: "no backup of the catalogue has it".to_owned(),
            ..Step::named(Verb::Delete, format!("{DELETE_ORPHAN}{orphan}"))
        }));
        // Velero takes away by itself what it does not need
        if !location.is_velero() {
            steps.push(Step {
                behind: (0..steps.len()).collect(),
                timeout: WITHIN,
                note: "what no snapshot needs any more goes".to_owned(),
                ..Step::named(Verb::Run, PRUNE)
            });
        }
        if steps.is_empty() {
            return Err(Problem::new(
                format!("there is nothing to delete in {}", location.name),
                "Velero takes away by itself what it does not need",
                "name the backups that are to go",
            ));
        }
        let title = match request.backups.len() {
            0 => format!("Prune {}", location.name),
            1 => format!("Delete a backup from {}", location.name),
            count => format!("Delete {count} backups from {}", location.name),
        };
        let mut plan = self.plan_in_location(title, &location.name, steps);
        plan.warnings = warnings;
        let request = Request::Prune(request.clone());
        Ok(Proposal { location: location.name, kind: OperationKind::Prune, request, plan })
    }

    fn plan_in_location(&self, title: String, location: &str, steps: Vec<Step>) -> Plan {
        Plan {
            title,
            cluster: self.cluster().name().to_owned(),
            target: location.to_owned(),
            steps,
            timeout: super::compose::ALL_WITHIN,
            ..Plan::default()
        }
    }

    /// A backup that has ended, in a location that is known.
    async fn kept(&self, id: &BackupId) -> Result<Backup, Problem> {
        let Some(backup) = self.store().backup(id).await? else {
            return Err(Problem::new(
                format!("there is no backup {id}"),
                "it is not in the catalogue",
                "look at the list of backups",
            ));
        };
        if !backup.state.is_final() {
            return Err(Problem::new(
                format!("{id} is not complete"),
                "it is being made",
                "wait for its end, or cancel it",
            ));
        }
        self.location(&backup.location).await?;
        Ok(backup)
    }

    /// Carries on with what is recorded about a location, one operation after the other, until nothing is left.
    pub(super) async fn carry_in_location(&self, name: &Name) -> Result<(), Problem> {
        let subject = self.subject("", &name.name);
        let (_kept, moved) = tokio::sync::watch::channel(0);
        while let Some(view) = self.store().next_in_line(&subject).await? {
            self.runner().run(&view.operation, &Keeper(self), moved.clone()).await?;
        }
        Ok(())
    }
}

/// The hands of an operation about a location: all of it is done by the extension.
struct Keeper<'a>(&'a Engine);

impl Executor for Keeper<'_> {
    async fn execute(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        self.0.extension().execute(run).await
    }

    async fn probe(&self, run: StepRun<'_>) -> Result<Probed, StepError> {
        self.0.extension().probe(run).await
    }

    async fn is_wanted(&self) -> bool {
        true
    }
}

fn check_deletable(backup: &Backup, location: &str) -> Result<(), Problem> {
    let id = &backup.id;
    if backup.location != location {
        return Err(Problem::new(
            format!("{id} does not lie in {location}"),
            format!("it lies in {}", backup.location),
            "delete it there",
        ));
    }
    if backup.pinned {
        return Err(Problem::new(
            format!("{id} is pinned"),
            "somebody said that it stays",
            format!("styrmin backup unpin {id}"),
        ));
    }
    Ok(())
}

/// A word of warning when no good backup of the application is left, or none that is newer of a component.
fn last_good(backup: &Backup, known: &[Backup], deleted: &[BackupId]) -> Option<String> {
    let stays = |other: &&Backup| !deleted.contains(&other.id);
    let (id, name) = (&backup.id, &backup.source.application);
    let left = known.iter().filter(stays);
    if backup.is_good() && !left.clone().any(|other| other.is_good() && other.is_of_same(backup)) {
        let left = format!("after it none is left in {}", backup.location);
        return Some(format!("{id} is a good backup of {name}, and {left}"));
    }
    let newest = backup.is_last_good(left);
    newest.then(|| format!("{id} has the newest good copy of a component of {name} in {}", backup.location))
}
