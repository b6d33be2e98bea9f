//! What a Job's policies say: which failures of pods count, and when enough indexes have succeeded.

use serde_json::Value;

use super::super::object::{condition, deleting, flag, list, name, namespace, number, text};
use super::indexes::Indexes;

/// What a failed pod does to its Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts against the limit.
    Count,
    /// It is as if it had not been.
    Ignore,
    /// Its index fails, without another try.
    FailIndex,
    /// The Job fails, for this reason.
    FailJob(String),
}

/// Whether a pod is replaced only when it has ended, not already when it is being deleted.
pub(super) fn replaces_only_failed(job: &Value) -> bool {
    text(job, "/spec/podReplacementPolicy") == "Failed" || has_failure_policy(job)
}

fn has_failure_policy(job: &Value) -> bool {
    job.pointer("/spec/podFailurePolicy").is_some_and(|policy| !policy.is_null())
}

/// Whether a pod counts as failed.
pub(super) fn is_failed(pod: &Value, job: &Value) -> bool {
    match text(pod, "/status/phase") {
        "Failed" => true,
        "Succeeded" => false,
        _ => deleting(pod) && !replaces_only_failed(job),
    }
}

/// What `spec.podFailurePolicy` says about a failed pod: the first rule that matches; it counts where none does.
pub(super) fn judge(job: &Value, pod: &Value) -> Verdict {
    for (index, rule) in list(job, "/spec/podFailurePolicy/rules").iter().enumerate() {
        let Some(cause) = matched(rule, pod) else { continue };
        return match text(rule, "/action") {
            "Ignore" => Verdict::Ignore,
            "FailIndex" => Verdict::FailIndex,
            "FailJob" => Verdict::FailJob(format!("{cause} matching FailJob rule at index {index}")),
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

fn matched(rule: &Value, pod: &Value) -> Option<String> {
    if let Some(codes) = rule.get("onExitCodes").filter(|codes| !codes.is_null()) {
        return exit_code(codes, pod);
    }
    list(rule, "/onPodConditions").iter().find_map(|pattern| {
        let kind = text(pattern, "/type");
        let wanted = match text(pattern, "/status") {
            "" => "True",
            status => status,
        };
        let found = condition(pod, kind).is_some_and(|found| text(found, "/status") == wanted);
        found.then(|| format!("Pod {}/{} has condition {kind}", namespace(pod), name(pod)))
    })
}

fn exit_code(codes: &Value, pod: &Value) -> Option<String> {
    let only = text(codes, "/containerName");
    let statuses =
        ["/status/initContainerStatuses", "/status/containerStatuses"].iter().flat_map(|at| list(pod, at));
    statuses.filter(|status| only.is_empty() || text(status, "/name") == only).find_map(|status| {
        // a container that ended well never matches, whatever the rule says
        let code = number(status, "/state/terminated/exitCode").filter(|code| *code != 0)?;
        let listed = list(codes, "/values").iter().any(|value| value.as_i64() == Some(code));
        let matches = listed == (text(codes, "/operator") == "In");
        matches.then(|| {
            let (space, pod, container) = (namespace(pod), name(pod), text(status, "/name"));
            format!("Container {container} for pod {space}/{pod} failed with exit code {code}")
        })
    })
}

/// The message of the first rule of `spec.successPolicy` that the completed indexes fulfil.
pub(super) fn success(job: &Value, completed: &Indexes) -> Option<String> {
    let completions = number(job, "/spec/completions").unwrap_or(0);
    let fulfilled = |rule: &Value| {
        let count = number(rule, "/succeededCount");
        match text(rule, "/succeededIndexes") {
            "" => count.is_some_and(|count| completed.len() >= count),
            listed => {
                let listed = Indexes::parse(listed, completions);
                completed.common(&listed) >= count.unwrap_or(listed.len())
            }
        }
    };
    let rules = list(job, "/spec/successPolicy/rules");
    rules.iter().position(fulfilled).map(|index| format!("Matched rules at index {index}"))
}

/// Whether a Job gives each of its pods an index.
pub(super) fn is_indexed(job: &Value) -> bool {
    text(job, "/spec/completionMode") == "Indexed"
}

/// Whether the Job is held back.
pub(super) fn is_suspended(job: &Value) -> bool {
    flag(job, "/spec/suspend")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(code: i64) -> Value {
        json!({"metadata": {"name": "p", "namespace": "a"}, "status": {"phase": "Failed",
            "conditions": [{"type": "DisruptionTarget", "status": if code == 0 { "True" } else { "False" }}],
            "containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": code}}}]}})
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let job = json!({"spec": {"podFailurePolicy": {"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42], "containerName": "main"}},
            {"action": "FailIndex", "onExitCodes": {"operator": "NotIn", "values": [1, 2]}}]}}});
        assert_eq!(judge(&job, &pod(0)), Verdict::Ignore);
        let why = "Container main for pod a/p failed with exit code 42 matching FailJob rule at index 1";
        assert_eq!(judge(&job, &pod(42)), Verdict::FailJob(why.into()));
        assert_eq!(judge(&job, &pod(7)), Verdict::FailIndex);
        assert_eq!(judge(&job, &pod(1)), Verdict::Count);
    }

    #[test]
    fn success_needs_the_indexes_or_as_many_of_them() {
        let job = |rule: Value| json!({"spec": {"completions": 5, "successPolicy": {"rules": [rule]}}});
        let completed = Indexes::parse("0,2", 5);
        for (rule, met) in [
            (json!({"succeededIndexes": "0,2"}), true),
            (json!({"succeededIndexes": "0-2"}), false),
            (json!({"succeededIndexes": "0-2", "succeededCount": 2}), true),
            (json!({"succeededCount": 3}), false),
        ] {
            assert_eq!(success(&job(rule.clone()), &completed).is_some(), met, "{rule}");
        }
    }
}
