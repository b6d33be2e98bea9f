//! Jobs and CronJobs.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{is_blank, items, meta, non_negative, one_of, pod, text};
use crate::sandbox::controllers::Schedule;
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::selector;

/// A Job's spec; `uid` is the Job's own.
pub fn job(spec: &Value, uid: &Value, causes: &mut Causes) {
    job_spec(spec, "spec", causes);
    let selector = &spec["selector"];
    let own = &selector["matchLabels"]["batch.kubernetes.io/controller-uid"];
    let count = selector["matchLabels"].as_object().map_or(0, serde_json::Map::len);
    let generated = own == uid && count == 1 && items(&selector["matchExpressions"]).is_empty();
    if spec["manualSelector"] == true && selector.is_null() {
        causes.required("spec.selector", "");
    } else if spec["manualSelector"] != true && uid.is_string() && !generated {
        causes.invalid("spec.selector", selector, "`selector` not auto-generated");
    }
    meta::selector(selector, "spec.selector", causes);
    let labels = &spec["template"]["metadata"]["labels"];
    if !selector.is_null() && !selector::selects(selector, labels.as_object()) {
        causes.invalid(
            "spec.template.metadata.labels",
            labels,
            "`selector` does not match template `labels`",
        );
    }
}

fn job_spec(spec: &Value, path: &str, causes: &mut Causes) {
    for field in
        ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"]
    {
        non_negative(&spec[field], &format!("{path}.{field}"), causes);
    }
    if spec["completionMode"] == "Indexed" && spec["completions"].is_null() {
        let detail = "when completion mode is Indexed";
        causes.required(&format!("{path}.completions"), detail);
    }
    one_of(&spec["completionMode"], &format!("{path}.completionMode"), &["Indexed", "NonIndexed"], causes);
    let template = &spec["template"];
    pod::template(template, &format!("{path}.template"), causes);
    if !["OnFailure", "Never"].contains(&text(&template["spec"]["restartPolicy"])) {
        let at = format!("{path}.template.spec.restartPolicy");
        causes.required(&at, "valid values: \"OnFailure\", \"Never\"");
    }
}

/// A CronJob.
pub fn cron_job(object: &Value, causes: &mut Causes) {
    let spec = &object["spec"];
    let schedule = &spec["schedule"];
    if is_blank(schedule) {
        causes.required("spec.schedule", "");
    } else if let Err(problem) = Schedule::parse(text(schedule)) {
        causes.invalid("spec.schedule", schedule, &problem);
    }
    let zone = &spec["timeZone"];
    if zone == "" {
        causes.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string");
    } else if zone.is_string() && (zone == "Local" || TimeZone::get(text(zone)).is_err()) {
        causes.invalid("spec.timeZone", zone, &format!("unknown time zone {}", text(zone)));
    }
    one_of(&spec["concurrencyPolicy"], "spec.concurrencyPolicy", &["Allow", "Forbid", "Replace"], causes);
    for field in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        non_negative(&spec[field], &format!("spec.{field}"), causes);
    }
    job_spec(&spec["jobTemplate"]["spec"], "spec.jobTemplate.spec", causes);
    // Its Jobs' names are eleven characters longer.
    let name = &object["metadata"]["name"];
    if text(name).len() > 52 {
        causes.invalid("metadata.name", name, "must be no more than 52 characters");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(cron: Value) -> Option<String> {
        let mut object = json!({"metadata": {"name": "tick"}, "spec": {"jobTemplate": {"spec": {"template": {
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}});
        json_patch::merge(&mut object["spec"], &cron);
        let mut causes = Causes::default();
        cron_job(&object, &mut causes);
        causes.finish("batch", "CronJob", "tick").err().map(|status| status.message)
    }

    #[test]
    fn schedules_and_zones_are_checked() {
        let zone = |zone: &str| json!({"schedule": "@daily", "timeZone": zone});
        let bad = [
            (json!({"schedule": "0 0 * * 7"}), "spec.schedule"),
            (json!({"schedule": ""}), "spec.schedule"),
            (zone("Moon/Crater"), "unknown time zone Moon/Crater"),
            (zone("Local"), "spec.timeZone"),
            (zone(""), "spec.timeZone"),
        ];
        for (spec, part) in bad {
            let told = problems(spec.clone()).unwrap_or_default();
            assert!(told.contains(part), "{spec}: {told}");
        }
        for good in [json!({"schedule": "*/5 0-6 1,15 jan mon-fri"}), zone("Europe/Berlin"), zone("Etc/UTC")]
        {
            let told = problems(good.clone()).unwrap_or_default();
            assert!(!told.contains("schedule") && !told.contains("timeZone"), "{good}: {told}");
        }
    }
}
