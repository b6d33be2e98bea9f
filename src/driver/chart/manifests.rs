//! What templates rendered becomes documents, in the order in which Helm applies them, and hooks, apart.

mod order;

use serde_json::Value as Json;

use super::decode::Fields;
use super::error::ChartError;
use super::hooks::{ChartHook, Hook};
use super::merge::Warnings;
use super::value::Value;
use super::{documents, plain};

/// How many documents a chart may render, its definitions of custom resources among them.
pub(super) const DOCUMENT_LIMIT: usize = 5_000;

/// One document that a template rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The template's path: `umbrella/charts/web/templates/service.yaml`.
    pub source: String,
    /// The document as it was rendered.
    pub text: String,
    /// What is in it: one object, none when it has but comments, several when it is a list.
    pub objects: Vec<Json>,
}

/// The documents and hooks of a chart.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) documents: Vec<Document>,
    pub(super) hooks: Vec<ChartHook>,
}

/// Splits and sorts what templates rendered. `rendered` has each template's path and its text, sorted by path.
pub(super) fn sort<'a>(
    rendered: impl IntoIterator<Item = (&'a str, &'a str)>,
    warnings: &mut Warnings,
) -> Result<Sorted, ChartError> {
    let mut sorted = Vec::new();
    let mut hooks = Vec::new();
    for (source, text) in rendered {
        for text in documents::split(text) {
            if sorted.len() + hooks.len() >= DOCUMENT_LIMIT {
                return Err(too_many());
            }
            let value = documents::first_exact(text).map_err(|why| parse_error(source, &why))?;
            let head = Head::read(&value).map_err(|why| parse_error(source, &why))?;
            let hook = head.hook(warnings);
            if hook == Some(None) {
                continue;
            }
            let document = document(source, text, &value)?;
            match hook.flatten() {
                Some(hook) => hooks.push((head.kind, ChartHook::new(head.name, hook, document))),
                None => sorted.push((head.kind, document)),
            }
        }
    }
    sorted.sort_by(|(left, _), (right, _)| order::compare(left, right));
    hooks.sort_by(|(left, _), (right, _)| order::compare(left, right));
    Ok(Sorted {
        documents: sorted.into_iter().map(|(_, document)| document).collect(),
        hooks: hooks.into_iter().map(|(_, hook)| hook).collect(),
    })
}

/// There are more documents than there may be.
pub(super) fn too_many() -> ChartError {
    ChartError::Manifest(format!("the chart renders more than {DOCUMENT_LIMIT} documents"))
}

/// The document of a file in `crds/` or of a template.
pub(super) fn document(source: &str, text: &str, value: &Value) -> Result<Document, ChartError> {
    let mut objects = Vec::new();
    flatten(plain::to_json(value), &mut objects);
    for object in &objects {
        let is_text =
            |name: &str| object.get(name).and_then(Json::as_str).is_some_and(|text| !text.is_empty());
        for name in ["apiVersion", "kind"] {
            if !is_text(name) {
                let message = format!("{source}: an object has no {name}, so it cannot be applied");
                return Err(ChartError::Manifest(message));
            }
        }
    }
    Ok(Document { source: source.to_owned(), text: text.to_owned(), objects })
}

/// An object, or each of a `List`.
fn flatten(object: Json, objects: &mut Vec<Json>) {
    let is_list = object.get("kind").and_then(Json::as_str).is_some_and(|kind| kind.ends_with("List"));
    match object {
        Json::Null => {}
        Json::Object(mut entries) if is_list && entries.get("items").is_some_and(Json::is_array) => {
            if let Some(Json::Array(items)) = entries.remove("items") {
                items.into_iter().for_each(|item| flatten(item, objects));
            }
        }
        other => objects.push(other),
    }
}

fn parse_error(source: &str, why: &str) -> ChartError {
    ChartError::Manifest(format!("YAML parse error on {source}: {why}"))
}

/// What Helm reads of a document.
struct Head {
    kind: String,
    name: String,
    annotations: std::collections::BTreeMap<String, String>,
}

impl Head {
    fn read(value: &Value) -> Result<Self, String> {
        let fields = Fields::of("releaseutil.SimpleHead", "", value)?;
        fields.text("apiVersion")?;
        let metadata = fields.get("metadata");
        let metadata = Fields::of("", "metadata.", &metadata)?;
        Ok(Self {
            kind: fields.text("kind")?,
            name: metadata.text("name")?,
            annotations: metadata.texts_by_name("annotations")?,
        })
    }

    /// The hook that the document is; none for what is no hook, and some none for an unknown one, which Helm leaves out.
    fn hook(&self, warnings: &mut Warnings) -> Option<Option<Hook>> {
        let events = self.annotations.get(super::hooks::EVENTS)?;
        let hook = Hook::read(events, &self.annotations);
        if hook.is_none() {
            warnings.add(format!("{} {}: skipping unknown hook: {events:?}", self.kind, self.name));
        }
        Some(hook)
    }
}

#[cfg(test)]
mod tests;
