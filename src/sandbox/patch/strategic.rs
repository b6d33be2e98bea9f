//! Strategic merge patch: like a merge patch, but lists merge by the keys of their type, and directives say what else to do.

use serde_json::{Map, Value};

use crate::sandbox::schema::{ListOf, Schema, Strategic};
use crate::sandbox::status::Status;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Applies a strategic merge patch to an object of a built-in type. (Custom resources do not have it: their caller answers 415.)
///
/// # Errors
/// 400, 422 or 500, as a real server, when a directive or the form of the patch is wrong; the target may then be half patched.
pub fn strategic(schema: &Schema, target: &mut Value, patch: &Value) -> Result<(), Status> {
    let Value::Object(changes) = patch else {
        return Err(Status::bad_request("Invalid JSON document"));
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    match target {
        Value::Object(fields) => merge_map(schema, fields, changes),
        _ => Ok(()),
    }
}

fn internal(message: String) -> Status {
    Status::new(500, "InternalError", message)
}

fn not_a_list(value: &Value, patch: &Value) -> Status {
    let kind = match value {
        Value::Object(_) => "map",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    let message = format!("patch: Invalid value: \"{}\": cannot restore slice from {kind}", go_text(patch));
    Status::new(422, "Invalid", message)
}

fn merge_map(
    schema: &Schema,
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
) -> Result<(), Status> {
    match patch.get(PATCH).and_then(Value::as_str) {
        None if patch.contains_key(PATCH) => return Err(unknown_directive(patch)),
        None | Some("merge") => {}
        Some("replace") => {
            *target = plain_map(patch);
            return Ok(());
        }
        Some("delete") => {
            target.clear();
            return Ok(());
        }
        Some(_) => return Err(unknown_directive(patch)),
    }
    retain_keys(target, patch)?;
    for (name, values) in patch {
        if let Some(field) = name.strip_prefix(DELETE_FROM) {
            let Value::Array(values) = values else {
                return Err(not_a_list(values, &Value::Object(patch.clone())));
            };
            if let Some(Value::Array(items)) = target.get_mut(field) {
                items.retain(|item| !values.contains(item));
            }
        }
    }
    for (name, change) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        let order = patch.get(&format!("{ORDER}{name}"));
        merge_field(schema, target, (name, change), order)?;
    }
    // An order without a change of the list only orders it.
    for (name, order) in patch {
        let Some(field) = name.strip_prefix(ORDER).filter(|field| !patch.contains_key(*field)) else {
            continue;
        };
        let Some(Schema::List(list)) = schema.field(field) else { continue };
        if let (Some(Value::Array(items)), Value::Array(order)) = (target.get_mut(field), order) {
            *items = arrange(&list.strategic, items.clone(), order, &items.clone());
        }
    }
    Ok(())
}

fn unknown_directive(patch: &Map<String, Value>) -> Status {
    let (directive, map) = (go_text(&patch[PATCH]), go_text(&Value::Object(patch.clone())));
    internal(format!("unknown patch type: {directive} in map: {map}"))
}

/// `$retainKeys` names all the fields that may stay.
fn retain_keys(target: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), Status> {
    let Some(keys) = patch.get(RETAIN_KEYS) else { return Ok(()) };
    let keys: Vec<&str> = keys.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let set = patch.iter().filter(|(name, value)| !value.is_null() && !name.starts_with('$'));
    if set.into_iter().any(|(name, _)| !keys.contains(&name.as_str())) || keys.is_empty() {
        return Err(Status::bad_request("invalid patch format of retainKeys"));
    }
    target.retain(|name, _| keys.contains(&name.as_str()));
    Ok(())
}

fn merge_field(
    schema: &Schema,
    target: &mut Map<String, Value>,
    (name, change): (&String, &Value),
    order: Option<&Value>,
) -> Result<(), Status> {
    if change.is_null() {
        target.remove(name);
        return Ok(());
    }
    let schema = schema.field(name).unwrap_or(Schema::Any);
    if let Schema::List(list) = &schema
        && list.strategic != Strategic::Replace
    {
        let Value::Array(changes) = change else {
            let mut whole = Map::new();
            whole.insert(name.clone(), change.clone());
            return Err(not_a_list(change, &Value::Object(whole)));
        };
        let live = target.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let merged = merge_list(list, live, changes, order.and_then(Value::as_array))?;
        target.insert(name.clone(), Value::Array(merged));
        return Ok(());
    }
    match (target.get_mut(name), change) {
        (Some(Value::Object(fields)), Value::Object(changes)) => merge_map(&schema, fields, changes)?,
        (_, Value::Object(changes)) => {
            let mut fields = Map::new();
            merge_map(&schema, &mut fields, changes)?;
            target.insert(name.clone(), Value::Object(fields));
        }
        _ => {
            target.insert(name.clone(), plain(change));
        }
    }
    Ok(())
}

fn merge_list(
    list: &ListOf,
    live: Vec<Value>,
    patch: &[Value],
    order: Option<&Vec<Value>>,
) -> Result<Vec<Value>, Status> {
    let Strategic::MergeBy(key) = &list.strategic else {
        let mut merged = live.clone();
        merged.extend(patch.iter().filter(|item| !live.contains(item)).cloned());
        return Ok(arrange(&list.strategic, merged, order.map_or(patch, Vec::as_slice), &live));
    };
    if let Some(scalar) = patch.iter().find(|item| !item.is_object()) {
        let shown = go_text(&Value::Array(vec![Value::Array(live), Value::Array(vec![scalar.clone()])]));
        return Err(internal(format!("list element types are not identical: {shown}")));
    }
    if patch.iter().any(|item| item[PATCH] == "replace") {
        let rest = patch.iter().filter(|item| item[PATCH] != "replace");
        return Ok(rest.map(plain).collect());
    }
    if let Some(order) = order {
        check_order(key, patch, order)?;
    }
    let mut merged = live.clone();
    for change in patch {
        let Some(value) = change.get(key) else {
            return Err(internal(format!(
                "map: {} does not contain declared merge key: {key}",
                go_text(change)
            )));
        };
        let found = merged.iter().position(|item| item.get(key) == Some(value));
        match (change.get(PATCH).and_then(Value::as_str), found) {
            (Some("delete"), _) => merged.retain(|item| item.get(key) != Some(value)),
            (_, Some(at)) => strategic(&list.items, &mut merged[at], change)?,
            (_, None) => {
                let mut item = Value::Object(Map::new());
                strategic(&list.items, &mut item, change)?;
                merged.push(item);
            }
        }
    }
    Ok(arrange(&list.strategic, merged, order.map_or(patch, Vec::as_slice), &live))
}

/// The patch's own items must stand in the order that it demands.
fn check_order(key: &str, patch: &[Value], order: &[Value]) -> Result<(), Status> {
    let present = patch.iter().filter(|item| item[PATCH] != "delete");
    let mut rest = order.iter();
    let fits = present.into_iter().all(|item| rest.any(|wanted| wanted.get(key) == item.get(key)));
    if fits {
        return Ok(());
    }
    let text = |items: &[Value]| go_text(&Value::Array(items.to_vec()));
    let message = format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        text(patch),
        text(order)
    );
    Err(internal(message))
}

/// Items named by the patch (or its order directive) in that order, the others between them as they stood in the live list.
fn arrange(strategic: &Strategic, merged: Vec<Value>, order: &[Value], live: &[Value]) -> Vec<Value> {
    let same = |a: &Value, b: &Value| match strategic {
        Strategic::MergeBy(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        _ => a == b,
    };
    let place = |list: &[Value], item: &Value| list.iter().position(|other| same(other, item));
    let (mut named, others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    let mut others = others.into_iter().peekable();
    let mut arranged = Vec::new();
    for item in named {
        let at = place(live, &item);
        while let Some(other) = others.next_if(|other| at.is_some_and(|at| place(live, other) < Some(at))) {
            arranged.push(other);
        }
        arranged.push(item);
    }
    arranged.extend(others);
    arranged
}

/// A patch's value as it is stored: without directives and nulls.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(plain_map(fields)),
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        scalar => scalar.clone(),
    }
}

fn plain_map(fields: &Map<String, Value>) -> Map<String, Value> {
    let kept = fields.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    kept.map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// A value as Go prints it, for the messages.
fn go_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let parts: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}:{}", go_text(value))).collect();
            format!("map[{}]", parts.join(" "))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::schema::builtin;

    fn live() -> Value {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "finalizers": ["a.b/c"], "labels": {"x": "1", "y": "2"}},
            "spec": {
                "containers": [
                    {"name": "web", "image": "i:1", "args": ["a"], "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
                    {"name": "side", "image": "s"}],
                "volumes": [{"name": "v", "emptyDir": {}}],
                "tolerations": [{"key": "k", "operator": "Exists"}],
                "nodeSelector": {"n": "1"}}})
    }

    fn patched(patch: &Value) -> Result<Value, Status> {
        let mut target = live();
        strategic(&builtin("", "v1", "Pod").unwrap(), &mut target, patch)?;
        Ok(target)
    }

    /// Each expectation was read off a real API server.
    #[test]
    fn patches_do_what_a_real_server_does() {
        let web = live()["spec"]["containers"][0].clone();
        let side = live()["spec"]["containers"][1].clone();
        let new = json!({"name": "new", "image": "q"});
        let with = |mut item: Value, name: &str, value: Value| {
            item[name] = value;
            item
        };
        let containers = "/spec/containers";
        let finalizers = "/metadata/finalizers";
        let cases = [
            (
                json!({"spec": {"containers": [new, {"name": "web", "$patch": "delete"}]}}),
                containers,
                json!([new, side]),
            ),
            (json!({"spec": {"containers": [new, {"$patch": "replace"}]}}), containers, json!([new])),
            (
                json!({"spec": {"$setElementOrder/containers": [{"name": "side"}, {"name": "web"}], "containers": [{"name": "web", "image": "q"}]}}),
                containers,
                json!([side, with(web.clone(), "image", json!("q"))]),
            ),
            (
                json!({"spec": {"$setElementOrder/containers": [{"name": "new"}, {"name": "side"}], "containers": [new]}}),
                containers,
                json!([new, web, side]),
            ),
            (
                json!({"spec": {"$setElementOrder/containers": [{"name": "side"}, {"name": "web"}]}}),
                containers,
                json!([side, web]),
            ),
            (
                json!({"spec": {"containers": [{"name": "side", "image": "t"}]}}),
                containers,
                json!([web, with(side, "image", json!("t"))]),
            ),
            (
                json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/c"], "finalizers": ["d.e/f"]}}),
                finalizers,
                json!(["d.e/f"]),
            ),
            (json!({"metadata": {"finalizers": ["d.e/f", "a.b/c"]}}), finalizers, json!(["d.e/f", "a.b/c"])),
            (
                json!({"metadata": {"labels": {"$patch": "replace", "z": "3"}}}),
                "/metadata/labels",
                json!({"z": "3"}),
            ),
            (json!({"metadata": {"labels": {"$patch": "delete"}}}), "/metadata/labels", json!({})),
            (
                json!({"metadata": {"labels": {"$patch": "merge", "x": null, "z": "3"}}}),
                "/metadata/labels",
                json!({"y": "2", "z": "3"}),
            ),
            (
                json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}}),
                "/spec/volumes",
                json!([{"name": "v", "configMap": {"name": "c"}}]),
            ),
            (
                json!({"spec": {"nodeSelector": {"m": "2"}}}),
                "/spec/nodeSelector",
                json!({"m": "2", "n": "1"}),
            ),
            (json!({"spec": {"tolerations": [{"key": "z"}]}}), "/spec/tolerations", json!([{"key": "z"}])),
            (
                json!({"spec": {"containers": [{"name": "web", "args": ["b", "c"], "env": [{"name": "A", "value": null}, {"name": "B", "$patch": "delete"}],
                    "ports": [{"containerPort": 80, "protocol": "UDP"}]}]}}),
                "/spec/containers/0",
                json!({"name": "web", "image": "i:1", "args": ["b", "c"], "env": [{"name": "A"}],
                    "ports": [{"containerPort": 80, "name": "http", "protocol": "UDP"}]}),
            ),
            (json!({"spec": {"volumes": null, "hostname": "h"}}), "/spec/hostname", json!("h")),
        ];
        for (patch, pointer, expected) in cases {
            let result = patched(&patch).unwrap_or_else(|status| panic!("{patch}: {}", status.message));
            assert_eq!(result.pointer(pointer), Some(&expected), "{patch}");
        }
    }

    #[test]
    fn wrong_patches_are_refused_in_a_real_servers_words() {
        let cases = [
            (
                json!({"spec": {"containers": [{"image": "q"}]}}),
                500,
                "map: map[image:q] does not contain declared merge key: name",
            ),
            (
                json!({"spec": {"$setElementOrder/containers": [{"name": "side"}], "containers": [{"name": "new", "image": "q"}]}}),
                500,
                "The order in patch list:\n[map[image:q name:new]]\n doesn't match $setElementOrder list:\n[map[name:side]]\n",
            ),
            (
                json!({"metadata": {"labels": {"$patch": "bogus"}}}),
                500,
                "unknown patch type: bogus in map: map[$patch:bogus]",
            ),
            (
                json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name"], "configMap": {"name": "c"}}]}}),
                400,
                "invalid patch format of retainKeys",
            ),
            (
                json!({"spec": {"containers": {"name": "x"}}}),
                422,
                "patch: Invalid value: \"map[containers:map[name:x]]\": cannot restore slice from map",
            ),
            (json!([]), 400, "Invalid JSON document"),
        ];
        for (patch, code, message) in cases {
            let status = patched(&patch).unwrap_err();
            assert_eq!((status.code, status.message.as_str()), (code, message), "{patch}");
        }
    }
}
