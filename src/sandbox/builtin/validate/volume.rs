//! Volumes of a pod.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::names;
use super::{items, required, text, well_formed};
use crate::sandbox::schema::causes::Causes;

/// The one field that a kind of volume cannot do without.
const NEEDED: [(&str, &str); 5] = [
    ("secret", "secretName"),
    ("configMap", "name"),
    ("persistentVolumeClaim", "claimName"),
    ("hostPath", "path"),
    ("csi", "driver"),
];

/// Checks the volumes and returns their names.
pub fn check<'a>(volumes: &'a [Value], path: &str, causes: &mut Causes) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = &volume["name"];
        if required(name, &format!("{path}.name"), causes) {
            let problem = names::label_1123(text(name));
            let fits = problem.is_none();
            well_formed(name, &format!("{path}.name"), problem, causes);
            if fits && !seen.insert(text(name)) {
                causes.duplicate(&format!("{path}.name"), name);
            }
        }
        check_source(volume, &path, causes);
    }
    seen
}

/// The order in which a real server looks at the kinds of volume.
fn rank(kind: &str) -> usize {
    [
        "emptyDir",
        "hostPath",
        "secret",
        "nfs",
        "persistentVolumeClaim",
        "downwardAPI",
        "configMap",
        "projected",
    ]
    .iter()
    .position(|known| *known == kind)
    .unwrap_or(usize::MAX)
}

fn check_source(volume: &Value, path: &str, causes: &mut Causes) {
    let fields = volume.as_object().into_iter().flatten();
    let mut given: Vec<&String> =
        fields.filter(|(name, source)| *name != "name" && source.is_object()).map(|(name, _)| name).collect();
    given.sort_by_key(|kind| rank(kind));
    let Some((kind, others)) = given.split_first() else {
        causes.required(path, "must specify a volume type");
        return;
    };
    for other in others {
        causes.forbidden(&format!("{path}.{other}"), "may not specify more than 1 volume type");
    }
    let source = &volume[kind.as_str()];
    if let Some((_, field)) = NEEDED.iter().find(|(name, _)| name == kind) {
        required(&source[*field], &format!("{path}.{kind}.{field}"), causes);
    }
    for (index, item) in items(&source["items"]).iter().enumerate() {
        let at = format!("{path}.{kind}.items[{index}]");
        if kind.as_str() != "downwardAPI" {
            required(&item["key"], &format!("{at}.key"), causes);
        }
        if required(&item["path"], &format!("{at}.path"), causes) {
            relative(&item["path"], &format!("{at}.path"), causes);
        }
    }
}

fn relative(path: &Value, at: &str, causes: &mut Causes) {
    if text(path).starts_with('/') {
        causes.invalid(at, path, "must be a relative path");
    }
    if text(path).split('/').any(|part| part == "..") {
        causes.invalid(at, path, "must not contain '..'");
    }
}
