//! What cert-manager says of the certificates that it keeps.

use serde_json::Value;

use super::conditions::{current, generation};
use super::{text, time};
use crate::domain::object::Detail;
use crate::domain::route::ManagerReport;

/// A Certificate of cert-manager. That it is making one is looked at before whether there is one: while it makes a new one the
/// old one may still be right.
pub(super) fn certificate(object: &Value) -> Detail {
    let status = &object["status"];
    let now = generation(object);
    let (ready, issuing) = (current(status, "Ready", now), current(status, "Issuing", now));
    let is_making = issuing.filter(|issuing| issuing["status"] == "True");
    // the last try failed: that says more than that there is none
    let failed = issuing.filter(|issuing| issuing["status"] == "False" && issuing["reason"] == "Failed");
    let failed = failed.filter(|_| ready.is_none_or(|ready| ready["status"] != "True"));
    let telling = is_making.or(failed).or(ready).unwrap_or(&Value::Null);
    Detail::Certificate {
        secret: text(&object["spec"]["secretName"]),
        report: ManagerReport {
            name: text(&object["metadata"]["name"]),
            ready: ready.and_then(|ready| match ready["status"].as_str()? {
                "True" => Some(true),
                "False" => Some(false),
                _ => None,
            }),
            issuing: is_making.is_some(),
            reason: text(&telling["reason"]),
            message: text(&telling["message"]),
            renewal: time(&status["renewalTime"]),
        },
    }
}
