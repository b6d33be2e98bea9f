//! `/apis/metrics.k8s.io/v1beta1`: made from the node's answer, never stored.

use std::sync::Arc;

use http::{Method, Response};
use serde_json::{Value, json};

use super::call::Call;
use super::reply::object_response;
use crate::sandbox::body::Body;
use crate::sandbox::metrics;
use crate::sandbox::runtime::Runtime;
use crate::sandbox::status::Status;

/// Answers `get` and `list`.
pub fn answer(
    call: &Call,
    method: &Method,
    runtime: Option<Arc<dyn Runtime>>,
) -> Result<Response<Body>, Status> {
    if *method != Method::GET || call.query.flag("watch") || call.target.subresource.is_some() {
        return Err(call.not_allowed(method));
    }
    let runtime = runtime.ok_or_else(|| {
        Status::new(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    })?;
    let (node, containers) = runtime.usage();
    let mut rows = match call.target.name.as_deref() {
        Some(name) => {
            call.api.get(&call.kind.plural, call.namespace().unwrap_or(""), name).into_iter().collect()
        }
        None => call.api.list(&call.kind.plural, call.namespace()),
    };
    rows.retain(|row| call.selector.matches(row));
    let now = call.api.now();
    let rows = match call.kind.plural.as_str() {
        "nodes" => metrics::nodes(&rows, node, now),
        _ => metrics::pods(&rows, &containers, now),
    };
    let body = match call.target.name.as_deref() {
        Some(name) => rows.into_iter().next().ok_or_else(|| missing(call, name))?,
        None => json!({
            "kind": format!("{}List", call.kind.kind), "apiVersion": call.kind.api_version(),
            "metadata": {}, "items": rows,
        }),
    };
    Ok(object_response(200, &body))
}

/// metrics-server's own names for what is missing.
fn missing(call: &Call, name: &str) -> Status {
    let resource = format!("{}.{}", call.kind.kind.to_lowercase(), metrics::GROUP);
    let named = match call.namespace() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    let mut status = Status::not_found(&resource, &named);
    if let Value::Object(details) = &mut status.details {
        details.insert("name".to_owned(), json!(named));
    }
    status
}
