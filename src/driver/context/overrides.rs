//! What a deployment overrides for the components of its driver: merged over the driver's defaults.

use serde_json::{Map, Value, json};

use super::super::suggest;
use super::ContextSources;
use crate::domain::{ComponentOverride, DriverVersion, Problem};

/// Merges the overrides of the deployment into the components.
///
/// # Errors
/// The driver has no such component, or does not let its command or arguments be overridden.
pub(super) fn merge(
    sources: &ContextSources<'_>,
    components: &mut Map<String, Value>,
) -> Result<(), Problem> {
    for (name, given) in &sources.deployment.draft.components {
        let Some(component) = components.get_mut(name) else {
            let hint = suggest::hint(name, sources.driver.spec.components.keys().map(String::as_str));
            return Err(refusal(
                sources.driver,
                format!("it has no component '{name}'"),
                if hint.is_empty() { "leave the override out".to_owned() } else { hint },
            ));
        };
        check(sources.driver, name, given)?;
        apply(component, given);
    }
    Ok(())
}

fn check(driver: &DriverVersion, name: &str, given: &ComponentOverride) -> Result<(), Problem> {
    let allowed = &driver.spec.container_overrides;
    let may = |what: &str| {
        let matching =
            allowed.iter().filter(|entry| if what == "command" { entry.command } else { entry.args });
        let names: Vec<&str> = matching.map(|entry| entry.component.as_str()).collect();
        if names.contains(&name) {
            return Ok(());
        }
        let hint = suggest::hint(name, names);
        let why = format!("it does not let the {what} of '{name}' be overridden (container_overrides)");
        let next = if hint.is_empty() { "leave it out".to_owned() } else { format!("leave it out; {hint}") };
        Err(refusal(driver, why, next))
    };
    if !given.command.is_empty() {
        may("command")?;
    }
    if !given.args.is_empty() {
        may("args")?;
    }
    Ok(())
}

fn apply(component: &mut Value, given: &ComponentOverride) {
    if let Some(replicas) = given.replicas {
        component["replicas"] = json!(replicas);
    }
    for (name, list) in [("command", &given.command), ("args", &given.args)] {
        if !list.is_empty() {
            component[name] = json!(list);
        }
    }
    let Some(variables) = component.get_mut("env").and_then(Value::as_array_mut) else { return };
    for (name, value) in &given.env {
        let variable = json!({ "name": name, "value": value });
        match variables.iter_mut().find(|known| known["name"] == *name) {
            Some(known) => *known = variable,
            None => variables.push(variable),
        }
    }
}

fn refusal(driver: &DriverVersion, why: String, next: String) -> Problem {
    Problem::new(format!("The driver {} cannot be overridden like this", driver.reference), why, next)
}
