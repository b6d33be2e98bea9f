//! Renders a chart: values, templates, objects.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::capabilities::Capabilities;
use super::dependencies::{self, Node};
use super::engine::{Limits, LookupKey, Templates, on_deep_stack};
use super::error::ChartError;
use super::files::Files;
use super::functions::Surroundings;
use super::hooks::ChartHook;
use super::load::Chart;
use super::manifests::{self, Document};
use super::merge::{Nulls, Warnings, coalesce};
use super::random::Draw;
use super::release::Release;
use super::value::Value;
use super::{documents, plain, schema};

/// How many objects templates may look up.
const LOOKUP_LIMIT: usize = 500;

/// How much text all templates may render together, in bytes.
const TEXT_LIMIT: usize = 32 << 20;

/// How much text the definitions in `crds/` may have together, in bytes; those of a chart count again for each alias of it.
const DEFINITIONS_LIMIT: usize = 16 << 20;

/// Where the notes of a chart stand.
const NOTES: &str = "NOTES.txt";

/// What a chart is rendered with.
pub struct Request<'a> {
    /// The values that are given, a mapping. A whole number is `int64`, as from `--set`; what is read from YAML by
    /// [`super::values_from_yaml`] has but `float64`, as in Helm.
    pub values: &'a Json,
    /// What is installed or upgraded.
    pub release: &'a Release,
    /// What the cluster can do.
    pub capabilities: &'a Capabilities,
    /// What the cluster has, as far as it was asked for; none when there is no cluster, and every lookup finds nothing.
    pub lookups: Option<&'a Lookups>,
    /// Where random values come from.
    pub seed: &'a Seed,
    /// What `now` says.
    pub now: Timestamp,
    /// How much the templates may do.
    pub limits: Limits,
}

/// Objects of the cluster by what was asked; null for one that is not there.
pub type Lookups = BTreeMap<LookupKey, Json>;

/// Where random values come from.
#[derive(Clone)]
pub struct Seed {
    /// The seed itself.
    pub bytes: [u8; 32],
    /// When it was made.
    pub born: Timestamp,
}

/// How rendering ended.
#[derive(Debug)]
pub enum Outcome {
    /// With objects.
    Rendered(Box<Rendered>),
    /// Before these were looked up in the cluster: add what is found to the request's lookups and render once more.
    Wants(Vec<LookupKey>),
}

/// What a chart consists of, rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Definitions of custom resources from `crds/`, those of the chart first. They are applied once, and never changed or deleted.
    pub crds: Vec<Document>,
    /// Everything but hooks, in the order in which it is applied.
    pub documents: Vec<Document>,
    /// Hooks in the order of their kinds.
    pub hooks: Vec<ChartHook>,
    /// What the chart tells people about its release.
    pub notes: String,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

/// Renders a chart.
///
/// # Errors
/// The chart cannot be installed here, the values do not fit, a template fails, or what it renders is no object.
pub fn render(chart: &Chart, request: &Request<'_>) -> Result<Outcome, ChartError> {
    on_deep_stack(|| render_here(chart, request))
        .unwrap_or_else(|error| Err(ChartError::Refused(format!("it cannot be rendered: {error}"))))
}

fn render_here(chart: &Chart, request: &Request<'_>) -> Result<Outcome, ChartError> {
    check_installable(chart)?;
    let mut warnings = Warnings::default();
    chart.all_warnings(&mut warnings);
    let given = plain::to_value(request.values);
    let root = dependencies::resolve(chart, &given, &mut warnings)?;
    let values = coalesce(&root, &given, Nulls::Delete, &mut warnings)?;
    schema::validate(&root, &values, &mut warnings)?;
    check_version(&root, request.capabilities)?;
    let wants = Wants::default();
    match Rendering::of(&root, values, request).all(&wants, request) {
        // What was not known yet may be why it failed.
        _ if !wants.borrow().is_empty() => Ok(Outcome::Wants(wants.take().into_iter().collect())),
        Err(error) => Err(error),
        Ok(texts) => sorted(&root, &texts, warnings).map(Box::new).map(Outcome::Rendered),
    }
}

/// Keys that templates asked for and nobody has looked up.
type Wants = Rc<RefCell<BTreeSet<LookupKey>>>;

fn check_installable(chart: &Chart) -> Result<(), ChartError> {
    let kind = &chart.metadata.kind;
    if chart.metadata.is_library() {
        return Err(ChartError::Refused(format!("{kind} charts are not installable")));
    }
    Ok(())
}

fn check_version(root: &Node<'_>, capabilities: &Capabilities) -> Result<(), ChartError> {
    let range = &root.metadata.kube_version;
    if range.is_empty() || capabilities.is_compatible(range) {
        return Ok(());
    }
    let version = &capabilities.version;
    let message =
        format!("chart requires kubeVersion: {range} which is incompatible with Kubernetes {version}");
    Err(ChartError::Refused(message))
}

/// A template, and what it is rendered with.
struct Template<'a> {
    source: &'a [u8],
    /// The chart's dot, which all of its templates share.
    dot: Value,
    /// The path of the chart's `templates` directory.
    base: String,
}

/// All templates of a chart and of the charts in it, by path.
struct Rendering<'a> {
    templates: BTreeMap<String, Template<'a>>,
    /// `.Files` of each chart, which all aliases of it share.
    files: Vec<(&'a Chart, Value)>,
    release: Value,
    capabilities: Value,
}

impl<'a> Rendering<'a> {
    fn of(root: &Node<'a>, values: Value, request: &Request<'_>) -> Self {
        let mut rendering = Self {
            templates: BTreeMap::new(),
            files: Vec::new(),
            release: request.release.object(),
            capabilities: request.capabilities.object(),
        };
        rendering.add(root, values, None);
        rendering
    }

    /// Adds a chart's templates; gives its dot, which the parent sees in `.Subcharts`.
    fn add(&mut self, node: &Node<'a>, values: Value, parent: Option<&str>) -> Value {
        let path = parent
            .map_or_else(|| node.name().to_owned(), |parent| format!("{parent}/charts/{}", node.name()));
        let subcharts: Vec<(&str, Value)> = node
            .children
            .iter()
            .map(|child| {
                let inner = values.get(child.name()).filter(|values| matches!(values, Value::Dict(_)));
                let inner = inner.unwrap_or_else(|| Value::dict::<&str>([]));
                (child.name(), self.add(child, inner, Some(&path)))
            })
            .collect();
        let dot = Value::dict([
            ("Chart", node.metadata.object(parent.is_none())),
            ("Files", self.files(node.chart)),
            ("Release", self.release.clone()),
            ("Capabilities", self.capabilities.clone()),
            ("Subcharts", Value::dict(subcharts)),
            ("Values", values),
        ]);
        for (name, source) in &node.chart.templates {
            if !node.metadata.is_library() || is_partial(name) {
                let template = Template { source, dot: dot.clone(), base: format!("{path}/templates") };
                self.templates.insert(format!("{path}/{name}"), template);
            }
        }
        dot
    }

    fn files(&mut self, chart: &'a Chart) -> Value {
        if let Some((_, files)) = self.files.iter().find(|(known, _)| std::ptr::eq(*known, chart)) {
            return files.clone();
        }
        let files = Files::object(&chart.files);
        self.files.push((chart, files.clone()));
        files
    }

    /// Renders every template that is no partial: its path, and its text.
    fn all(&self, wants: &Wants, request: &Request<'_>) -> Result<BTreeMap<String, String>, ChartError> {
        let draw = Draw::new(request.seed.bytes, request.seed.born);
        let surroundings = Surroundings::new(request.now, draw);
        let mut templates = Templates::new(surroundings, lookup(request.lookups, wants), request.limits);
        // The deepest come first: what a parent defines replaces what its charts define.
        let mut order: Vec<&String> = self.templates.keys().collect();
        order.sort_by_key(|path| std::cmp::Reverse((path.matches('/').count(), *path)));
        for path in &order {
            let source = String::from_utf8_lossy(self.templates[*path].source);
            templates.add(path, &source).map_err(Box::new)?;
        }
        let mut texts = BTreeMap::new();
        let mut left = TEXT_LIMIT;
        for path in order.into_iter().filter(|path| !is_partial(path)) {
            let template = &self.templates[path];
            let place = Value::dict([("Name", Value::text(path)), ("BasePath", Value::text(&template.base))]);
            if let Value::Dict(dot) = &template.dot {
                dot.borrow_mut().insert(Rc::from("Template"), place);
            }
            let text = templates.execute(path, &template.dot).map_err(Box::new)?;
            left = left.checked_sub(text.len()).ok_or_else(|| {
                ChartError::Manifest(format!("the templates render more than {TEXT_LIMIT} bytes"))
            })?;
            texts.insert(path.clone(), text);
        }
        Ok(texts)
    }
}

fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

/// Answers from what was looked up; what was not is noted, and found empty for now.
fn lookup(known: Option<&Lookups>, wants: &Wants) -> super::engine::Lookup {
    let known: Option<BTreeMap<LookupKey, Value>> =
        known.map(|known| known.iter().map(|(key, object)| (key.clone(), plain::to_value(object))).collect());
    let wants = Rc::clone(wants);
    Box::new(move |key| {
        let Some(known) = &known else { return Ok(Value::Nil) };
        if let Some(object) = known.get(key) {
            return Ok(super::merge::deep(object));
        }
        let mut wants = wants.borrow_mut();
        if wants.len() + known.len() >= LOOKUP_LIMIT && !wants.contains(key) {
            return Err(format!("templates look up more than {LOOKUP_LIMIT} objects"));
        }
        wants.insert(key.clone());
        Ok(Value::Nil)
    })
}

/// Takes apart what was rendered.
fn sorted(
    root: &Node<'_>,
    texts: &BTreeMap<String, String>,
    mut warnings: Warnings,
) -> Result<Rendered, ChartError> {
    let is_notes = |path: &&String| path.ends_with(NOTES);
    let own = format!("{}/templates/{NOTES}", root.name());
    let notes = texts.get(&own).cloned().unwrap_or_default();
    let manifests = texts.iter().filter(|(path, _)| !is_notes(path));
    let sorted =
        manifests::sort(manifests.map(|(path, text)| (path.as_str(), text.as_str())), &mut warnings)?;
    let mut definitions = Definitions {
        found: Vec::new(),
        bytes: DEFINITIONS_LIMIT,
        documents: manifests::DOCUMENT_LIMIT.saturating_sub(sorted.documents.len() + sorted.hooks.len()),
    };
    definitions.add(root, None)?;
    Ok(Rendered {
        crds: definitions.found,
        documents: sorted.documents,
        hooks: sorted.hooks,
        notes,
        warnings: warnings.0,
    })
}

/// The files in `crds/` of a chart, then those of the charts in it. They are no templates.
struct Definitions {
    found: Vec<Document>,
    /// How many bytes may still come.
    bytes: usize,
    /// How many documents may still come.
    documents: usize,
}

impl Definitions {
    fn add(&mut self, node: &Node<'_>, parent: Option<&str>) -> Result<(), ChartError> {
        let path = parent
            .map_or_else(|| node.name().to_owned(), |parent| format!("{parent}/charts/{}", node.name()));
        let is_manifest = |name: &str| {
            let (_, extension) = name.rsplit_once('.').unwrap_or_default();
            name.starts_with("crds/")
                && ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        };
        let mut files: Vec<_> = node.chart.files.iter().filter(|(name, _)| is_manifest(name)).collect();
        // The order of a walk through directories.
        files.sort_by_key(|(name, _)| name.split('/').collect::<Vec<_>>());
        for (name, content) in files {
            self.file(&format!("{path}/{name}"), content)?;
        }
        node.children.iter().try_for_each(|child| self.add(child, Some(&path)))
    }

    fn file(&mut self, source: &str, content: &[u8]) -> Result<(), ChartError> {
        self.bytes = self.bytes.checked_sub(content.len()).ok_or_else(|| {
            ChartError::Manifest(format!("the files in crds/ have more than {DEFINITIONS_LIMIT} bytes"))
        })?;
        for text in documents::split(&String::from_utf8_lossy(content)) {
            self.documents = self.documents.checked_sub(1).ok_or_else(manifests::too_many)?;
            let value = documents::first_exact(text)
                .map_err(|why| ChartError::Manifest(format!("YAML parse error on {source}: {why}")))?;
            self.found.push(manifests::document(source, text, &value)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
