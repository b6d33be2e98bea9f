//! Makes the calls of a function: on the cluster, for one deployment.

mod commands;
mod components;
mod job;

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::Hands;
use super::journal::Book;
use super::printer::Printer;
use super::secrets::Secrets;
use crate::cluster::{ClusterError, HttpAnswer, ServiceRequest};
use crate::domain::call::OutputSource;
use crate::domain::{DriverVersion, Intent, Problem, suggest};
use crate::driver::context::service_name;
use crate::hooks::{Call, CallError, HttpCheck, Performer, Text};
use crate::operate::{StepErrorKind, StepRun};

/// How much of an output a function gets, in bytes.
const KEPT: usize = 64 << 10;
/// The pause between two looks at a service that is not as it should be yet.
const AGAIN: Duration = Duration::from_secs(1);

/// Who makes the calls of one run.
pub(super) struct Doer<'a> {
    pub hands: &'a Hands,
    pub driver: &'a DriverVersion,
    pub run: StepRun<'a>,
    /// Which run of the step.
    pub number: u32,
    pub book: &'a Book<'a>,
    pub printer: &'a Printer,
    pub secrets: &'a Secrets,
}

impl Performer for Doer<'_> {
    async fn perform(&self, call: &Call, doubt: bool, position: u32) -> Result<Value, CallError> {
        // what was begun by an engine that is over is not made twice
        self.hands.check_epoch().await;
        match call {
            Call::StopComponents { components, timeout } => self.stop(components.as_deref(), *timeout).await,
            Call::StartComponents { components, timeout } => {
                self.start(components.as_deref(), *timeout).await
            }
            Call::Scale { component, replicas } => self.scale(component, *replicas).await,
            Call::Restart { components } => self.restart(components.as_deref(), position).await,
            Call::WaitReady { components, timeout } => self.wait_ready(components.as_deref(), *timeout).await,
            Call::ExecuteCommands(commands) => self.execute_commands(commands, doubt).await,
            Call::RunJob(job) => self.run_job(job, position, doubt).await,
            Call::HttpCheck(check) => self.http_check(check).await,
            Call::UpgradeDeploymentVersion { version } => self.upgrade(version).await,
            Call::BackUp => self.back_up(position).await,
            Call::Log { text } => {
                self.printer.print(OutputSource::Log, text).await;
                Ok(Value::Null)
            }
            Call::Progress { done, total, text } => {
                self.printer.print(OutputSource::Log, &progress(*done, *total, text.as_deref())).await;
                Ok(Value::Null)
            }
            Call::Sleep { time } => {
                self.sleep(*time, position).await;
                Ok(Value::Null)
            }
            Call::Now => Ok(json!(self.book.begun(position).to_string())),
            // what JSON and Starlark hold exactly
            Call::Random => Ok(json!(self.hands.engine.random().next() >> 11)),
        }
    }
}

impl Doer<'_> {
    /// Until so long after the call was first made.
    async fn sleep(&self, time: Duration, position: u32) {
        let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        let until = self.book.begun(position).saturating_add(time);
        let Ok(until) = until else { return };
        let left = until.duration_since(self.hands.engine.clock().now());
        tokio::time::sleep(left.try_into().unwrap_or_default()).await;
    }

    /// Makes a backup: the same one when the call is made again.
    async fn back_up(&self, position: u32) -> Result<Value, CallError> {
        let mark = format!("{}.{}.{position}", self.run.position, self.number);
        match self.hands.engine.extension().back_up(self.run, &mark).await {
            Ok(id) => Ok(json!(id)),
            Err(error) if error.kind == StepErrorKind::Lasting => Err(CallError::Refused(error.problem)),
            Err(error) => Err(CallError::Transient(error.problem)),
        }
    }

    async fn http_check(&self, check: &HttpCheck) -> Result<Value, CallError> {
        let services = &self.driver.spec.services;
        let Some(service) = services.iter().find(|service| service.name == check.service) else {
            let hint = suggest::hint(&check.service, services.iter().map(|service| service.name.as_str()));
            return Err(refused(format!("there is no service '{}'", check.service), hint));
        };
        let request = ServiceRequest {
            namespace: self.hands.name.namespace.clone(),
            service: service_name(&self.hands.name.name, &service.name),
            port: service.port.to_string(),
            tls: false,
            path: check.path.clone(),
            timeout: check.timeout,
        };
        let ask = async {
            let mut said = String::new();
            loop {
                let seen = self.hands.engine.cluster().http_get(&request).await;
                let problem = match seen {
                    Ok(answer) => match judge(check, &answer) {
                        None => {
                            let body = String::from_utf8_lossy(&answer.body);
                            let body = match answer.truncated {
                                true => self.printer.mask().cover_cut(&body),
                                false => self.printer.cover(&body),
                            };
                            return Ok(
                                json!({ "status": answer.status, "millis": answer.millis, "body": body }),
                            );
                        }
                        Some(why) => why,
                    },
                    Err(error @ (ClusterError::Forbidden { .. } | ClusterError::Invalid { .. })) => {
                        return Err(CallError::Refused(error.problem()));
                    }
                    Err(error) => error.problem().why,
                };
                if problem != said {
                    self.printer.print(OutputSource::Note, &problem).await;
                    said = problem;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        tokio::time::timeout(check.timeout, ask).await.unwrap_or_else(|_| {
            let (name, path, seconds) = (&check.service, &check.path, check.timeout.as_secs());
            Err(refused(
                format!("http_check: {name}{path} did not answer as it should within {seconds} s"),
                "see what it answered in the lines of this step",
            ))
        })
    }

    /// The operation of an upgrade changes the version itself; a manual action wishes for another one.
    async fn upgrade(&self, version: &str) -> Result<Value, CallError> {
        let operation = &self.hands.operation;
        let Some(id) = operation.goal.deployment else {
            return Err(refused("upgrade_deployment_version: the deployment is not recorded", ""));
        };
        let record = self
            .hands
            .engine
            .store()
            .deployment(id)
            .await
            .map_err(|error| CallError::Transient(error.into()))?;
        let Some(record) = record else {
            return Err(refused("upgrade_deployment_version: the deployment is not recorded", ""));
        };
        if record.draft.application_version == version {
            return Ok(Value::Null);
        }
        if operation.action.is_none() {
            let why =
                format!("the operation leads to {}, and changes it itself", record.draft.application_version);
            return Err(refused(
                format!("upgrade_deployment_version: it cannot be {version} at a hook"),
                why,
            ));
        }
        let mut draft = record.draft;
        version.clone_into(&mut draft.application_version);
        let wish = Intent::Change(id, draft);
        let engine = &self.hands.engine;
        let recorded = async {
            let plan = engine.preview(&wish).await?.plan;
            Box::pin(engine.confirm(&wish, &plan.hash(), &operation.origin.actor)).await
        };
        Box::pin(recorded).await.map(|_| Value::Null).map_err(CallError::Refused)
    }

    /// A text, or the value of a secret.
    fn reveal(&self, text: &Text) -> Result<String, CallError> {
        match text {
            Text::Plain(text) => Ok(text.clone()),
            Text::Secret(reference) => {
                self.secrets.get(reference).map(|value| value.reveal().to_owned()).map_err(CallError::Refused)
            }
        }
    }
}

/// What is not as it should be of an answer.
fn judge(check: &HttpCheck, answer: &HttpAnswer) -> Option<String> {
    if answer.status != check.status {
        return Some(format!(
            "{}{} answered {}, not {}",
            check.service, check.path, answer.status, check.status
        ));
    }
    let wanted = check.contains.as_ref()?;
    let body = String::from_utf8_lossy(&answer.body);
    (!body.contains(wanted.as_str()))
        .then(|| format!("{}{} answered without '{wanted}'", check.service, check.path))
}

fn progress(done: f64, total: Option<f64>, text: Option<&str>) -> String {
    let text = text.map_or_else(String::new, |text| format!("  {text}"));
    match total {
        Some(total) if total > 0.0 => {
            format!("{done}/{total} ({:.0} %){text}", (done / total * 100.0).clamp(0.0, 100.0))
        }
        _ => format!("{done}{text}"),
    }
}

/// The function fails at a call.
fn refused(what: impl Into<String>, why: impl Into<String>) -> CallError {
    CallError::Refused(Problem::new(what, why, ""))
}

/// A failure of the cluster at a call that may be made twice.
fn failed(error: ClusterError) -> CallError {
    match error.is_transient() {
        true => CallError::Transient(error.problem()),
        false => CallError::Refused(error.problem()),
    }
}
