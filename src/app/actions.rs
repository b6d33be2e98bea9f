//! Actions from the command line: what there is to run, and following one until it has ended.

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::attended::{Interrupt, Interrupts};
use super::backups::Beginner;
use super::output::Output;
use super::session::Session;
use crate::domain::call::{StepId, StepOutput};
use crate::domain::driver::ActionSpec;
use crate::domain::plan::Verb;
use crate::domain::{
    Deployment, Intent, OperationId, OperationKind, OperationView, Plan, Problem, StepState,
};
use crate::store::Store;

/// How many lines are told at once: all that are kept.
const LINES: u32 = 10_000;
/// How many pieces of output may wait to be printed.
const WAITING: usize = 16;

/// A deployment, and what a person can start on it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The cluster that it is on.
    pub cluster: String,
    /// The deployment.
    pub deployment: Deployment,
    /// All actions of its driver, those at hooks too; none when its driver is not recorded.
    pub actions: Vec<ActionSpec>,
    /// The operations of it that ran an action, newest first.
    pub runs: Vec<OperationView>,
}

impl Offer {
    /// The action of this name that a person can start.
    pub fn action(&self, name: &str) -> Option<&ActionSpec> {
        self.actions.iter().find(|action| action.hook.is_none() && action.name == name)
    }

    /// The last run of an action.
    pub fn last(&self, name: &str) -> Option<&OperationView> {
        let is_it = |view: &&OperationView| {
            view.operation.action.as_ref().is_some_and(|request| request.action == name)
        };
        self.runs.iter().find(is_it)
    }
}

/// Every deployment of a cluster, of all when none is named, with its actions: by environment and name.
///
/// # Errors
/// The records cannot be read.
pub async fn offers(store: &Store, cluster: Option<&str>) -> Result<Vec<Offer>, Problem> {
    let drivers = store.drivers().await?;
    let mut offers = Vec::new();
    for record in store.clusters().await? {
        if cluster.is_some_and(|wanted| wanted != record.name) {
            continue;
        }
        let operations = store.operations(&record.name, u32::MAX).await?;
        for deployment in store.deployments(&record.name).await? {
            let draft = &deployment.draft;
            let driver = drivers.iter().find(|driver| driver.reference == draft.driver);
            let is_its = |view: &&OperationView| {
                let (operation, subject) = (&view.operation, &view.operation.subject);
                operation.kind == OperationKind::Action
                    && subject.environment == draft.environment
                    && subject.name == draft.name
            };
            offers.push(Offer {
                cluster: record.name.clone(),
                actions: driver.map(|driver| driver.spec.actions.clone()).unwrap_or_default(),
                runs: operations.iter().filter(is_its).cloned().collect(),
                deployment,
            });
        }
    }
    offers.sort_by_key(|offer| {
        let draft = &offer.deployment.draft;
        (offer.cluster.clone(), draft.environment.clone(), draft.name.clone())
    });
    Ok(offers)
}

/// Records what was confirmed, and finds its operation.
///
/// # Errors
/// The plan is not the one that was shown any more, or it cannot be recorded.
pub async fn begin(session: &Session, intent: &Intent, plan: &Plan) -> Result<OperationId, Problem> {
    Beginner::of(session).begin(intent, plan, session.actor()).await
}

/// What happens while an action runs.
#[derive(Debug)]
pub enum News {
    /// It called or printed something.
    Output(StepOutput),
    /// A step waits for what a person says.
    Asks(Problem),
    /// It was asked to end.
    Cancelling,
}

/// How the following ended.
#[derive(Debug)]
pub enum End {
    /// The operation has ended.
    Ended(Box<OperationView>),
    /// It goes on, and nobody looks on here any more.
    Left,
}

/// Follows an operation until it has ended. The first ctrl-c asks that it ends, the second leaves it alone.
///
/// # Errors
/// The records cannot be read, or the wish to cancel not be recorded.
pub async fn follow(
    session: &Session,
    id: OperationId,
    interrupts: &mut Interrupts,
    mut tell: impl FnMut(News),
) -> Result<End, Problem> {
    let mut changes = session.store.changes();
    let mut view = read(session, id).await?;
    let (mut outputs, _forwarding) = outputs(session, &view);
    let (mut asks, mut cancelled) = (None, false);
    loop {
        if asking(&view) != asks {
            asks = asking(&view);
            asks.clone().map(News::Asks).into_iter().for_each(&mut tell);
        }
        tokio::select! {
            output = outputs.recv() => match output {
                Some(Ok(output)) => tell(News::Output(output)),
                Some(Err(problem)) => return Err(problem),
                // everything is told, and the operation has ended
                None => break,
            },
            changed = changes.changed() => {
                changed.map_err(|_| Problem::from(crate::store::StoreError::Closed))?;
                view = read(session, id).await?;
            }
            interrupt = interrupts.next() => {
                if cancelled || interrupt == Interrupt::Leave {
                    return Ok(End::Left);
                }
                cancelled = true;
                session.engine.cancel(id, session.actor()).await?;
                tell(News::Cancelling);
            }
        }
    }
    Ok(End::Ended(Box::new(read(session, id).await?)))
}

async fn read(session: &Session, id: OperationId) -> Result<OperationView, Problem> {
    session.store.operation(id).await?.ok_or_else(|| {
        Problem::new(format!("Operation {id} is gone"), "it is not recorded any more", "look at the cockpit")
    })
}

/// The output of the step that runs the function, as it comes; it ends with the operation.
fn outputs(
    session: &Session,
    view: &OperationView,
) -> (mpsc::Receiver<Result<StepOutput, Problem>>, AbortOnDropHandle<()>) {
    let steps = &view.operation.plan.steps;
    let position = steps.iter().rposition(|step| step.verb == Verb::Run && step.object.is_none());
    let step = StepId { operation: view.operation.id, position: position.unwrap_or(0) };
    let mut output = Output::new(session.store.clone(), step, LINES);
    let (sender, receiver) = mpsc::channel(WAITING);
    let forwarding = tokio::spawn(async move {
        while let Some(new) = output.next().await {
            if sender.send(new).await.is_err() {
                return;
            }
        }
    });
    (receiver, AbortOnDropHandle::new(forwarding))
}

/// What a person is asked about it.
fn asking(view: &OperationView) -> Option<Problem> {
    let steps = view.steps.iter().filter(|step| step.state == StepState::Asking);
    steps.filter_map(|step| step.problem.clone()).next()
}
