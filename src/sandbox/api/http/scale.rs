//! The `scale` subresource: `autoscaling/v1 Scale`, a view of the replicas of a workload.

use std::sync::Arc;

use http::Response;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::reply::object_response;
use super::{patching, payload};
use crate::sandbox::api::validation::Form;
use crate::sandbox::api::write::{self, Part};
use crate::sandbox::api::{admission, definitions};
use crate::sandbox::body::Body;
use crate::sandbox::crd::{self, ScalePaths};
use crate::sandbox::object;
use crate::sandbox::status::Status;

/// Where a kind keeps its replicas. Built-in kinds have a label selector as an object, custom ones as text or not at all.
fn paths_of(call: &Call) -> Result<ScalePaths, Status> {
    let definition = call.api.get(definitions::RESOURCE, "", &call.kind.qualified());
    match definition {
        None => Ok(ScalePaths {
            spec_replicas: ".spec.replicas".to_owned(),
            status_replicas: ".status.replicas".to_owned(),
            label_selector: None,
        }),
        Some(definition) => {
            crd::scale_paths(&definition, &call.kind.version).ok_or_else(Status::unknown_resource)
        }
    }
}

/// `GET …/scale`.
pub fn get(call: &Call) -> Result<Response<Body>, Status> {
    let scale = scale_of(&paths_of(call)?, &*call.stored()?);
    Ok(shown(call, scale))
}

/// `PUT …/scale`.
pub fn update(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let mut sent = payload::object(call, bytes)?;
    decode(call, &mut sent, Form::Object)?;
    write(call, &sent)
}

/// `PATCH …/scale`.
pub fn patch(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let mut scale = scale_of(&paths_of(call)?, &*call.stored()?);
    patching::change_plain(call, &mut scale, bytes)?;
    decode(call, &mut scale, Form::Patch)?;
    write(call, &scale)
}

/// Reads a Scale as typed code would, with what the request wants done about unknown fields.
fn decode(call: &Call, scale: &mut Value, form: Form) -> Result<(), Status> {
    let mut validation = call.write_options(Part::Scale)?.validation;
    validation.form = form;
    admission::decode_as(("autoscaling", "v1", "Scale"), scale, &validation)
}

fn write(call: &Call, scale: &Value) -> Result<Response<Body>, Status> {
    let replicas = match scale.pointer("/spec/replicas") {
        None => 0,
        Some(replicas) => replicas.as_i64().filter(|&replicas| replicas >= 0).ok_or_else(|| {
            let text = format!("Invalid value: {replicas}: must be greater than or equal to 0");
            let cause = ("FieldValueInvalid", "spec.replicas".to_owned(), text);
            Status::invalid("Scale.autoscaling", call.key().1, &[cause])
        })?,
    };
    let mut value = (*call.stored()?).clone();
    let paths = paths_of(call)?;
    if !crd::put_at_path(&mut value, &paths.spec_replicas, json!(replicas)) {
        return Err(Status::not_implemented(&format!("replicas at {}", paths.spec_replicas)));
    }
    let revision = object::text(scale, "/metadata/resourceVersion");
    let metadata = object::metadata_mut(&mut value);
    if !revision.is_empty() {
        metadata.insert("resourceVersion".to_owned(), json!(revision));
    }
    let options = call.write_options(Part::Scale)?;
    let written = write::update(&mut call.api.objects(), &call.kind, value, &options)?;
    Ok(shown(call, scale_of(&paths, &written)))
}

fn shown(call: &Call, scale: Value) -> Response<Body> {
    object_response(200, &call.view.of(&Arc::new(scale), call.api.now()))
}

fn scale_of(paths: &ScalePaths, value: &Value) -> Value {
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(kept) = value.pointer(&format!("/metadata/{field}")) {
            metadata.insert(field.to_owned(), kept.clone());
        }
    }
    let number = |path: &str| crd::at_path(value, path).as_i64().unwrap_or(0);
    let mut status = json!({"replicas": number(&paths.status_replicas)});
    if let Some(selector) = &paths.label_selector {
        status["selector"] = crd::at_path(value, selector);
    } else if let Some(labels) = value.pointer("/spec/selector/matchLabels").and_then(Value::as_object) {
        let pairs: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or(""))).collect();
        status["selector"] = json!(pairs.join(","));
    }
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": number(&paths.spec_replicas)},
        "status": status,
    })
}
