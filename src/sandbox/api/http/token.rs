//! `serviceaccounts/token`: a TokenRequest is answered with a token, and not stored.

use http::Response;
use serde_json::{Value, json};

use super::call::Call;
use super::payload;
use super::reply::object_response;
use crate::sandbox::access::tokens::{self, Bound, Wanted};
use crate::sandbox::body::Body;
use crate::sandbox::clock::rfc3339;
use crate::sandbox::object::{self, text, texts};
use crate::sandbox::schema;
use crate::sandbox::status::Status;

const API_VERSION: &str = "authentication.k8s.io/v1";
/// The shortest and the longest life of a token, in seconds.
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;

/// `POST …/serviceaccounts/{name}/token`.
pub fn request(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let mut asked = payload::object(call, bytes)?;
    if !asked.is_object() {
        return Err(Status::bad_request("the object provided is not a JSON object"));
    }
    asked["kind"] = json!("TokenRequest");
    asked["apiVersion"] = json!(API_VERSION);
    if let Some(schema) = schema::builtin("authentication.k8s.io", "v1", "TokenRequest") {
        schema::decode(&schema, &mut asked)?;
    }
    let (namespace, account) = call.key();
    call.stored()?;
    let seconds = seconds(&asked)?;
    let audiences: Vec<String> = texts(&asked, "/spec/audiences").into_iter().map(str::to_owned).collect();
    let audiences = if audiences.is_empty() { vec![tokens::AUDIENCE.to_owned()] } else { audiences };
    let bound = bound(&asked)?;
    let wanted = Wanted { namespace, account, audiences: audiences.clone(), seconds: Some(seconds), bound };
    object::metadata_mut(&mut asked);
    asked["spec"]["audiences"] = json!(audiences);
    asked["spec"]["expirationSeconds"] = json!(seconds);
    if asked["spec"].get("boundObjectRef").is_none() {
        asked["spec"]["boundObjectRef"] = Value::Null;
    }
    asked["status"] = if call.query.dry_run(call.options)? {
        json!({"token": "", "expirationTimestamp": null})
    } else {
        let issued = tokens::issue_for(&call.api, &wanted)?;
        json!({"token": issued.token, "expirationTimestamp": rfc3339(issued.expires)})
    };
    Ok(object_response(201, &asked))
}

fn seconds(asked: &Value) -> Result<i64, Status> {
    let seconds = asked.pointer("/spec/expirationSeconds").and_then(Value::as_i64);
    let seconds = seconds.unwrap_or(tokens::DEFAULT_SECONDS);
    let why = match seconds {
        ..SHORTEST => "may not specify a duration less than 10 minutes",
        SHORTEST..=LONGEST => return Ok(seconds),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let field = "spec.expirationSeconds".to_owned();
    let cause = ("FieldValueInvalid", field, format!("Invalid value: {seconds}: {why}"));
    let mut status = Status::invalid("TokenRequest.authentication.k8s.io", "", &[cause]);
    status.details = json!({
        "group": "authentication.k8s.io", "kind": "TokenRequest", "causes": status.details["causes"],
    });
    Err(status)
}

/// What the token is to be bound to.
fn bound(asked: &Value) -> Result<Option<Bound>, Status> {
    let Some(reference) = asked.pointer("/spec/boundObjectRef").filter(|reference| !reference.is_null())
    else {
        return Ok(None);
    };
    let (api_version, kind) = (text(reference, "/apiVersion"), text(reference, "/kind"));
    let kind = match (api_version, kind) {
        ("v1", "Pod") => "Pod",
        ("v1", "Secret") => "Secret",
        ("v1", "Node") => "Node",
        _ => {
            // A core kind is written with an empty group, as the real server does.
            let shown =
                if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") };
            return Err(Status::bad_request(format!(
                "cannot bind token to object of type {shown}, Kind={kind}"
            )));
        }
    };
    Ok(Some(Bound {
        kind,
        name: text(reference, "/name").to_owned(),
        uid: text(reference, "/uid").to_owned(),
    }))
}
