//! A chart's files become a chart: its metadata, values, templates and the charts in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::archive::{self, Budget, Files};
use super::documents;
use super::error::ChartError;
use super::ignore::{self, Rules};
use super::merge::Warnings;
use super::metadata::Metadata;
use super::plain;
use super::value::Value;
use super::versions;

/// How deep charts may stand in charts.
const DEPTH_LIMIT: usize = 16;

/// A chart, and the charts in it. It may be kept, and rendered any number of times.
#[derive(Debug, Clone)]
pub struct Chart {
    /// What it says of itself.
    pub metadata: Metadata,
    /// The defaults of its values, a mapping.
    pub values: Json,
    /// How long `values.yaml` is, in bytes.
    pub(super) values_size: usize,
    /// `values.schema.json`.
    pub(super) schema: Option<Arc<[u8]>>,
    /// What is in `templates/`, by path.
    pub(super) templates: Files,
    /// What is in none of the other places, `crds/` among it, by path.
    pub(super) files: Arc<Files>,
    /// The charts in `charts/`.
    pub charts: Vec<Self>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

impl Chart {
    /// A chart from its archive, a gzipped tar.
    ///
    /// # Errors
    /// The archive cannot be read, has what no chart may have (links, paths that lead out of it), is too large, or is no chart.
    pub fn from_archive(archive: &[u8]) -> Result<Self, ChartError> {
        let mut budget = Budget::new();
        let files = archive::unpack(archive, &mut budget)?;
        load(files, &mut budget, 0)
    }

    /// A chart from the files of its directory, by their paths in it. Files that `.helmignore` names are left out.
    ///
    /// # Errors
    /// They are no chart, or too large.
    pub fn from_files(files: &BTreeMap<String, Arc<[u8]>>) -> Result<Self, ChartError> {
        let rules =
            files.get(ignore::FILE).map(|content| String::from_utf8_lossy(content)).unwrap_or_default();
        let rules =
            Rules::read(&rules).map_err(|why| ChartError::File(format!("{}: {why}", ignore::FILE)))?;
        let mut budget = Budget::new();
        let mut kept = Files::new();
        for (path, content) in files.iter().filter(|(path, _)| !rules.ignore(path)) {
            budget.take(path, content.len() as u64)?;
            kept.insert(path.clone(), archive::without_mark(content).into());
        }
        load(kept, &mut budget, 0)
    }

    /// What is worth knowing of this chart and of those in it.
    pub(super) fn all_warnings(&self, warnings: &mut Warnings) {
        self.warnings.iter().for_each(|warning| warnings.add(warning.clone()));
        self.charts.iter().for_each(|chart| chart.all_warnings(warnings));
    }
}

fn load(files: Files, budget: &mut Budget, depth: usize) -> Result<Chart, ChartError> {
    if depth > DEPTH_LIMIT {
        return Err(ChartError::File(format!("charts stand in each other more than {DEPTH_LIMIT} deep")));
    }
    let mut sorted = Sorted::of(files);
    let mut warnings = Vec::new();
    let metadata = metadata(&mut sorted, &mut warnings)?;
    metadata.check()?;
    if !versions::is_version(&metadata.version) {
        let version = &metadata.version;
        return Err(ChartError::File(format!("validation: chart.metadata.version {version:?} is invalid")));
    }
    if metadata.deprecated {
        warnings.push(format!("{}: this chart is deprecated", metadata.name));
    }
    let values_text = sorted.own.remove("values.yaml").unwrap_or_default();
    let values = own_values(&values_text, &metadata.name, &mut warnings)?;
    let schema = sorted.own.remove("values.schema.json");
    let charts = charts(sorted.charts, &metadata.name, budget, depth)?;
    Ok(Chart {
        metadata,
        values,
        values_size: values_text.len(),
        schema,
        templates: sorted.templates,
        files: Arc::new(sorted.own),
        charts,
        warnings,
    })
}

/// A chart's files by what they are for.
#[derive(Default)]
struct Sorted {
    templates: Files,
    /// The files in `charts/` by the first part of their path there.
    charts: BTreeMap<String, Files>,
    /// All others.
    own: Files,
}

impl Sorted {
    fn of(files: Files) -> Self {
        let mut sorted = Self::default();
        for (path, content) in files {
            if path.starts_with("templates/") {
                sorted.templates.insert(path, content);
            } else if let Some(inside) = path.strip_prefix("charts/").filter(|path| !path.ends_with(".prov"))
            {
                let (chart, rest) = inside.split_once('/').unwrap_or((inside, ""));
                sorted.charts.entry(chart.to_owned()).or_default().insert(rest.to_owned(), content);
            } else {
                sorted.own.insert(path, content);
            }
        }
        sorted
    }
}

/// Reads `Chart.yaml`, and what charts of the first version of the format have beside it.
fn metadata(sorted: &mut Sorted, warnings: &mut Vec<String>) -> Result<Metadata, ChartError> {
    let failed = |file: &str, why: String| ChartError::File(format!("cannot load {file}: {why}"));
    let Some(text) = sorted.own.remove("Chart.yaml") else {
        return Err(ChartError::File("Chart.yaml file is missing".to_owned()));
    };
    sorted.own.remove("Chart.lock");
    let read = |content: &[u8]| documents::first_exact(&String::from_utf8_lossy(content));
    let mut metadata =
        read(&text).and_then(|value| Metadata::read(&value)).map_err(|why| failed("Chart.yaml", why))?;
    let first = metadata.api_version == "v1";
    if let Some(text) = sorted.own.get("requirements.yaml") {
        let listed = read(text).and_then(|value| Metadata::read_dependencies(&value));
        let listed = listed.map_err(|why| failed("requirements.yaml", why))?;
        if !listed.is_empty() {
            metadata.dependencies = listed;
        }
        if !first {
            warnings.push(format!(
                "{}: dependencies belong into Chart.yaml since apiVersion \"v2\"",
                metadata.name
            ));
        }
    }
    // Templates of the first version see them as files.
    if !first {
        sorted.own.remove("requirements.yaml");
        sorted.own.remove("requirements.lock");
    }
    Ok(metadata)
}

/// Reads values that a person gives, as Helm reads a file of them: every number is a `float64`.
///
/// # Errors
/// It is no YAML, or no mapping.
pub fn values_from_yaml(text: &str) -> Result<Json, String> {
    match documents::first(text)? {
        Value::Nil => Ok(Json::Object(Map::new())),
        values @ Value::Dict(_) => Ok(plain::to_json(&values)),
        _ => Err("it is no mapping".to_owned()),
    }
}

/// Reads `values.yaml`: its first document, which is a mapping or nothing.
fn own_values(text: &[u8], chart: &str, warnings: &mut Vec<String>) -> Result<Json, ChartError> {
    let text = String::from_utf8_lossy(text);
    let failed = |why: String| ChartError::File(format!("cannot load values.yaml: {why}"));
    if has_second_document(&text) {
        let message =
            "values.yaml has a line `---`; only what stands before the second document counts, as in Helm 3";
        warnings.push(format!("{chart}: {message}"));
    }
    values_from_yaml(&text).map_err(failed)
}

/// Whether a line `---` stands behind the first document; one before it, and what stands above that, begins it.
fn has_second_document(text: &str) -> bool {
    let mut begun = false;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let separates = line.trim_end() == "---";
        if separates && begun {
            return true;
        }
        begun |= separates
            || !(line.trim().is_empty() || line.trim_start().starts_with('#') || line.starts_with('%'));
    }
    false
}

fn charts(
    found: BTreeMap<String, Files>,
    parent: &str,
    budget: &mut Budget,
    depth: usize,
) -> Result<Vec<Chart>, ChartError> {
    let mut charts = Vec::new();
    for (name, mut files) in found {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let chart = if name.ends_with(".tgz") {
            let archive = files.remove("").unwrap_or_default();
            archive::unpack(&archive, budget).and_then(|files| load(files, budget, depth + 1))
        } else {
            // A file in charts/ that is no archive is no chart.
            files.remove("");
            load(files, budget, depth + 1)
        };
        let chart = chart.map_err(|error| {
            ChartError::File(format!("error unpacking subchart {name} in {parent}: {error}"))
        })?;
        charts.push(chart);
    }
    Ok(charts)
}

#[cfg(test)]
mod tests;
