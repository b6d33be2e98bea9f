//! Discovery: which groups, versions and resources there are.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::sandbox::kinds::{Kinds, ResourceType};

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The built-in groups in the order in which a real server shows them; all others follow by name.
const ORDER: [&str; 17] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
];

/// The version of the server, as clients see it.
pub const GIT_VERSION: &str = concat!("v1.34.0+styrmin-sandbox-", env!("CARGO_PKG_VERSION"));

/// `/version`.
pub fn version() -> Value {
    json!({
        "major": "1",
        "minor": "34",
        "emulationMajor": "1",
        "emulationMinor": "34",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "33",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

/// `/`: the paths that there are.
pub fn index(kinds: &Kinds) -> Value {
    let mut paths: Vec<String> =
        ["/api", "/api/v1", "/apis", "/apis/", "/healthz", "/healthz/ping", "/livez", "/livez/ping"]
            .into_iter()
            .chain(["/openapi/v2", "/openapi/v3", "/openapi/v3/", "/readyz", "/readyz/ping", "/version"])
            .map(str::to_owned)
            .collect();
    for (group, versions) in groups_of(kinds, false) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.sort();
    json!({"paths": paths})
}

/// `/api`; `host` is where the client reached the server.
pub fn core_versions(host: &str) -> Value {
    let mut addresses = Vec::new();
    if !host.is_empty() {
        addresses.push(json!({"clientCIDR": "0.0.0.0/0", "serverAddress": host}));
    }
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses})
}

/// The groups in their order, each with its versions, the preferred one first. The core group is one of its own.
fn groups_of(kinds: &Kinds, core: bool) -> Vec<(&str, Vec<&str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in kinds.all().iter().filter(|kind| kind.group.is_empty() == core) {
        match groups.iter_mut().find(|(group, _)| *group == kind.group) {
            Some((_, versions)) if versions.contains(&kind.version.as_str()) => {}
            Some((_, versions)) => versions.push(&kind.version),
            None => groups.push((&kind.group, vec![&kind.version])),
        }
    }
    let place = |group: &str| ORDER.iter().position(|known| *known == group).unwrap_or(ORDER.len());
    groups.sort_by(|(a, _), (b, _)| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
    for (_, versions) in &mut groups {
        versions.sort_by(|a, b| compare_versions(b, a));
    }
    groups
}

/// Orders versions as Kubernetes does: `v1` is more than `v1beta2`, that more than `v1beta1`, that more than `v1alpha1`, and
/// anything else is less than those.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    match (version_rank(a), version_rank(b)) {
        (None, None) => b.cmp(a),
        (a, b) => a.cmp(&b),
    }
}

/// Stability, major and minor number of a version; `None` when it is no version of that form.
fn version_rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let major = rest[..digits].parse().ok()?;
    match &rest[digits..] {
        "" => Some((3, major, 0)),
        rest => {
            let (stability, minor) = rest
                .strip_prefix("beta")
                .map(|minor| (2, minor))
                .or_else(|| rest.strip_prefix("alpha").map(|minor| (1, minor)))?;
            Some((stability, major, minor.parse().ok()?))
        }
    }
}

/// `/apis`.
pub fn groups(kinds: &Kinds) -> Value {
    let groups: Vec<Value> =
        groups_of(kinds, false).iter().map(|(name, versions)| group_body(name, versions)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`; `None` when there is no such group.
pub fn group(kinds: &Kinds, name: &str) -> Option<Value> {
    let groups = groups_of(kinds, false);
    let (name, versions) = groups.iter().find(|(group, _)| *group == name)?;
    let mut body = group_body(name, versions);
    body["kind"] = json!("APIGroup");
    body["apiVersion"] = json!("v1");
    Some(body)
}

fn group_body(name: &str, versions: &[&str]) -> Value {
    let entry = |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let preferred = versions.first().map(entry);
    let versions: Vec<Value> = versions.iter().map(entry).collect();
    json!({"name": name, "versions": versions, "preferredVersion": preferred})
}

fn served<'a>(kinds: &'a Kinds, group: &str, version: &str) -> Vec<&'a Arc<ResourceType>> {
    let of_it = |kind: &&Arc<ResourceType>| kind.group == group && kind.version == version;
    let mut served: Vec<&Arc<ResourceType>> = kinds.all().iter().filter(of_it).collect();
    served.sort_by(|a, b| a.plural.cmp(&b.plural));
    served
}

/// `/api/{version}`, `/apis/{group}/{version}`; `None` when nothing is served there.
pub fn types(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let served = served(kinds, group, version);
    let group_version = served.first()?.api_version();
    let mut resources = Vec::new();
    for kind in served {
        let mut entries = entries(kind);
        if let Some(resource) = entries.first_mut().filter(|_| !kind.is_review() && !kind.is_measured()) {
            let stored = kinds.named(&kind.storage()).unwrap_or(kind);
            resource["storageVersionHash"] = json!(storage_version_hash(stored));
        }
        resources.extend(entries);
    }
    let mut list = json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources});
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    Some(list)
}

/// A short name of the kind and version in which objects are stored.
fn storage_version_hash(stored: &ResourceType) -> String {
    let text = format!("{}/{}/{}", stored.group, stored.version, stored.kind);
    STANDARD.encode(&Sha256::digest(text.as_bytes())[..8])
}

/// `/api` (`core`) or `/apis` with everything below it, as `apidiscovery.k8s.io` of this version.
pub fn aggregated(kinds: &Kinds, core: bool, version: &str) -> Value {
    let items: Vec<Value> = groups_of(kinds, core)
        .iter()
        .map(|(group, versions)| {
            let versions: Vec<Value> =
                versions.iter().map(|version| aggregated_version(kinds, group, version)).collect();
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let api_version = format!("apidiscovery.k8s.io/{version}");
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items})
}

fn aggregated_version(kinds: &Kinds, group: &str, version: &str) -> Value {
    let resources: Vec<Value> =
        served(kinds, group, version).into_iter().map(|kind| aggregated_resource(kind)).collect();
    json!({"version": version, "freshness": "Current", "resources": resources})
}

fn aggregated_resource(kind: &ResourceType) -> Value {
    let response_kind = |entry: &Value| {
        let own = |field: &str, default: &str| entry.get(field).cloned().unwrap_or_else(|| json!(default));
        json!({"group": own("group", &kind.group), "version": own("version", &kind.version), "kind": entry["kind"]})
    };
    let mut entries = entries(kind).into_iter();
    let first = entries.next().unwrap_or_default();
    let subresources: Vec<Value> = entries
        .map(|entry| {
            let name =
                entry["name"].as_str().and_then(|name| name.split_once('/')).map_or("", |(_, name)| name);
            json!({"subresource": name, "responseKind": response_kind(&entry), "verbs": entry["verbs"]})
        })
        .collect();
    let mut resource = json!({
        "resource": kind.plural,
        "responseKind": response_kind(&first),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": first["verbs"],
    });
    add_names(&mut resource, kind);
    if !subresources.is_empty() {
        resource["subresources"] = Value::Array(subresources);
    }
    resource
}

fn add_names(resource: &mut Value, kind: &ResourceType) {
    if !kind.short_names.is_empty() {
        resource["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        resource["categories"] = json!(kind.categories);
    }
}

/// The verbs of a resource.
fn verbs(kind: &ResourceType) -> Vec<&'static str> {
    if kind.is_review() {
        return vec!["create"];
    }
    if kind.is_measured() {
        return vec!["get", "list"];
    }
    if kind.is_never_made() {
        return vec!["get", "list", "watch"];
    }
    let mut verbs = VERBS.to_vec();
    if !deletes_collections(kind) {
        verbs.retain(|verb| *verb != "deletecollection");
    }
    verbs
}

/// Whether all objects of a resource can be deleted with one request. Namespaces go one by one.
pub fn deletes_collections(kind: &ResourceType) -> bool {
    kind.storage() != "namespaces"
}

/// A resource and its subresources, as `APIResource`s.
pub fn entries(kind: &ResourceType) -> Vec<Value> {
    let mut resource = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": verbs(kind),
    });
    add_names(&mut resource, kind);
    let mut list = vec![resource];
    for (name, shown, verbs) in subresources(kind) {
        let mut entry: Map<String, Value> = Map::new();
        entry.insert("name".to_owned(), json!(format!("{}/{name}", kind.plural)));
        entry.insert("singularName".to_owned(), json!(""));
        entry.insert("namespaced".to_owned(), json!(kind.namespaced));
        entry.insert("verbs".to_owned(), json!(verbs));
        if let Value::Object(shown) = shown {
            entry.extend(shown);
        }
        list.push(Value::Object(entry));
    }
    if !kind.custom {
        list[1..].sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    }
    list
}

type Subresource = (&'static str, Value, &'static [&'static str]);

/// The subresources of a resource: name, what is sent, verbs.
fn subresources(kind: &ResourceType) -> Vec<Subresource> {
    const PART: &[&str] = &["get", "patch", "update"];
    const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];
    let mut list: Vec<Subresource> = Vec::new();
    let own = json!({"kind": kind.kind});
    if kind.status {
        list.push(("status", own.clone(), PART));
    }
    if kind.scale {
        list.push(("scale", json!({"kind": "Scale", "group": "autoscaling", "version": "v1"}), PART));
    }
    match kind.storage().as_str() {
        "pods" => {
            list.push(("log", own, &["get"]));
            let eviction = json!({"kind": "Eviction", "group": "policy", "version": "v1"});
            list.push(("eviction", eviction, &["create"]));
            for (name, options) in [
                ("exec", "PodExecOptions"),
                ("attach", "PodAttachOptions"),
                ("portforward", "PodPortForwardOptions"),
            ] {
                list.push((name, json!({"kind": options}), &["create", "get"]));
            }
            list.push(("proxy", json!({"kind": "PodProxyOptions"}), PROXY));
        }
        "services" => list.push(("proxy", json!({"kind": "ServiceProxyOptions"}), PROXY)),
        "namespaces" => list.push(("finalize", own, &["update"])),
        _ => {}
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_served_is_listed() {
        let kinds = Kinds::new();
        let groups = groups(&kinds);
        let names: Vec<&str> =
            groups["groups"].as_array().unwrap().iter().filter_map(|g| g["name"].as_str()).collect();
        assert!(names.contains(&"apps") && names.contains(&"apiextensions.k8s.io") && !names.contains(&""));
        let apps = types(&kinds, "apps", "v1").unwrap();
        let resources: Vec<&str> =
            apps["resources"].as_array().unwrap().iter().filter_map(|r| r["name"].as_str()).collect();
        assert!(resources.contains(&"deployments/scale") && resources.contains(&"statefulsets/status"));
        assert!(types(&kinds, "apps", "v2").is_none());
    }

    #[test]
    fn versions_have_an_order() {
        let mut versions = vec![
            "v1alpha1",
            "foo1",
            "v2beta1",
            "v10",
            "v1",
            "v1beta2",
            "foo10",
            "v2",
            "v11alpha2",
            "v3beta1",
        ];
        versions.sort_by(|a, b| compare_versions(b, a));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v3beta1", "v2beta1", "v1beta2", "v11alpha2", "v1alpha1", "foo1", "foo10"]
        );
    }

    #[test]
    fn the_hash_of_the_storage_version_is_that_of_a_real_server() {
        let kinds = Kinds::new();
        let hash = |name: &str| storage_version_hash(kinds.named(name).unwrap());
        assert_eq!(
            (hash("deployments.apps").as_str(), hash("configmaps").as_str()),
            ("8aSe+NMegvE=", "qFsyl6wFWjQ=")
        );
    }
}
