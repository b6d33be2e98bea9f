//! What a function is told. Frozen when its run begins.

use serde_json::{Map, Value, json};

use crate::domain::driver::{ActionSpec, Mode, ParameterKind, ParameterSpec};
use crate::domain::{ActionRequest, DesiredPhase, DriverVersion, Instance, SecretReference};
use crate::reconcile::queue::Name;

/// What the context of an action is made from.
pub(in crate::reconcile) struct Told<'a> {
    /// The deployment.
    pub name: &'a Name,
    /// Its environment.
    pub environment: &'a str,
    /// What it is to be: of one that is stopped nothing runs that could be asked.
    pub phase: DesiredPhase,
    /// Its driver.
    pub driver: &'a DriverVersion,
    /// The action.
    pub action: &'a ActionSpec,
    /// What was answered to its prompts.
    pub request: Option<&'a ActionRequest>,
    /// The instance that the operation applies.
    pub instance: Option<&'a Instance>,
    /// The application's version that runs, and the one that the operation leads to; none where there is none.
    pub versions: (Option<String>, Option<String>),
    /// Whether nothing is done.
    pub dry_run: bool,
}

impl Told<'_> {
    /// The context: secrets are handles.
    pub fn context(&self) -> Value {
        let frozen = self.instance.map(|instance| instance.context.clone()).unwrap_or_default();
        let parameters = sealed(frozen["parameters"].as_object(), &self.driver.spec.parameters);
        let answers = self.request.map(|request| request.answers.clone()).unwrap_or_default();
        let prompts = sealed(Some(&answers.into_iter().collect()), &self.action.prompts);
        let mut whole = frozen;
        if whole.is_object() {
            whole["parameters"] = parameters.clone();
        }
        let spec = &self.driver.spec;
        let services = spec.services.iter().map(|one| json!({ "name": one.name, "port": one.port }));
        let mode = self.action.mode.unwrap_or(Mode::Core);
        json!({
            "deployment": {
                "name": self.name.name,
                "environment": self.environment,
                "namespace": self.name.namespace,
                "phase": self.phase.as_str(),
            },
            "hook": self.action.hook.map(|hook| hook.as_str()),
            "mode": self.action.hook.map(|_| mode.as_str()),
            "action": self.action.name,
            "from_version": self.versions.0,
            "to_version": self.versions.1,
            "driver": { "name": self.driver.reference.name, "version": self.driver.reference.version },
            "prompts": prompts,
            "parameters": parameters,
            "components": spec.components.keys().collect::<Vec<_>>(),
            "services": services.collect::<Vec<_>>(),
            "context": whole,
            "dry_run": self.dry_run,
        })
    }
}

/// The values with handles in the place of secrets.
fn sealed(values: Option<&Map<String, Value>>, specs: &[ParameterSpec]) -> Value {
    let secret =
        |name: &str| specs.iter().any(|spec| spec.name == name && spec.kind == ParameterKind::Secret);
    let entries = values.into_iter().flatten().map(|(name, value)| {
        let reference = SecretReference::read(value).filter(|_| secret(name));
        let value = match reference {
            Some(reference) => json!({ "$secret": { "secret": reference.secret, "key": reference.key } }),
            None => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(entries.collect())
}
