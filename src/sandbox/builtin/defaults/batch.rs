//! Defaults of Jobs and CronJobs.

use serde_json::{Value, json};

use super::{pod, put, put_text, within, within_new};

/// A Job: its defaults, and the selector and labels that tie its pods to it (unless the manifest says that it brings its own).
pub fn job(object: &mut Value) {
    let (name, uid) = (object["metadata"]["name"].clone(), object["metadata"]["uid"].clone());
    within(object, "spec", |spec| {
        job_spec(spec);
        if spec["manualSelector"] != true && uid.is_string() {
            select_own_pods(spec, &name, &uid);
        }
    });
}

fn select_own_pods(spec: &mut Value, name: &Value, uid: &Value) {
    within(spec, "template", |template| {
        within_new(template, "metadata", |metadata| {
            within_new(metadata, "labels", |labels| {
                for prefix in ["", "batch.kubernetes.io/"] {
                    labels[format!("{prefix}controller-uid")] = uid.clone();
                    labels[format!("{prefix}job-name")] = name.clone();
                }
            });
        });
    });
    within_new(spec, "selector", |selector| {
        within_new(selector, "matchLabels", |labels| {
            put(labels, "batch.kubernetes.io/controller-uid", uid.clone());
        });
    });
}

fn job_spec(spec: &mut Value) {
    // With neither given, one pod; with only parallelism, a work queue.
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        put(spec, "completions", json!(1));
    }
    put(spec, "parallelism", json!(1));
    put(
        spec,
        "backoffLimit",
        if spec["backoffLimitPerIndex"].is_null() { json!(6) } else { json!(i32::MAX) },
    );
    put(spec, "completionMode", json!("NonIndexed"));
    put(spec, "suspend", json!(false));
    put(spec, "manualSelector", json!(false));
    let replacement = if spec["podFailurePolicy"].is_null() { "TerminatingOrFailed" } else { "Failed" };
    put_text(spec, "podReplacementPolicy", replacement);
    within(spec, "template", pod::template);
}

/// A CronJob's spec.
pub fn cron_job(spec: &mut Value) {
    put_text(spec, "concurrencyPolicy", "Allow");
    put(spec, "suspend", json!(false));
    put(spec, "successfulJobsHistoryLimit", json!(3));
    put(spec, "failedJobsHistoryLimit", json!(1));
    within(spec, "jobTemplate", |template| {
        within(template, "spec", |spec| within(spec, "template", pod::template));
    });
}
