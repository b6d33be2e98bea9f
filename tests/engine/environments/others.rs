//! What others have in a namespace, and what another operation is about, is left alone.

use super::*;

/// The names of the policies that a plan writes.
fn policies(preview: &Preview) -> Vec<&str> {
    let objects = preview.plan.steps.iter().filter_map(|step| step.object.as_ref());
    objects.filter(|object| object.kind == "NetworkPolicy").map(|object| object.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_leaves_a_namespace_of_others_and_what_runs_there_alone() {
    let bench = bench().await;
    let into =
        |environment: &str| DeploymentDraft { environment: environment.to_owned(), ..bench.routed("one") };
    let told = bench.refused(&Intent::Deploy(into("kube-system"))).await;
    assert!(told.contains("the cluster itself"), "{told}");
    bench.other_namespace("theirs").await;
    let copy = CloneRequest {
        from: "demo".into(),
        to: "theirs".into(),
        source: CloneSource::Empty,
        applications: Vec::new(),
        scale_down: false,
        fqdn_suffix: None,
    };
    let told = bench.refused(&Intent::Clone(CloneRequest { to: "kube-system".into(), ..copy })).await;
    assert!(told.contains("the cluster itself"), "{told}");

    // its first application is deployed by the way, the environment of another is recorded with labels
    bench.other_namespace("labelled").await;
    let mut guest = Environment::new("guest", "sandbox", "labelled");
    guest.labels.insert("team".into(), "blue".into());
    guest.routing.isolation = Some(Isolation::Off);
    bench.well(set(&guest)).await;
    for (environment, namespace, team) in
        [("theirs", "theirs", Value::Null), ("guest", "labelled", "blue".into())]
    {
        let intent = Intent::Deploy(into(environment));
        let preview = bench.plan(&intent).await;
        if environment == "theirs" {
            warns(&preview, "connections to theirs are not kept away");
        }
        assert!(policies(&preview).is_empty(), "{}", preview.plan);
        bench.engine.confirm(&intent, &preview.plan.hash(), "anna@here").await.unwrap();
        let ended = bench.ended(OperationKind::Deploy, &preview.plan.hash()).await;
        assert_eq!(ended.operation.state, Succeeded, "{ended:#?}");
        assert_eq!(bench.said(environment).await.unwrap().routing.isolation, Some(Isolation::Off));
        let labels = bench.get(&key("Namespace", "", namespace)).await.unwrap()["metadata"]["labels"].clone();
        assert_eq!(labels["team"], team);
        let mark = (&labels["app.kubernetes.io/managed-by"], &labels["styrmin.io/environment"]);
        assert_eq!(mark, (&Value::Null, &Value::Null), "{labels}");
    }
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_connections_away_is_left_to_an_operation_that_is_about_it() {
    let mut bench = bench().await;
    let mut demo = bench.said("demo").await.unwrap();
    demo.routing.isolation = Some(Isolation::Inbound);
    bench.store.upsert_environment(&demo).await.unwrap();
    bench.end().await;
    let intent = Intent::Deploy(bench.routed("one"));
    let place = ["styrmin-acme", "styrmin-same-namespace", "styrmin-default-deny"];
    let its_own = ["one-web-from"];
    assert_eq!(policies(&bench.plan(&intent).await), [&place[..], &its_own].concat());
    let wanted = Environment { fqdn_suffix: Some("x.localhost".into()), ..demo };
    let hash = bench.plan(&set(&wanted)).await.plan.hash();
    bench.engine.confirm(&set(&wanted), &hash, "anna@here").await.unwrap();
    assert_eq!(policies(&bench.plan(&intent).await), its_own, "it has not ended");
    bench.start();
    assert_eq!(bench.configured(&hash).await.operation.state, Succeeded);
    assert_eq!(bench.names("NetworkPolicy", "demo").await.len(), place.len());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_something_holds_is_told_and_not_waited_for_without_end() {
    let bench = bench().await;
    bench.well(set(&Environment::new("held", "sandbox", "held"))).await;
    let pin = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "pin", "namespace": "held", "finalizers": ["example.org/slow"]}});
    bench.cluster.apply(&pin, ApplyOptions::default()).await.unwrap();
    let removal = Intent::RemoveEnvironment("held".into());
    let plan = bench.plan(&removal).await.plan;
    bench.engine.confirm(&removal, &plan.hash(), "anna@here").await.unwrap();
    let namespace = key("Namespace", "", "held");
    let going = async {
        while bench.get(&namespace).await.unwrap()["metadata"]["deletionTimestamp"].is_null() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, going).await.unwrap();
    assert!(bench.said("held").await.is_some(), "it is there as long as its namespace is waited for");
    bench.clock.advance(301);
    let ended = bench.configured(&plan.hash()).await;
    assert_eq!(ended.operation.state, Succeeded, "{ended:#?}");
    let warned = ended.steps.iter().find_map(|step| step.problem.as_ref());
    assert_eq!(warned.map(|it| it.what.as_str()), Some("The namespace held is still going"), "{ended:#?}");
    assert_eq!(bench.said("held").await, None);
    bench.close().await;
}
