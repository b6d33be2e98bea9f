//! Replacing the pods of workloads, as `kubectl rollout restart` does.

use crate::domain::plan::{Class, Expectation, Verb};
use crate::domain::{ObjectKey, Plan, Step};

use super::{Basis, HEALTHY_WITHIN};

/// The step that replaces the pods of a workload.
pub const RESTART: &str = "restart";

/// The plan of replacing the pods of `workloads`.
pub fn restart(basis: &Basis<'_>, workloads: &[ObjectKey]) -> Plan {
    let mut steps = Vec::new();
    for key in workloads {
        let Some(live) = basis.situation.live.get(key) else { continue };
        let position = steps.len();
        steps.push(Step {
            name: format!("{RESTART} {key}"),
            class: if key.kind == "Deployment" { Class::Safe } else { Class::Disruptive },
            expects: Expectation { uid: live.uid.clone(), resource_version: None },
            note: "its pods are replaced".to_owned(),
            ..Step::on(Verb::Run, key.clone())
        });
        steps.push(Step {
            after: vec![position],
            timeout: u32::try_from(HEALTHY_WITHIN.as_secs()).unwrap_or(600),
            note: "until it is healthy".to_owned(),
            ..Step::on(Verb::Wait, key.clone())
        });
    }
    basis.plan(steps)
}
