//! Calls that run a Job.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::commands::printing;
use super::{Doer, KEPT, failed, refused};
use crate::cluster::{DeleteOptions, JobSpec, JobValue, job, key};
use crate::domain::call::{OutputSource, StepId};
use crate::domain::names::{LABEL_MAX, bounded, short_hash};
use crate::domain::{ObjectKey, labels};
use crate::hooks::{CallError, RunJob, Text};
use crate::reconcile::engine::Engine;

/// How long the end of a step is waited for.
const SOON: Duration = Duration::from_secs(10);

impl Doer<'_> {
    pub(super) async fn run_job(&self, call: &RunJob, position: u32) -> Result<Value, CallError> {
        let template = self.template(call).await?;
        let spec = JobSpec {
            namespace: self.hands.name.namespace.clone(),
            name: self.job_name(call, position),
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
        self.printer.print(OutputSource::Note, &format!("Job {}", spec.name)).await;
        let (output, lines) = printing(self.printer);
        let step = StepId { operation: self.run.operation.id, position: self.run.position };
        let leash = Leash { engine: self.hands.engine.clone(), step, job: Some(key(&made)) };
        let cluster = self.hands.engine.cluster();
        let (ended, ()) = tokio::join!(cluster.run_job(&made, KEPT, Some(output)), lines);
        let ended = ended.map_err(failed)?;
        leash.release();
        let log = self.printer.cover(&ended.log.text());
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
        if !self.driver.spec.components.contains_key(component) {
            let known = self.driver.spec.components.keys().map(String::as_str);
            let hint = crate::domain::suggest::hint(component, known);
            return Err(refused(format!("there is no component '{component}'"), hint));
        }
        let Some(workload) = self.workloads(std::slice::from_ref(component)).into_iter().next() else {
            return Err(refused(format!("run_job: the component '{component}' has no workload"), ""));
        };
        let live = self.hands.engine.cluster().get(&workload).await.map_err(failed)?;
        Ok(live.map(|live| live["spec"]["template"].clone()))
    }

    /// The same at every try of the call, and never that of another one.
    fn job_name(&self, call: &RunJob, position: u32) -> String {
        let operation = self.run.operation;
        let parts = [
            operation.times.created.to_string(),
            operation.plan_hash.clone(),
            operation.id.to_string(),
            self.run.position.to_string(),
            self.number.to_string(),
            position.to_string(),
        ];
        let hash = short_hash(&parts.each_ref().map(String::as_str));
        let head = bounded(&[&self.hands.name.name, &call.name], LABEL_MAX - hash.len() - 1);
        format!("{head}-{hash}")
    }

    /// Not those of the deployment: it is no part of what should run.
    fn job_labels(&self) -> BTreeMap<String, String> {
        let made = self.run.labels().into_iter().map(|(name, value)| (name.to_owned(), value));
        let ours = (labels::MANAGED_BY.to_owned(), labels::MANAGER.to_owned());
        made.chain([ours]).collect()
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
