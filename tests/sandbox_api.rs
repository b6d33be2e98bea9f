//! The sandbox's API server through `kube::Client`: what any client sees.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams,
    PropagationPolicy, WatchEvent, WatchParams,
};
use kube::core::{ApiResource, PartialObjectMetaExt};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Error, ResourceExt};
use serde_json::json;
use styrmin::sandbox::{Sandbox, SandboxError, SandboxOptions};

const LIMIT: Duration = Duration::from_secs(60);

fn options(directory: Option<&Path>) -> SandboxOptions {
    SandboxOptions {
        directory: directory.map(Path::to_owned),
        ..SandboxOptions::in_memory(1, env!("CARGO_BIN_EXE_styrmin"))
    }
}

async fn start(directory: Option<&Path>) -> (Sandbox, Client) {
    let sandbox = Sandbox::start(options(directory)).await.unwrap();
    let client = Client::new(sandbox.service(), "default");
    (sandbox, client)
}

fn config_map(name: &str, label: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([("app".to_owned(), label.to_owned())])),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("a".to_owned(), "1".to_owned())])),
        ..ConfigMap::default()
    }
}

fn code(error: Error) -> u16 {
    match error {
        Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

/// The future's result, in time.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it takes too long")
}

async fn next<T, E: std::fmt::Debug>(
    events: &mut (impl futures::Stream<Item = Result<WatchEvent<T>, E>> + Unpin),
) -> WatchEvent<T> {
    within(events.next()).await.expect("the watch has ended").unwrap()
}

#[tokio::test]
async fn objects_are_made_read_changed_and_deleted() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let post = PostParams::default();
    let made = maps.create(&post, &config_map("one", "x")).await.unwrap();
    assert!(made.uid().is_some() && made.resource_version().is_some());
    assert_eq!(code(maps.create(&post, &config_map("one", "x")).await.unwrap_err()), 409);
    assert_eq!(maps.get("one").await.unwrap(), made);
    let mut changed = made.clone();
    changed.data = Some(BTreeMap::from([("a".to_owned(), "2".to_owned())]));
    let replaced = maps.replace("one", &post, &changed).await.unwrap();
    assert_ne!(replaced.resource_version(), made.resource_version());
    assert_eq!(code(maps.replace("one", &post, &changed).await.unwrap_err()), 409);
    let same = maps.replace("one", &post, &replaced).await.unwrap();
    assert_eq!(same.resource_version(), replaced.resource_version());
    let merge = Patch::Merge(json!({"data": {"b": "3", "a": null}}));
    let patched = maps.patch("one", &PatchParams::default(), &merge).await.unwrap();
    assert_eq!(patched.data, Some(BTreeMap::from([("b".to_owned(), "3".to_owned())])));
    let deleted = maps.delete("one", &DeleteParams::default()).await.unwrap();
    assert!(deleted.right().unwrap().is_success());
    assert_eq!(code(maps.get("one").await.unwrap_err()), 404);
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    assert_eq!(maps.create(&dry, &config_map("one", "x")).await.unwrap().name_any(), "one");
    assert_eq!(code(maps.get("one").await.unwrap_err()), 404);
    maps.create(&PostParams::default(), &config_map("one", "x")).await.unwrap();
    maps.delete("one", &DeleteParams { dry_run: true, ..DeleteParams::default() }).await.unwrap();
    maps.get("one").await.unwrap();
}

#[tokio::test]
async fn discovery_leads_to_everything() {
    let (_sandbox, client) = start(None).await;
    let version = client.apiserver_version().await.unwrap();
    assert!(version.git_version.contains("sandbox"));
    let discovery = kube::Discovery::new(client.clone()).run().await.unwrap();
    let deployments = kube::core::GroupVersionKind::gvk("apps", "v1", "Deployment");
    let (resource, capabilities) = discovery.resolve_gvk(&deployments).unwrap();
    assert_eq!(resource.plural, "deployments");
    assert!(capabilities.subresources.iter().any(|(subresource, _)| subresource.plural == "scale"));
    let aggregated = kube::Discovery::new(client).run_aggregated().await.unwrap();
    assert_eq!(aggregated.resolve_gvk(&deployments).unwrap().0, resource);
}

#[tokio::test]
async fn lists_are_selected_and_paged_consistently() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    for index in 0..10 {
        let label = if index % 2 == 0 { "even" } else { "odd" };
        maps.create(&PostParams::default(), &config_map(&format!("m{index}"), label)).await.unwrap();
    }
    let even = maps.list(&ListParams::default().labels("app=even")).await.unwrap();
    assert_eq!(even.items.len(), 5);
    let named = maps.list(&ListParams::default().fields("metadata.name=m3")).await.unwrap();
    assert_eq!(named.items.len(), 1);
    let bad = maps.list(&ListParams::default().fields("spec.nonsense=1")).await.unwrap_err();
    assert_eq!(code(bad), 400);

    let first = maps.list(&ListParams::default().limit(4)).await.unwrap();
    assert_eq!((first.items.len(), first.metadata.remaining_item_count), (4, Some(6)));
    // What is deleted meanwhile is still on the later pages: they show the moment of the first.
    maps.delete("m7", &DeleteParams::default()).await.unwrap();
    let mut seen: Vec<String> = first.items.iter().map(ResourceExt::name_any).collect();
    let mut token = first.metadata.continue_.clone();
    while let Some(text) = token.filter(|text| !text.is_empty()) {
        let page = maps.list(&ListParams::default().limit(4).continue_token(&text)).await.unwrap();
        assert_eq!(page.metadata.resource_version, first.metadata.resource_version);
        seen.extend(page.items.iter().map(ResourceExt::name_any));
        token = page.metadata.continue_;
    }
    let all: Vec<String> = (0..10).map(|index| format!("m{index}")).collect();
    assert_eq!(seen, all);
    let metadata = maps.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(metadata.items.len(), 9);
    assert_eq!(metadata.items[0].clone().metadata.into_response_partial::<ConfigMap>().name_any(), "m0");
}

#[tokio::test]
async fn a_watch_tells_what_enters_and_leaves_its_selection() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.create(&PostParams::default(), &config_map("there", "x")).await.unwrap();
    let events = maps.watch(&WatchParams::default().labels("app=x"), "0").await.unwrap();
    let mut events = Box::pin(events);
    assert!(matches!(next(&mut events).await, WatchEvent::Added(map) if map.name_any() == "there"));
    let made = maps.create(&PostParams::default(), &config_map("other", "y")).await.unwrap();
    let relabel = |label: &str| Patch::Merge(json!({"metadata": {"labels": {"app": label}}}));
    let entered = maps.patch("other", &PatchParams::default(), &relabel("x")).await.unwrap();
    match next(&mut events).await {
        WatchEvent::Added(map) => assert_eq!(map.resource_version(), entered.resource_version()),
        other => panic!("{other:?}"),
    }
    let left = maps.patch("other", &PatchParams::default(), &relabel("z")).await.unwrap();
    match next(&mut events).await {
        WatchEvent::Deleted(map) => {
            assert_eq!((map.uid(), map.resource_version()), (made.uid(), left.resource_version()));
        }
        other => panic!("{other:?}"),
    }
    maps.delete("there", &DeleteParams::default()).await.unwrap();
    assert!(matches!(next(&mut events).await, WatchEvent::Deleted(map) if map.name_any() == "there"));
}

#[tokio::test]
async fn a_watch_goes_on_from_a_version_and_ends_with_a_bookmark() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let first = maps.create(&PostParams::default(), &config_map("first", "x")).await.unwrap();
    let second = maps.create(&PostParams::default(), &config_map("second", "x")).await.unwrap();
    let from = first.resource_version().unwrap();
    let events = maps.watch(&WatchParams::default().timeout(1), &from).await.unwrap();
    let events: Vec<WatchEvent<ConfigMap>> = within(events.try_collect()).await.unwrap();
    assert!(matches!(&events[0], WatchEvent::Added(map) if map.name_any() == "second"));
    match &events[1] {
        WatchEvent::Bookmark(bookmark) => {
            let told: u64 = bookmark.metadata.resource_version.parse().unwrap();
            assert!(told >= second.resource_version().unwrap().parse().unwrap());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(events.len(), 2);
}

#[tokio::test]
async fn a_streaming_list_tells_where_it_ends() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &config_map(name, "x")).await.unwrap();
    }
    let config = watcher::Config::default().streaming_lists();
    let mut objects = Box::pin(watcher(maps.clone(), config).applied_objects());
    for expected in ["a", "b"] {
        assert_eq!(within(objects.try_next()).await.unwrap().unwrap().name_any(), expected);
    }
    maps.create(&PostParams::default(), &config_map("c", "x")).await.unwrap();
    assert_eq!(within(objects.try_next()).await.unwrap().unwrap().name_any(), "c");
}

#[tokio::test]
async fn objects_survive_a_restart_and_old_watches_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let (sandbox, client) = start(Some(directory.path())).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let made = maps.create(&PostParams::default(), &config_map("kept", "x")).await.unwrap();
    let gone = maps.create(&PostParams::default(), &config_map("gone", "x")).await.unwrap();
    maps.delete("gone", &DeleteParams::default()).await.unwrap();
    let again = Sandbox::start(options(Some(directory.path()))).await.err().unwrap();
    assert!(matches!(again, SandboxError::InUse { .. }));
    sandbox.stop().await;
    assert!(client.apiserver_version().await.is_err());

    let (_sandbox, client) = start(Some(directory.path())).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    assert_eq!(maps.get("kept").await.unwrap(), made);
    assert_eq!(maps.list(&ListParams::default()).await.unwrap().items.len(), 1);
    let events = maps.watch(&WatchParams::default(), &gone.resource_version().unwrap()).await.unwrap();
    let mut events = Box::pin(events);
    assert!(matches!(next(&mut events).await, WatchEvent::Error(status) if status.code == 410));
    assert!(within(events.next()).await.is_none());
    let later = maps.create(&PostParams::default(), &config_map("later", "x")).await.unwrap();
    assert!(
        later.resource_version().unwrap().parse::<u64>().unwrap()
            > gone.resource_version().unwrap().parse().unwrap()
    );
    assert_ne!(later.uid(), made.uid());
}

#[tokio::test]
async fn owners_take_their_dependents_along() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let owner = maps.create(&PostParams::default(), &config_map("owner", "x")).await.unwrap();
    let mut child = config_map("child", "x");
    child.metadata.owner_references =
        Some(vec![k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            name: "owner".to_owned(),
            uid: owner.uid().unwrap(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }]);
    let child = maps.create(&PostParams::default(), &child).await.unwrap();
    let foreground =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() };
    let marked = maps.delete("owner", &foreground).await.unwrap().left().unwrap();
    assert!(marked.metadata.deletion_timestamp.is_some());
    for (name, uid) in [("child", child.uid()), ("owner", owner.uid())] {
        within(await_condition(maps.clone(), name, conditions::is_deleted(&uid.unwrap()))).await.unwrap();
    }
}

#[tokio::test]
async fn a_namespace_takes_its_content_along() {
    let (_sandbox, client) = start(None).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let demo: Namespace = serde_json::from_value(json!({"metadata": {"name": "demo"}})).unwrap();
    let demo = namespaces.create(&PostParams::default(), &demo).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "demo");
    maps.create(&PostParams::default(), &config_map("inside", "x")).await.unwrap();
    namespaces.delete("demo", &DeleteParams::default()).await.unwrap();
    let uid = demo.uid().unwrap();
    within(await_condition(namespaces, "demo", conditions::is_deleted(&uid))).await.unwrap();
    assert!(maps.list(&ListParams::default()).await.unwrap().items.is_empty());
    let missing = maps.create(&PostParams::default(), &config_map("late", "x")).await.unwrap_err();
    assert_eq!(code(missing), 404);
}

#[tokio::test]
async fn a_collection_is_deleted_by_its_selector() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    for (name, label) in [("a", "x"), ("b", "y"), ("c", "x")] {
        maps.create(&PostParams::default(), &config_map(name, label)).await.unwrap();
    }
    maps.delete_collection(&DeleteParams::default(), &ListParams::default().labels("app=x")).await.unwrap();
    let left = maps.list(&ListParams::default()).await.unwrap();
    assert_eq!(left.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn what_is_not_served_is_refused() {
    let (_sandbox, client) = start(None).await;
    let send = async |method: &str, path: &str, kind: &str, body: Vec<u8>| {
        let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
        code(client.request::<serde_json::Value>(request.body(body).unwrap()).await.unwrap_err())
    };
    let maps = "/api/v1/namespaces/default/configmaps";
    assert_eq!(send("GET", "/apis/nothing.example.com/v1/things", "", Vec::new()).await, 404);
    assert_eq!(send("PUT", maps, "application/json", Vec::new()).await, 405);
    assert_eq!(send("POST", maps, "application/xml", b"<a/>".to_vec()).await, 415);
    assert_eq!(send("POST", maps, "application/json", b"{".to_vec()).await, 400);
    assert_eq!(send("POST", maps, "application/json", vec![b' '; 4 << 20]).await, 413);
    assert_eq!(send("POST", "/api/v1/namespaces/default/pods/a/binding", "", b"{}".to_vec()).await, 501);
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    assert_eq!(code(pods.logs("none", &Default::default()).await.unwrap_err()), 404);
    assert_eq!(send("GET", &format!("{maps}?resourceVersion=999999"), "", Vec::new()).await, 504);
}

#[tokio::test]
async fn both_kinds_of_events_are_one() {
    let (_sandbox, client) = start(None).await;
    let old: Api<k8s_openapi::api::core::v1::Event> = Api::default_namespaced(client.clone());
    let new: Api<k8s_openapi::api::events::v1::Event> = Api::default_namespaced(client);
    let event = serde_json::from_value(json!({
        "metadata": {"name": "one"}, "note": "hello", "reason": "Said", "type": "Normal", "action": "Say",
        "regarding": {"kind": "ConfigMap", "name": "a", "namespace": "default"},
        "reportingController": "test", "reportingInstance": "test-1", "eventTime": "2026-03-01T12:00:00.000000Z",
    }))
    .unwrap();
    new.create(&PostParams::default(), &event).await.unwrap();
    let found = old.list(&ListParams::default().fields("involvedObject.name=a")).await.unwrap();
    assert_eq!(found.items[0].message.as_deref(), Some("hello"));
    assert_eq!(new.get("one").await.unwrap().note.as_deref(), Some("hello"));
}

#[tokio::test]
async fn custom_resources_are_served_once_defined() {
    let (_sandbox, client) = start(None).await;
    let definitions: Api<DynamicObject> = Api::all_with(
        client.clone(),
        &ApiResource::from_gvk_with_plural(
            &kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
            "customresourcedefinitions",
        ),
    );
    let definition: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "required": ["size"], "properties": {
                        "size": {"type": "integer", "minimum": 1},
                        "color": {"type": "string", "default": "blue"},
                    }},
                    "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                }}},
            }],
        },
    }))
    .unwrap();
    let definition = definitions.create(&PostParams::default(), &definition).await.unwrap();
    assert_eq!(definition.data["status"]["acceptedNames"]["plural"], "things");
    let thing = ApiResource::from_gvk_with_plural(
        &kube::core::GroupVersionKind::gvk("example.com", "v1", "Thing"),
        "things",
    );
    let things: Api<DynamicObject> = Api::default_namespaced_with(client.clone(), &thing);
    let make = |spec: serde_json::Value| DynamicObject::new("one", &thing).data(json!({"spec": spec}));
    let refused = things.create(&PostParams::default(), &make(json!({"size": 0}))).await.unwrap_err();
    assert_eq!(code(refused), 422);
    let made =
        things.create(&PostParams::default(), &make(json!({"size": 2, "dropped": true}))).await.unwrap();
    assert_eq!(made.data["spec"], json!({"size": 2, "color": "blue"}));
    let status = Patch::Merge(json!({"status": {"phase": "Ready"}, "spec": {"size": 9}}));
    let ready = things.patch_status("one", &PatchParams::default(), &status).await.unwrap();
    assert_eq!((&ready.data["spec"]["size"], &ready.data["status"]["phase"]), (&json!(2), &json!("Ready")));
    assert_eq!(ready.metadata.generation, Some(1));
    let apply = Patch::Apply(json!({"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"size": 3}}));
    let conflict = things.patch("one", &PatchParams::apply("other"), &apply).await.unwrap_err();
    assert_eq!(code(conflict), 409);
    let forced = things.patch("one", &PatchParams::apply("other").force(), &apply).await.unwrap();
    assert_eq!((&forced.data["spec"]["size"], forced.metadata.generation), (&json!(3), Some(2)));
    definitions.delete("things.example.com", &DeleteParams::default()).await.unwrap();
    let uid = definition.uid().unwrap();
    within(await_condition(definitions, "things.example.com", conditions::is_deleted(&uid))).await.unwrap();
    assert_eq!(code(things.list(&ListParams::default()).await.unwrap_err()), 404);
}

#[tokio::test]
async fn applying_twice_writes_once_and_others_conflict() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let apply = |value: &str| {
        Patch::Apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": value}}),
        )
    };
    let (mine, other) = (PatchParams::apply("mine"), PatchParams::apply("other"));
    let first = maps.patch("one", &mine, &apply("1")).await.unwrap();
    let again = maps.patch("one", &mine, &apply("1")).await.unwrap();
    assert_eq!(first.resource_version(), again.resource_version());
    assert_eq!(code(maps.patch("one", &other, &apply("2")).await.unwrap_err()), 409);
    let shared = maps.patch("one", &other, &apply("1")).await.unwrap();
    assert_eq!(shared.managed_fields().len(), 2);
    let taken = maps.patch("one", &other.force(), &apply("2")).await.unwrap();
    assert_eq!(taken.data, Some(BTreeMap::from([("a".to_owned(), "2".to_owned())])));
    let unnamed = maps.patch("one", &PatchParams::default(), &apply("3")).await.unwrap_err();
    assert_eq!(code(unnamed), 422);
}

#[tokio::test]
async fn workloads_are_scaled_through_their_subresource() {
    let (_sandbox, client) = start(None).await;
    let sets: Api<k8s_openapi::api::apps::v1::StatefulSet> = Api::default_namespaced(client);
    let set = serde_json::from_value(json!({
        "metadata": {"name": "db"},
        "spec": {
            "replicas": 0, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "main", "image": "example/unknown:1"}]},
            },
        },
    }))
    .unwrap();
    sets.create(&PostParams::default(), &set).await.unwrap();
    let scale = sets.get_scale("db").await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(0));
    let two = Patch::Merge(json!({"spec": {"replicas": 2}}));
    let scaled = sets.patch_scale("db", &PatchParams::default(), &two).await.unwrap();
    assert_eq!(scaled.spec.unwrap().replicas, Some(2));
    let set = sets.get("db").await.unwrap();
    assert_eq!((set.spec.replicas, set.metadata.generation), (Some(2), Some(2)));
    let bad = Patch::Merge(json!({"spec": {"replicas": -1}}));
    assert_eq!(code(sets.patch_scale("db", &PatchParams::default(), &bad).await.unwrap_err()), 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_under_many_writers_ends_with_what_a_list_shows() {
    let (_sandbox, client) = start(None).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let from = maps.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut events = Box::pin(maps.watch(&WatchParams::default(), &from).await.unwrap());
    let writers = (0..8_u32).map(|writer| {
        let maps = maps.clone();
        async move {
            for step in 0..25_u32 {
                let name = format!("m{}", (writer * 7 + step * 3) % 10);
                // Each of these may lose against another writer; what counts is what the watch says about it.
                let _ = match (writer + step) % 3 {
                    0 => maps.create(&PostParams::default(), &config_map(&name, "x")).await.map(|_| ()),
                    1 => {
                        let change = Patch::Merge(json!({"data": {"a": format!("{writer}-{step}")}}));
                        maps.patch(&name, &PatchParams::default(), &change).await.map(|_| ())
                    }
                    _ => maps.delete(&name, &DeleteParams::default()).await.map(|_| ()),
                };
            }
        }
    });
    futures::future::join_all(writers).await;
    maps.create(&PostParams::default(), &config_map("the-end", "x")).await.unwrap();
    let mut seen: BTreeMap<String, ConfigMap> = BTreeMap::new();
    let mut newest = 0_u64;
    while !seen.contains_key("the-end") {
        let (map, before) = match next(&mut events).await {
            WatchEvent::Added(map) => (map.clone(), seen.insert(map.name_any(), map).is_none()),
            WatchEvent::Modified(map) => (map.clone(), seen.insert(map.name_any(), map).is_some()),
            WatchEvent::Deleted(map) => (map.clone(), seen.remove(&map.name_any()).is_some()),
            other => panic!("{other:?}"),
        };
        assert!(before, "what is told does not follow from what was told before: {map:?}");
        let revision: u64 = map.resource_version().unwrap().parse().unwrap();
        assert!(revision > newest, "{revision} after {newest}");
        newest = revision;
    }
    let listed = maps.list(&ListParams::default()).await.unwrap();
    assert_eq!(seen.into_values().collect::<Vec<_>>(), listed.items);
}
