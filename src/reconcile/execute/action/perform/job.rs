//! Calls that run a Job.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::commands::printing;
use super::{Doer, KEPT, failed, refused};
use crate::cluster::{DeleteOptions, JOB_KEPT_FOR, JobSpec, JobValue, job, key, lent};
use crate::domain::call::CallOutcome;
use crate::domain::call::{OutputSource, StepId};
use crate::domain::names::{LABEL_MAX, bounded, short_hash};
use crate::domain::{ObjectKey, OperationView, Problem, StepState, labels};
use crate::hooks::{CallError, RunJob, Text};
use crate::operate::StepRun;
use crate::reconcile::compose::ACTION;
use crate::reconcile::engine::Engine;
use crate::reconcile::queue::Name;
use crate::store::StoreError;

/// How far the clocks of this machine and of the cluster may be apart.
const MARGIN: Duration = Duration::from_secs(300);
/// How long the end of a step is waited for.
const SOON: Duration = Duration::from_secs(10);

impl Doer<'_> {
    pub(super) async fn run_job(
        &self,
        call: &RunJob,
        position: u32,
        doubt: bool,
    ) -> Result<Value, CallError> {
        let template = self.template(call).await?;
        let spec = JobSpec {
            namespace: self.hands.name.namespace.clone(),
            name: job_name(&self.hands.name.name, &self.run, (self.number, position), &call.name),
            labels: self.job_labels(),
            container: None,
            image: call.image.clone(),
            command: call.command.clone(),
            args: call.args.clone(),
            env: call.env.iter().map(|(name, value)| (name.clone(), variable(value))).collect(),
            timeout: call.timeout,
        };
        let made =
            job(&spec, template.as_ref()).map_err(|why| refused(format!("run_job: {}", call.name), why))?;
        if doubt && self.is_forgotten(&key(&made), position).await? {
            return Err(CallError::InDoubt(forgotten(call, &spec.name)));
        }
        self.printer.print(OutputSource::Note, &format!("Job {}", spec.name)).await;
        let (output, lines) = printing(self.printer);
        let step = StepId { operation: self.run.operation.id, position: self.run.position };
        let leash = Leash { engine: self.hands.engine.clone(), step, job: Some(key(&made)) };
        let cluster = self.hands.engine.cluster();
        let (ended, ()) = tokio::join!(cluster.run_job(&made, KEPT, Some(output)), lines);
        let ended = ended.map_err(failed)?;
        leash.release();
        let log = self.printer.cover_captured(&ended.log);
        if let Some(why) = &ended.log_problem {
            self.printer.print(OutputSource::Note, why).await;
        }
        if call.check && !ended.succeeded {
            let code = ended.exit_code.map_or_else(String::new, |code| format!(" with exit code {code}"));
            let what = format!("run_job: {} failed{code}: {}", call.name, ended.reason);
            return Err(refused(what, ended.message));
        }
        let mut result = json!({
            "succeeded": ended.succeeded, "exit_code": ended.exit_code, "log": log,
            "truncated": ended.log.is_truncated(),
        });
        if let Some(digest) = self.digest(&ended.log) {
            result["log_digest"] = json!(digest);
        }
        Ok(result)
    }

    /// The pods of the component, as its workload makes them.
    async fn template(&self, call: &RunJob) -> Result<Option<Value>, CallError> {
        let Some(component) = &call.component else { return Ok(None) };
        self.check_component(component)?;
        let Some(workload) = self.workloads(std::slice::from_ref(component)).into_iter().next() else {
            return Err(refused(format!("run_job: the component '{component}' has no workload"), ""));
        };
        let live = self.hands.engine.cluster().get(&workload).await.map_err(failed)?;
        Ok(live.map(|live| lent(&live)))
    }

    /// Whether a Job that a call may have made is not there, and was begun so long ago that it may have come and gone.
    async fn is_forgotten(&self, job: &ObjectKey, position: u32) -> Result<bool, CallError> {
        let engine = &self.hands.engine;
        let age = engine.clock().now().duration_since(self.book.begun(position));
        let goes = SignedDuration::try_from(JOB_KEPT_FOR - MARGIN).unwrap_or(SignedDuration::MAX);
        Ok(age >= goes && engine.cluster().get(job).await.map_err(failed)?.is_none())
    }

    /// Not those of the deployment: it is no part of what should run.
    fn job_labels(&self) -> BTreeMap<String, String> {
        let made = self.run.labels().into_iter().map(|(name, value)| (name.to_owned(), value));
        let ours = (labels::MANAGED_BY.to_owned(), labels::MANAGER.to_owned());
        made.chain([ours]).collect()
    }
}

/// The name of the Job of a call, by the number of its run and its position in that: the same at every try of the call, and never
/// that of another one.
fn job_name(app: &str, step: &StepRun<'_>, (run, position): (u32, u32), call: &str) -> String {
    let operation = step.operation;
    let parts = [
        operation.times.created.to_string(),
        operation.plan_hash.clone(),
        operation.id.to_string(),
        step.position.to_string(),
        run.to_string(),
        position.to_string(),
    ];
    let hash = short_hash(&parts.each_ref().map(String::as_str));
    let head = bounded(&[app, call], LABEL_MAX - hash.len() - 1);
    format!("{head}-{hash}")
}

fn forgotten(call: &RunJob, name: &str) -> Problem {
    Problem::new(
        format!("Did the Job {} do its work?", call.name),
        format!(
            "Styrmin ended before it could note what came of it, and Job/{name} is not there any more: it may have ended long ago"
        ),
        "look at what it works on, and answer: done (the action goes on behind it), repeat, or fail",
    )
}

impl Engine {
    /// Takes away the Jobs that steps of an ended operation may have left at work: those that a crash cut off before it ended.
    ///
    /// # Errors
    /// The records cannot be read. What the cluster refuses goes when its time is over.
    pub(in crate::reconcile) async fn drop_jobs(
        &self,
        name: &Name,
        ended: &OperationView,
    ) -> Result<(), StoreError> {
        let operation = &ended.operation;
        for (position, (step, record)) in operation.plan.steps.iter().zip(&ended.steps).enumerate() {
            let left = record.started.is_some() && record.state != StepState::Succeeded;
            if !left || !step.name.starts_with(ACTION) {
                continue;
            }
            let id = StepId { operation: operation.id, position };
            let Some(run) = self.store().newest_run(id).await? else { continue };
            let Some(last) = run.calls.last().filter(|last| last.name == "run_job") else { continue };
            if !matches!(last.outcome, CallOutcome::Open | CallOutcome::Undone(_)) {
                continue;
            }
            let number = u32::try_from(run.calls.len() - 1).unwrap_or(u32::MAX);
            let made = StepRun { operation, position, step, attempt: record.attempt };
            let call = last.arguments["name"].as_str().unwrap_or_default();
            let job = ObjectKey {
                api_version: "batch/v1".to_owned(),
                kind: "Job".to_owned(),
                namespace: name.namespace.clone(),
                name: job_name(&name.name, &made, (run.number, number), call),
            };
            if let Err(error) = self.cluster().delete(&job, &DeleteOptions::default()).await {
                tracing::debug!(%error, "a Job stays until its time is over");
            }
        }
        Ok(())
    }
}

fn variable(value: &Text) -> JobValue {
    match value {
        Text::Plain(text) => JobValue::Plain(text.clone()),
        Text::Secret(reference) => {
            JobValue::Secret { secret: reference.secret.clone(), key: reference.key.clone() }
        }
    }
}

/// Takes a Job away when its step has ended without it: then its work is not wanted any more. An engine that ends leaves it to
/// the next one, which finds it.
struct Leash {
    engine: Engine,
    step: StepId,
    job: Option<ObjectKey>,
}

impl Leash {
    fn release(mut self) {
        self.job = None;
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        let Some(job) = self.job.take() else { return };
        let (engine, step) = (self.engine.clone(), self.step);
        tokio::spawn(async move {
            if !matches!(tokio::time::timeout(SOON, has_ended(&engine, step)).await, Ok(true)) {
                return;
            }
            if let Err(error) = engine.cluster().delete(&job, &DeleteOptions::default()).await {
                tracing::debug!(%error, "a Job stays until its time is over");
            }
        });
    }
}

/// Waits until the step has ended, as the journal says.
async fn has_ended(engine: &Engine, step: StepId) -> bool {
    let mut changes = engine.store().changes();
    loop {
        changes.mark_unchanged();
        match engine.store().step(step.operation, step.position).await {
            Ok(record) if record.state.is_final() => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
        if changes.changed().await.is_err() {
            return false;
        }
    }
}
