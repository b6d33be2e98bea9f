//! Reviews: questions about access, answered and never stored.

use http::Response;
use serde_json::{Value, json};

use super::call::Call;
use super::payload;
use super::reply::object_response;
use crate::sandbox::access::attributes::Attributes;
use crate::sandbox::access::{Identity, rbac, tokens};
use crate::sandbox::api::admission;
use crate::sandbox::api::write::Part;
use crate::sandbox::body::Body;
use crate::sandbox::object::{self, text, texts};
use crate::sandbox::status::Status;

/// `POST` of a review.
pub fn answer(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let mut review = payload::object(call, bytes)?;
    if !review.is_object() {
        return Err(Status::bad_request("the object provided is not a JSON object"));
    }
    review["kind"] = json!(call.kind.kind);
    review["apiVersion"] = json!(call.kind.api_version());
    let options = call.write_options(Part::Main)?;
    admission::decode(&call.api.objects(), &call.kind, &mut review, &options.validation)?;
    let status = match call.kind.kind.as_str() {
        "SelfSubjectAccessReview" => own_access(call, &review)?,
        "SelfSubjectRulesReview" => {
            let status = own_rules(call, &review)?;
            // The real server answers with the status alone.
            review["spec"] = json!({});
            status
        }
        "SubjectAccessReview" => access(call, &review)?,
        "LocalSubjectAccessReview" => local_access(call, &mut review)?,
        "SelfSubjectReview" => json!({"userInfo": user_info(&call.user)}),
        "TokenReview" => token(call, &review)?,
        other => return Err(Status::not_implemented(other)),
    };
    object::metadata_mut(&mut review);
    review["status"] = status;
    Ok(object_response(201, &review))
}

fn own_access(call: &Call, review: &Value) -> Result<Value, Status> {
    check_attributes(review, false)?;
    Ok(decided(call, &call.user, review))
}

fn access(call: &Call, review: &Value) -> Result<Value, Status> {
    check_attributes(review, false)?;
    let user = subject(review)?;
    Ok(decided(call, &user, review))
}

fn local_access(call: &Call, review: &mut Value) -> Result<Value, Status> {
    let namespace = call.namespace().unwrap_or("").to_owned();
    super::change::place(call, review)?;
    check_attributes(review, true)?;
    let asked = text(review, "/spec/resourceAttributes/namespace");
    if asked != namespace {
        let text = format!("Invalid value: {asked:?}: must match metadata.namespace");
        return Err(invalid(&[("spec.resourceAttributes.namespace", text)]));
    }
    let user = subject(review)?;
    Ok(decided(call, &user, review))
}

/// Whom a review asks about.
fn subject(review: &Value) -> Result<Identity, Status> {
    let spec = &review["spec"];
    let groups: Vec<String> = texts(spec, "/groups").into_iter().map(str::to_owned).collect();
    if text(spec, "/user").is_empty() && groups.is_empty() {
        let text = "Invalid value: \"\": at least one of user or group must be specified".to_owned();
        return Err(invalid(&[("spec.user", text)]));
    }
    let name = text(spec, "/user").to_owned();
    Ok(Identity { name, uid: text(spec, "/uid").to_owned(), groups, ..Identity::default() })
}

/// A review asks about a resource or about a path, never about both.
fn check_attributes(review: &Value, local: bool) -> Result<(), Status> {
    let there = |field: &str| review.pointer(&format!("/spec/{field}")).filter(|value| !value.is_null());
    let mut causes = Vec::new();
    match (there("resourceAttributes"), there("nonResourceAttributes")) {
        (None, None) => causes.push((
            "spec.resourceAttributes",
            "Invalid value: \"null\": exactly one of nonResourceAttributes or resourceAttributes must be specified"
                .to_owned(),
        )),
        (Some(_), Some(path)) => causes.push((
            "spec.nonResourceAttributes",
            format!("Invalid value: {path}: cannot be specified in combination with resourceAttributes"),
        )),
        _ => {}
    }
    if let Some(path) = there("nonResourceAttributes").filter(|_| local) {
        let text = format!("Invalid value: {path}: disallowed on this kind of request");
        causes.push(("spec.nonResourceAttributes", text));
    }
    if causes.is_empty() { Ok(()) } else { Err(invalid(&causes)) }
}

/// 422 as these resources word it: without the kind.
fn invalid(causes: &[(&str, String)]) -> Status {
    let causes: Vec<(&str, String, String)> = causes
        .iter()
        .map(|(field, message)| ("FieldValueInvalid", (*field).to_owned(), message.clone()))
        .collect();
    let mut status = Status::invalid(".authorization.k8s.io", "", &causes);
    status.details = json!({"group": "authorization.k8s.io", "causes": status.details["causes"]});
    status
}

fn decided(call: &Call, user: &Identity, review: &Value) -> Value {
    let decision = call.api.authorize(user, &asked(&review["spec"]));
    let mut status = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        status["reason"] = json!(decision.reason);
    }
    status
}

fn asked(spec: &Value) -> Attributes {
    if let Some(about) = spec.get("nonResourceAttributes").filter(|about| !about.is_null()) {
        let path = text(about, "/path").to_owned();
        return Attributes { verb: text(about, "/verb").to_owned(), path, ..Attributes::default() };
    }
    let field = |name: &str| text(spec, &format!("/resourceAttributes/{name}")).to_owned();
    Attributes {
        verb: field("verb"),
        group: field("group"),
        resource: field("resource"),
        subresource: field("subresource"),
        namespace: field("namespace"),
        name: field("name"),
        path: String::new(),
    }
}

fn own_rules(call: &Call, review: &Value) -> Result<Value, Status> {
    let namespace = text(review, "/spec/namespace");
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let (rules, problems) = call.api.rules_for(&call.user, namespace);
    let pick = |of: &str, fields: &[&str]| -> Vec<Value> {
        let about = rules.iter().filter(|rule| !object::list(rule, &format!("/{of}")).is_empty());
        about
            .map(|rule| {
                let kept = fields.iter().filter_map(|&name| Some((name.to_owned(), rule.get(name)?.clone())));
                Value::Object(kept.collect())
            })
            .collect()
    };
    let mut status = json!({
        "resourceRules": pick("resources", &["verbs", "apiGroups", "resources", "resourceNames"]),
        "nonResourceRules": pick("nonResourceURLs", &["verbs", "nonResourceURLs"]),
        "incomplete": false,
    });
    if !problems.is_empty() {
        status["evaluationError"] = json!(rbac::joined(&problems));
    }
    Ok(status)
}

/// `authentication/v1 UserInfo`.
fn user_info(user: &Identity) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = json!(user.uid);
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

/// Whose token it is. A token for nobody is an answer, not an error.
fn token(call: &Call, review: &Value) -> Result<Value, Status> {
    let token = text(review, "/spec/token");
    if token.is_empty() {
        return Err(Status::bad_request("token is required for TokenReview in authentication"));
    }
    let mut audiences = texts(review, "/spec/audiences");
    if audiences.is_empty() {
        audiences.push(tokens::AUDIENCE);
    }
    let known = if call.api.credentials().is_admin(token) {
        admin(&audiences)
    } else {
        tokens::identify(&call.api, token, &audiences)
    };
    Ok(match known {
        Ok(known) => json!({
            "authenticated": true, "user": user_info(&known.identity), "audiences": known.audiences,
        }),
        Err(why) if why == tokens::INVALID => json!({"user": {}, "error": why}),
        // The real server tries the token in several ways, and says what each of them thinks.
        Err(why) => json!({"user": {}, "error": format!("[{}, {why}]", tokens::INVALID)}),
    })
}

/// The sandbox's own token is for the API server.
fn admin(audiences: &[&str]) -> Result<tokens::Known, String> {
    if !audiences.contains(&tokens::AUDIENCE) {
        return Err(tokens::INVALID.to_owned());
    }
    Ok(tokens::Known { identity: Identity::admin(), audiences: vec![tokens::AUDIENCE.to_owned()] })
}
