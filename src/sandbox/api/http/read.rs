//! `get` and `list`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::Call;
use super::reply::{self, json_response, object_response};
use crate::sandbox::api::objects::Key;
use crate::sandbox::body::Body;
use crate::sandbox::object;
use crate::sandbox::status::Status;

/// How long a read waits for a resourceVersion that is not there yet.
const FRESHNESS: Duration = Duration::from_secs(3);

/// One object, not older than `resourceVersion` says.
///
/// # Errors
/// 404, and 504 when the server has not come so far in time.
pub async fn get(call: &Call) -> Result<Response<Body>, Status> {
    if let Some(wanted) = call.query.revision()? {
        wait_for(call, wanted).await?;
    }
    get_stored(call)
}

/// One object as it is now.
///
/// # Errors
/// 404.
pub fn get_stored(call: &Call) -> Result<Response<Body>, Status> {
    let value = call.stored()?;
    Ok(object_response(200, &call.served(&value)))
}

/// Where the next page starts.
#[derive(Debug, Serialize, Deserialize)]
struct Continue {
    /// The revision of the first page; 0 for "whatever there is now".
    #[serde(rename = "rv")]
    revision: u64,
    namespace: String,
    name: String,
}

impl Continue {
    fn read(text: &str) -> Result<Self, Status> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
            Status::bad_request("invalid continue token: continue key is not valid: it is none of ours")
        })
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// The objects of a collection, page by page.
///
/// # Errors
/// 400 and 422 for parameters that make no sense, 410 for what is too long ago, 504 for what is not there in time.
pub async fn list(call: &Call) -> Result<Response<Body>, Status> {
    let limit = usize::try_from(call.query.number("limit")?.unwrap_or(0)).unwrap_or(0);
    let wanted = call.query.revision()?;
    call.query.check_list()?;
    let from = match call.query.text("continue") {
        "" => None,
        text => Some(Continue::read(text)?),
    };
    // What any cache may answer is answered whole, as by a real server's watch cache.
    let limit = if wanted == Some(0) && from.is_none() { 0 } else { limit };
    let wanted = wanted.filter(|&wanted| wanted > 0);
    if let Some(wanted) = wanted.filter(|_| from.is_none()) {
        wait_for(call, wanted).await?;
    }
    let rule = call.query.text("resourceVersionMatch");
    // An old rule: a limit and a version without a rule mean that very version.
    let exact = rule == "Exact" || rule.is_empty() && limit > 0;
    let snapshot = match (&from, wanted) {
        (Some(from), _) if from.revision > 0 => Some(from.revision),
        (None, Some(wanted)) if exact => Some(wanted),
        _ => None,
    };
    let (revision, rows) = rows(call, snapshot, from.as_ref())?;
    let page = take_page(call, rows, limit);
    Ok(json_response(200, list_body(call, revision, &page)))
}

/// Waits until the store has reached a revision; 504 when it does not in time.
pub async fn wait_for(call: &Call, revision: u64) -> Result<(), Status> {
    let mut changes = call.api.changes();
    let reached = tokio::time::timeout(FRESHNESS, changes.wait_for(|&newest| newest >= revision)).await;
    if matches!(reached, Ok(Ok(_))) {
        return Ok(());
    }
    let text = format!("Timeout: Too large resource version: {revision}, current: {}", call.api.revision());
    let mut status = Status::new(504, "Timeout", text);
    status.details = json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    });
    Err(status)
}

/// The rows that a list chooses from, and their revision.
fn rows(
    call: &Call,
    snapshot: Option<u64>,
    from: Option<&Continue>,
) -> Result<(u64, Vec<Arc<Value>>), Status> {
    let mut objects = call.api.objects();
    let storage = call.kind.storage();
    let newest = objects.revision;
    let after = from.map(|from| (from.namespace.clone(), from.name.clone()));
    let is_after = |value: &Value| {
        after
            .as_ref()
            .is_none_or(|after| (object::namespace(value), object::name(value)) > (&after.0, &after.1))
    };
    let Some(revision) = snapshot.filter(|&revision| revision < newest) else {
        let mut rows = objects.list(&storage, call.namespace());
        rows.retain(|row| is_after(row));
        return Ok((newest, rows));
    };
    let rows: Option<BTreeMap<Key, Arc<Value>>> = objects.at(&storage, revision);
    let Some(rows) = rows else { return Err(expired(from)) };
    let rows = rows.into_values().filter(|row| call.covers(row) && is_after(row)).collect();
    Ok((revision, rows))
}

/// 410, with a token that goes on with whatever there is now.
fn expired(from: Option<&Continue>) -> Status {
    let text = "The provided continue parameter is too old to display a consistent list result. You can start a new \
                list without the continue parameter, or use the continue token in this response to retrieve the \
                remainder of the results.";
    let mut status = Status::expired(if from.is_some() {
        text
    } else {
        "The resourceVersion for the provided list is too old."
    });
    if let Some(from) = from {
        let next = Continue { revision: 0, namespace: from.namespace.clone(), name: from.name.clone() };
        status.continue_token = Some(next.write());
    }
    status
}

struct Page {
    items: Vec<Arc<Value>>,
    last: Option<Key>,
    remaining: usize,
}

fn take_page(call: &Call, rows: Vec<Arc<Value>>, limit: usize) -> Page {
    let mut chosen = rows.into_iter().filter(|row| call.selector.matches(row));
    if limit == 0 {
        return Page { items: chosen.collect(), last: None, remaining: 0 };
    }
    let items: Vec<Arc<Value>> = chosen.by_ref().take(limit).collect();
    let remaining = chosen.count();
    let last = items.last().filter(|_| remaining > 0).map(|row| crate::sandbox::api::objects::key_of(row));
    Page { items, last, remaining }
}

fn list_body(call: &Call, revision: u64, page: &Page) -> String {
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    if let Some((namespace, name)) = &page.last {
        let next = Continue { revision, namespace: namespace.clone(), name: name.clone() };
        metadata["continue"] = json!(next.write());
        if call.selector.is_empty() {
            metadata["remainingItemCount"] = json!(page.remaining);
        }
    }
    reply::list_text(call, &metadata, &page.items)
}
