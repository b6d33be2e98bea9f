//! Installing Styrmin on a cluster, as an operation: what a crash interrupts is carried on by whoever leads next.

use crate::cluster::ClusterError;
use crate::domain::operation::{Goal, Origin, Subject};
use crate::domain::plan::Verb;
use crate::domain::{OperationKind, OperationState, OperationView, Problem};
use crate::operate::{Done, Executor, Probed, StepError, StepRun};
use crate::store::NewOperation;

use super::engine::Engine;
use super::execute::{failed, lasting};

/// The hands of an installation.
struct Installer(Engine);

impl Executor for Installer {
    async fn execute(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let cluster = self.0.cluster();
        match (run.step.verb, &run.step.object) {
            (Verb::Wait, _) => cluster.until_installed().await.map_err(lasting)?,
            (_, Some(object)) => match cluster.install_object(object).await {
                Err(ClusterError::Other { object, message }) => {
                    return Err(lasting(Problem::new(object, message, "plan the installation again")));
                }
                other => other.map_err(failed)?,
            },
            (_, None) => {}
        }
        Ok(Done::default())
    }

    async fn probe(&self, _run: StepRun<'_>) -> Result<Probed, StepError> {
        Ok(Probed::NotDone)
    }

    async fn is_wanted(&self) -> bool {
        true
    }
}

impl Engine {
    /// Installs Styrmin by the plan with this hash: the holder of the engine does it, and it is waited for.
    pub(super) async fn install(&self, plan_hash: &str, actor: &str) -> Result<(), Problem> {
        let plan = self.cluster().installation().await?;
        super::confirm::check_hash(&plan, plan_hash)?;
        let new = NewOperation {
            subject: self.cluster_subject(),
            kind: OperationKind::Install,
            plan,
            origin: Origin {
                actor: actor.to_owned(),
                cause: "confirmed in the cockpit".to_owned(),
                confirmed: true,
            },
            goal: Goal::default(),
            instance: None,
            action: None,
            request: None,
            parent: None,
        };
        let mut recorded = self.store().changes();
        let id = self.store().begin_operation(new, None).await?.id;
        loop {
            recorded.mark_unchanged();
            let view = self.store().operation(id).await?;
            if let Some(view) = view.filter(|view| view.operation.state.is_final()) {
                return outcome(&view);
            }
            if recorded.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Carries on with the installation that is recorded, until it ends.
    pub(super) async fn carry_installation(&self) -> Result<(), Problem> {
        let latest = self.store().current_operation(&self.cluster_subject()).await?;
        let Some(view) = latest.filter(|view| !view.operation.state.is_final()) else { return Ok(()) };
        let (_kept, moved) = tokio::sync::watch::channel(0);
        self.runner().run(&view.operation, &Installer(self.clone()), moved).await?;
        Ok(())
    }

    /// What an operation on the cluster itself is about.
    fn cluster_subject(&self) -> Subject {
        self.subject("", "")
    }
}

/// What came of an installation that ended.
fn outcome(ended: &OperationView) -> Result<(), Problem> {
    match (ended.operation.state, ended.first_problem()) {
        (OperationState::Succeeded, _) => Ok(()),
        (_, Some((_, problem))) => Err(problem.clone()),
        (state, None) => Err(Problem::new(
            format!("the installation is {}", state.as_str().to_lowercase()),
            "see its steps",
            "plan it again",
        )),
    }
}
