//! `POST …/pods/{name}/eviction`: a deletion that disruption budgets can refuse.

use std::sync::Arc;

use http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::reply::object_response;
use super::{change, payload, query};
use crate::sandbox::api::admission;
use crate::sandbox::api::objects::Objects;
use crate::sandbox::api::remove::{self, DeleteOptions};
use crate::sandbox::api::write::{self, Part, WriteOptions};
use crate::sandbox::body::Body;
use crate::sandbox::clock::rfc3339;
use crate::sandbox::controllers::disruption;
use crate::sandbox::object;
use crate::sandbox::status::Status;

const BUDGETS: &str = disruption::BUDGETS;
const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
const SEVERAL: &str =
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
/// More evictions than these may not be under way at once.
const MOST_DISRUPTED: usize = 2000;
/// The seconds after which a client should ask again while a budget is being counted.
const ASK_AGAIN: i64 = 10;

/// Evicts a pod: 201; 429 when a disruption budget does not allow it now; 500 when several budgets select it.
pub fn evict(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let mut eviction = payload::object(call, bytes)?;
    let validation = call.write_options(Part::Main)?.validation;
    admission::decode_as(("policy", "v1", "Eviction"), &mut eviction, &validation)?;
    let (_, pod_name) = call.key();
    let named = object::text(&eviction, "/metadata/name");
    if !named.is_empty() && named != pod_name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let body = &eviction["deleteOptions"];
    let dry_run =
        call.query.dry_run(call.options)? | query::dry_run("DeleteOptions", &object::texts(body, "/dryRun"))?;
    let case = Case { call, options: change::parse_delete_options(body)?, now: call.api.now(), dry_run };
    case.decide(&mut call.api.objects())?;
    let body =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(object_response(201, &body))
}

/// One eviction.
struct Case<'a> {
    call: &'a Call,
    options: DeleteOptions,
    now: Timestamp,
    dry_run: bool,
}

impl Case<'_> {
    fn decide(&self, objects: &mut Objects) -> Result<(), Status> {
        let (namespace, name) = self.call.key();
        let found = objects.get("pods", namespace, name).cloned();
        let pod = found.ok_or_else(|| Status::not_found("pods", name))?;
        self.check_preconditions(&pod)?;
        if !is_guarded(&pod) {
            return self.delete(objects, &pod);
        }
        let mut budgets = objects.list(BUDGETS, Some(namespace));
        budgets.retain(|budget| disruption::selects(budget, &pod));
        match budgets.as_slice() {
            [] => self.delete(objects, &pod),
            [budget] => {
                if !may_go_anyway(budget, &pod) {
                    self.take_one(objects, budget, name)?;
                }
                self.delete(objects, &pod)
            }
            _ => Err(Status::new(500, "", SEVERAL)),
        }
    }

    /// A budget is not charged for a pod that is not the one that was meant.
    fn check_preconditions(&self, pod: &Value) -> Result<(), Status> {
        let options = &self.options;
        let expected = [
            (&options.uid, "/metadata/uid", "UID"),
            (&options.resource_version, "/metadata/resourceVersion", "ResourceVersion"),
        ];
        for (wanted, pointer, what) in expected {
            let found = object::text(pod, pointer);
            if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != found) {
                let why = format!(
                    "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). The object might have been deleted and then recreated"
                );
                return Err(Status::conflict("pods", object::name(pod), &why));
            }
        }
        Ok(())
    }

    /// Charges the budget, or says why it does not allow the eviction.
    fn take_one(&self, objects: &mut Objects, budget: &Arc<Value>, pod: &str) -> Result<(), Status> {
        check(budget)?;
        let kind = objects.kinds.named(BUDGETS).cloned().ok_or_else(Status::unknown_resource)?;
        if self.dry_run {
            return Ok(());
        }
        let mut charged = (**budget).clone();
        disruption::take_one(&mut charged, pod, self.now);
        let options = WriteOptions::new("kube-apiserver", Part::Status, self.now);
        write::update(objects, &kind, charged, &options).map(|_| ())
    }

    /// Says on the pod that it is evicted, and deletes it.
    fn delete(&self, objects: &mut Objects, pod: &Value) -> Result<(), Status> {
        let kind = &self.call.kind;
        if !self.dry_run && !object::deleting(pod) {
            let mut marked = pod.clone();
            mark(&mut marked, self.now);
            let options = WriteOptions::new("kube-apiserver", Part::Status, self.now);
            write::update(objects, kind, marked, &options)?;
        }
        let now = (!self.dry_run).then_some(self.now);
        // what was asked of the pod was checked before it was marked
        let options = DeleteOptions { resource_version: None, ..self.options.clone() };
        remove::delete(objects, kind, self.call.key(), &options, now).map(|_| ())
    }
}

/// Sets the condition that says who disrupts the pod.
fn mark(pod: &mut Value, now: Timestamp) {
    let condition = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting", "lastProbeTime": null, "lastTransitionTime": rfc3339(now)});
    let conditions = object::child_mut(pod, "status").entry("conditions").or_insert_with(|| json!([]));
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.retain(|known| known["type"] != "DisruptionTarget");
        conditions.push(condition);
    }
}

/// Whether budgets are asked about a pod: not when it runs no more, or not yet, or is going anyway.
fn is_guarded(pod: &Value) -> bool {
    let phase = object::text(pod, "/status/phase");
    !matches!(phase, "Succeeded" | "Failed" | "Pending") && !object::deleting(pod)
}

/// Whether a pod that is not ready may go without charging its budget (`spec.unhealthyPodEvictionPolicy`).
fn may_go_anyway(budget: &Value, pod: &Value) -> bool {
    let ready = object::list(pod, "/status/conditions")
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let (healthy, desired) = (count(budget, "currentHealthy"), count(budget, "desiredHealthy"));
    let always = object::text(budget, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow";
    !ready && (always || healthy >= desired && desired > 0)
}

fn count(budget: &Value, field: &str) -> i64 {
    budget["status"][field].as_i64().unwrap_or(0)
}

/// Whether a budget allows one more eviction.
fn check(budget: &Value) -> Result<(), Status> {
    let name = object::name(budget);
    let generation = budget["metadata"]["generation"].as_i64().unwrap_or(0);
    if count(budget, "observedGeneration") < generation {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refusal(why, Some(ASK_AGAIN)));
    }
    let disrupted = budget["status"]["disruptedPods"].as_object().map_or(0, serde_json::Map::len);
    if disrupted > MOST_DISRUPTED {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(Status::forbidden(BUDGETS, name, why));
    }
    if count(budget, "disruptionsAllowed") > 0 {
        return Ok(());
    }
    let failed = object::list(budget, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == "DisruptionAllowed" && condition["reason"] == "SyncFailed");
    let why = match failed {
        Some(failed) => format!(
            "The disruption budget {name} does not allow evicting pods currently because it failed sync: {}",
            object::text(failed, "/message")
        ),
        None => format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            count(budget, "desiredHealthy"),
            count(budget, "currentHealthy")
        ),
    };
    Err(refusal(why, None))
}

/// 429 with the cause that says that a budget refuses.
fn refusal(why: String, ask_again: Option<i64>) -> Status {
    let mut status = Status::new(429, "TooManyRequests", REFUSED);
    status.details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
    if let Some(seconds) = ask_again {
        status.details["retryAfterSeconds"] = json!(seconds);
    }
    status
}
