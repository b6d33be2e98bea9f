//! The plan of an operation that is made of others, and the request that is recorded with it. Pure.

use serde::Serialize;
use serde_json::json;

use crate::domain::backup::{BackupId, BackupOf, BackupRequest, Changed, GroupPart, GroupRequest, PartWork};
use crate::domain::canonical::canonical_digest;
use crate::domain::diff::ObjectDiff;
use crate::domain::plan::{Class, Verb};
use crate::domain::{ClusterRecord, DeploymentDraft, Environment, Step};

mod record;

/// What the step is called that records a new environment.
pub const MAKE: &str = "make the environment ";
/// What the step is called that records what is said of an environment.
pub const SET: &str = "record the environment ";
/// What the step is called that records what is said of the cluster.
pub const CLUSTER: &str = "record the cluster ";
/// What the step is called that takes an environment out of the records, with its namespace.
pub const REMOVE: &str = "remove the environment ";
/// What the step is called that records what a drill found.
pub const PROVE: &str = "record what was found about ";

/// How long the backup or the restore of one application may take, in seconds.
const DATA: u32 = 24 * 3600;
/// How long everything else may take of one application, in seconds.
const CHANGE: u32 = 2 * 3600;

/// An application, by environment and name.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Its name.
    pub application: &'a str,
}

/// Steps and parts as they are put together.
#[derive(Debug, Default)]
pub struct Layout {
    /// The steps of the plan.
    pub steps: Vec<Step>,
    /// What is recorded with it.
    pub request: GroupRequest,
    /// How records change.
    pub diffs: Vec<ObjectDiff>,
}

impl Layout {
    /// A new environment is recorded.
    pub fn make(&mut self, environment: Environment) -> usize {
        let note = format!("namespace {}", environment.namespace);
        let step = Step { note, ..Step::named(Verb::Record, format!("{MAKE}{}", environment.name)) };
        self.request.environment = Some(Box::new(environment));
        self.push(step)
    }

    /// What is said of an environment, new or not, is recorded.
    pub fn set(&mut self, before: Option<&Environment>, environment: &Environment) -> usize {
        let verb = format!("{SET}{}", environment.name);
        let digest = transition(&before, environment);
        self.request.environment = Some(Box::new(environment.clone()));
        self.request.before = before.map(|before| Box::new(before.clone()));
        let note = match before {
            Some(before) => record::changed(before, environment),
            None => format!("namespace {}", environment.namespace),
        };
        self.diffs.push(record::difference("Environment", &environment.name, before, environment));
        self.push(Step { digest, note, ..Step::named(Verb::Record, verb) })
    }

    /// What is said of the cluster is recorded.
    pub fn set_cluster(&mut self, before: ClusterRecord, after: ClusterRecord) -> usize {
        let digest = transition(&before, &after);
        let note = record::changed(&before, &after);
        self.diffs.push(record::difference("Cluster", &after.name, Some(&before), &after));
        let step = Step { digest, note, ..Step::named(Verb::Record, format!("{CLUSTER}{}", after.name)) };
        self.request.cluster = Some(Box::new(Changed { before, after }));
        self.push(step)
    }

    /// An object of the environment itself is written, or deleted.
    pub fn write(&mut self, step: Step, after: &[usize]) -> usize {
        self.push(Step { after: after.to_vec(), ..step })
    }

    /// What is asked for of an application follows what is said of its place now. `step` has what is known of it: digest, note,
    /// class.
    pub fn update(&mut self, place: Place<'_>, step: Step, after: &[usize], behind: &[usize]) -> usize {
        let name = format!("update {} in {}", place.application, place.environment);
        let (after, behind) = (after.to_vec(), behind.to_vec());
        self.part(Step { name, timeout: CHANGE, after, behind, ..step }, place, PartWork::Update)
    }

    /// An application is taken away, after what must have succeeded before.
    pub fn take_away(&mut self, place: Place<'_>, after: &[usize]) -> usize {
        let step = Step { timeout: CHANGE, after: after.to_vec(), ..run("delete", place) };
        self.part(step, place, PartWork::Delete)
    }

    /// A recorded environment is taken away, with its namespace.
    pub fn remove_recorded(&mut self, environment: &Environment, note: String, after: &[usize]) -> usize {
        self.request.environment = Some(Box::new(environment.clone()));
        let step = Step::named(Verb::Record, format!("{REMOVE}{}", environment.name));
        let digest = transition(environment, &());
        let class = Class::Destructive;
        self.push(Step { note, digest, class, timeout: CHANGE, after: after.to_vec(), ..step })
    }

    /// A backup; the ones before it must only have ended.
    pub fn back_up(&mut self, place: Place<'_>, request: &BackupRequest, behind: &[usize]) -> usize {
        let step = Step { timeout: DATA, behind: behind.to_vec(), ..run("back up", place) };
        self.part(step, place, PartWork::BackUp(request.clone()))
    }

    /// A new application.
    pub fn deploy(
        &mut self,
        draft: DeploymentDraft,
        secrets_of: Option<(String, String)>,
        after: &[usize],
    ) -> usize {
        let place = (draft.environment.clone(), draft.name.clone());
        let place = Place { environment: &place.0, application: &place.1 };
        let note = format!("{} {}", draft.driver, draft.application_version);
        let step = Step { timeout: CHANGE, note, after: after.to_vec(), ..run("deploy", place) };
        self.part(step, place, PartWork::Deploy { draft, secrets_of })
    }

    /// A restore.
    pub fn restore(
        &mut self,
        place: Place<'_>,
        backup: BackupOf,
        safety_backup: bool,
        after: &[usize],
    ) -> usize {
        let note = match &backup {
            BackupOf::Known(id) => format!("from {id}"),
            BackupOf::Step(step) => format!("from what step {} made", step + 1),
        };
        let class = if safety_backup { Class::Destructive } else { Class::Disruptive };
        let step = Step { timeout: DATA, note, class, after: after.to_vec(), ..run("restore", place) };
        self.part(step, place, PartWork::Restore { backup, safety_backup })
    }

    /// An application is stopped.
    pub fn stop(&mut self, place: Place<'_>, after: &[usize]) -> usize {
        let step = Step { timeout: CHANGE, after: after.to_vec(), ..run("stop", place) };
        self.part(step, place, PartWork::Stop)
    }

    /// An application that was made for the operation is taken away, however that ends.
    pub fn delete(&mut self, place: Place<'_>) -> usize {
        let step = Step { timeout: CHANGE, finally: true, ..run("delete", place) };
        self.part(step, place, PartWork::Delete)
    }

    /// An environment that was made for the operation is taken away, after everything in it.
    pub fn remove(&mut self, environment: &str, after: &[usize]) -> usize {
        let step = Step::named(Verb::Record, format!("{REMOVE}{environment}"));
        self.push(Step { finally: true, timeout: CHANGE, after: after.to_vec(), ..step })
    }

    /// What was found about a backup is recorded.
    pub fn prove(&mut self, backup: &BackupId, after: &[usize]) -> usize {
        self.request.proves = Some(backup.clone());
        let step = Step::named(Verb::Record, format!("{PROVE}{backup}"));
        self.push(Step { finally: true, after: after.to_vec(), ..step })
    }

    fn part(&mut self, mut step: Step, place: Place<'_>, work: PartWork) -> usize {
        // nobody uses yet what is made by the operation itself
        let made = self.request.environment.as_deref().filter(|_| self.request.before.is_none());
        if made.is_some_and(|made| made.name == place.environment) {
            step.class = Class::Safe;
        }
        let position = self.push(step);
        let (environment, application) = (place.environment.to_owned(), place.application.to_owned());
        self.request.parts.push(GroupPart { step: position, environment, application, work });
        position
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }
}

/// Names a change of a record: one that was planned on another record is another one.
fn transition(before: &impl Serialize, after: &impl Serialize) -> String {
    canonical_digest(&json!([before, after]))
}

fn run(verb: &str, place: Place<'_>) -> Step {
    let name = format!("{verb} {} in {}", place.application, place.environment);
    Step { class: Class::Disruptive, ..Step::named(Verb::Run, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_steps() {
        let mut layout = Layout::default();
        let made = layout.make(Environment::new("copy", "c", "copy"));
        let place = Place { environment: "demo", application: "notes" };
        let kept = layout.back_up(place, &BackupRequest::default(), &[made]);
        let copy = Place { environment: "copy", application: "notes" };
        let restored = layout.restore(copy, BackupOf::Step(kept), false, &[kept]);
        assert_eq!(layout.request.parts.iter().map(|part| part.step).collect::<Vec<_>>(), [kept, restored]);
        assert_eq!(layout.steps[restored].note, "from what step 2 made");
        assert_eq!(layout.steps[restored].name, "restore notes in copy");
        assert_eq!(layout.steps[kept].behind, [made]);
    }
}
