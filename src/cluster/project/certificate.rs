//! What cert-manager says of the certificates that it keeps.

use serde_json::Value;

use super::{text, time};
use crate::domain::conditions::{Condition, Conditions};
use crate::domain::object::Detail;
use crate::domain::route::ManagerReport;

/// A Certificate of cert-manager. That it is making one is looked at before whether there is one: while it makes a new one the
/// old one may still be right.
pub(super) fn certificate(object: &Value) -> Detail {
    let conditions = Conditions::of(object);
    let ready = conditions.find("Ready");
    let making = conditions.holds("Issuing");
    // the last try failed: that says more than that there is none
    let failed = conditions.denies("Issuing").filter(|issuing| issuing.reason() == "Failed");
    let failed = failed.filter(|_| conditions.holds("Ready").is_none());
    let telling = making.or(failed).or(ready);
    Detail::Certificate {
        secret: text(&object["spec"]["secretName"]),
        report: ManagerReport {
            name: text(&object["metadata"]["name"]),
            ready: match ready {
                Some(ready) if ready.is("True") => Some(true),
                Some(ready) if ready.is("False") => Some(false),
                _ => None,
            },
            issuing: making.is_some(),
            reason: telling.map_or("", Condition::reason).to_owned(),
            message: telling.map_or("", Condition::message).to_owned(),
            renewal: time(&object["status"]["renewalTime"]),
        },
    }
}
