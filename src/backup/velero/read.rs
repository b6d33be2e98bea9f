//! What Velero says of its backups and restores. Pure.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::backup::{
    Backup, BackupId, BackupPart, BackupSource, BackupState, Engine, PartState, Trigger,
};
use crate::domain::{DriverRef, Problem, labels};

/// How far a `Backup` or `Restore` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its phase, as Velero has it; `New` before it was looked at.
    pub phase: String,
    /// Where that is among our own states.
    pub state: BackupState,
    /// Items that are done, of how many.
    pub items: (u64, Option<u64>),
    /// How many warnings it has.
    pub warnings: u64,
    /// Why it did not succeed, or not wholly.
    pub problem: Option<Problem>,
}

/// Reads the status of a `Backup` or a `Restore`.
pub fn report(object: &Value) -> Report {
    let status = &object["status"];
    let phase = status["phase"].as_str().filter(|phase| !phase.is_empty()).unwrap_or("New").to_owned();
    let state = state_of(&phase);
    let count = |name: &str| status["progress"][name].as_u64();
    let done = count("itemsBackedUp").or_else(|| count("itemsRestored")).unwrap_or_default();
    let warnings = status["warnings"].as_u64().unwrap_or_default();
    let items = (done, count("totalItems"));
    Report { items, warnings, problem: problem(object, &phase, state), phase, state }
}

/// Phases that Velero does not have yet count as being under way: it ends by itself or by our deadline.
fn state_of(phase: &str) -> BackupState {
    match phase {
        "New" | "Queued" | "ReadyToStart" => BackupState::Queued,
        "Completed" => BackupState::Completed,
        "PartiallyFailed" => BackupState::PartiallyFailed,
        "Failed" | "FailedValidation" => BackupState::Failed,
        _ => BackupState::Running,
    }
}

fn problem(object: &Value, phase: &str, state: BackupState) -> Option<Problem> {
    if !matches!(state, BackupState::Failed | BackupState::PartiallyFailed) {
        return None;
    }
    let status = &object["status"];
    let validation = status["validationErrors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut reasons: Vec<String> = validation.map(str::to_owned).collect();
    reasons.extend(status["failureReason"].as_str().filter(|why| !why.is_empty()).map(str::to_owned));
    let number = |name: &str| status[name].as_u64().filter(|count| *count > 0);
    reasons.extend(number("errors").map(|count| format!("{count} errors")));
    reasons.extend(number("warnings").map(|count| format!("{count} warnings")));
    let hooks = status["hookStatus"]["hooksFailed"].as_u64().filter(|count| *count > 0);
    reasons.extend(hooks.map(|count| format!("{count} hooks failed")));
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or("Backup").to_lowercase();
    Some(Problem::new(
        format!("Velero says {phase}"),
        reasons.join("; "),
        format!("see what it logged: velero {kind} logs {name}"),
    ))
}

/// A `Backup` of the namespace `namespace` as the catalogue shows it; none when it is of others. Its location is the name of its
/// BackupStorageLocation.
pub fn catalogued(object: &Value, cluster: &str, (environment, namespace): (&str, &str)) -> Option<Backup> {
    let spec = &object["spec"];
    let names = |field: &str| -> Vec<&str> {
        spec[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let included = names("includedNamespaces");
    let all = included.is_empty() || included.contains(&"*");
    if names("excludedNamespaces").contains(&namespace) || !(all || included.contains(&namespace)) {
        return None;
    }
    let metadata = &object["metadata"];
    let label = |name: &str| metadata["labels"][name].as_str().map(str::to_owned);
    let found = report(object);
    let status = &object["status"];
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let created = moment(&status["startTimestamp"]).or_else(|| moment(&metadata["creationTimestamp"]))?;
    let trigger = match label("velero.io/schedule-name") {
        Some(name) => Trigger::Schedule { name },
        None => Trigger::Person,
    };
    Some(Backup {
        source: BackupSource {
            cluster: cluster.to_owned(),
            environment: environment.to_owned(),
            application: label(labels::DEPLOYMENT).unwrap_or_default(),
            instance: 0,
            driver: DriverRef::default(),
            application_version: String::new(),
            draft: None,
        },
        id: BackupId(metadata["name"].as_str()?.to_owned()),
        engine: Engine::Velero,
        location: spec["storageLocation"].as_str().unwrap_or_default().to_owned(),
        state: found.state,
        created,
        ended: moment(&status["completionTimestamp"]),
        operation: None,
        trigger,
        group: None,
        parts: vec![part(&found)],
        pinned: false,
        verified: Vec::new(),
        manifest: None,
        problem: found.problem,
    })
}

/// Velero counts items, not bytes: all of it is one part.
pub(super) fn part(found: &Report) -> BackupPart {
    BackupPart {
        state: match found.state {
            BackupState::Queued => PartState::Pending,
            BackupState::Running => PartState::Running,
            BackupState::Completed => PartState::Completed,
            _ => PartState::Failed,
        },
        problem: found.problem.clone(),
        ..BackupPart::of_velero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn velero(status: Value) -> Value {
        json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {"name": "nightly-20261129030000", "namespace": "velero",
                "creationTimestamp": "2026-11-29T03:00:00Z",
                "labels": {"velero.io/schedule-name": "nightly"}},
            "spec": {"includedNamespaces": ["demo"], "storageLocation": "default"},
            "status": status,
        })
    }

    #[test]
    fn every_phase_has_its_state() {
        for (phase, state) in [
            ("", BackupState::Queued),
            ("ReadyToStart", BackupState::Queued),
            ("InProgress", BackupState::Running),
            ("WaitingForPluginOperationsPartiallyFailed", BackupState::Running),
            ("FinalizingPartiallyFailed", BackupState::Running),
            ("Deleting", BackupState::Running),
            ("SomethingNew", BackupState::Running),
            ("Completed", BackupState::Completed),
            ("PartiallyFailed", BackupState::PartiallyFailed),
            ("FailedValidation", BackupState::Failed),
        ] {
            assert_eq!(report(&velero(json!({"phase": phase}))).state, state, "{phase}");
        }
    }

    #[test]
    fn what_went_wrong_is_told() {
        let found = report(&velero(json!({
            "phase": "PartiallyFailed", "errors": 2, "warnings": 1, "failureReason": "no space",
            "validationErrors": ["bad label"], "hookStatus": {"hooksAttempted": 3, "hooksFailed": 1},
            "progress": {"totalItems": 10, "itemsBackedUp": 7},
        })));
        assert_eq!(found.items, (7, Some(10)));
        let problem = found.problem.unwrap();
        assert_eq!(problem.why, "bad label; no space; 2 errors; 1 warnings; 1 hooks failed");
        assert!(problem.next.contains("velero backup logs nightly-20261129030000"));
        assert_eq!(report(&velero(json!({"phase": "Completed", "warnings": 3}))).problem, None);
    }

    #[test]
    fn backups_of_the_namespace_are_shown_and_others_are_not() {
        let done = velero(json!({"phase": "Completed", "startTimestamp": "2026-11-29T03:00:02Z",
            "completionTimestamp": "2026-11-29T03:04:00Z"}));
        let found = catalogued(&done, "kind", ("demo", "demo")).unwrap();
        assert_eq!((found.engine, found.state), (Engine::Velero, BackupState::Completed));
        assert_eq!(found.trigger, Trigger::Schedule { name: "nightly".into() });
        assert_eq!(found.created.to_string(), "2026-11-29T03:00:02Z");
        assert!(catalogued(&done, "kind", ("other", "other")).is_none());
        let mut all = done.clone();
        all["spec"]["includedNamespaces"] = json!(["*"]);
        assert!(catalogued(&all, "kind", ("other", "other")).is_some());
        all["spec"]["excludedNamespaces"] = json!(["other"]);
        assert!(catalogued(&all, "kind", ("other", "other")).is_none());
    }
}
