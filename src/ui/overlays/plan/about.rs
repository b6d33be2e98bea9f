//! What a plan is about, in the words of its dialog.

use crate::domain::{ClusterKind, DeploymentDraft, DeploymentId, Intent, World};
use crate::ui::screen::ApplicationKey;

/// What a plan is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its heading until the plan has one of its own.
    pub title: String,
    /// The button that carries it out.
    pub verb: &'static str,
    /// The name that is typed before something is lost: the application's, the location's, the environment's, or the cluster's for
    /// the installation.
    pub name: String,
    /// Where; empty for the installation.
    pub environment: String,
    /// The application's row, once it has one.
    pub id: Option<DeploymentId>,
    /// The application; none for the installation.
    pub key: Option<ApplicationKey>,
    /// The cluster is a real one, not the sandbox.
    pub real: bool,
}

impl About {
    /// What `intent` is about, as the picture has it.
    pub fn new(intent: &Intent, world: &World) -> Self {
        let record = world.cluster.record.as_ref();
        let cluster = record.map_or_else(|| "this cluster".to_owned(), |record| record.name.clone());
        let real = record.is_some_and(|record| record.kind == ClusterKind::Kubeconfig);
        let id = id_of(intent);
        let known = || world.applications.iter().find(|it| Some(it.deployment.id) == id);
        let draft = match intent {
            Intent::Install => None,
            Intent::Deploy(draft) | Intent::Change(_, draft) | Intent::DeployFrom(draft, _) => Some(draft),
            _ => known().map(|application| &application.deployment.draft),
        };
        let words = words(intent, draft, &cluster);
        let place = draft.map_or_else(|| of_environment(intent), |draft| &draft.environment).to_owned();
        let name = draft.map_or_else(|| named(intent, &cluster), |draft| draft.name.clone());
        let key = draft
            .map(|draft| ApplicationKey { environment: draft.environment.clone(), name: draft.name.clone() });
        Self { title: words.0, verb: words.1, name, environment: place, id, key, real }
    }

    /// Whether its environment is a production one.
    pub fn is_production(&self, world: &World) -> bool {
        world.environments.iter().any(|it| it.production && it.name == self.environment)
    }
}

/// The environment that a wish about no single application writes into.
fn of_environment(intent: &Intent) -> &str {
    match intent {
        Intent::BackUpEnvironment(name, _) | Intent::RestoreEnvironment(name, _) => name,
        Intent::Clone(request) => &request.to,
        Intent::SetEnvironment(environment) => &environment.name,
        Intent::RemoveEnvironment(name) => name,
        _ => "",
    }
}

/// What is typed before something is lost, where no single application is.
fn named(intent: &Intent, cluster: &str) -> String {
    match intent {
        Intent::Prune(request) => request.location.clone(),
        Intent::Verify(request) => request.backup.to_string(),
        Intent::Drill(backup) => backup.to_string(),
        _ => Some(of_environment(intent)).filter(|name| !name.is_empty()).unwrap_or(cluster).to_owned(),
    }
}

fn id_of(intent: &Intent) -> Option<DeploymentId> {
    match intent {
        Intent::Install
        | Intent::Deploy(_)
        | Intent::Verify(_)
        | Intent::Drill(_)
        | Intent::Prune(_)
        | Intent::BackUpEnvironment(..)
        | Intent::RestoreEnvironment(..)
        | Intent::DeployFrom(..)
        | Intent::Clone(_)
        | Intent::SetEnvironment(_)
        | Intent::RemoveEnvironment(_)
        | Intent::SetCluster(_) => None,
        Intent::Change(id, _)
        | Intent::Rollback(id, _)
        | Intent::Stop(id)
        | Intent::Start(id)
        | Intent::Restart(id, _)
        | Intent::Scale(id, ..)
        | Intent::Correct(id)
        | Intent::Act(id, _)
        | Intent::Resolve(id, ..)
        | Intent::BackUp(id, _)
        | Intent::Restore(id, _)
        | Intent::Delete(id, _) => Some(*id),
    }
}

/// The heading, and the button that carries it out.
fn words(intent: &Intent, draft: Option<&DeploymentDraft>, cluster: &str) -> (String, &'static str) {
    let it = draft.map_or_else(
        || "an application that is gone".to_owned(),
        |draft| format!("{} in {}", draft.name, draft.environment),
    );
    match intent {
        Intent::Install => (format!("Install Styrmin on {cluster}"), "Install"),
        Intent::Deploy(draft) => (format!("Deploy {} to {}", draft.name, draft.environment), "Deploy"),
        Intent::Change(..) => (format!("Change {it}"), "Change"),
        Intent::Rollback(_, number) => (format!("Roll {it} back to instance {number}"), "Roll back"),
        Intent::Stop(_) => (format!("Stop {it}"), "Stop"),
        Intent::Start(_) => (format!("Start {it}"), "Start"),
        Intent::Restart(..) => (format!("Restart {it}"), "Restart"),
        Intent::Scale(_, component, _) => (format!("Scale {component} of {it}"), "Scale"),
        Intent::Act(_, request) => (format!("Run {} on {it}", request.action), "Run"),
        Intent::Correct(_) => (format!("Set {it} right"), "Set right"),
        Intent::Resolve(_, object, _) => (format!("Settle who has the fields of {object}"), "Settle"),
        Intent::Delete(..) => (format!("Delete {it}"), "Delete"),
        Intent::BackUp(..) => (format!("Back up {it}"), "Back up"),
        Intent::Restore(_, request) => (format!("Restore {it} from {}", request.backup), "Restore"),
        Intent::Verify(request) => (format!("Verify {}", request.backup), "Verify"),
        Intent::Drill(backup) => (format!("Prove that {backup} can be restored"), "Begin"),
        Intent::Prune(request) if request.backups.is_empty() && request.orphans.is_empty() => {
            (format!("Give back the room in {} that nothing needs", request.location), "Prune")
        }
        Intent::Prune(request) => (format!("Delete backups in {}", request.location), "Delete"),
        Intent::BackUpEnvironment(name, _) => (format!("Back up all of {name}"), "Back up"),
        Intent::RestoreEnvironment(name, _) => (format!("Restore {name}"), "Restore"),
        Intent::DeployFrom(draft, backup) => {
            (format!("Deploy {} to {} from {backup}", draft.name, draft.environment), "Deploy")
        }
        Intent::Clone(request) => (format!("Clone {} as {}", request.from, request.to), "Clone"),
        Intent::SetEnvironment(environment) => (format!("Configure {}", environment.name), "Configure"),
        Intent::RemoveEnvironment(name) => (format!("Remove the environment {name}"), "Remove"),
        Intent::SetCluster(record) => (format!("Configure {}", record.name), "Configure"),
    }
}
