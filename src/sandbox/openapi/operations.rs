//! The paths of a kind with their operations, as OpenAPI v3 writes them. What there is comes from discovery.

use serde_json::{Map, Value, json};

use super::parameters;
use super::types::{META, REFERENCE, Types};
use crate::sandbox::kinds::ResourceType;

const JSON: &str = "application/json";
const ANY: &str = "*/*";
const PATCHES: [&str; 4] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];
/// Subresources to which a client connects.
const CONNECTED: [&str; 4] = ["attach", "exec", "portforward", "proxy"];

/// What one entry of discovery needs to become paths.
struct Entry<'a> {
    kind: &'a ResourceType,
    types: &'a Types,
    /// Empty for the resource itself.
    subresource: &'a str,
    /// Group, version and kind of what is sent.
    sent: [String; 3],
    verbs: Vec<&'a str>,
}

/// The paths of a kind and of its subresources; `entries` is what discovery says of them.
pub fn paths(kind: &ResourceType, entries: &[Value], types: &Types) -> Map<String, Value> {
    let mut paths = Map::new();
    for entry in entries {
        let own = |field: &str, default: &str| entry[field].as_str().unwrap_or(default).to_owned();
        let name = entry["name"].as_str().unwrap_or_default();
        let entry = Entry {
            kind,
            types,
            subresource: name.split_once('/').map_or("", |(_, subresource)| subresource),
            sent: [own("group", &kind.group), own("version", &kind.version), own("kind", &kind.kind)],
            verbs: entry["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        };
        entry.add_to(&mut paths);
    }
    paths
}

/// `/api/v1`, `/apis/apps/v1`.
pub fn prefix(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

/// `AppsV1`, `CoreV1`, `RbacAuthorizationV1`.
fn title(group: &str, version: &str) -> String {
    let group = if group.is_empty() { "core" } else { group.trim_end_matches(".k8s.io") };
    group.split(['.', '-']).chain([version]).map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn tag(group: &str, version: &str) -> String {
    let name = title(group, "");
    let mut letters = name.chars();
    let lower: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
    format!("{lower}_{version}")
}

impl Entry<'_> {
    fn add_to(&self, paths: &mut Map<String, Value>) {
        let kind = self.kind;
        let prefix = prefix(&kind.group, &kind.version);
        let scope = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
        let collection = format!("{prefix}{scope}/{}", kind.plural);
        if !self.subresource.is_empty() {
            let item = self.item_operations();
            self.add(paths, format!("{collection}/{{name}}/{}", self.subresource), item);
            return;
        }
        let mut all = Vec::new();
        if self.has("list") {
            all.push(("get", self.operation("list", "get")));
        }
        if self.has("create") {
            all.push(("post", self.operation("post", "post")));
        }
        if self.has("deletecollection") {
            all.push(("delete", self.operation("deletecollection", "delete")));
        }
        self.add(paths, collection.clone(), all);
        self.add(paths, format!("{collection}/{{name}}"), self.item_operations());
        if kind.namespaced && self.has("list") {
            let mut operation = self.operation("list", "get");
            let id = format!("list{}{}ForAllNamespaces", title(&kind.group, &kind.version), kind.kind);
            operation["operationId"] = json!(id);
            self.add(paths, format!("{prefix}/{}", kind.plural), vec![("get", operation)]);
        }
    }

    fn add(&self, paths: &mut Map<String, Value>, path: String, operations: Vec<(&str, Value)>) {
        if operations.is_empty() {
            return;
        }
        let mut common = parameters::of_subresource(self.subresource);
        if path.contains("{name}") {
            common.push(parameters::of_path("name", &format!("name of the {}", self.kind.kind)));
        }
        if path.contains("{namespace}") {
            common.push(parameters::of_path("namespace", "the namespace of the object"));
        }
        let mut item: Map<String, Value> =
            operations.into_iter().map(|(method, operation)| (method.to_owned(), operation)).collect();
        if !common.is_empty() {
            item.insert("parameters".to_owned(), Value::Array(common));
        }
        paths.insert(path, Value::Object(item));
    }

    fn has(&self, verb: &str) -> bool {
        self.verbs.contains(&verb)
    }

    fn item_operations(&self) -> Vec<(&'static str, Value)> {
        let connected = CONNECTED.contains(&self.subresource);
        [
            ("get", "get", "get"),
            ("update", "put", "put"),
            ("patch", "patch", "patch"),
            ("delete", "delete", "delete"),
        ]
        .into_iter()
        // The resource itself is created in its collection.
        .chain((!self.subresource.is_empty()).then_some(("create", "post", "post")))
        .filter(|(verb, _, _)| self.has(verb))
        .map(|(_, action, method)| {
            (method, self.operation(if connected { "connect" } else { action }, method))
        })
        .collect()
    }

    fn operation(&self, action: &str, method: &str) -> Value {
        let [group, version, sent] = &self.sent;
        let kind = self.kind;
        let mut operation = json!({
            "description": self.description(action),
            "operationId": self.id(action, method),
            "tags": [tag(&kind.group, &kind.version)],
            "responses": self.responses(action),
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": sent},
        });
        let parameters = if self.subresource == "log" { Vec::new() } else { parameters::of_action(action) };
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = self.body(action) {
            operation["requestBody"] = body;
        }
        operation
    }

    fn description(&self, action: &str) -> String {
        let kind = &self.kind.kind;
        let what = match self.subresource {
            "" => format!("a {kind}"),
            subresource => format!("{subresource} of a {kind}"),
        };
        match action {
            "list" => format!("list or watch objects of kind {kind}"),
            "post" => format!("create {what}"),
            "put" => format!("replace {what}"),
            "patch" => format!("partially update {what}"),
            "delete" => format!("delete {what}"),
            "deletecollection" => format!("delete a collection of {kind}"),
            "connect" => format!("connect to {what}"),
            _ => format!("read {what}"),
        }
    }

    fn id(&self, action: &str, method: &str) -> String {
        let kind = self.kind;
        let title = title(&kind.group, &kind.version);
        let scope = if kind.namespaced { "Namespaced" } else { "" };
        let rest = format!("{scope}{}{}", kind.kind, capital(self.subresource));
        match action {
            "connect" => format!("connect{title}{}{rest}", capital(method)),
            "deletecollection" => format!("delete{title}Collection{rest}"),
            "get" => format!("read{title}{rest}"),
            "post" => format!("create{title}{rest}"),
            "put" => format!("replace{title}{rest}"),
            other => format!("{other}{title}{rest}"),
        }
    }

    fn sent_reference(&self) -> Option<Value> {
        let [group, version, kind] = &self.sent;
        self.types.kind(group, version, kind).map(|name| json!({"$ref": format!("{REFERENCE}{name}")}))
    }

    fn body(&self, action: &str) -> Option<Value> {
        let content = |media: &[&str], schema: Value| -> Value {
            media
                .iter()
                .map(|media| ((*media).to_owned(), json!({"schema": schema})))
                .collect::<Map<_, _>>()
                .into()
        };
        let shared = |name: &str| json!({"$ref": format!("{REFERENCE}{META}{name}")});
        match action {
            "post" | "put" => {
                Some(json!({"content": content(&[ANY], self.sent_reference()?), "required": true}))
            }
            "patch" => {
                let media: Vec<&str> = PATCHES
                    .into_iter()
                    .filter(|media| !(self.kind.custom && media.contains("strategic")))
                    .collect();
                Some(json!({"content": content(&media, shared("Patch")), "required": true}))
            }
            "delete" | "deletecollection" => {
                Some(json!({"content": content(&[ANY], shared("DeleteOptions"))}))
            }
            _ => None,
        }
    }

    fn responses(&self, action: &str) -> Value {
        let text = || json!({"type": "string"});
        let (media, schema) = match action {
            "connect" => (ANY, text()),
            "get" if self.subresource == "log" => ("text/plain", text()),
            "delete" | "deletecollection" => (JSON, json!({"$ref": format!("{REFERENCE}{META}Status")})),
            "list" => match self.sent_reference() {
                Some(reference) => {
                    let name = format!("{}List", reference["$ref"].as_str().unwrap_or_default());
                    (JSON, json!({"$ref": name}))
                }
                None => (JSON, json!({"type": "object"})),
            },
            _ => (JSON, self.sent_reference().unwrap_or_else(|| json!({"type": "object"}))),
        };
        let mut responses = Map::new();
        let codes: &[(&str, &str)] = match action {
            "post" => &[("200", "OK"), ("201", "Created"), ("202", "Accepted")],
            "put" | "patch" => &[("200", "OK"), ("201", "Created")],
            "delete" => &[("200", "OK"), ("202", "Accepted")],
            _ => &[("200", "OK")],
        };
        for (code, description) in codes {
            let answer = json!({"description": description, "content": {media: {"schema": schema}}});
            responses.insert((*code).to_owned(), answer);
        }
        responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        Value::Object(responses)
    }
}
