//! What is known about one deployment at one moment: everything that the decision needs, and nothing that it could ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cluster::{ComponentStatus, DeploymentResource};
use crate::domain::backup::{Backup, BackupState};
use crate::domain::driver::Hook;
use crate::domain::names::digest;
use crate::domain::route::{Endpoints, Reach};
use crate::domain::{
    Deployment, DesiredPhase, DriftMode, Health, Instance, ObjectKey, ObjectSummary, Operation,
    OperationKind, OperationState, Problem, Role, Verdict,
};

use super::own_secret::is_own_secret;

/// Corrections of the same object within this time count as a fight.
const FIGHT_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// So many corrections are a fight: somebody else wants it otherwise, and it is for people to say who is right.
const FIGHT_ROUNDS: usize = 5;

/// An object as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedObject {
    /// Its name.
    pub key: ObjectKey,
    /// The digest of the object as it is applied.
    pub digest: String,
    /// What it is to the deployment.
    pub role: Role,
    /// Whether its kind is watched and visible, so that its state is known without asking.
    pub visible: bool,
}

/// What an instance consists of, in the order of its application.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The objects.
    pub objects: Vec<RenderedObject>,
    /// The digest over all of them.
    pub digest: String,
}

/// An object as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// `metadata.uid`; none for an object that is known from the records only, which have lost it.
    pub uid: Option<String>,
    /// The hash of the fields that the server records as ours; none when we never wrote it.
    pub owned: Option<String>,
    /// Whether it is going.
    pub deleting: bool,
    /// Whether it belongs to this deployment: it carries its label, or none, and was written by us.
    pub ours: bool,
    /// What its chart says of it.
    pub role: Role,
    /// How it is.
    pub verdict: Verdict,
}

impl Live {
    /// Whether it goes when its deployment goes.
    pub fn is_removable(&self, key: &ObjectKey) -> bool {
        self.ours && self.role != Role::Kept && is_disposable(key)
    }
}

/// What we last wrote, per object. In memory; the digests in the status of the custom resource rebuild it after a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace(pub BTreeMap<ObjectKey, Written>);

/// What we last wrote to one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// `metadata.uid`; none when it is not known any more.
    pub uid: Option<String>,
    /// The digest of the object as we applied it.
    pub digest: String,
    /// What the server recorded as ours then.
    pub owned: Option<String>,
    /// What it is to the deployment.
    pub role: Role,
    /// When we had to correct it because somebody else had changed it.
    pub corrections: Vec<Timestamp>,
}

/// The resolved configuration for what is desired now.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The context.
    pub context: Value,
    /// Its digest; an instance with the same one is the same instance.
    pub digest: String,
    /// The number that an instance of it gets.
    pub number: u32,
}

impl Written {
    /// The object as it is taken to be where no watch shows it.
    pub fn as_live(&self) -> Live {
        Live {
            uid: self.uid.clone(),
            owned: self.owned.clone(),
            deleting: false,
            ours: true,
            role: self.role,
            verdict: Verdict::healthy(),
        }
    }
}

/// Everything that is known.
#[derive(Debug, Clone)]
pub struct Situation {
    /// The present moment.
    pub now: Timestamp,
    /// Whether the watches have listed everything: before that, absence proves nothing.
    pub complete: bool,
    /// The deployment as it is recorded.
    pub record: Option<Deployment>,
    /// The custom resource.
    pub resource: Option<Arc<DeploymentResource>>,
    /// The newest instance.
    pub newest: Option<Instance>,
    /// What the record asks for, resolved; none when it is on its way out.
    pub wanted: Option<Result<Wanted, Problem>>,
    /// What the newest instance consists of.
    pub rendered: Option<Result<Rendered, Problem>>,
    /// Its objects as they are: the rendered ones, and whatever else carries its label.
    pub live: BTreeMap<ObjectKey, Live>,
    /// Everything that belongs to it, owned objects included.
    pub objects: Vec<ObjectSummary>,
    /// What we last wrote.
    pub trace: Trace,
    /// How its components are.
    pub components: Vec<ComponentStatus>,
    /// Where it answers.
    pub urls: Vec<String>,
    /// What requests to each of its routes find.
    pub routes: Vec<Answer>,
    /// What was, is, or is to be done.
    pub work: Work,
}

/// What requests to one route find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The driver's service.
    pub service: String,
    /// Complete.
    pub url: String,
    /// What they find; none before the first one.
    pub reach: Option<Reach>,
    /// Whether none is sent on purpose.
    pub unprobed: bool,
    /// The endpoints behind it; none while its Service is not there.
    pub endpoints: Option<Endpoints>,
}

/// What is known of the backups of one deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// When the last complete one was begun.
    pub last: Option<Timestamp>,
    /// The newest one that has ended and was not cancelled: whether it is complete, its name, and why it is not.
    pub newest: Option<(bool, String)>,
}

impl BackedUp {
    /// From the backups of a deployment, newest first.
    pub fn of(backups: &[Backup]) -> Self {
        let complete = |backup: &&Backup| backup.state == BackupState::Completed;
        let ended = |backup: &&Backup| backup.state.is_final() && backup.state != BackupState::Cancelled;
        let newest = backups.iter().find(ended).map(|backup| {
            let why = backup.problem.as_ref().map(|problem| format!(": {}", problem.what));
            (backup.is_good(), format!("{} is {}{}", backup.id, backup.word(), why.unwrap_or_default()))
        });
        Self { last: backups.iter().find(complete).map(|backup| backup.created), newest }
    }
}

/// What was, is, or is to be done to one deployment.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// The operation that runs, else the newest, whether it has ended or not.
    pub latest: Option<Operation>,
    /// How many operations for the same wish failed in a row, the newest included.
    pub failures: u32,
    /// What is done about drift.
    pub drift: DriftMode,
    /// The hook of what leads from the active instance to what is desired; none where its driver has no actions for it.
    pub hook: Option<Hook>,
    /// Its backups.
    pub backups: BackedUp,
    /// Whether what is desired is the version that a person wants to go back to.
    pub goes_back: bool,
    /// Whose turn it is to bring it along with what is said of its environment or its cluster.
    pub turn: Turn,
}

/// Whose turn it is to bring an application along with what is said of its place.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Turn {
    /// Its own.
    #[default]
    Free,
    /// An operation about its place will come to it: until then it is left as it is.
    Comes,
    /// The operation ended before it came to it. What went wrong with the first is not to happen to all at once.
    Missed(Problem),
}

impl Work {
    /// The operation that has not ended yet.
    pub fn open(&self) -> Option<&Operation> {
        self.latest.as_ref().filter(|operation| !operation.state.is_final())
    }

    /// The newest operation, when it ended like this.
    pub fn ended(&self, states: &[OperationState]) -> Option<&Operation> {
        self.latest.as_ref().filter(|operation| states.contains(&operation.state))
    }

    /// Whether the newest operation stopped everything, or is about to.
    pub fn has_stopped(&self) -> bool {
        let stops = self.latest.as_ref().filter(|latest| latest.kind == OperationKind::Stop);
        stops.is_some_and(|stop| !stop.state.is_final() || stop.state == OperationState::Succeeded)
    }
}

impl Situation {
    /// The phase that it should be in.
    pub fn phase(&self) -> DesiredPhase {
        let recorded = self.record.as_ref().map(|record| record.phase);
        let asked = self.resource.as_ref().map(|resource| resource.phase());
        recorded.or(asked).unwrap_or(DesiredPhase::Running)
    }

    /// Whether the record was read before the operation was begun, which changed it: the two do not belong together.
    pub fn is_torn(&self) -> bool {
        let (Some(record), Some(open)) = (&self.record, self.work.open()) else { return false };
        open.goal.revision > record.revision
    }

    /// The deployment's name.
    fn name(&self) -> Option<&str> {
        let recorded = self.record.as_ref().map(|record| record.draft.name.as_str());
        recorded.or_else(|| self.resource.as_ref().map(|resource| resource.name.as_str()))
    }

    /// What was written for it and is not to be any more. Volumes hold people's data: they are never removed by the way.
    pub fn unwanted(&self) -> Vec<(&ObjectKey, &Live)> {
        let Some(Ok(rendered)) = &self.rendered else { return Vec::new() };
        let wanted: std::collections::BTreeSet<&ObjectKey> =
            rendered.objects.iter().map(|object| &object.key).collect();
        self.live
            .iter()
            .filter(|(key, live)| live.is_removable(key) && live.role == Role::Part)
            .filter(|(key, live)| !live.deleting && !wanted.contains(key))
            .filter(|(key, _)| !self.name().is_some_and(|name| is_own_secret(key, name)))
            .collect()
    }

    /// Whether nothing is left of it but volumes.
    pub fn is_gone(&self) -> bool {
        let pods = self.objects.iter().any(|object| object.key.kind == "Pod");
        !pods && !self.live.iter().any(|(key, live)| live.is_removable(key))
    }

    /// The rendered objects, when there are any.
    pub fn rendered_objects(&self) -> &[RenderedObject] {
        match &self.rendered {
            Some(Ok(rendered)) => &rendered.objects,
            _ => &[],
        }
    }

    /// How the rendered objects are, together; none when nothing of them can be seen.
    pub fn verdict(&self) -> Option<Verdict> {
        let visible = self.rendered_objects().iter().filter(|object| object.visible);
        let verdicts: Vec<Verdict> = visible
            .map(|object| match self.live.get(&object.key) {
                Some(live) => live.verdict.clone(),
                None => Verdict::because(Health::Missing, object.key.clone(), "Missing", "it does not exist"),
            })
            .collect();
        Verdict::worst(&verdicts)
    }

    /// Why it is not as it should be, from the object that knows best: a pod that fails says more than its workload.
    pub fn headline(&self) -> Option<String> {
        let gate = self.verdict()?;
        let worst = self.objects.iter().filter(|object| !object.deleting).map(|object| &object.verdict);
        let deepest = Verdict::worst(worst).filter(|verdict| verdict.health > gate.health);
        deepest.unwrap_or(gate).headline()
    }

    /// The digest over what the server records as ours on all rendered objects that can be seen.
    pub fn applied_digest(&self) -> String {
        let visible = self.rendered_objects().iter().filter(|object| object.visible);
        let lines: Vec<String> = visible
            .map(|object| {
                let owned = self.live.get(&object.key).and_then(|live| live.owned.as_deref());
                format!("{} {}\n", object.key, owned.unwrap_or("-"))
            })
            .collect();
        digest(lines.concat().as_bytes())
    }

    /// Rebuilds the trace after a restart: when both digests in the status are still true, everything stands as we wrote it.
    pub fn recall(&mut self) {
        let Some(Ok(rendered)) = &self.rendered else { return };
        let Some(inventory) = self.resource.as_ref().and_then(|resource| resource.status.inventory.as_ref())
        else {
            return;
        };
        if !self.trace.0.is_empty() || inventory.rendered != rendered.digest {
            return;
        }
        if inventory.applied != self.applied_digest() {
            return;
        }
        let written = rendered.objects.iter().map(|object| {
            let live = self.live.get(&object.key);
            let written = Written {
                uid: live.and_then(|live| live.uid.clone()),
                digest: object.digest.clone(),
                owned: live.and_then(|live| live.owned.clone()),
                role: object.role,
                corrections: Vec::new(),
            };
            (object.key.clone(), written)
        });
        self.trace = Trace(written.collect());
    }
}

/// Why an object has to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It was never written, or is to be something else now.
    New,
    /// Somebody else changed or removed it.
    Drift,
    /// Somebody else changes it again and again: it is left alone.
    Fight,
}

impl Situation {
    /// Whether and why `object` has to be applied.
    pub fn need(&self, object: &RenderedObject) -> Option<Need> {
        let Some(written) = self.trace.0.get(&object.key) else { return Some(Need::New) };
        if written.digest != object.digest {
            return Some(Need::New);
        }
        let live = self.live.get(&object.key);
        if !object.visible || live.is_some_and(|live| live.owned == written.owned) {
            return None;
        }
        let since = self.now.saturating_sub(FIGHT_WINDOW).unwrap_or(self.now);
        let rounds = written.corrections.iter().filter(|at| **at > since).count();
        Some(if rounds >= FIGHT_ROUNDS { Need::Fight } else { Need::Drift })
    }
}

/// Whether an object may be taken away without being asked for by name. A claim has data on it; with a definition go all
/// objects of its kind, and with a namespace all that is in it, whoever they belong to.
pub fn is_disposable(key: &ObjectKey) -> bool {
    !["PersistentVolumeClaim", "CustomResourceDefinition", "Namespace"].contains(&key.kind.as_str())
}
