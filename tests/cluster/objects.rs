//! Objects: discovery, creating, reading, replacing, conflicts, generations, subresources.

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{GroupVersionKind, Status};
use kube::discovery::{Discovery, Scope, verbs};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::things::{number, status_of, text, value, version};

cases!(
    discovery_finds_the_built_in_kinds,
    the_version_is_told,
    an_object_is_made_read_replaced_and_deleted,
    a_second_object_of_a_name_is_refused,
    what_is_not_there_is_not_found,
    a_stale_replacement_conflicts,
    a_replacement_without_version_wins,
    writes_that_change_nothing_keep_the_version,
    the_server_owns_identity,
    generations_count_specs_only,
    status_and_spec_are_written_apart,
    the_scale_subresource_scales,
    generated_names_differ,
    a_dry_run_stores_nothing,
    preconditions_guard_deletion,
    immutable_fields_stay,
    invalid_objects_name_the_field,
    some_kinds_are_made_by_replacing,
    some_kinds_are_never_replaced_blindly,
    bodies_that_are_no_objects_are_refused,
    options_that_make_no_sense_are_refused,
    a_replacement_says_which_object,
    methods_that_a_path_lacks_are_refused,
    owners_are_checked,
    refused_options_are_named,
    both_finalizers_of_deletion_are_refused,
    generations_of_kinds_without_them_stay_as_sent;
    only_sandbox:
        unknown_fields_of_a_scale_are_told_or_refused: "1.20 has no fieldValidation",
        a_wrong_kind_is_refused: "1.20 reads some other kinds as the one that is asked for",
);

pub fn config_map(name: &str, text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": text}})
}

/// A Deployment of `pause`-like containers that nobody runs: zero replicas unless asked otherwise.
pub fn deployment(name: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "example.org/one:1"}]}}}})
}

/// A Pod of an image that a fake kubelet runs.
pub fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "example.org/one:1"}]}})
}

async fn discovery_finds_the_built_in_kinds(ground: &Ground) {
    let discovery = Discovery::new(ground.client.clone()).run().await.expect("discovery");
    for (group, version, kind, scope) in [
        ("", "v1", "Pod", Scope::Namespaced),
        ("", "v1", "Namespace", Scope::Cluster),
        ("apps", "v1", "Deployment", Scope::Namespaced),
        ("batch", "v1", "Job", Scope::Namespaced),
        ("networking.k8s.io", "v1", "Ingress", Scope::Namespaced),
        ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", Scope::Cluster),
    ] {
        let found = discovery.resolve_gvk(&GroupVersionKind::gvk(group, version, kind));
        let (resource, capabilities) = found.unwrap_or_else(|| panic!("no {group}/{version} {kind}"));
        assert_eq!(capabilities.scope, scope, "{kind}");
        for verb in [verbs::LIST, verbs::WATCH, verbs::PATCH, verbs::CREATE] {
            assert!(capabilities.supports_operation(verb), "{} {verb}", resource.plural);
        }
    }
    let deployments = GroupVersionKind::gvk("apps", "v1", "Deployment");
    let (_, capabilities) = discovery.resolve_gvk(&deployments).expect("Deployments");
    let mut parts: Vec<&str> =
        capabilities.subresources.iter().map(|(part, _)| part.plural.as_str()).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["scale", "status"]);
}

async fn the_version_is_told(ground: &Ground) {
    let version = ground.client.apiserver_version().await.expect("a version");
    assert_eq!(version.major, "1");
    assert!(version.git_version.starts_with("v1."), "{}", version.git_version);
}

async fn an_object_is_made_read_replaced_and_deleted(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.create(config_map("one", "a")).await;
    assert_eq!(text(&made, "/metadata/namespace"), ground.namespace);
    assert!(!text(&made, "/metadata/uid").is_empty());
    assert!(text(&made, "/metadata/creationTimestamp").ends_with('Z'));
    let mut changed = maps.get("one").await;
    assert_eq!(changed["data"], json!({"text": "a"}));
    changed["data"]["text"] = json!("b");
    let replaced = maps.replace(changed).await;
    assert_ne!(version(&replaced), version(&made));
    assert_eq!(text(&replaced, "/metadata/uid"), text(&made, "/metadata/uid"));
    maps.delete("one").await;
    assert_eq!(maps.find("one").await, None);
}

async fn a_second_object_of_a_name_is_refused(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let status = maps.try_create(config_map("one", "b")).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(status.message, "configmaps \"one\" already exists");
}

async fn what_is_not_there_is_not_found(ground: &Ground) {
    let deployments = ground.things("deployments");
    let status = status_of(deployments.api.get("nobody").await.expect_err("a refusal"));
    assert_eq!((status.code, status.reason.as_str()), (404, "NotFound"));
    assert_eq!(status.message, "deployments.apps \"nobody\" not found");
    let details = status.details.expect("details");
    assert_eq!(
        (details.name.as_str(), details.kind.as_str(), details.group.as_str()),
        ("nobody", "deployments", "apps")
    );
    let missing = deployments.try_delete("nobody", &DeleteParams::default()).await.expect_err("a refusal");
    assert_eq!(missing.code, 404);
    let lost = ground.things_in("configmaps", "no-such-namespace").try_create(config_map("one", "a")).await;
    assert_eq!(lost.expect_err("a refusal").code, 404);
}

async fn a_stale_replacement_conflicts(ground: &Ground) {
    let maps = ground.things("configmaps");
    let stale = maps.create(config_map("one", "a")).await;
    maps.merge("one", json!({"data": {"text": "b"}})).await;
    let status = maps.try_replace(stale).await.expect_err("a conflict");
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert_eq!(
        status.message,
        "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again"
    );
}

async fn a_replacement_without_version_wins(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let replaced = maps.replace(config_map("one", "c")).await;
    assert_eq!(replaced["data"]["text"], "c");
}

async fn writes_that_change_nothing_keep_the_version(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.create(config_map("one", "a")).await;
    let replaced = maps.replace(maps.get("one").await).await;
    assert_eq!(version(&replaced), version(&made));
    let patched = maps.merge("one", json!({"data": {"text": "a"}})).await;
    assert_eq!(version(&patched), version(&made));
    let deployments = ground.things("deployments");
    deployments.create(deployment("web", 0)).await;
    let settled = deployments
        .until_is("web", "it is observed", |object| number(object, "/status/observedGeneration") == 1)
        .await;
    let same = deployments.merge("web", json!({"spec": {"replicas": 0}})).await;
    assert_eq!(number(&same, "/metadata/generation"), number(&settled, "/metadata/generation"));
}

async fn the_server_owns_identity(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.create(config_map("one", "a")).await;
    let mut forged = made.clone();
    forged["metadata"]["uid"] = json!("11111111-2222-3333-4444-555555555555");
    assert_eq!(maps.try_replace(forged).await.expect_err("a conflict").code, 409);
    let mut aged = made.clone();
    aged["metadata"]["creationTimestamp"] = json!("2001-01-01T00:00:00Z");
    aged["data"]["text"] = json!("b");
    let kept = maps.replace(aged).await;
    assert_eq!(text(&kept, "/metadata/creationTimestamp"), text(&made, "/metadata/creationTimestamp"));
    let mut numbered = config_map("two", "a");
    numbered["metadata"]["resourceVersion"] = json!("1");
    assert!(maps.try_create(numbered).await.is_err(), "a new object has no version");
}

async fn generations_count_specs_only(ground: &Ground) {
    let deployments = ground.things("deployments");
    let made = deployments.create(deployment("web", 0)).await;
    assert_eq!(number(&made, "/metadata/generation"), 1);
    let labelled = deployments.merge("web", json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(number(&labelled, "/metadata/generation"), 1);
    let paused = deployments.merge("web", json!({"spec": {"paused": true}})).await;
    assert_eq!(number(&paused, "/metadata/generation"), 2);
    let claimed = deployments.merge("web", json!({"metadata": {"generation": 77}})).await;
    assert_eq!(number(&claimed, "/metadata/generation"), 2);
}

async fn status_and_spec_are_written_apart(ground: &Ground) {
    // a Pod that no node takes: nobody else writes its status
    let pods = ground.things("pods");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lonely"},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "main", "image": "example.org/one:1"}]}});
    pods.create(pod).await;
    let main =
        pods.merge("lonely", json!({"status": {"message": "no"}, "metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!((text(&main, "/status/message"), text(&main, "/metadata/labels/a")), ("", "b"));
    let status = json!({"status": {"message": "yes"}, "spec": {"containers": null}});
    let status = pods.merge_status("lonely", status).await;
    assert_eq!(text(&status, "/status/message"), "yes");
    assert_eq!(text(&status, "/spec/containers/0/image"), "example.org/one:1");
    assert_eq!(text(&pods.get("lonely").await, "/status/message"), "yes");
}

async fn the_scale_subresource_scales(ground: &Ground) {
    let deployments = ground.things("deployments");
    deployments.create(deployment("web", 0)).await;
    let scale = deployments.api.get_scale("web").await.expect("a scale");
    assert_eq!(scale.spec.and_then(|spec| spec.replicas).unwrap_or(0), 0);
    let selector = scale.status.and_then(|status| status.selector);
    assert_eq!(selector.as_deref(), Some("app=web"));
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    deployments.api.patch_scale("web", &PatchParams::default(), &patch).await.expect("scaled");
    let scaled = deployments.get("web").await;
    assert_eq!((number(&scaled, "/spec/replicas"), number(&scaled, "/metadata/generation")), (2, 2));
}

async fn generated_names_differ(ground: &Ground) {
    let maps = ground.things("configmaps");
    let nameless = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}});
    let one = maps.create(nameless.clone()).await;
    let two = maps.create(nameless).await;
    for made in [&one, &two] {
        let made = text(made, "/metadata/name");
        assert!(made.starts_with("made-") && made.len() == 10, "{made}");
    }
    assert_ne!(one["metadata"]["name"], two["metadata"]["name"]);
}

async fn a_dry_run_stores_nothing(ground: &Ground) {
    let maps = ground.things("configmaps");
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let object = serde_json::from_value(config_map("one", "a")).expect("an object");
    let answer = maps.api.create(&dry, &object).await.expect("an answer");
    assert!(!text(&value(&answer), "/metadata/uid").is_empty());
    assert_eq!(maps.find("one").await, None);
    let made = maps.create(config_map("one", "a")).await;
    let patch = Patch::Merge(json!({"data": {"text": "b"}}));
    let answer = maps.try_patch("one", &PatchParams::default().dry_run(), patch).await.expect("an answer");
    assert_eq!(answer["data"]["text"], "b");
    maps.try_delete("one", &DeleteParams::default().dry_run()).await.expect("an answer");
    assert_eq!(version(&maps.get("one").await), version(&made));
}

async fn preconditions_guard_deletion(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.create(config_map("one", "a")).await;
    let only = |uid: &str| {
        DeleteParams::default()
            .preconditions(Preconditions { uid: Some(uid.to_owned()), resource_version: None })
    };
    let status = maps.try_delete("one", &only("another")).await.expect_err("a conflict");
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    maps.try_delete("one", &only(text(&made, "/metadata/uid"))).await.expect("deleted");
    assert_eq!(maps.find("one").await, None);
}

async fn immutable_fields_stay(ground: &Ground) {
    let deployments = ground.things("deployments");
    deployments.create(deployment("web", 0)).await;
    let patch = Patch::Merge(json!({"spec": {"selector": {"matchLabels": {"app": "other"}}}}));
    let status = deployments.try_patch("web", &PatchParams::default(), patch).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    let fields: Vec<String> =
        status.details.expect("details").causes.into_iter().map(|cause| cause.field).collect();
    assert!(fields.iter().any(|field| field.starts_with("spec.")), "{fields:?}");
}

async fn invalid_objects_name_the_field(ground: &Ground) {
    let mut negative = deployment("web", 0);
    negative["spec"]["replicas"] = json!(-1);
    let status = ground.things("deployments").try_create(negative).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    let details = status.details.expect("details");
    let cause = details.causes.iter().find(|cause| cause.field == "spec.replicas");
    assert_eq!(cause.map(|cause| cause.reason.as_str()), Some("FieldValueInvalid"), "{details:?}");
    let status =
        ground.things("configmaps").try_create(config_map("Not A Name", "a")).await.expect_err("a refusal");
    assert_eq!(status.code, 422);
    assert!(status.message.contains("metadata.name"), "{}", status.message);
}

/// What the server answers to a request that it must refuse.
pub async fn refusal(ground: &Ground, method: &str, path: &str, media: &str, body: &str) -> Status {
    let request = http::Request::builder().method(method).uri(path).header("Content-Type", media);
    let request = request.body(body.as_bytes().to_vec()).expect("a request");
    let answer = ground.within(path, ground.client.request::<Value>(request)).await;
    match answer {
        Err(error) => status_of(error),
        Ok(value) => panic!("{method} {path} was not refused: {value}"),
    }
}

const JSON: &str = "application/json";

async fn replaced(ground: &Ground, path: &str, body: Value) -> Value {
    let request = http::Request::put(path).header("Content-Type", JSON).body(body.to_string().into_bytes());
    ground.client.request::<Value>(request.expect("a request")).await.expect("made")
}

async fn some_kinds_are_made_by_replacing(ground: &Ground) {
    let space = &ground.namespace;
    let object = json!({"metadata": {"name": "one"}});
    for path in [
        format!("/api/v1/namespaces/{space}/endpoints/one"),
        format!("/apis/coordination.k8s.io/v1/namespaces/{space}/leases/one"),
    ] {
        let made = replaced(ground, &path, object.clone()).await;
        assert!(!text(&made, "/metadata/uid").is_empty(), "{path}");
    }
    let maps = format!("/api/v1/namespaces/{space}/configmaps/one");
    let missing = refusal(ground, "PUT", &maps, JSON, &object.to_string()).await;
    assert_eq!((missing.code, missing.reason.as_str()), (404, "NotFound"));
    let gone = json!({"metadata": {"name": "one", "uid": "u-1"}}).to_string();
    let status = refusal(ground, "PUT", &maps, JSON, &gone).await;
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"), "it replaces one that is no more");
}

async fn some_kinds_are_never_replaced_blindly(ground: &Ground) {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases/one", ground.namespace);
    let lease = json!({"metadata": {"name": "one"}, "spec": {"holderIdentity": "a"}});
    replaced(ground, &path, lease.clone()).await;
    let status = refusal(ground, "PUT", &path, JSON, &lease.to_string()).await;
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(
        status.message,
        "leases.coordination.k8s.io \"one\" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
    );
}

async fn bodies_that_are_no_objects_are_refused(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    for (media, body, code) in [
        (JSON, "{\"metadata\":{\"name\":\"b\"", 400),
        (JSON, "[]", 400),
        (JSON, "{\"metadata\":{\"name\":\"b\"},\"data\":[1]}", 400),
        (JSON, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"b\"}}", 400),
        (JSON, "{\"metadata\":{\"name\":\"b\",\"namespace\":\"other\"}}", 400),
        (JSON, "{\"metadata\":{}}", 422),
        (JSON, "{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"12\"}}", 500),
        ("text/plain", "x", 415),
    ] {
        let status = refusal(ground, "POST", &path, media, body).await;
        assert_eq!(status.code, code, "{body}: {}", status.message);
    }
    let maps = ground.things("configmaps");
    assert_eq!(maps.find("b").await, None);
}

async fn a_wrong_kind_is_refused(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "b"}}).to_string();
    assert_eq!(refusal(ground, "POST", &path, JSON, &secret).await.code, 400);
}

async fn options_that_make_no_sense_are_refused(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    let object = json!({"metadata": {"name": "b"}}).to_string();
    let long = "x".repeat(129);
    for (query, field) in [("dryRun=Some", "dryRun"), (&format!("fieldManager={long}"), "fieldManager")] {
        let status = refusal(ground, "POST", &format!("{path}?{query}"), JSON, &object).await;
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{query}");
        assert_eq!(status.details.expect("details").causes[0].field, field);
    }
    for (options, field) in [
        (json!({"propagationPolicy": "Foo"}), "propagationPolicy"),
        (json!({"propagationPolicy": "Orphan", "orphanDependents": true}), "propagationPolicy"),
        (json!({"dryRun": ["Foo"]}), "dryRun"),
    ] {
        let status = refusal(ground, "DELETE", &format!("{path}/one"), JSON, &options.to_string()).await;
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{options}");
        assert_eq!(status.details.expect("details").causes[0].field, field, "{options}");
    }
    let patched = format!("{path}/one?force=true");
    let forced = refusal(ground, "PATCH", &patched, "application/merge-patch+json", "{}").await;
    assert_eq!(forced.details.expect("details").causes[0].field, "force");
    let nobody = refusal(ground, "PATCH", &format!("{path}/one"), "application/apply-patch+yaml", "{}").await;
    assert_eq!(nobody.details.expect("details").causes[0].field, "fieldManager");
    assert!(maps.find("one").await.is_some());
}

async fn a_replacement_says_which_object(ground: &Ground) {
    ground.things("configmaps").create(config_map("one", "a")).await;
    let path = format!("/api/v1/namespaces/{}/configmaps/one", ground.namespace);
    let nameless = refusal(ground, "PUT", &path, JSON, "{\"metadata\":{}}").await;
    assert_eq!(
        (nameless.code, nameless.message.as_str()),
        (400, "the name of the object (one based on URL) was undeterminable: name must be provided")
    );
    let other = refusal(ground, "PUT", &path, JSON, "{\"metadata\":{\"name\":\"two\"}}").await;
    assert_eq!(
        (other.code, other.message.as_str()),
        (400, "the name of the object (two) does not match the name on the URL (one)")
    );
}

async fn methods_that_a_path_lacks_are_refused(ground: &Ground) {
    let maps = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    for (method, path, code) in [
        ("DELETE", "/api/v1/namespaces", 405),
        ("PATCH", maps.as_str(), 405),
        ("PUT", maps.as_str(), 405),
        ("POST", &format!("{maps}/one"), 405),
        ("POST", "/api/v1/configmaps", 405),
        ("GET", &format!("{maps}/one/status"), 404),
        ("GET", "/api/v1/gadgets", 404),
        ("GET", "/api/v2/pods", 404),
    ] {
        let status = refusal(ground, method, path, JSON, "{}").await;
        assert_eq!(status.code, code, "{method} {path}: {}", status.message);
    }
}

async fn owners_are_checked(ground: &Ground) {
    let maps = ground.things("configmaps");
    let owner = |name: &str, uid: &str, controls: bool| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "controller": controls});
    for owners in [
        json!([owner("a", "", false)]),
        json!([owner("a", "u-1", true), owner("b", "u-2", true)]),
        json!([{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "u-1"}]),
    ] {
        let mut map = config_map("owned", "a");
        map["metadata"]["ownerReferences"] = owners.clone();
        let status = maps.try_create(map).await.expect_err("a refusal");
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{owners}");
        assert!(status.message.contains("metadata.ownerReferences"), "{}", status.message);
    }
}

async fn refused_options_are_named(ground: &Ground) {
    ground.things("configmaps").create(config_map("one", "a")).await;
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    let object = config_map("one", "b").to_string();
    let (long, merge) = ("x".repeat(129), "application/merge-patch+json");
    for (method, path, kind, options) in [
        ("POST", path.clone(), JSON, "CreateOptions"),
        ("PUT", format!("{path}/one"), JSON, "UpdateOptions"),
        ("PATCH", format!("{path}/one"), merge, "PatchOptions"),
    ] {
        for query in ["dryRun=Some", &format!("fieldManager={long}"), "fieldManager=a%07b"] {
            let status = refusal(ground, method, &format!("{path}?{query}"), kind, &object).await;
            assert_eq!(status.code, 422, "{method} {query}");
            let start = format!("{options}.meta.k8s.io \"\" is invalid: ");
            assert!(status.message.starts_with(&start), "{method} {query}: {}", status.message);
        }
    }
    let status = refusal(ground, "DELETE", &format!("{path}/one?dryRun=Some"), JSON, "").await;
    assert!(status.message.starts_with("DeleteOptions.meta.k8s.io"), "{}", status.message);
}

async fn both_finalizers_of_deletion_are_refused(ground: &Ground) {
    let mut map = config_map("one", "a");
    map["metadata"]["finalizers"] = json!(["orphan", "foregroundDeletion"]);
    let status = ground.things("configmaps").try_create(map).await.expect_err("a refusal");
    assert_eq!(status.code, 422);
    let why = "finalizer orphan and foregroundDeletion cannot be both set";
    assert!(status.message.ends_with(why), "{}", status.message);
}

async fn generations_of_kinds_without_them_stay_as_sent(ground: &Ground) {
    let maps = ground.things("configmaps");
    let mut map = config_map("one", "a");
    map["metadata"]["generation"] = json!(5);
    assert_eq!(number(&maps.create(map.clone()).await, "/metadata/generation"), 5);
    map["metadata"]["generation"] = json!(7);
    map["data"]["text"] = json!("b");
    assert_eq!(number(&maps.replace(map.clone()).await, "/metadata/generation"), 5);
    map["metadata"] = json!({"name": "two", "generation": -1});
    let status = maps.try_create(map).await.expect_err("a refusal");
    assert_eq!(status.details.expect("details").causes[0].field, "metadata.generation");
}

async fn unknown_fields_of_a_scale_are_told_or_refused(ground: &Ground) {
    let deployments = ground.things("deployments");
    deployments.create(deployment("web", 0)).await;
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/web/scale", ground.namespace);
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "web", "namespace": ground.namespace}, "spec": {"replicas": 0, "cats": 9}});
    let strict = format!("{path}?fieldValidation=Strict");
    let status = refusal(ground, "PUT", &strict, JSON, &scale.to_string()).await;
    assert_eq!(
        (status.code, status.message.as_str()),
        (
            400,
            "Scale in version \"v1\" cannot be handled as a Scale: strict decoding error: unknown field \"spec.cats\""
        )
    );
    let patch = json!({"spec": {"cats": 9}}).to_string();
    let status = refusal(ground, "PATCH", &strict, "application/merge-patch+json", &patch).await;
    assert_eq!(status.code, 422);
    assert!(status.message.contains("unknown field \"spec.cats\""), "{}", status.message);
    let wrong = json!({"spec": {"replicas": "many"}}).to_string();
    assert_eq!(refusal(ground, "PUT", &path, JSON, &wrong).await.code, 400);
}
