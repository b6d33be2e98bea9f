//! What lies outside of the environment, and kinds that no watch shows: written, found again, taken away.

use std::collections::BTreeMap;

use serde_json::json;
use styrmin::domain::plan::Verb;
use styrmin::domain::{
    DeploymentDraft, DriverRef, DriverVersion, Intent, ObjectKey, OperationState, Volumes,
};
use styrmin::driver::load_files;

use crate::bench::Bench;
use crate::rig::key;

const QUARRY: &str = "quarry";

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: quarry}
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  components:
    web: {identifier: {label: {part: web}}}
  parameters:
    - {name: stones, label: Stones, kind: integer, default: 1}
    - {name: verb, label: What readers may, kind: string, default: get}
    - {name: reader, label: Whether somebody reads, kind: boolean, default: true}
";

const MANIFEST: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: stones.quarry.example.org}
spec:
  group: quarry.example.org
  scope: Namespaced
  names: {plural: stones, singular: stone, kind: Stone, listKind: StoneList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
{%- for number in range(parameters.stones) %}
---
apiVersion: quarry.example.org/v1
kind: Stone
metadata: {name: 'stone-{{ number }}'}
spec: {weight: 1}
{%- endfor %}
{%- if parameters.reader %}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: quarry-reader}
rules: [{apiGroups: [quarry.example.org], resources: [stones], verbs: ['{{ parameters.verb }}']}]
{%- endif %}
";

fn driver() -> DriverVersion {
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), SPEC.to_owned()),
        ("manifests/a.yaml.j2".to_owned(), MANIFEST.to_owned()),
    ]);
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

fn draft(bench: &Bench, parameters: &[(&str, serde_json::Value)]) -> DeploymentDraft {
    DeploymentDraft {
        driver: DriverRef { name: QUARRY.to_owned(), version: "1.0.0".to_owned() },
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..bench.draft(QUARRY, "1.0.0")
    }
}

fn stone(number: usize) -> ObjectKey {
    ObjectKey {
        api_version: "quarry.example.org/v1".to_owned(),
        kind: "Stone".to_owned(),
        namespace: "demo".to_owned(),
        name: format!("stone-{number}"),
    }
}

fn of_the_cluster(api_version: &str, kind: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

fn reader() -> ObjectKey {
    of_the_cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "quarry-reader")
}

fn definition() -> ObjectKey {
    of_the_cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", "stones.quarry.example.org")
}

async fn exists(bench: &Bench, key: &ObjectKey) -> bool {
    bench.cluster.get(key).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_watch_shows_is_written_found_again_and_taken_away() {
    let mut bench = Bench::with_driver(driver()).await;
    let wish = Intent::Deploy(draft(&bench, &[("stones", json!(2))]));
    let warnings = bench.engine.preview(&wish).await.unwrap().plan.warnings.join("\n");
    let told = "CustomResourceDefinition/stones.quarry.example.org, ClusterRole/quarry-reader belong to the whole cluster";
    assert!(warnings.contains(told), "{warnings}");
    let id = bench.deploy(draft(&bench, &[("stones", json!(2))])).await;
    bench.until_running(QUARRY, 1).await;
    assert!(exists(&bench, &stone(1)).await && exists(&bench, &reader()).await);

    // another engine, which knows nothing but the records
    bench.restart().await;
    let change = Intent::Change(id, draft(&bench, &[("reader", json!(false))]));
    let plan = bench.engine.preview(&change).await.unwrap().plan;
    let verb = |key: &ObjectKey| {
        plan.steps.iter().find(|step| step.object.as_ref() == Some(key)).map(|step| step.verb)
    };
    assert_eq!(verb(&stone(0)), Some(Verb::Unchanged), "{plan}");
    assert_eq!(verb(&stone(1)), Some(Verb::Delete), "{plan}");
    assert_eq!(verb(&reader()), Some(Verb::Delete), "{plan}");
    bench.confirm(change).await;
    bench.until_settled(QUARRY, Some(2)).await;
    assert!(!exists(&bench, &stone(1)).await && !exists(&bench, &reader()).await);
    assert!(exists(&bench, &stone(0)).await);

    bench.confirm(Intent::Delete(id, Volumes::Keep)).await;
    bench.until_settled(QUARRY, None).await;
    assert!(!exists(&bench, &stone(0)).await);
    assert!(exists(&bench, &definition()).await, "with a definition go the objects of everybody");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_vanished_unseen_is_planned_anew() {
    let bench = Bench::with_driver(driver()).await;
    let id = bench.deploy(draft(&bench, &[])).await;
    bench.until_running(QUARRY, 1).await;
    bench.cluster.delete(&reader(), &Default::default()).await.unwrap();
    // nobody asks the server when a custom resource is edited: it is found out by the step, and planned once more
    let edit = json!({"spec": {"parameters": {"verb": "list"}}});
    bench.edit(&key(styrmin::cluster::KIND, QUARRY), "styrmindeployments", edit).await;
    bench.until_running(QUARRY, 2).await;
    let role = bench.cluster.get(&reader()).await.unwrap().unwrap();
    assert_eq!(role["rules"][0]["verbs"], json!(["list"]));
    let titles = bench.operations(QUARRY).await;
    let stale = titles.iter().filter(|view| view.operation.state == OperationState::Stale);
    assert_eq!(stale.count(), 1, "the first plan was made for the one that is gone");

    bench.cluster.delete(&reader(), &Default::default()).await.unwrap();
    bench.confirm(Intent::Change(id, draft(&bench, &[("verb", json!("watch"))]))).await;
    bench.until_running(QUARRY, 3).await;
    assert!(exists(&bench, &reader()).await, "the preview asked");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_the_whole_cluster_belongs_to_one_environment() {
    let bench = Bench::with_driver(driver()).await;
    bench.deploy(draft(&bench, &[])).await;
    bench.until_running(QUARRY, 1).await;
    let elsewhere = DeploymentDraft { environment: "other".to_owned(), ..draft(&bench, &[]) };
    let refused = bench.engine.preview(&Intent::Deploy(elsewhere)).await.unwrap_err().to_string();
    assert!(refused.contains("belongs to the deployment 'quarry' of demo"), "{refused}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_somebody_deletes_ends_with_its_application_and_no_storm_of_writes() {
    let bench = Bench::with_driver(driver()).await;
    bench.deploy(draft(&bench, &[])).await;
    bench.until_running(QUARRY, 1).await;
    let before = bench.writes();
    let space = of_the_cluster("v1", "Namespace", "demo");
    bench.cluster.delete(&space, &Default::default()).await.unwrap();
    bench.until_settled(QUARRY, None).await;
    assert!(!exists(&bench, &reader()).await, "what lies outside of the namespace goes too");
    let writes = bench.writes() - before;
    assert!(writes < 40, "{writes} writes");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_meets_the_end_of_its_namespace_gives_way() {
    let bench = Bench::with_driver(driver()).await;
    let id = bench.deploy(draft(&bench, &[])).await;
    bench.until_running(QUARRY, 1).await;
    let change = Intent::Change(id, draft(&bench, &[("verb", json!("list"))]));
    let preview = bench.engine.preview(&change).await.unwrap();
    let before = bench.writes();
    let space = of_the_cluster("v1", "Namespace", "demo");
    bench.cluster.delete(&space, &Default::default()).await.unwrap();
    // whether it comes in time or not
    let _ = bench.engine.confirm(&change, &preview.plan.hash(), "anna@here").await;
    bench.until_settled(QUARRY, None).await;
    let writes = bench.writes() - before;
    assert!(writes < 40, "{writes} writes");
    bench.close().await;
}
