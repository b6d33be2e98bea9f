//! The documents of a server with the built-in kinds and one custom one.

use std::collections::BTreeSet;

use super::*;
use crate::sandbox::api::http::discovery_entries;
use crate::sandbox::kinds::{Kinds, ResourceType};

fn served() -> Served {
    let definition = json!({"metadata": {"name": "things.styrmin.io", "uid": "u", "resourceVersion": "7"}, "spec": {
        "group": "styrmin.io", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"size": {"type": "integer", "description": "How large.", "minimum": 1}}}}}}}]}});
    let mut all: Vec<Arc<ResourceType>> = Kinds::new().all().to_vec();
    all.extend(crate::sandbox::crd::resource_types(&definition).into_iter().map(Arc::new));
    let kinds = all.into_iter().map(|kind| (kind.clone(), discovery_entries(&kind))).collect();
    Served { version: "v1.34.0".to_owned(), kinds, definitions: vec![Arc::new(definition)] }
}

fn parse(document: &Document) -> Value {
    serde_json::from_slice(&document.bytes).unwrap()
}

fn check_references(value: &Value, prefix: &str, known: &BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| match value {
            Value::String(text) if key == "$ref" => {
                let name = text.strip_prefix(prefix).unwrap_or_else(|| panic!("{text}"));
                assert!(known.contains(name), "{name} is referred to, but not there");
            }
            value => check_references(value, prefix, known),
        }),
        Value::Array(items) => items.iter().for_each(|item| check_references(item, prefix, known)),
        _ => {}
    }
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_document_of_the_index_is_there_and_whole() {
    let (documents, served) = (Documents::default(), served());
    let index = parse(&documents.index(&served));
    let paths = index["paths"].as_object().unwrap();
    assert!(paths.contains_key("api/v1") && paths.contains_key("apis/styrmin.io/v1"));
    for (group, version) in served.group_versions() {
        let document = documents.version_3(&served, &group, &version).unwrap();
        let name = operations::prefix(&group, &version)[1..].to_owned();
        let url = format!("/openapi/v3/{name}?hash={}", document.hash);
        assert_eq!(paths[&name]["serverRelativeURL"], url.as_str());
        let document = parse(&document);
        check_references(&document, types::REFERENCE, &names(&document["components"]["schemas"]));
    }
    assert!(documents.version_3(&served, "styrmin.io", "v2").is_none());
}

#[test]
fn operations_have_what_kubectl_looks_for() {
    let (documents, served) = (Documents::default(), served());
    let document = parse(&documents.version_3(&served, "apps", "v1").unwrap());
    let item = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    let patch = &item["patch"];
    let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    assert_eq!(
        (&patch["x-kubernetes-action"], &patch["x-kubernetes-group-version-kind"]),
        (&json!("patch"), &kind)
    );
    let parameters: Vec<&str> =
        patch["parameters"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(parameters, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    assert_eq!(patch["operationId"], "patchAppsV1NamespacedDeployment");
    let scale = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["put"];
    assert_eq!(scale["x-kubernetes-group-version-kind"]["kind"], "Scale");
    let list = &document["paths"]["/apis/apps/v1/deployments"]["get"];
    assert_eq!(list["operationId"], "listAppsV1DeploymentForAllNamespaces");
}

#[test]
fn a_custom_resource_is_described_by_its_definition() {
    let (documents, mut served) = (Documents::default(), served());
    let before = documents.version_3(&served, "styrmin.io", "v1").unwrap();
    let document = parse(&before);
    let thing = &document["components"]["schemas"]["io.styrmin.v1.Thing"];
    assert_eq!(thing["properties"]["spec"]["properties"]["size"]["description"], "How large.");
    assert_eq!(
        thing["properties"]["metadata"]["allOf"][0]["$ref"],
        "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    );
    let patch = &document["paths"]["/apis/styrmin.io/v1/namespaces/{namespace}/things/{name}"]["patch"];
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_none());
    let mut changed = (*served.definitions[0]).clone();
    changed["metadata"]["resourceVersion"] = json!("8");
    changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] =
        json!({"type": "object"});
    served.definitions = vec![Arc::new(changed)];
    assert_ne!(documents.version_3(&served, "styrmin.io", "v1").unwrap().hash, before.hash);
}

#[test]
fn version_2_is_whole_in_both_forms() {
    let (documents, served) = (Documents::default(), served());
    let document = parse(&documents.version_2(&served, false));
    check_references(&document, "#/definitions/", &names(&document["definitions"]));
    let binary = documents.version_2(&served, true);
    // A few of the messages, found by walking the fields from the outside.
    let definitions = fields(&binary.bytes).into_iter().find(|(field, _)| *field == 9).unwrap().1;
    let entries = fields(definitions);
    assert_eq!(entries.len(), document["definitions"].as_object().unwrap().len());
    let of = |name: &str| {
        entries.iter().map(|(_, entry)| fields(entry)).find(|entry| entry[0].1 == name.as_bytes()).unwrap()[1]
            .1
    };
    let int_or_string = fields(of("io.k8s.apimachinery.pkg.util.intstr.IntOrString"));
    assert!(int_or_string.contains(&(2, b"int-or-string".as_slice())));
    assert!(int_or_string.contains(&(22, b"\x0a\x06string".as_slice())));
}

/// The length-delimited fields of a message; it has no others.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = number(&mut bytes);
        assert_eq!(key & 7, 2);
        let length = number(&mut bytes) as usize;
        let (value, rest) = bytes.split_at(length);
        found.push((key >> 3, value));
        bytes = rest;
    }
    found
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
    }
    number
}
