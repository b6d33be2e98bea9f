//! Tokens of ServiceAccounts: made for a TokenRequest or for a pod's volume, and recognized again.
//!
//! A token holds until its time is over, and no longer than what it is bound to: the account, and the pod, Secret or node.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AUTHENTICATED, Identity, jwt};
use crate::sandbox::api::Api;
use crate::sandbox::object;
use crate::sandbox::status::Status;

/// Who issues tokens, and for whom when nobody else is named: the API server itself.
pub const AUDIENCE: &str = "https://kubernetes.default.svc";
/// Why a token is nobody's, when it was not made here.
pub const INVALID: &str = "invalid bearer token";
/// How long a token holds when nothing else is said, in seconds.
pub const DEFAULT_SECONDS: i64 = 3600;
/// How long a token still holds after its account or its pod began to be deleted, in seconds: as on a real server.
const GRACE_SECONDS: i64 = 60;

/// An object without which a token is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// `Pod`, `Secret`, `Node`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its uid; empty takes that of the object that is there.
    pub uid: String,
}

/// What token is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The account's namespace.
    pub namespace: &'a str,
    /// The account.
    pub account: &'a str,
    /// For whom it is; none means the API server.
    pub audiences: Vec<String>,
    /// How long it holds, in seconds; `None` is an hour.
    pub seconds: Option<i64>,
    /// Until whose end it holds.
    pub bound: Option<Bound>,
}

/// A new token.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// `header.payload.signature`.
    pub token: String,
    /// When it ends, by the sandbox's clock.
    pub expires: Timestamp,
}

/// Makes a token for a pod's volume, bound to that pod; the kubelet's way to [`issue_for`].
///
/// # Errors
/// As [`issue_for`].
#[expect(
    clippy::too_many_arguments,
    reason = "the words of a projected volume's source, in the order of its fields"
)]
pub fn issue(
    api: &Api,
    namespace: &str,
    account: &str,
    audiences: &[String],
    seconds: Option<i64>,
    pod: Option<&Value>,
) -> Result<Issued, Status> {
    let bound = pod.map(|pod| Bound {
        kind: "Pod",
        name: object::name(pod).to_owned(),
        uid: object::uid(pod).to_owned(),
    });
    issue_for(api, &Wanted { namespace, account, audiences: audiences.to_vec(), seconds, bound })
}

/// Makes a token.
///
/// # Errors
/// 404 when the account or what it is to be bound to is missing, 409 when that is another one than was meant, 400 when the
/// pod runs under another account, 500 when the server has no signing key.
pub fn issue_for(api: &Api, wanted: &Wanted<'_>) -> Result<Issued, Status> {
    let account = api
        .get("serviceaccounts", wanted.namespace, wanted.account)
        .ok_or_else(|| Status::not_found("serviceaccounts", wanted.account))?;
    let credentials = api.credentials();
    let key = credentials
        .signing()
        .ok_or_else(|| Status::new(500, "InternalError", "the server has no key to sign tokens with"))?;
    let mut claims = json!({
        "namespace": wanted.namespace,
        "serviceaccount": {"name": wanted.account, "uid": object::uid(&account)},
    });
    if let Some(bound) = &wanted.bound {
        bind(api, wanted, bound, &mut claims)?;
    }
    let now = api.now().as_second();
    let expires = now.saturating_add(wanted.seconds.unwrap_or(DEFAULT_SECONDS));
    let audiences =
        if wanted.audiences.is_empty() { vec![AUDIENCE.to_owned()] } else { wanted.audiences.clone() };
    let claims = json!({
        "aud": audiences,
        "exp": expires,
        "iat": now,
        "iss": AUDIENCE,
        "jti": api.random_uuid(),
        "kubernetes.io": claims,
        "nbf": now,
        "sub": account_name(wanted.namespace, wanted.account),
    });
    let expires = Timestamp::from_second(expires)
        .map_err(|error| Status::bad_request(format!("expirationSeconds: {error}")))?;
    Ok(Issued { token: jwt::encode(key, &claims), expires })
}

/// The user name of an account.
pub fn account_name(namespace: &str, account: &str) -> String {
    format!("system:serviceaccount:{namespace}:{account}")
}

/// Namespace and name of the account that a user name stands for.
pub fn account_of(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// The groups of an account, but for `system:authenticated`.
pub fn account_groups(namespace: &str) -> Vec<String> {
    vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
}

/// The resource of a kind that a token can be bound to, and whether it lives in the account's namespace.
fn bindable(kind: &str) -> Option<(&'static str, bool)> {
    match kind {
        "Pod" => Some(("pods", true)),
        "Secret" => Some(("secrets", true)),
        "Node" => Some(("nodes", false)),
        _ => None,
    }
}

/// Adds what a token is bound to.
fn bind(api: &Api, wanted: &Wanted<'_>, bound: &Bound, claims: &mut Value) -> Result<(), Status> {
    let Some((resource, namespaced)) = bindable(bound.kind) else {
        return Err(Status::bad_request(format!("cannot bind token to object of kind {}", bound.kind)));
    };
    let namespace = if namespaced { wanted.namespace } else { "" };
    let found =
        api.get(resource, namespace, &bound.name).ok_or_else(|| Status::not_found(resource, &bound.name))?;
    let uid = object::uid(&found);
    if !bound.uid.is_empty() && bound.uid != uid {
        let why = format!(
            "the UID in the bound object reference ({}) does not match the UID in record. The object might have been deleted and then recreated",
            bound.uid
        );
        return Err(Status::conflict(resource, &bound.name, &why));
    }
    let runs_as = object::text(&found, "/spec/serviceAccountName");
    if resource == "pods" && runs_as != wanted.account {
        return Err(Status::bad_request(format!(
            "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
            wanted.account
        )));
    }
    claims[bound.kind.to_ascii_lowercase()] = json!({"name": bound.name, "uid": uid});
    let node = object::text(&found, "/spec/nodeName");
    if resource == "pods" && !node.is_empty() {
        let uid = api.get("nodes", "", node).map(|node| object::uid(&node).to_owned());
        claims["node"] = json!({"name": node, "uid": uid.unwrap_or_default()});
    }
    Ok(())
}

/// Whose token it is, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The account.
    pub identity: Identity,
    /// Those of the wanted audiences that it is for.
    pub audiences: Vec<String>,
}

/// Whose token it is.
///
/// # Errors
/// Why it is nobody's, for people: not signed here, over, for others, or bound to something that is gone.
pub fn identify(api: &Api, token: &str, audiences: &[&str]) -> Result<Known, String> {
    let invalid = || INVALID.to_owned();
    let key = api.credentials().signing().cloned().ok_or_else(invalid)?;
    let claims = jwt::decode(&key, token).ok_or_else(invalid)?;
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = api.now().as_second();
    if object::text(&claims, "/iss") != AUDIENCE {
        return Err(invalid());
    }
    if time("exp").is_none_or(|end| now >= end) {
        return Err("service account token has expired".to_owned());
    }
    if time("nbf").is_some_and(|start| now < start) {
        return Err("service account token is not valid yet".to_owned());
    }
    let own = object::texts(&claims, "/aud");
    let shared: Vec<String> =
        own.iter().filter(|audience| audiences.contains(audience)).map(|&own| own.to_owned()).collect();
    if shared.is_empty() {
        return Err(format!("token audiences {own:?} is invalid for the target audiences {audiences:?}"));
    }
    let identity = account(api, &claims)?;
    Ok(Known { identity, audiences: shared })
}

/// The account of some claims, when everything that they are bound to is still there.
fn account(api: &Api, claims: &Value) -> Result<Identity, String> {
    let bound = claims.get("kubernetes.io").unwrap_or(&Value::Null);
    let namespace = object::text(bound, "/namespace");
    let name = object::text(bound, "/serviceaccount/name");
    check(api, "serviceaccounts", namespace, &bound["serviceaccount"])?;
    for (kind, resource, namespace) in
        [("pod", "pods", namespace), ("secret", "secrets", namespace), ("node", "nodes", "")]
    {
        // A pod's token outlives its node: that is named there, not bound.
        if bound.get(kind).is_some() && !(kind == "node" && bound.get("pod").is_some()) {
            check(api, resource, namespace, &bound[kind])?;
        }
    }
    let mut groups = account_groups(namespace);
    groups.push(AUTHENTICATED.to_owned());
    let mut identity = Identity {
        name: account_name(namespace, name),
        uid: object::text(bound, "/serviceaccount/uid").to_owned(),
        groups,
        ..Identity::default()
    };
    let jti = object::text(claims, "/jti");
    let extra = [
        ("credential-id", format!("JTI={jti}")),
        ("node-name", object::text(bound, "/node/name").to_owned()),
        ("node-uid", object::text(bound, "/node/uid").to_owned()),
        ("pod-name", object::text(bound, "/pod/name").to_owned()),
        ("pod-uid", object::text(bound, "/pod/uid").to_owned()),
    ];
    for (key, value) in extra.into_iter().filter(|(_, value)| !value.is_empty()) {
        identity.extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
    }
    Ok(identity)
}

/// Refuses when an object is gone, was made anew, or has been ending for too long.
fn check(api: &Api, resource: &str, namespace: &str, bound: &Value) -> Result<(), String> {
    let (name, uid) = (object::text(bound, "/name"), object::text(bound, "/uid"));
    let gone = || format!("service account token has been invalidated: {resource} {name:?} is gone");
    let found = api.get(resource, namespace, name).ok_or_else(gone)?;
    if object::uid(&found) != uid {
        return Err(gone());
    }
    let ending: Option<Timestamp> = object::text(&found, "/metadata/deletionTimestamp").parse().ok();
    let over = ending.is_some_and(|at| api.now().as_second() > at.as_second().saturating_add(GRACE_SECONDS));
    if over { Err(gone()) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
