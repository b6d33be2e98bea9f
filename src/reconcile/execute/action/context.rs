//! What a function is told: frozen when its run begins.

use serde_json::{Map, Value, json};

use super::super::Hands;
use crate::domain::driver::{ActionSpec, ParameterKind, ParameterSpec};
use crate::domain::{DesiredPhase, DriverVersion, InstanceState, OperationKind, SecretReference};
use crate::operate::StepError;

/// The context of an action of the operation.
pub(super) async fn of(
    hands: &Hands,
    driver: &DriverVersion,
    action: &ActionSpec,
) -> Result<Value, StepError> {
    let (from, to) = versions(hands).await?;
    let frozen = hands.instance.as_ref().map(|instance| instance.context.clone()).unwrap_or_default();
    let parameters = sealed(frozen["parameters"].as_object(), &driver.spec.parameters);
    let answers = hands.operation.action.as_ref().map(|request| request.answers.clone()).unwrap_or_default();
    let prompts = sealed(Some(&answers.into_iter().collect()), &action.prompts);
    let mut whole = frozen;
    if whole.is_object() {
        whole["parameters"] = parameters.clone();
    }
    let services = driver.spec.services.iter();
    Ok(json!({
        "deployment": {
            "name": hands.name.name,
            "environment": hands.operation.subject.environment,
            "namespace": hands.name.namespace,
            "phase": phase(hands).await?.as_str(),
        },
        "hook": action.hook.map(|hook| hook.as_str()),
        "mode": action.hook.map(|_| action.mode.unwrap_or(crate::domain::driver::Mode::Core).as_str()),
        "action": action.name,
        "from_version": from,
        "to_version": to,
        "driver": { "name": driver.reference.name, "version": driver.reference.version },
        "prompts": prompts,
        "parameters": parameters,
        "components": driver.spec.components.keys().collect::<Vec<_>>(),
        "services": services.map(|service| json!({ "name": service.name, "port": service.port })).collect::<Vec<_>>(),
        "context": whole,
        "dry_run": false,
    }))
}

/// Whether it is to run: the actions of one that is stopped have nothing to talk to.
async fn phase(hands: &Hands) -> Result<DesiredPhase, StepError> {
    let Some(id) = hands.operation.goal.deployment else { return Ok(DesiredPhase::Running) };
    let record = hands.engine.store().deployment(id).await?;
    Ok(record.map_or(DesiredPhase::Running, |record| record.phase))
}

/// The application's version that runs, and the one that the operation leads to; none where there is none.
async fn versions(hands: &Hands) -> Result<(Option<String>, Option<String>), StepError> {
    let to = hands.instance.as_ref().map(|instance| instance.application_version.clone());
    let kind = hands.operation.kind;
    let from = match hands.operation.goal.deployment {
        Some(id) if kind != OperationKind::Deploy => {
            let known = hands.engine.store().instances(id).await?;
            let active = known.into_iter().find(|instance| instance.state == InstanceState::Active);
            active.map(|instance| instance.application_version)
        }
        _ => None,
    };
    let to = to.filter(|_| kind != OperationKind::Delete);
    Ok((from, to))
}

/// The values with handles in the place of secrets.
fn sealed(values: Option<&Map<String, Value>>, specs: &[ParameterSpec]) -> Value {
    let secret = |name: &str| specs.iter().any(|spec| spec.name == name && spec.kind == ParameterKind::Secret);
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
