//! The demo application's driver on the sandbox: what it renders is accepted, becomes healthy, and answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use styrmin::domain::health::rules::assess;
use styrmin::domain::route::ProbeOutcome;
use styrmin::domain::{
    ClusterKind, ClusterRecord, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, Environment, Health,
};
use styrmin::driver::context::{self, ContextSources};
use styrmin::driver::{built_in, render_alone};
use styrmin::ingress::probe::{Ask, probe};
use styrmin::sandbox::api::Api;
use styrmin::sandbox::{Sandbox, SandboxOptions};

/// How long anything here may take.
const LIMIT: Duration = Duration::from_secs(60);

async fn sandbox() -> Sandbox {
    let options = SandboxOptions::in_memory(1, env!("CARGO_BIN_EXE_styrmin"));
    let sandbox = Sandbox::start(options).await.unwrap();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}});
    sandbox.api().create("namespaces", namespace, "test").unwrap();
    sandbox
}

/// The context and the objects of a deployment of the demo application.
fn rendered(deployment: &str, port: u16) -> (Value, Vec<Value>) {
    let driver = built_in().remove(0).version;
    let cluster = ClusterRecord {
        name: "sandbox".to_owned(),
        kind: ClusterKind::Sandbox,
        fqdn_suffix: Some("localhost".to_owned()),
        storage_class: None,
        ingress_port: Some(port),
        ingress_tls_port: None,
    };
    let environment = Environment {
        name: "demo".to_owned(),
        cluster: "sandbox".to_owned(),
        namespace: "demo".to_owned(),
        ingress_class: None,
        fqdn_suffix: None,
        production: false,
        ..Environment::new("", "", "")
    };
    let deployment = Deployment {
        id: DeploymentId(1),
        uid: format!("uid-of-{deployment}"),
        draft: DeploymentDraft {
            name: deployment.to_owned(),
            environment: "demo".to_owned(),
            driver: driver.reference.clone(),
            application_version: "1.0.0".to_owned(),
            parameters: BTreeMap::from([("title".to_owned(), json!("Thoughts"))]),
            ..DeploymentDraft::default()
        },
        phase: DesiredPhase::Running,
        revision: 1,
        created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
    };
    let context = context::resolve(&ContextSources {
        cluster: &cluster,
        environment: &environment,
        deployment: &deployment,
        driver: &driver,
        instance_number: 1,
    })
    .unwrap();
    let objects = render_alone(&driver, &context).unwrap().objects;
    (context, objects)
}

/// Creates the objects and gives back where they are.
fn create(api: &Api, objects: Vec<Value>) -> Vec<(String, String)> {
    let place = |object: Value| {
        let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        let resource = api.type_of(version, kind).unwrap_or_else(|| panic!("{version} {kind}")).qualified();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if let Err(status) = api.create(&resource, object, "styrmin") {
            panic!("{resource} {name}: {status:?}");
        }
        (resource, name)
    };
    objects.into_iter().map(place).collect()
}

async fn until_healthy(api: &Api, places: &[(String, String)]) {
    let mut changes = api.changes();
    let healthy = async {
        loop {
            let verdicts = places.iter().map(|(resource, name)| {
                api.get(resource, "demo", name).map_or(Health::Missing, |object| assess(&object).health)
            });
            if verdicts.into_iter().all(|health| health == Health::Healthy) {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    if tokio::time::timeout(LIMIT, healthy).await.is_err() {
        let states = places
            .iter()
            .map(|(resource, name)| api.get(resource, "demo", name).map(|object| assess(&object)));
        panic!("not healthy in time: {:#?}", states.collect::<Vec<_>>());
    }
}

/// The ingress hears of new endpoints a moment after they are ready.
async fn until_answering(url: &str) {
    let answering = async {
        while probe(&Ask::new(url, LIMIT), "2026-11-22T12:00:00Z".parse().unwrap()).await.outcome
            != ProbeOutcome::Answered(200)
        {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(LIMIT, answering).await.is_err() {
        panic!("{url} does not answer in time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deployments_share_a_namespace_become_healthy_and_answer() {
    let sandbox = sandbox().await;
    let api = sandbox.api();
    let port = sandbox.ingress_address().port();
    for name in ["notes", "blog"] {
        let (context, objects) = rendered(name, port);
        let places = create(&api, objects);
        until_healthy(&api, &places).await;
        let url = context["services"]["notes"]["primary_url"].as_str().unwrap();
        until_answering(url).await;
    }
    sandbox.stop().await;
}
