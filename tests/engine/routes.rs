//! Whether routes answer stands in the custom resource; and kinds of routes are seen from the moment that a cluster knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use kube::core::ApiResource;
use serde_json::{Value, json};
use styrmin::cluster::{DeploymentResource, StatusCondition};
use styrmin::domain::object::Detail;
use styrmin::domain::route::Reach;
use styrmin::domain::{Intent, ObjectKey};
use styrmin::ingress::probe::{Ask, probe};

use crate::bench::Bench;
use crate::support::{LIMIT, remove, until};

fn reachable(resource: &DeploymentResource) -> Option<&StatusCondition> {
    resource.status.conditions.iter().find(|condition| condition.kind == "Reachable")
}

fn urls(bench: &Bench) -> Vec<String> {
    bench.resource("notes").unwrap().status.routes.iter().map(|route| route.url.clone()).collect()
}

/// Asks every route, and tells the engine what was found.
async fn ask(bench: &Bench) {
    let mut found = BTreeMap::new();
    for url in urls(bench) {
        let asked = probe(&Ask::new(&url, LIMIT), Timestamp::UNIX_EPOCH).await;
        found.insert(url, asked.reach());
    }
    bench.reach.send_replace(Arc::new(found));
}

async fn until_reachable(bench: &Bench, status: &str, reason: &str) {
    let is_so = |resource: &DeploymentResource| {
        reachable(resource).is_some_and(|said| said.status == status && said.reason == reason)
    };
    bench.until_resource("notes", &format!("Reachable is {status} by {reason}"), is_so).await;
}

/// What was told about routes, by reason; how often.
fn events(bench: &Bench) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in bench.cluster.index().events(&bench.environment) {
        if event.reason == "Reachable" || event.reason == "Unreachable" {
            *counts.entry(event.reason).or_insert(0) += event.count as usize;
        }
    }
    counts
}

async fn until_told(bench: &Bench, reason: &str, times: usize) {
    until(&bench.cluster, &format!("{times} × {reason}"), || {
        (events(bench).get(reason) == Some(&times)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_says_whether_routes_answer() {
    let bench = Bench::on_sandbox().await;
    let id = bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    until_reachable(&bench, "Unknown", "NotProbed").await;
    ask(&bench).await;
    until_reachable(&bench, "True", "AllAnswer").await;
    let resource = bench.resource("notes").unwrap();
    assert!(resource.status.urls.iter().all(|url| urls(&bench).contains(url)), "{:?}", resource.status);
    assert!(resource.status.routes.iter().all(|route| route.service == "notes" && route.reachable == "True"));

    bench.confirm(Intent::Stop(id)).await;
    let stopped = |resource: &DeploymentResource| resource.status.phase.as_deref() == Some("Stopped");
    bench.until_resource("notes", "it is stopped", stopped).await;
    // pods that are going may answer to their end
    let index = bench.cluster.index();
    until(&bench.cluster, "its pods are gone", || {
        let objects = index.objects_of("demo", "notes");
        let idle = |detail: &Detail| match detail {
            Detail::Endpoints { endpoints, .. } => endpoints.total == 0,
            Detail::Pod(_) => false,
            _ => true,
        };
        objects.iter().all(|object| idle(&object.detail)).then_some(())
    })
    .await;
    ask(&bench).await;
    until_reachable(&bench, "False", "StatusCode").await;
    let said = bench.resource("notes").unwrap();
    let message = &reachable(&said).unwrap().message;
    assert!(
        message.contains("it answers 503") && message.contains("0 of 0 endpoints are ready"),
        "{message}"
    );

    bench.confirm(Intent::Start(id)).await;
    bench.until_running("notes", 1).await;
    ask(&bench).await;
    until_reachable(&bench, "True", "AllAnswer").await;
    let count = urls(&bench).len();
    until_told(&bench, "Reachable", 2 * count).await;
    until_told(&bench, "Unreachable", count).await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_news_is_not_written() {
    let bench = Bench::on_sandbox().await;
    bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    ask(&bench).await;
    until_reachable(&bench, "True", "AllAnswer").await;
    until_told(&bench, "Reachable", urls(&bench).len()).await;
    bench.until_all_is_told("notes").await;
    let version = bench.resource("notes").unwrap().resource_version.clone();
    let writes = bench.writes();
    // the same facts once more, and a fact about somebody else
    ask(&bench).await;
    let mut others = BTreeMap::clone(&bench.reach.borrow());
    others.insert("http://else.where/".to_owned(), failing("DnsFailed", "no such name"));
    bench.reach.send_replace(Arc::new(others.clone()));
    // what comes after both in the same queue shows that they were looked at
    let url = urls(&bench).remove(0);
    others.insert(url.clone(), failing("ConnectFailed", "refused"));
    bench.reach.send_replace(Arc::new(others));
    until_reachable(&bench, "False", "ConnectFailed").await;
    until_told(&bench, "Unreachable", 1).await;
    assert_eq!(bench.writes() - writes, 2, "one status and one Event");
    let resource = bench.resource("notes").unwrap();
    assert_ne!(resource.resource_version, version);
    assert!(reachable(&resource).unwrap().message.starts_with(&url));
    bench.close().await;
}

fn failing(reason: &str, message: &str) -> Reach {
    Reach { works: false, reason: reason.to_owned(), message: message.to_owned(), certificate_ends: None }
}

/// What a definition that is there drops would be missing when the status is read back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_cluster_keeps_all_of_it() {
    let Some(bench) = Bench::on_real_cluster("reach").await else { return };
    bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    until_reachable(&bench, "Unknown", "NotProbed").await;
    let ends: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let found =
        |url: String| (url, Reach { certificate_ends: Some(ends), ..failing("TlsFailed", "it expired") });
    bench.reach.send_replace(Arc::new(urls(&bench).into_iter().map(found).collect()));
    until_reachable(&bench, "False", "TlsFailed").await;
    let resource = bench.resource("notes").unwrap();
    let route = &resource.status.routes[0];
    assert_eq!((route.reachable.as_str(), route.reason.as_str()), ("False", "TlsFailed"));
    assert!(route.message.starts_with("it expired"), "{route:?}");
    assert_eq!(route.certificate_ends.as_deref(), Some("2027-01-01T00:00:00Z"));
    remove(&bench.cluster, &bench.environment).await;
    bench.close().await;
}

fn definitions(bench: &Bench) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
    };
    Api::all_with(bench.other.clone(), &resource)
}

/// The definition of HTTPRoutes as far as it matters here.
fn definition() -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "httproutes.gateway.networking.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466"}},
        "spec": {"group": "gateway.networking.k8s.io", "scope": "Namespaced",
            "names": {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute", "listKind": "HTTPRouteList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}}}]}
    })
}

async fn teach(bench: &Bench) {
    let definition = serde_json::from_value(definition()).unwrap();
    definitions(bench).create(&PostParams::default(), &definition).await.unwrap();
    bench.cluster.until_established("httproutes.gateway.networking.k8s.io").await.unwrap();
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "notes", "namespace": bench.environment},
        "spec": {"parentRefs": [{"name": "shared"}], "hostnames": ["notes.example.org"],
            "rules": [{"backendRefs": [{"name": "notes", "port": 80}]}]}});
    bench.cluster.apply(&route, Default::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_a_cluster_is_taught_later_is_seen() {
    let bench = Bench::on_sandbox().await;
    bench.deploy(bench.draft("notes", "1.0.0")).await;
    bench.until_running("notes", 1).await;
    let index = bench.cluster.index();
    assert!(index.is_complete("demo") && !index.sees("demo", "HTTPRoute"), "it is not served");
    let key = ObjectKey {
        api_version: "gateway.networking.k8s.io/v1".to_owned(),
        kind: "HTTPRoute".to_owned(),
        namespace: "demo".to_owned(),
        name: "notes".to_owned(),
    };
    for round in ["the first time", "and again"] {
        teach(&bench).await;
        until(&bench.cluster, &format!("the route is seen, {round}"), || index.object(&key).map(|_| ()))
            .await;
        let Some(Detail::Route(route)) = index.object(&key).map(|object| object.detail) else {
            panic!("no route")
        };
        assert_eq!(
            (route.rules[0].host.as_str(), route.class.as_str()),
            ("notes.example.org", "demo/shared")
        );
        let name = "httproutes.gateway.networking.k8s.io";
        definitions(&bench).delete(name, &DeleteParams::default()).await.unwrap();
        until(&bench.cluster, &format!("the kind is gone, {round}"), || {
            (index.object(&key).is_none() && !index.sees("demo", "HTTPRoute")).then_some(())
        })
        .await;
        assert!(index.is_complete("demo"), "what is not served holds nothing up");
        let gone = async {
            while definitions(&bench).get_opt(name).await.unwrap().is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, gone).await.unwrap();
    }
    bench.close().await;
}
