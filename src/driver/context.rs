//! The Context: everything that templates, and later actions, see. Resolved once per decision, then frozen in an instance.
//!
//! Settings of the cluster are overridden by those of the environment, and these by the deployment's. What nobody sets is
//! absent, so that a template that prints it fails instead of writing `none`; host names are empty without a suffix.

use serde_json::{Map, Value, json};

use super::check_parameters;
use crate::domain::canonical::canonical_digest;
use crate::domain::driver::ComponentSpec;
use crate::domain::names::{LABEL_MAX, bounded, check_label};
use crate::domain::route::Routing;
use crate::domain::{ClusterRecord, Deployment, DriverVersion, Environment, Problem, version};

mod frozen;
mod overrides;
mod services;

pub use frozen::{created, freeze};
pub use services::service_hosts;

/// The longest release name that Helm takes.
const RELEASE_NAME_MAX: usize = 53;

/// What a context is made of.
#[derive(Debug, Clone, Copy)]
pub struct ContextSources<'a> {
    /// The cluster.
    pub cluster: &'a ClusterRecord,
    /// The environment on it.
    pub environment: &'a Environment,
    /// The deployment in it.
    pub deployment: &'a Deployment,
    /// The driver version that the deployment pins.
    pub driver: &'a DriverVersion,
    /// The number that the instance gets. It is in the context as `instance.number`, and not in its [`digest`].
    pub instance_number: u32,
}

/// The settings that are merged: each source overrides the one before.
#[derive(Debug, Default)]
struct Settings<'a> {
    fqdn_suffix: Option<&'a str>,
    storage_class: Option<&'a str>,
    ingress_class: Option<&'a str>,
    /// The port of http, and that of https, where they are not the schemes' own.
    ingress_ports: [Option<u16>; 2],
}

/// Resolves the context. Parameters are checked and completed with their defaults.
///
/// # Errors
/// The driver cannot be deployed (see [`super::check_deployable`]), the application's version is not supported, a parameter
/// or an override is wrong, or a name cannot be a DNS label.
pub fn resolve(sources: &ContextSources<'_>) -> Result<Value, Problem> {
    let draft = &sources.deployment.draft;
    super::check_deployable(sources.driver)?;
    check_label("deployment", &draft.name)?;
    check_label("namespace", &sources.environment.namespace)?;
    check_version(sources)?;
    let parameters = check_parameters(&sources.driver.spec, &draft.parameters).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.name, error.message)).collect();
        Problem::new(
            format!("The parameters of '{}' are not complete", draft.name),
            lines.join("\n"),
            "correct them and try again",
        )
    })?;
    let settings = merge(sources);
    let mut components: Map<String, Value> =
        sources.driver.spec.components.iter().map(|(name, spec)| (name.clone(), component(spec))).collect();
    overrides::merge(sources, &mut components)?;
    let services = services::resolve(sources, &settings)?;
    Ok(json!({
        "cluster": cluster(sources.cluster),
        "environment": environment(sources.environment),
        "deployment": { "name": draft.name, "uid": sources.deployment.uid },
        "instance": {
            "number": sources.instance_number,
            "namespace": sources.environment.namespace,
            "release_name": bounded(&[&draft.name], RELEASE_NAME_MAX),
            "config": config(&settings, &sources.environment.routing),
        },
        "app": app(sources),
        "components": components,
        "parameters": parameters,
        "services": services,
    }))
}

/// The digest of a context, its instance's number left out: a deployment that resolves to the same context again needs no new
/// instance.
pub fn digest(context: &Value) -> String {
    let mut context = context.clone();
    frozen::thaw(&mut context);
    canonical_digest(&context)
}

/// The name of the Kubernetes Service of a driver's service: the service's own where it starts with the deployment's, else
/// `<deployment>-<service>`, so that two deployments of a driver share a namespace. A deployment `notes` has `notes` and
/// `notes-db`; a deployment `blog` of the same driver has `blog-notes` and `blog-notes-db`.
pub fn service_name(deployment: &str, service: &str) -> String {
    let own =
        service == deployment || service.strip_prefix(deployment).is_some_and(|rest| rest.starts_with('-'));
    if own { bounded(&[service], LABEL_MAX) } else { bounded(&[deployment, service], LABEL_MAX) }
}

fn check_version(sources: &ContextSources<'_>) -> Result<(), Problem> {
    let found = &sources.deployment.draft.application_version;
    let range = &sources.driver.spec.supported_versions;
    if version::matches(range, found)? {
        return Ok(());
    }
    Err(Problem::new(
        format!("The driver {} does not support version '{found}'", sources.driver.reference),
        format!("it supports {range}"),
        format!("choose a version in that range, such as {}", sources.driver.spec.default_version),
    ))
}

fn merge<'a>(sources: &ContextSources<'a>) -> Settings<'a> {
    let (cluster, environment) = (sources.cluster, sources.environment);
    let set = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
    Settings {
        fqdn_suffix: environment.suffix(Some(cluster)),
        storage_class: set(&cluster.storage_class),
        // A dedicated controller answers for everything in the environment: there is no class to choose.
        ingress_class: set(&environment.ingress_class)
            .or_else(|| environment.routing.via.as_ref().and_then(|via| via.class.as_deref()))
            .filter(|_| environment.dedicated_ingress.is_none()),
        ingress_ports: [cluster.ingress_port, cluster.ingress_tls_port],
    }
}

fn cluster(record: &ClusterRecord) -> Value {
    let mut standard_storage = Map::new();
    if let Some(class) = &record.storage_class {
        standard_storage.insert("storage_class".to_owned(), json!(class));
    }
    json!({
        "name": record.name,
        "fqdn_suffix": record.fqdn_suffix.as_deref().unwrap_or(""),
        "standard_storage": standard_storage,
    })
}

fn environment(record: &Environment) -> Value {
    let mut environment = json!({
        "name": record.name,
        "namespace": record.namespace,
        "production": record.production,
    });
    // Absent where nothing is said, so that contexts of environments without them stay as they were.
    if !record.ip_whitelist.is_empty() {
        environment["ip_whitelist"] = json!(record.ip_whitelist);
    }
    if let Some(ingress) = &record.dedicated_ingress {
        environment["dedicated_ingress"] =
            json!({ "service": { "annotations": ingress.service_annotations } });
    }
    environment
}

fn app(sources: &ContextSources<'_>) -> Value {
    let name = &sources.driver.reference.name;
    let mut app = json!({ "name": name, "version": sources.deployment.draft.application_version });
    if let Some(chart) = &sources.driver.spec.helm {
        let pinned = sources.driver.chart.as_ref();
        let version = pinned.map(|pin| &pin.version).or(chart.version.as_ref());
        app["chart"] = json!({ "location": chart.location, "version": version });
    }
    app
}

fn config(settings: &Settings<'_>, routing: &Routing) -> Value {
    let mut config = Map::new();
    config.insert("fqdn_suffix".to_owned(), json!(settings.fqdn_suffix.unwrap_or("")));
    for (name, value) in
        [("storage_class", settings.storage_class), ("ingress_class", settings.ingress_class)]
    {
        if let Some(value) = value {
            config.insert(name.to_owned(), json!(value));
        }
    }
    if let [Some(port), _] = settings.ingress_ports {
        config.insert("ingress_port".to_owned(), json!(port));
    }
    // it is in the URLs; by itself only where anything is said of http that is sent on to it, so that contexts from before stay as
    // they were: what was sent on is, until all routes have followed, after that is taken back
    if let [_, Some(port)] = settings.ingress_ports
        && routing.redirect.is_some()
    {
        config.insert("ingress_tls_port".to_owned(), json!(port));
    }
    // Absent where nothing is said, so that contexts of environments from before stay as they were.
    if !routing.is_of_before() {
        config.insert("routing".to_owned(), json!(routing.frozen()));
    }
    Value::Object(config)
}

/// A component: its defaults, with `env`, `command` and `args` always there and always lists.
fn component(spec: &ComponentSpec) -> Value {
    let mut component: Map<String, Value> = spec.defaults.clone().into_iter().collect();
    let env = match component.remove("env").or_else(|| component.remove("env_vars")) {
        Some(Value::Object(map)) => {
            map.into_iter().map(|(name, value)| json!({ "name": name, "value": text(&value) })).collect()
        }
        Some(Value::Array(items)) => Value::Array(items),
        _ => json!([]),
    };
    component.insert("env".to_owned(), env);
    for name in ["command", "args"] {
        let list = match component.remove(name) {
            Some(Value::Array(items)) => Value::Array(items),
            Some(Value::String(one)) => json!([one]),
            _ => json!([]),
        };
        component.insert(name.to_owned(), list);
    }
    component.insert("labels".to_owned(), json!(spec.labels));
    Value::Object(component)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
