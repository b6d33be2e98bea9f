use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use http_body_util::Full;
use kube::client::Body;
use serde_json::{Value, json};

use super::super::Connection;
use super::*;
use crate::domain::SystemClock;
use crate::domain::world::Link;

/// A server that lists one more pod at every list, and answers watches as told.
fn server(watches: Vec<(u16, Value)>) -> Cluster {
    let lists = Arc::new(AtomicUsize::new(0));
    let watches = Arc::new(Mutex::new(watches));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (lists, watches) = (Arc::clone(&lists), Arc::clone(&watches));
        async move {
            let watching = request.uri().query().is_some_and(|query| query.contains("watch=true"));
            let (code, body) = match request.uri().path() {
                "/api/v1" => (200, kinds()),
                "/api/v1/namespaces/demo/pods" if watching => {
                    let next = watches.lock().unwrap().pop();
                    match next {
                        Some(answer) => answer,
                        None => std::future::pending().await,
                    }
                }
                "/api/v1/namespaces/demo/pods" => (200, pods(lists.fetch_add(1, Ordering::SeqCst) + 1)),
                _ => (404, status(404, "NotFound")),
            };
            let body = Full::from(format!("{body}\n"));
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    Cluster::new(Connection::from_service(service, "test"), Arc::new(SystemClock))
}

fn kinds() -> Value {
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [
        {"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["list", "watch"]}]})
}

fn pods(count: usize) -> Value {
    let pod = |number: usize| {
        json!({"metadata": {"name": format!("p{number}"), "namespace": "demo", "uid": number.to_string(),
            "resourceVersion": number.to_string()}})
    };
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "100"},
        "items": (1..=count).map(pod).collect::<Vec<_>>()})
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": reason,
        "reason": reason, "code": code})
}

/// Definitions may not be read, and the kinds are not served: each is looked for once a minute, however many namespaces there are.
#[tokio::test(start_paused = true)]
async fn kinds_that_may_be_taught_are_looked_for_once_a_minute() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path().to_owned();
        counted.fetch_add(usize::from(path == "/apis/cert-manager.io/v1"), Ordering::SeqCst);
        async move {
            let denied = path.ends_with("/customresourcedefinitions");
            let (code, body) =
                if denied { (403, status(403, "Forbidden")) } else { (404, status(404, "NotFound")) };
            Ok::<_, Infallible>(Response::builder().status(code).body(Full::from(body.to_string())).unwrap())
        }
    });
    let cluster = Cluster::new(Connection::from_service(service, "test"), Arc::new(SystemClock));
    for namespace in ["a", "b", "c"] {
        cluster.watch_namespace(namespace);
    }
    tokio::time::sleep(Duration::from_secs(610)).await;
    let looks = looks.load(Ordering::SeqCst);
    assert!((11..=12).contains(&looks), "{looks} in ten minutes");
}

/// Waits until the second list arrived.
async fn until_listed_twice(cluster: &Cluster) {
    cluster.watch_namespace("demo");
    let index = cluster.index();
    let mut moved = cluster.generation();
    let wait = async {
        while index.objects("demo").len() < 2 {
            moved.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    assert!(index.is_complete("demo"), "kinds that are not served do not hold it up");
}

#[tokio::test]
async fn an_http_410_at_the_start_of_a_watch_lists_anew() {
    let cluster = server(vec![(410, status(410, "Expired"))]);
    until_listed_twice(&cluster).await;
    assert_eq!(cluster.link(), Link::Live, "expired is no trouble of the link");
}

#[tokio::test]
async fn a_410_in_the_stream_lists_anew() {
    let event = json!({"type": "ERROR", "object": status(410, "Expired")});
    until_listed_twice(&server(vec![(200, event)])).await;
}

#[tokio::test]
async fn a_server_in_trouble_is_stale_until_it_lists_again() {
    let cluster = server(vec![(500, status(500, "InternalError"))]);
    let mut moved = cluster.generation();
    cluster.watch_namespace("demo");
    let stale = async {
        while !matches!(cluster.link(), Link::Stale { .. }) {
            moved.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), stale).await.unwrap();
    until_listed_twice(&cluster).await;
    assert_eq!(cluster.link(), Link::Live);
}

/// What is known of the installation after a user who may not read definitions has asked for our objects, and got this answer.
async fn installed_after(code: u16, reason: &'static str) -> crate::domain::world::Installed {
    let (asked, mut times) = tokio::sync::watch::channel(0_usize);
    let service = tower::service_fn(move |request: Request<Body>| {
        let asked = asked.clone();
        async move {
            let ours = request.uri().path().contains("styrmindeployments");
            asked.send_modify(|times| *times += usize::from(ours));
            let body = if ours { status(code, reason) } else { status(403, "Forbidden") };
            let body = Full::from(body.to_string());
            let code = if ours { code } else { 403 };
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    let cluster = Cluster::new(Connection::from_service(service, "test"), Arc::new(SystemClock));
    let stop = CancellationToken::new();
    watch_definition(&cluster, stop.clone());
    // the second time comes after the first answer was taken
    times.wait_for(|times| *times >= 2).await.unwrap();
    stop.cancel();
    cluster.installed()
}

#[tokio::test(start_paused = true)]
async fn who_is_denied_everything_does_not_know_what_is_installed() {
    use crate::domain::world::Installed;
    assert_eq!(installed_after(403, "Forbidden").await, Installed::Unknown);
    assert_eq!(installed_after(404, "NotFound").await, Installed::No);
}
