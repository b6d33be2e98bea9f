//! What a driver renders, without a cluster: context in, objects out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::key;
use crate::domain::diff::ObjectDiff;
use crate::domain::driver::ParameterKind;
use crate::domain::names::digest;
use crate::domain::{
    ClusterKind, ClusterRecord, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, DriverVersion,
    Environment, ObjectKey, Problem, SecretReference,
};
use crate::driver::{self, context};

/// What is to be rendered with.
#[derive(Debug, Clone, Default)]
pub struct Rendering {
    /// The application's version; the driver's default when none.
    pub version: Option<String>,
    /// The environment, and its namespace.
    pub environment: String,
    /// The deployment's name; the driver's when none.
    pub name: Option<String>,
    /// Values of parameters, as text or of their own type.
    pub parameters: BTreeMap<String, Value>,
    /// What host names end in; none: there are no host names.
    pub fqdn_suffix: Option<String>,
    /// The class of volumes.
    pub storage_class: Option<String>,
    /// The class of Ingresses.
    pub ingress_class: Option<String>,
    /// A context that was resolved before: it takes the place of all the others.
    pub context: Option<Value>,
}

/// What a driver rendered.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The context that its templates saw.
    pub context: Value,
    /// The objects, in the order in which they are applied: definitions first, hooks of a chart last.
    pub objects: Vec<Value>,
    /// What the chart tells people.
    pub notes: String,
    /// What is worth knowing of how it was rendered: what the chart warns of.
    pub warnings: Vec<String>,
}

impl Rendering {
    /// Renders a driver. The same input always gives the same output.
    ///
    /// # Errors
    /// A parameter is wrong or missing, the version is not supported, or a template fails.
    pub fn of(&self, driver: &DriverVersion) -> Result<Rendered, Problem> {
        let context = match &self.context {
            Some(context) => context.clone(),
            None => self.resolve(driver)?,
        };
        let driver::Rendering { objects, definitions, hooks, notes, warnings, .. } =
            driver::render_alone(driver, &context)?;
        let hooks = hooks.into_iter().map(|hook| hook.object);
        let objects = definitions.into_iter().chain(objects).chain(hooks).collect();
        Ok(Rendered { context, objects, notes, warnings })
    }

    /// The same for another version of the driver: parameters that it does not have are left out, and named.
    pub fn for_other(&self, driver: &DriverVersion) -> (Self, Vec<String>) {
        let known: BTreeSet<&str> = driver.spec.parameters.iter().map(|known| known.name.as_str()).collect();
        let (kept, left): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (self.parameters.clone()).into_iter().partition(|(name, _)| known.contains(name.as_str()));
        (Self { parameters: kept, ..self.clone() }, left.into_keys().collect())
    }

    fn resolve(&self, driver: &DriverVersion) -> Result<Value, Problem> {
        let name = self.name.clone().unwrap_or_else(|| driver.reference.name.clone());
        let mut parameters = self.parameters.clone();
        for parameter in &driver.spec.parameters {
            if parameter.kind == ParameterKind::Secret && parameter.default.is_none() {
                // where the value would lie: nobody writes a secret on a command line
                let place = SecretReference::new(&name, &parameter.name, "0".repeat(32));
                parameters.entry(parameter.name.clone()).or_insert_with(|| place.to_value());
            }
        }
        let cluster = ClusterRecord {
            name: ClusterKind::Sandbox.as_str().to_owned(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: self.fqdn_suffix.clone(),
            storage_class: self.storage_class.clone(),
            ingress_port: None,
            ingress_tls_port: None,
        };
        let environment = Environment {
            ingress_class: self.ingress_class.clone(),
            ..Environment::new(&self.environment, &cluster.name, &self.environment)
        };
        let deployment = Deployment {
            id: DeploymentId(1),
            // where a cluster gives a random one
            uid: digest(format!("{}/{name}", self.environment).as_bytes()).chars().take(16).collect(),
            draft: DeploymentDraft {
                name,
                environment: self.environment.clone(),
                driver: driver.reference.clone(),
                application_version: self
                    .version
                    .clone()
                    .unwrap_or_else(|| driver.spec.default_version.clone()),
                parameters,
                ..DeploymentDraft::default()
            },
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: Timestamp::UNIX_EPOCH,
        };
        context::resolve(&context::ContextSources {
            cluster: &cluster,
            environment: &environment,
            deployment: &deployment,
            driver,
            instance_number: 1,
        })
    }
}

/// How the objects of two renderings differ, by their names; those that do not are left out.
pub fn differences(old: &[Value], new: &[Value]) -> Vec<ObjectDiff> {
    let (old, new) = (by_key(old), by_key(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).cloned().collect();
    let all = keys.into_iter().map(|key| {
        let (before, after) = (old.get(&key).copied(), new.get(&key).copied());
        ObjectDiff::between(key, before, after)
    });
    all.filter(|difference| !difference.is_empty()).collect()
}

fn by_key(objects: &[Value]) -> BTreeMap<ObjectKey, &Value> {
    objects.iter().map(|object| (key(object), object)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendering() -> Rendering {
        Rendering {
            environment: "demo".to_owned(),
            fqdn_suffix: Some("localhost".to_owned()),
            ..Rendering::default()
        }
    }

    fn notes() -> DriverVersion {
        driver::built_in().into_iter().next().unwrap().version
    }

    #[test]
    fn the_same_gives_the_same_and_a_context_stands_for_itself() {
        let (driver, rendering) = (notes(), rendering());
        let first = rendering.of(&driver).unwrap();
        assert_eq!(first.context["environment"]["namespace"], "demo");
        assert!(first.objects.len() > 3);
        let again = Rendering { context: Some(first.context.clone()), ..Rendering::default() };
        assert_eq!(again.of(&driver).unwrap().objects, first.objects);
        assert!(differences(&first.objects, &first.objects).is_empty());
    }

    #[test]
    fn differences_are_by_object() {
        let (driver, mut rendering) = (notes(), rendering());
        let old = rendering.of(&driver).unwrap();
        rendering.parameters.insert("replicas".to_owned(), json!("3"));
        let new = rendering.of(&driver).unwrap();
        let found = differences(&old.objects, &new.objects);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].object.kind.as_str(), found[0].counts()), ("Deployment", (1, 1)));
        let removed = differences(&old.objects, &old.objects[1..]);
        assert_eq!(removed[0].counts().0, 0);
    }

    #[test]
    fn another_version_gets_the_parameters_that_it_has() {
        let mut rendering = rendering();
        rendering.parameters.insert("title".to_owned(), json!("x"));
        rendering.parameters.insert("gone".to_owned(), json!("x"));
        let (other, left) = rendering.for_other(&notes());
        assert_eq!((other.parameters.len(), left), (1, vec!["gone".to_owned()]));
        let refused = rendering.of(&notes()).unwrap_err();
        assert!(refused.why.contains("gone"), "{refused}");
    }
}
