//! A driver's chart, rendered: its values come from a template of the driver, everything else from the context.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{Circumstances, Parts, RenderedHook};
use crate::domain::driver::CHART_ARCHIVE;
use crate::domain::{DriverVersion, Problem, labels};
use crate::driver::chart::{
    self, Capabilities, Chart, ChartError, Document, LookupKey, Release, Request, is_kept, values_from_yaml,
};
use crate::driver::{context, values};

/// The Kubernetes that a chart is rendered for where no cluster was asked.
const ASSUMED_VERSION: &str = "v1.33.0";

/// How rendering a chart ended.
pub(super) enum Outcome {
    Rendered(Parts),
    Wants(Vec<LookupKey>),
}

/// Renders the chart of a driver.
pub(super) fn render(
    driver: &DriverVersion,
    context: &Value,
    circumstances: &Circumstances<'_>,
) -> Result<Outcome, Problem> {
    let text = values(driver, context).map_err(|diagnostic| {
        Problem::new(
            format!("The values of {} cannot be rendered", driver.reference),
            diagnostic.to_string(),
            "correct the driver, or the parameters that lead there",
        )
    })?;
    let chart = load(driver)?;
    let told = |error: ChartError| error.problem(&chart.metadata.name);
    let values = values_from_yaml(&text).map_err(ChartError::Values).map_err(told)?;
    let release = release(context);
    let capabilities = capabilities(context)?;
    let request = Request {
        values: &values,
        release: &release,
        capabilities: &capabilities,
        lookups: circumstances.lookups,
        seed: circumstances.seed,
        now: context::created(context).unwrap_or(Timestamp::UNIX_EPOCH),
        limits: chart::Limits::default(),
    };
    match chart::render(&chart, &request).map_err(told)? {
        chart::Outcome::Wants(keys) => Ok(Outcome::Wants(keys)),
        chart::Outcome::Rendered(rendered) => Ok(Outcome::Rendered(parts(*rendered))),
    }
}

/// The chart: pulled for the driver, or inside its directory.
fn load(driver: &DriverVersion) -> Result<Chart, Problem> {
    let Some(spec) = &driver.spec.helm else { return Err(missing(driver, "it names no chart")) };
    if let Some(archive) = driver.binaries.get(CHART_ARCHIVE) {
        return Chart::from_archive(archive).map_err(|error| error.problem(&spec.location));
    }
    let Some(path) = spec.local_path() else {
        let why = format!("the chart {} was not pulled when it was loaded", spec.location);
        return Err(missing(driver, &why));
    };
    if let Some(archive) = driver.binaries.get(path) {
        return Chart::from_archive(archive).map_err(|error| error.problem(&spec.location));
    }
    let inside = |file: &String| file.strip_prefix(path)?.strip_prefix('/').map(str::to_owned);
    let texts =
        driver.files.iter().filter_map(|(file, text)| Some((inside(file)?, Arc::from(text.as_bytes()))));
    let binaries =
        driver.binaries.iter().filter_map(|(file, bytes)| Some((inside(file)?, Arc::clone(bytes))));
    let files: BTreeMap<String, Arc<[u8]>> = texts.chain(binaries).collect();
    Chart::from_files(&files).map_err(|error| error.problem(&spec.location))
}

fn missing(driver: &DriverVersion, why: &str) -> Problem {
    Problem::new(
        format!("The driver {} has no chart at hand", driver.reference),
        why,
        "load the driver again: its chart is pulled then",
    )
}

fn release(context: &Value) -> Release {
    let text = |pointer: &str| context.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let number = context.pointer("/instance/number").and_then(Value::as_u64).unwrap_or(1);
    Release {
        name: text("/instance/release_name"),
        namespace: text("/instance/namespace"),
        revision: u32::try_from(number).unwrap_or(u32::MAX),
        is_upgrade: number > 1,
    }
}

/// What the cluster could do when the instance was made: a chart renders the same again when the cluster has changed since.
fn capabilities(context: &Value) -> Result<Capabilities, Problem> {
    let unknown = |why: String| Problem::new("What the cluster can do is not known", why, "try again");
    let Some(known) = context.pointer("/cluster/kubernetes") else {
        return Capabilities::of_version(ASSUMED_VERSION).map_err(unknown);
    };
    let version = known["version"].as_str().unwrap_or_default();
    let api_versions = known["api_versions"].as_array().into_iter().flatten();
    let api_versions: BTreeSet<String> = api_versions.filter_map(Value::as_str).map(str::to_owned).collect();
    Capabilities::new(version, api_versions).map_err(unknown)
}

/// What a chart rendered, as the parts of its driver.
fn parts(rendered: chart::Rendered) -> Parts {
    let mut parts = Parts { notes: rendered.notes, warnings: rendered.warnings, ..Parts::default() };
    for document in rendered.documents {
        let Document { source, objects, .. } = document;
        for mut object in objects {
            if is_kept(&object) {
                mark(&mut object, labels::KEPT, "true");
            }
            parts.objects.push((source.clone(), object));
        }
    }
    parts.definitions = rendered.crds.into_iter().flat_map(|document| document.objects).collect();
    for hook in rendered.hooks {
        let moment = hook.events.first().map_or("", |event| event.name());
        for object in &hook.document.objects {
            let mut object = object.clone();
            mark(&mut object, labels::CHART_HOOK, moment);
            let rendered = RenderedHook {
                events: hook.events.clone(),
                weight: hook.weight,
                delete_policies: hook.delete_policies.clone(),
                object,
            };
            parts.hooks.push((hook.document.source.clone(), rendered));
        }
    }
    parts
}

fn mark(object: &mut Value, label: &str, value: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let labels = metadata.entry("labels").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(label.to_owned(), value.into());
        }
    }
}
