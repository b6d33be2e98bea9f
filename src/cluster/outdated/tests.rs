use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use serde_json::json;

use super::super::{Connection, RouteStatus, resource};
use super::*;
use crate::domain::SystemClock;
use crate::domain::route::ExtraHost;

/// Our definition without these fields.
fn definition(without: &[(&str, &str)]) -> Value {
    let mut definition = resource::definition().unwrap();
    let parts = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    for (part, name) in without {
        parts[part]["properties"].as_object_mut().unwrap().remove(*name).unwrap();
    }
    definition
}

fn refusal(message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 500, "message": message})
}

/// A server whose definition has no `status.routes`, and the bodies that it was sent.
fn older() -> (Cluster, Arc<Mutex<Vec<Value>>>) {
    let sent: Arc<Mutex<Vec<Value>>> = Arc::default();
    let heard = Arc::clone(&sent);
    let service = tower::service_fn(move |request: Request<Body>| {
        let heard = Arc::clone(&heard);
        async move {
            let is_patch = request.method() == http::Method::PATCH;
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let (code, answer) = if is_patch {
                let mut object: Value = serde_json::from_slice(&body).unwrap();
                heard.lock().unwrap().push(object.clone());
                object["spec"] = json!({"environment": "demo", "driver": {"name": "notes", "version": "1.0.0"},
                    "applicationVersion": "1.0.0"});
                match object["status"]["routes"].is_null() {
                    true => (200, object),
                    false => (
                        500,
                        refusal(
                            "failed to create typed patch object (demo/notes; styrmin.io/v1alpha1, \
                        Kind=StyrminDeployment): .status.routes: field not declared in schema",
                        ),
                    ),
                }
            } else {
                (
                    200,
                    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "styrmin.io/v1alpha1",
                    "resources": [{"name": "styrmindeployments", "singularName": "styrmindeployment",
                        "namespaced": true, "kind": "StyrminDeployment", "verbs": ["list", "watch"]}]}),
                )
            };
            let body = Full::from(answer.to_string());
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    (Cluster::new(Connection::from_service(service, "test"), Arc::new(SystemClock)), sent)
}

fn status() -> DeploymentStatus {
    let route = RouteStatus { url: "http://notes.example.org/".to_owned(), ..RouteStatus::default() };
    DeploymentStatus { phase: Some("Running".to_owned()), routes: vec![route], ..DeploymentStatus::default() }
}

fn draft(hosts: Vec<ExtraHost>) -> DeploymentDraft {
    DeploymentDraft { hosts, ..resource::sample("demo", "notes").draft() }
}

#[test]
fn what_an_older_definition_lacks_is_found_and_what_a_new_one_has_not() {
    let lacking = Lacking::default();
    assert!(lacking.read(&definition(&[("status", "routes"), ("spec", "hosts")])));
    assert_eq!(lacking.all(), ["spec.hosts", "status.routes"].map(str::to_owned).into());
    assert!(!lacking.read(&definition(&[("status", "routes"), ("spec", "hosts")])), "nothing new");
    assert!(lacking.read(&definition(&[])), "it was installed again");
    assert_eq!(lacking.all(), BTreeSet::new());
    let free = json!({"spec": {"versions": [{"name": "v1alpha1", "schema": {"openAPIV3Schema":
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    assert!(!lacking.read(&free), "it takes everything");
}

#[tokio::test]
async fn a_status_leaves_out_what_is_lacking_and_nothing_else() {
    let (cluster, sent) = older();
    cluster.0.lacking.read(&definition(&[("status", "routes")]));
    let resource = resource::sample("demo", "notes");
    assert!(cluster.write_status(&resource, &status()).await.unwrap());
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    assert_eq!(sent.len(), 1, "what would be refused is not tried");
    assert_eq!(sent[0]["status"], json!({"phase": "Running"}));
    let mut written = resource;
    written.status.phase = Some("Running".to_owned());
    assert!(!cluster.write_status(&written, &status()).await.unwrap(), "it stands as well as it can");
    assert!(cluster.outdated().unwrap().contains("lacks status.routes: install Styrmin on it again"));
}

#[tokio::test]
async fn who_may_not_read_definitions_learns_it_from_the_refusal() {
    let (cluster, sent) = older();
    let resource = resource::sample("demo", "notes");
    assert_eq!(cluster.outdated(), None);
    assert!(cluster.write_status(&resource, &status()).await.unwrap());
    assert_eq!(sent.lock().unwrap().len(), 2);
    assert!(cluster.outdated().is_some());
    assert!(cluster.write_status(&resource, &status()).await.unwrap());
    assert_eq!(sent.lock().unwrap().len(), 3, "it is learnt once");
}

#[tokio::test]
async fn a_definition_that_was_read_is_believed_more_than_a_refusal() {
    let (cluster, _) = older();
    cluster.0.lacking.read(&definition(&[]));
    let refused = cluster.write_status(&resource::sample("demo", "notes"), &status()).await;
    assert!(refused.unwrap_err().is_transient(), "the server has not taken it up yet");
    assert_eq!(cluster.outdated(), None);
}

#[tokio::test]
async fn a_wish_is_refused_and_not_cut() {
    let (cluster, sent) = older();
    cluster.0.lacking.read(&definition(&[("spec", "hosts")]));
    let host = ExtraHost { service: None, host: "notes.example.org".to_owned() };
    let draft = draft(vec![host]);
    let refused = cluster.check_sayable("demo", &draft).unwrap_err();
    assert!(!refused.is_transient());
    let problem = refused.problem();
    assert!(problem.why.contains("spec.hosts") && problem.next.contains("install Styrmin"), "{problem}");
    let written = cluster.write_desired("demo", &draft, DesiredPhase::Running).await;
    assert_eq!(written.unwrap_err(), refused);
    assert_eq!(*sent.lock().unwrap(), [] as [Value; 0]);
    cluster.check_sayable("demo", &self::draft(Vec::new())).unwrap();
}
