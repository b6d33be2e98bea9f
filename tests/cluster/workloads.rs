//! Workloads: what their controllers make of them, as far as anybody can see.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::{deployment, pod};
use crate::things::{condition, number, text};

cases!(
    a_deployment_rolls_out,
    a_deployment_is_updated_pod_by_pod,
    a_deployment_is_scaled,
    a_deployment_is_rolled_back,
    a_paused_deployment_waits,
    a_recreated_deployment_never_mixes,
    a_roll_out_that_stands_still_misses_its_deadline,
    a_pod_that_is_deleted_is_replaced,
    a_replica_set_adopts_and_releases,
    a_stateful_set_goes_in_order,
    a_stateful_set_is_updated_from_the_end,
    a_daemon_set_has_a_pod_on_each_node,
    a_job_completes,
    a_job_that_fails_gives_up,
    controllers_tell_what_they_do;
    only_sandbox:
        a_suspended_job_waits: "Kubernetes 1.20 does not suspend Jobs",
        a_pod_that_fits_nowhere_is_explained: "the test cluster has no scheduler",
);

/// How a fake kubelet is told to keep a pod from getting ready: on the test cluster, and on the sandbox.
pub fn stuck() -> Value {
    json!({"fake/state": "Pending", "sandbox.styrmin.io/image-pull": "fail"})
}

pub fn complete(object: &Value, replicas: i64) -> bool {
    let counters = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
    number(object, "/status/observedGeneration") == number(object, "/metadata/generation")
        && counters.iter().all(|counter| number(object, &format!("/status/{counter}")) == replicas)
}

pub fn image(tag: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": format!("example.org/one:{tag}")}]}}}})
}

fn images(pods: &[&Value]) -> Vec<String> {
    let mut images: Vec<String> = pods
        .iter()
        .filter(|pod| text(pod, "/metadata/deletionTimestamp").is_empty())
        .map(|pod| text(pod, "/spec/containers/0/image").to_owned())
        .collect();
    images.sort();
    images
}

pub fn revision(object: &Value) -> &str {
    object["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str().unwrap_or_default()
}

pub async fn roll_out(ground: &Ground, object: Value) -> Value {
    let replicas = number(&object, "/spec/replicas");
    let deployments = ground.things("deployments");
    deployments.create(object).await;
    deployments.until_is("web", "it is complete", |object| complete(object, replicas)).await
}

pub async fn set_image(ground: &Ground, tag: &str) {
    let patch = Patch::Strategic(image(tag));
    ground.things("deployments").try_patch("web", &PatchParams::default(), patch).await.expect("patched");
}

async fn a_deployment_rolls_out(ground: &Ground) {
    let object = roll_out(ground, deployment("web", 2)).await;
    let deployments = ground.things("deployments");
    let object = match condition(&object, "Progressing").1 {
        "NewReplicaSetAvailable" => object,
        _ => {
            deployments
                .until_is("web", "it says so", |object| {
                    condition(object, "Progressing").1 == "NewReplicaSetAvailable"
                })
                .await
        }
    };
    assert_eq!(condition(&object, "Available"), ("True", "MinimumReplicasAvailable"));
    assert_eq!(revision(&object), "1");
    let sets = ground.things("replicasets").until_all("app=web", "one", |sets| sets.len() == 1).await;
    let (set, hash) =
        (text(&sets[0], "/metadata/name"), text(&sets[0], "/metadata/labels/pod-template-hash"));
    assert_eq!(set, format!("web-{hash}"));
    assert_eq!(text(&sets[0], "/spec/selector/matchLabels/pod-template-hash"), hash);
    let pods = ground.things("pods").until_all("app=web", "two", |pods| pods.len() == 2).await;
    for pod in &pods {
        assert!(text(pod, "/metadata/name").starts_with(&format!("{set}-")));
        assert_eq!(text(pod, "/metadata/labels/pod-template-hash"), hash);
        let owner = &pod["metadata"]["ownerReferences"][0];
        assert_eq!((text(owner, "/kind"), text(owner, "/name")), ("ReplicaSet", set));
        assert_eq!((&owner["controller"], &owner["blockOwnerDeletion"]), (&json!(true), &json!(true)));
        assert_eq!(condition(pod, "PodScheduled").0, "True");
    }
}

async fn a_deployment_is_updated_pod_by_pod(ground: &Ground) {
    let mut object = deployment("web", 3);
    object["spec"]["strategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    roll_out(ground, object).await;
    let deployments = ground.things("deployments");
    let replica_sets = ground.things("replicasets");
    // The surge bounds what is asked of the sets. What their status counts lags behind, each at its own pace.
    let never_more = replica_sets.until_all("app=web", "all of the second and none of the first", |sets| {
        let mut asked: Vec<i64> = sets.iter().map(|set| number(set, "/spec/replicas")).collect();
        assert!(asked.iter().sum::<i64>() <= 4, "{asked:?}");
        asked.sort_unstable();
        asked == [0, 3]
    });
    let never_short = deployments.until_is("web", "it is complete and never short", |object| {
        let available = number(object, "/status/availableReplicas");
        assert!(available >= 3, "{available}");
        number(object, "/metadata/generation") == 2 && complete(object, 3)
    });
    let (_, _, done) = tokio::join!(set_image(ground, "2"), never_more, never_short);
    assert_eq!(revision(&done), "2");
    let all = ground.things("pods").until_all("app=web", "three", |pods| pods.len() == 3).await;
    assert_eq!(images(&all.iter().collect::<Vec<_>>()), ["example.org/one:2"; 3]);
}

async fn a_deployment_is_scaled(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let deployments = ground.things("deployments");
    for size in [4, 2, 0] {
        deployments.merge("web", json!({"spec": {"replicas": size}})).await;
        deployments.until_is("web", "it has its size", |object| complete(object, size)).await;
        ground.things("pods").until_all("app=web", "as many pods", |pods| pods.len() as i64 == size).await;
    }
    assert_eq!(revision(&deployments.get("web").await), "1", "scaling is no roll-out");
}

async fn a_deployment_is_rolled_back(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let deployments = ground.things("deployments");
    for (tag, expected) in [("2", "2"), ("1", "3")] {
        set_image(ground, tag).await;
        deployments
            .until_is("web", "it is complete", |object| complete(object, 1) && revision(object) == expected)
            .await;
    }
    let sets = ground.things("replicasets").until_all("app=web", "two", |sets| sets.len() == 2).await;
    let mut revisions: Vec<&str> = sets.iter().map(revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, ["2", "3"], "the first one is the third now");
}

async fn a_paused_deployment_waits(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let deployments = ground.things("deployments");
    deployments.merge("web", json!({"spec": {"paused": true}})).await;
    set_image(ground, "2").await;
    let paused = |object: &Value| {
        condition(object, "Progressing") == ("Unknown", "DeploymentPaused")
            && number(object, "/status/observedGeneration") == 3
    };
    let waiting = deployments.until_is("web", "it is paused", paused).await;
    assert_eq!(number(&waiting, "/status/updatedReplicas"), 0);
    assert_eq!(ground.things("replicasets").names("app=web").await.len(), 1);
    deployments.merge("web", json!({"spec": {"paused": false}})).await;
    deployments.until_is("web", "it goes on", |object| complete(object, 1)).await;
}

async fn a_recreated_deployment_never_mixes(ground: &Ground) {
    let mut object = deployment("web", 2);
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    roll_out(ground, object).await;
    set_image(ground, "2").await;
    ground
        .things("pods")
        .until_all("app=web", "only new ones", |pods| {
            let running: Vec<&Value> =
                pods.iter().copied().filter(|pod| text(pod, "/status/phase") == "Running").collect();
            let mut kinds = images(&running);
            kinds.dedup();
            assert!(kinds.len() < 2, "{kinds:?}");
            running.len() == 2 && kinds == ["example.org/one:2"]
        })
        .await;
}

async fn a_roll_out_that_stands_still_misses_its_deadline(ground: &Ground) {
    let mut object = deployment("web", 1);
    object["spec"]["progressDeadlineSeconds"] = json!(2);
    object["spec"]["template"]["metadata"]["annotations"] = stuck();
    let deployments = ground.things("deployments");
    deployments.create(object).await;
    let late = |object: &Value| condition(object, "Progressing") == ("False", "ProgressDeadlineExceeded");
    let failed = deployments.until_is("web", "it is late", late).await;
    assert_eq!(condition(&failed, "Available"), ("False", "MinimumReplicasUnavailable"));
    assert_eq!(number(&failed, "/status/unavailableReplicas"), 1);
}

async fn a_pod_that_is_deleted_is_replaced(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let pods = ground.things("pods");
    let first = pods.names("app=web").await;
    pods.delete(&first[0]).await;
    pods.until_all("app=web", "another one runs", |pods| {
        pods.len() == 1
            && text(pods[0], "/metadata/name") != first[0]
            && condition(pods[0], "Ready").0 == "True"
    })
    .await;
}

async fn a_replica_set_adopts_and_releases(ground: &Ground) {
    let (pods, sets) = (ground.things("pods"), ground.things("replicasets"));
    pods.create(pod("one")).await;
    let template = json!({"metadata": {"labels": {"app": "one"}},
        "spec": {"containers": [{"name": "main", "image": "example.org/one:1"}]}});
    sets.create(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "set"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "one"}}, "template": template}}))
        .await;
    let owned = |pod: &Value| text(pod, "/metadata/ownerReferences/0/name") == "set";
    pods.until_is("one", "it is adopted", owned).await;
    sets.until_is("set", "it is content", |set| number(set, "/status/readyReplicas") == 1).await;
    pods.merge("one", json!({"metadata": {"labels": {"app": "free"}}})).await;
    pods.until_is("one", "it is free", |pod| !owned(pod)).await;
    pods.until_all("app=one", "another has come", |pods| pods.len() == 1).await;
}

fn stateful_set(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {"replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "example.org/one:1"}]}}}})
}

async fn a_stateful_set_goes_in_order(ground: &Ground) {
    let (sets, pods) = (ground.things("statefulsets"), ground.things("pods"));
    let mut object = stateful_set(2);
    object["spec"]["template"]["metadata"]["annotations"] = stuck();
    sets.create(object).await;
    pods.until("db-0", "the first is made", |pod| pod.is_some()).await;
    sets.until_is("db", "it is counted", |set| number(set, "/status/replicas") == 1).await;
    assert_eq!(pods.names("app=db").await, ["db-0"], "the second waits for the first");
    pods.merge("db-0", json!({"metadata": {"annotations": {"fake/state": "Running", "sandbox.styrmin.io/image-pull": null}}})).await;
    pods.until("db-1", "the second is made", |pod| pod.is_some()).await;
    pods.merge("db-1", json!({"metadata": {"annotations": {"fake/state": "Running", "sandbox.styrmin.io/image-pull": null}}})).await;
    let ready = sets.until_is("db", "both are ready", |set| number(set, "/status/readyReplicas") == 2).await;
    assert_eq!(ready["status"]["currentRevision"], ready["status"]["updateRevision"]);
    let second = pods.get("db-1").await;
    assert_eq!((text(&second, "/spec/hostname"), text(&second, "/spec/subdomain")), ("db-1", "db"));
    assert_eq!(second["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"], "db-1");
    assert_eq!(second["metadata"]["labels"]["controller-revision-hash"], ready["status"]["currentRevision"]);
    sets.merge("db", json!({"spec": {"replicas": 1}})).await;
    pods.until_gone("db-1").await;
    sets.until_is("db", "one is left", |set| number(set, "/status/replicas") == 1).await;
}

async fn a_stateful_set_is_updated_from_the_end(ground: &Ground) {
    let (sets, pods) = (ground.things("statefulsets"), ground.things("pods"));
    let mut object = stateful_set(2);
    object["spec"]["updateStrategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    sets.create(object).await;
    sets.until_is("db", "both are ready", |set| number(set, "/status/readyReplicas") == 2).await;
    sets.try_patch("db", &PatchParams::default(), Patch::Strategic(image("2"))).await.expect("patched");
    let new = |pod: &Value| text(pod, "/spec/containers/0/image") == "example.org/one:2";
    pods.until_is("db-1", "the last is new", new).await;
    let held = |set: &Value| {
        number(set, "/status/readyReplicas") == 2
            && number(set, "/status/updatedReplicas") == 1
            && number(set, "/status/currentReplicas") == 1
            && set["status"]["currentRevision"] != set["status"]["updateRevision"]
    };
    sets.until_is("db", "the partition holds", held).await;
    assert!(!new(&pods.get("db-0").await));
    sets.merge("db", json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})).await;
    pods.until_is("db-0", "the first is new", new).await;
    let even = |set: &Value| set["status"]["currentRevision"] == set["status"]["updateRevision"];
    sets.until_is("db", "all are of one revision", |set| {
        even(set) && number(set, "/status/readyReplicas") == 2
    })
    .await;
}

async fn a_daemon_set_has_a_pod_on_each_node(ground: &Ground) {
    let sets = ground.things("daemonsets");
    let template = json!({"metadata": {"labels": {"app": "agent"}},
        "spec": {"containers": [{"name": "main", "image": "example.org/one:1"}]}});
    sets.create(json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template}}))
        .await;
    let counters = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberReady",
    ];
    let done = |set: &Value| counters.iter().all(|counter| number(set, &format!("/status/{counter}")) == 1);
    sets.until_is("agent", "its pod is ready", done).await;
    let found = ground.things("pods").until_all("app=agent", "one", |pods| pods.len() == 1).await;
    assert_ne!(text(&found[0], "/spec/nodeName"), "");
}

pub fn job(spec: Value) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "seed"},
        "spec": {"template": {"metadata": {"annotations": {"fake/runtime": "0"}}, "spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/one:1"}]}}}});
    for (field, value) in spec.as_object().expect("a spec") {
        job["spec"][field] = value.clone();
    }
    job
}

async fn a_job_completes(ground: &Ground) {
    let jobs = ground.things("jobs");
    let made = jobs.create(job(json!({"completions": 3, "parallelism": 2}))).await;
    assert_eq!(number(&made, "/spec/backoffLimit"), 6, "defaulted");
    assert!(made.pointer("/spec/selector/matchLabels").is_some(), "given a selector");
    let done = jobs
        .until_is("seed", "it is complete", |job| {
            assert!(number(job, "/status/active") <= 2);
            condition(job, "Complete").0 == "True"
        })
        .await;
    assert_eq!((number(&done, "/status/succeeded"), number(&done, "/status/active")), (3, 0));
    assert!(text(&done, "/status/completionTime") >= text(&done, "/status/startTime"));
    let pods = ground.things("pods").until_all("job-name=seed", "three", |pods| pods.len() == 3).await;
    assert!(pods.iter().all(|pod| text(pod, "/status/phase") == "Succeeded"));
}

async fn a_job_that_fails_gives_up(ground: &Ground) {
    let jobs = ground.things("jobs");
    let mut failing = job(json!({"backoffLimit": 0}));
    failing["spec"]["template"]["metadata"]["annotations"] = json!({"fake/state": "Failed"});
    // a program of the sandbox that ends with an error: it knows no such option
    if ground.sandbox.is_some() {
        let container =
            json!([{"name": "main", "image": "styrmin/notes-web:1.0.0", "args": ["--no-such-option"]}]);
        failing["spec"]["template"]["spec"]["containers"] = container;
    }
    jobs.create(failing).await;
    let failed = jobs.until_is("seed", "it has failed", |job| condition(job, "Failed").0 == "True").await;
    assert_eq!(condition(&failed, "Failed").1, "BackoffLimitExceeded");
    assert_eq!(number(&failed, "/status/failed"), 1);
    assert_eq!(condition(&failed, "Complete").0, "");
}

async fn controllers_tell_what_they_do(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let events = ground.things("events");
    for (object, reason, part) in [
        ("Deployment", "ScalingReplicaSet", "Scaled up replica set web-"),
        ("ReplicaSet", "SuccessfulCreate", "Created pod: web-"),
    ] {
        events
            .until_all("", reason, |events| {
                events.iter().any(|event| {
                    text(event, "/involvedObject/kind") == object
                        && text(event, "/reason") == reason
                        && text(event, "/message").starts_with(part)
                        && text(event, "/type") == "Normal"
                })
            })
            .await;
    }
}

async fn a_suspended_job_waits(ground: &Ground) {
    let jobs = ground.things("jobs");
    jobs.create(job(json!({"suspend": true}))).await;
    jobs.until_is("seed", "it is suspended", |job| condition(job, "Suspended") == ("True", "JobSuspended"))
        .await;
    assert!(ground.things("pods").names("job-name=seed").await.is_empty());
    jobs.merge("seed", json!({"spec": {"suspend": false}})).await;
    jobs.until_is("seed", "it is complete", |job| condition(job, "Complete").0 == "True").await;
}

async fn a_pod_that_fits_nowhere_is_explained(ground: &Ground) {
    let pods = ground.things("pods");
    let mut picky = pod("one");
    picky["spec"]["nodeSelector"] = json!({"disk": "fast"});
    pods.create(picky).await;
    pods.until_is("one", "it says why", |pod| condition(pod, "PodScheduled") == ("False", "Unschedulable"))
        .await;
    let failed =
        |event: &&Value| text(event, "/reason") == "FailedScheduling" && text(event, "/type") == "Warning";
    let told = ground.things("events").until_all("", "an event", |events| events.iter().any(failed)).await;
    let told = told.iter().find(failed).expect("it");
    assert_eq!(
        text(told, "/message"),
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    );
}
