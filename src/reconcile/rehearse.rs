//! A rehearsal: the function of an action runs, and nothing that it asks for is done. What it would do is told.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::engine::Engine;
use super::execute::action::context::Told;
use super::queue::Name;
use crate::domain::{Intent, Problem};
use crate::hooks::{self, Call, CallError, End, MemoryJournal, Performer, Program, written};

impl Engine {
    /// What the action of `intent` would call, one line per call, as if every call went well.
    ///
    /// # Errors
    /// `intent` is no action, or not one that could be asked for; see [`Self::preview`].
    pub async fn rehearse(&self, intent: &Intent) -> Result<Vec<String>, Problem> {
        let wish = self.wish(intent).await?;
        let record = &wish.order.record;
        let Some(request) = &wish.order.action else {
            return Err(Problem::new("Only actions are rehearsed", "this is no action", "look at its plan"));
        };
        let instance = self.store().latest_instance(record.id).await?;
        let driver = match &instance {
            Some(instance) => self.driver(&instance.driver).await?,
            None => None,
        };
        let driver = driver.unwrap_or_default();
        let Some(action) = driver.spec.actions.iter().find(|action| action.name == request.action) else {
            let actions = &driver.spec.actions;
            return Err(super::draw::no_such_action(&record.draft.name, &request.action, actions));
        };
        let active = self.store().active_instance(record.id).await?;
        let version = active.map(|instance| instance.application_version);
        let namespace = wish.setting.environment.namespace.clone();
        let told = Told {
            name: &Name { namespace, name: record.draft.name.clone() },
            environment: &record.draft.environment,
            phase: record.phase,
            driver: &driver,
            action,
            request: Some(request),
            instance: instance.as_ref(),
            versions: (version.clone(), version),
            dry_run: true,
        };
        let program = Program {
            files: Arc::new(driver.files.clone()),
            file: action.file().to_owned(),
            function: action.function().to_owned(),
            context: told.context(),
        };
        let (journal, understudy) = (MemoryJournal::default(), Understudy::new(self));
        let end = hooks::run(self.worker(), &program, &journal, &understudy).await;
        let mut lines: Vec<String> = (journal.records().iter())
            .map(|record| written(&record.note.name, &record.note.arguments))
            .collect();
        lines.extend(last_line(end));
        Ok(lines)
    }
}

fn last_line(end: End) -> Option<String> {
    match end {
        End::Returned(value) if value.is_null() => None,
        End::Returned(value) => Some(format!("it gives {value}")),
        End::Failed(failure) => Some(format!("it fails: {failure}")),
        End::InDoubt(problem) | End::Diverged(problem) | End::Transient(problem) => {
            Some(format!("it stops: {problem}"))
        }
    }
}

/// Answers as if all went well.
struct Understudy<'a> {
    engine: &'a Engine,
    asked: Mutex<u32>,
}

impl<'a> Understudy<'a> {
    /// More calls than people read end a rehearsal.
    const CALLS: u32 = 1000;

    fn new(engine: &'a Engine) -> Self {
        Self { engine, asked: Mutex::new(0) }
    }
}

impl Performer for Understudy<'_> {
    async fn perform(&self, call: &Call, _doubt: bool, _position: u32) -> Result<Value, CallError> {
        let count = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked += 1;
            *asked
        };
        if count > Self::CALLS {
            let what = format!("it makes more than {} calls: the rehearsal ends here", Self::CALLS);
            return Err(CallError::Refused(Problem::new(what, "", "")));
        }
        let ran = json!({ "exit_code": 0, "stdout": "", "stderr": "", "truncated": false });
        Ok(match call {
            Call::ExecuteCommands(call) if call.single => ran,
            Call::ExecuteCommands(call) => Value::Array(vec![ran; call.commands.len()]),
            Call::RunJob(_) => json!({ "succeeded": true, "exit_code": 0, "log": "", "truncated": false }),
            Call::HttpCheck(check) => json!({ "status": check.status, "millis": 0, "body": "" }),
            Call::Now => json!(self.engine.clock().now().to_string()),
            Call::Random => json!(self.engine.random().next() >> 11),
            _ => Value::Null,
        })
    }
}
