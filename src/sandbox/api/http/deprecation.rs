//! Warnings about kinds and versions that are deprecated, in a real server's words.

use serde_json::Value;

use super::discovery::compare_versions;
use crate::sandbox::api::{Api, definitions};
use crate::sandbox::crd;
use crate::sandbox::kinds::ResourceType;

/// What a client that uses this kind in this version is told; `None` when nothing is deprecated.
pub fn warning(api: &Api, kind: &ResourceType) -> Option<String> {
    if kind.custom {
        let definition = api.get(definitions::RESOURCE, "", &kind.qualified())?;
        return of_custom(&definition, kind);
    }
    let old = kind.group.is_empty() && kind.plural == "endpoints";
    old.then(|| "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned())
}

fn of_custom(definition: &Value, kind: &ResourceType) -> Option<String> {
    let version = crd::version(definition, &kind.version).filter(|version| version["deprecated"] == true)?;
    if let Some(warning) = version["deprecationWarning"].as_str() {
        return Some(warning.to_owned());
    }
    let mut text = format!("{} {} is deprecated", kind.api_version(), kind.kind);
    let newer = definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|other| other["served"] == true && other["deprecated"] != true)
        .filter_map(|other| other["name"].as_str())
        .filter(|name| compare_versions(name, &kind.version).is_gt())
        .max_by(|a, b| compare_versions(a, b));
    if let Some(newer) = newer {
        text.push_str(&format!("; use {}/{newer} {}", kind.group, kind.kind));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deprecated_version_points_to_the_newest_one() {
        let definition = json!({"spec": {"group": "a.b", "versions": [
            {"name": "v1alpha1", "served": true, "deprecated": true},
            {"name": "v1beta1", "served": true, "deprecated": true, "deprecationWarning": "not this one"},
            {"name": "v1", "served": true}, {"name": "v2", "served": false}]}});
        let of = |version: &str| {
            let kind = ResourceType {
                group: "a.b".into(),
                version: version.into(),
                kind: "Thing".into(),
                custom: true,
                ..ResourceType::default()
            };
            of_custom(&definition, &kind)
        };
        assert_eq!(of("v1alpha1").as_deref(), Some("a.b/v1alpha1 Thing is deprecated; use a.b/v1 Thing"));
        assert_eq!(of("v1beta1").as_deref(), Some("not this one"));
        assert_eq!(of("v1"), None);
    }
}
