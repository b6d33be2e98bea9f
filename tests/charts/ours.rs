//! Our own rendering.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};
use styrmin::driver::chart::{
    Capabilities, Chart, Document, Limits, Outcome, Release, Rendered, Request, Seed, render,
    values_from_yaml,
};

use crate::case::{Case, files};

/// Renders a chart's directory; an error is its text.
pub fn rendered(directory: &Path, case: &Case) -> Result<Rendered, String> {
    let chart = Chart::from_files(&files(directory)).map_err(|error| error.to_string())?;
    of(&chart, case)
}

/// Renders a chart.
pub fn of(chart: &Chart, case: &Case) -> Result<Rendered, String> {
    let given = case.values.as_ref().map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default();
    let mut values = values_from_yaml(&given)?;
    for assignment in case.every("--set").flat_map(|list| list.split(',')) {
        set(&mut values, assignment);
    }
    let mut capabilities = Capabilities::of_version(case.kubernetes())?;
    capabilities.api_versions.extend(case.every("--api-versions").map(str::to_owned));
    let is_upgrade = case.is_upgrade();
    let request = Request {
        values: &values,
        release: &Release { name: "demo".into(), namespace: "shop".into(), revision: 1, is_upgrade },
        capabilities: &capabilities,
        lookups: None,
        seed: &Seed { bytes: [42; 32], born: Timestamp::UNIX_EPOCH },
        now: Timestamp::UNIX_EPOCH,
        limits: Limits::default(),
    };
    match render(chart, &request).map_err(|error| error.to_string())? {
        Outcome::Rendered(rendered) => Ok(*rendered),
        Outcome::Wants(keys) => panic!("{keys:?}"),
    }
}

/// `a.b=1` as Helm's command line sets it: whole numbers, booleans and null, or else a text.
fn set(values: &mut Value, assignment: &str) {
    let (path, text) = assignment.split_once('=').unwrap();
    let mut place = values;
    for key in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = place.as_object_mut().unwrap().entry(key).or_insert(Value::Null);
    }
    *place = match text {
        "true" | "false" => Value::from(text == "true"),
        "null" => Value::Null,
        "0" => Value::from(0),
        text if text.starts_with('0') => Value::from(text),
        text => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    };
}

/// What `helm template` prints of it.
pub fn printed(rendered: &Rendered) -> String {
    let print = |document: &Document| format!("---\n# Source: {}\n{}\n", document.source, document.text);
    let documents: String = rendered.documents.iter().map(print).collect();
    let hooks: String = rendered.hooks.iter().map(|hook| print(&hook.document)).collect();
    format!("{}\n{hooks}", documents.trim())
}
