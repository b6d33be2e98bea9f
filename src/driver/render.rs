//! From a driver version and a context to the objects that are applied.
//!
//! Templates are rendered, their documents become objects, every object gets the environment's namespace and our labels, and
//! Services and Ingresses are added for the driver's services that its manifests do not bring. The result has one fixed order.

mod manifests;
mod order;
mod routes;
mod stamp;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::templates::{self, Templates};
use crate::domain::{DriverVersion, Problem};

/// How many objects one driver may render.
const OBJECT_LIMIT: usize = 2_000;

/// Checks that this version of Styrmin can deploy the driver at all.
///
/// # Errors
/// It brings a Helm chart (they are not rendered yet).
pub fn check_deployable(driver: &DriverVersion) -> Result<(), Problem> {
    if let Some(chart) = &driver.spec.helm {
        return Err(Problem::new(
            format!("The driver {} cannot be deployed yet", driver.reference),
            format!("it deploys the Helm chart {}, and charts are not rendered yet", chart.location),
            "use a driver with manifests/*.yaml.j2",
        ));
    }
    Ok(())
}

/// Renders the driver's objects with a context that [`super::context::resolve`] made. The order is that of applying:
/// accounts, roles, configuration, volumes, services, workloads, routes.
///
/// # Errors
/// A template fails (file and line), what it renders is no YAML or no Kubernetes object (file, document and line), an object
/// leaves the environment's namespace, or two objects have one name.
pub fn render(driver: &DriverVersion, context: &Value) -> Result<Vec<Value>, Problem> {
    check_deployable(driver)?;
    let mut errors = Vec::new();
    let mut objects: Vec<(String, Value)> = Vec::new();
    match Templates::new(&driver.files, "", context) {
        Ok(mut templates) => {
            for path in driver.files.keys().filter(|path| templates::is_manifest(path)) {
                match templates.render(path) {
                    Ok(text) => manifests::parse(path, &text, &mut objects, &mut errors),
                    Err(diagnostic) => errors.push(diagnostic.to_string()),
                }
            }
        }
        Err(diagnostic) => errors.push(diagnostic.to_string()),
    }
    if errors.is_empty() {
        let generated = routes::objects(driver, context, &objects);
        objects.extend(generated.into_iter().map(|object| ("spec.services".to_owned(), object)));
        let stamp = stamp::Stamp::of(context);
        for (origin, object) in &mut objects {
            if let Err(why) = stamp.put_on(object) {
                errors.push(format!("{origin}: {why}"));
            }
        }
        manifests::refuse_duplicates(&objects, &mut errors);
    }
    if objects.len() > OBJECT_LIMIT {
        errors.push(format!("{} objects are rendered, the limit is {OBJECT_LIMIT}", objects.len()));
    }
    if !errors.is_empty() {
        return Err(Problem::new(
            format!("The manifests of {} cannot be rendered", driver.reference),
            errors.join("\n"),
            "correct the driver, or the parameters that lead there",
        ));
    }
    let mut objects: Vec<Value> = objects.into_iter().map(|(_, object)| object).collect();
    objects.sort_by_cached_key(order::key);
    Ok(objects)
}
