//! From a driver version and a context to the objects that are applied.
//!
//! Templates are rendered, their documents become objects, every object gets the environment's namespace and our labels, and
//! Services, routes and policies are added for the driver's services that its manifests do not bring. The result has one fixed order.

mod chart;
mod manifests;
mod order;
mod routes;
mod stamp;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;

use super::chart::{DeletePolicy, HookEvent, LookupKey, Lookups, Seed};
use super::templates::{self, Templates};
use crate::domain::driver::CHART_ARCHIVE;
use crate::domain::{DriverVersion, Problem};

/// How many objects one driver may render.
const OBJECT_LIMIT: usize = 2_000;

/// How many errors are told.
const ERROR_LIMIT: usize = 100;

/// Checks that this version of Styrmin can deploy the driver at all.
///
/// # Errors
/// Its chart was not pulled when it was loaded.
pub fn check_deployable(driver: &DriverVersion) -> Result<(), Problem> {
    match &driver.spec.helm {
        Some(chart) if chart.is_remote() && !driver.binaries.contains_key(CHART_ARCHIVE) => {
            Err(Problem::new(
                format!("The driver {} has no chart at hand", driver.reference),
                format!("the chart {} was not pulled when the driver was loaded", chart.location),
                "load the driver again: its chart is pulled then",
            ))
        }
        _ => Ok(()),
    }
}

/// What a driver consists of, rendered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendering {
    /// What should run, in the order of applying: accounts, roles, configuration, volumes, services, workloads, routes.
    pub objects: Vec<Value>,
    /// Definitions of custom resources that the chart brings in `crds/`: made where they are missing, never changed, never
    /// deleted. They belong to nobody.
    pub definitions: Vec<Value>,
    /// What is applied at certain moments only, in the order of applying.
    pub hooks: Vec<RenderedHook>,
    /// What the chart tells people about its release.
    pub notes: String,
    /// What is worth knowing before it is applied.
    pub warnings: Vec<String>,
}

/// An object that is applied at certain moments of a deployment's life.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedHook {
    /// The moments.
    pub events: Vec<HookEvent>,
    /// Lower ones come first.
    pub weight: i64,
    /// When it is deleted.
    pub delete_policies: Vec<DeletePolicy>,
    /// The object.
    pub object: Value,
}

/// What a chart is rendered with beside the context, which has what the cluster can do and when the instance was made.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// Where random values come from.
    pub seed: &'a Seed,
    /// What the cluster has, as far as it was asked for; none where there is no cluster: every lookup finds nothing.
    pub lookups: Option<&'a Lookups>,
}

impl Circumstances<'_> {
    /// Of what is only looked at, with no cluster.
    pub const NONE: Circumstances<'static> =
        Circumstances { seed: &Seed { bytes: [0; 32], born: Timestamp::UNIX_EPOCH }, lookups: None };
}

/// How rendering ended.
#[derive(Debug)]
pub enum Outcome {
    /// With objects.
    Rendered(Box<Rendering>),
    /// Before these were looked up in the cluster: add what is found to the lookups and render once more.
    Wants(Vec<LookupKey>),
}

/// Renders a driver with a context that [`super::context::resolve`] made.
///
/// # Errors
/// A template fails (file and line), what it renders is no YAML or no Kubernetes object (file, document and line), an object
/// leaves the environment's namespace, two objects have one name, or the kind of route cannot express what the environment says.
pub fn render(
    driver: &DriverVersion,
    context: &Value,
    circumstances: &Circumstances<'_>,
) -> Result<Outcome, Problem> {
    check_deployable(driver)?;
    let mut parts = Parts::default();
    if driver.spec.helm.is_some() {
        match chart::render(driver, context, circumstances)? {
            chart::Outcome::Rendered(found) => parts = found,
            chart::Outcome::Wants(keys) => return Ok(Outcome::Wants(keys)),
        }
    }
    match Templates::new(&driver.files, driver.spec.helm.as_ref(), context) {
        Ok(mut templates) => {
            for path in driver.files.keys().filter(|path| templates::is_manifest(path)) {
                if parts.is_over() {
                    break;
                }
                match templates.render(path) {
                    Ok(text) => manifests::parse(path, &text, &mut parts),
                    Err(diagnostic) => parts.errors.add(diagnostic.to_string()),
                }
            }
        }
        Err(diagnostic) => parts.errors.add(diagnostic.to_string()),
    }
    if parts.errors.told.is_empty() && !parts.is_over() {
        let made = routes::objects(driver, context, &mut parts.objects)?;
        parts.objects.extend(made.objects.into_iter().map(|object| ("spec.services".to_owned(), object)));
        parts.warnings.extend(made.warnings);
    }
    if parts.objects.len() > OBJECT_LIMIT {
        parts.errors.add(format!("more than {OBJECT_LIMIT} objects are rendered"));
    }
    if parts.errors.told.is_empty() {
        parts.stamp(context);
        manifests::refuse_duplicates(&mut parts);
    }
    if !parts.errors.told.is_empty() {
        return Err(Problem::new(
            format!("The manifests of {} cannot be rendered", driver.reference),
            parts.errors.text(),
            "correct the driver, or the parameters that lead there",
        ));
    }
    Ok(Outcome::Rendered(Box::new(parts.rendering())))
}

/// Renders a driver with no cluster: lookups find nothing, and what is drawn at random is the same for everybody. To look at.
///
/// # Errors
/// As [`render`].
pub fn render_alone(driver: &DriverVersion, context: &Value) -> Result<Rendering, Problem> {
    match render(driver, context, &Circumstances::NONE)? {
        Outcome::Rendered(rendering) => Ok(*rendering),
        // without lookups nothing is wanted
        Outcome::Wants(_) => Ok(Rendering::default()),
    }
}

/// What was rendered, each object with the place that it comes from.
#[derive(Default)]
struct Parts {
    objects: Vec<(String, Value)>,
    definitions: Vec<Value>,
    hooks: Vec<(String, RenderedHook)>,
    notes: String,
    warnings: Vec<String>,
    errors: Errors,
}

/// What is wrong, up to the limit.
#[derive(Default)]
struct Errors {
    told: Vec<String>,
    /// There are more than are told.
    more: bool,
}

impl Errors {
    fn add(&mut self, message: String) {
        if self.told.len() < ERROR_LIMIT {
            self.told.push(message);
        } else {
            self.more = true;
        }
    }

    fn text(self) -> String {
        let more = self.more.then(|| "there is more to say, which is left out".to_owned());
        self.told.into_iter().chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Parts {
    /// Whether there is so much, or so much is wrong, that the rest is not looked at.
    fn is_over(&self) -> bool {
        self.errors.more || self.objects.len() > OBJECT_LIMIT
    }

    /// Puts on the objects what each of them carries.
    fn stamp(&mut self, context: &Value) {
        let stamp = stamp::Stamp::of(context);
        let objects = self.objects.iter_mut().map(|(origin, object)| (&*origin, object));
        let hooks = self.hooks.iter_mut().map(|(origin, hook)| (&*origin, &mut hook.object));
        for (origin, object) in objects.chain(hooks) {
            if let Err(why) = manifests::check(object).and_then(|()| stamp.put_on(object)) {
                self.errors.add(format!("{origin}: {why}"));
            }
            if self.errors.more {
                return;
            }
        }
    }

    fn rendering(self) -> Rendering {
        let mut objects: Vec<Value> = self.objects.into_iter().map(|(_, object)| object).collect();
        objects.sort_by_cached_key(order::key);
        Rendering {
            objects,
            definitions: self.definitions,
            hooks: self.hooks.into_iter().map(|(_, hook)| hook).collect(),
            notes: self.notes,
            warnings: self.warnings,
        }
    }
}
