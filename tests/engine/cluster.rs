//! The cluster room: installing, applying, watching.

use styrmin::cluster::{ApplyOptions, Cluster, ClusterError, key};
use styrmin::domain::object::Detail;
use styrmin::domain::plan::Verb;
use styrmin::domain::world::{Installed, Link};

use crate::support::{namespace, real_cluster, remove, until, web};

const PLAIN: ApplyOptions = ApplyOptions { dry_run: false, force: false };

async fn installs(cluster: &Cluster) {
    let plan = cluster.installation().await.unwrap();
    let written = plan.steps.iter().filter(|step| step.verb != Verb::Wait).count();
    assert_eq!((written, plan.steps.len()), (7, 8), "{plan}");
    cluster.install(&plan.hash()).await.unwrap();
    assert_eq!(cluster.installed(), Installed::Yes);
    let again = cluster.installation().await.unwrap();
    assert!(again.is_empty(), "{again:?}");
    if !plan.is_empty() {
        let problem = cluster.install(&plan.hash()).await.unwrap_err();
        assert!(problem.what.contains("out of date"), "{problem}");
    }
    until(cluster, "the custom resources are listed", || {
        cluster.index().deployments_complete().then_some(())
    })
    .await;
}

async fn applies_and_watches(cluster: &Cluster) {
    let space = namespace(cluster, "apply").await;
    let (index, object) = (cluster.index(), web(&space, 2));
    assert_eq!(cluster.compare(&object, false).await.unwrap().verb, Verb::Create);
    assert!(index.object(&key(&object)).is_none(), "a dry run writes nothing");
    let first = cluster.apply(&object, PLAIN).await.unwrap();
    assert!(
        index.row(&key(&object)).unwrap().owned.is_some(),
        "the answer is known before the watch tells it"
    );
    until(cluster, "the pods of the deployment belong to it", || {
        let objects = index.objects_of(&space, "site");
        let pods = objects.iter().filter(|object| matches!(object.detail, Detail::Pod(_))).count();
        (pods == 2).then_some(())
    })
    .await;
    assert_eq!(cluster.compare(&object, false).await.unwrap().verb, Verb::Unchanged);
    let settled = index.row(&key(&object)).unwrap();
    assert_eq!(settled.owned, first.owned, "controllers do not touch what is ours");
    let again = cluster.apply(&object, PLAIN).await.unwrap();
    assert_eq!(again.owned, first.owned);
    assert_eq!(cluster.compare(&web(&space, 3), false).await.unwrap().verb, Verb::Update);
    assert_eq!(cluster.link(), Link::Live);
    remove(cluster, &space).await;
}

async fn reports_bad_objects(cluster: &Cluster) {
    let space = namespace(cluster, "refuse").await;
    let mut broken = web(&space, 1);
    broken["spec"]["selector"]["matchLabels"]["app"] = "other".into();
    let error = cluster.apply(&broken, PLAIN).await.unwrap_err();
    assert!(matches!(error, ClusterError::Invalid { .. }), "{error:?}");
    assert!(error.problem().why.contains("selector"), "{}", error.problem());
    broken["kind"] = "Gadget".into();
    let error = cluster.apply(&broken, PLAIN).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unserved { .. }), "{error:?}");
    remove(cluster, &space).await;
}

#[tokio::test]
async fn a_real_cluster_is_installed_on() {
    let Some(cluster) = real_cluster(None).await else { return };
    assert!(cluster.version().await.unwrap().starts_with('v'));
    installs(&cluster).await;
}

#[tokio::test]
async fn a_real_cluster_is_applied_to_and_watched() {
    let Some(cluster) = real_cluster(None).await else { return };
    applies_and_watches(&cluster).await;
    reports_bad_objects(&cluster).await;
}

#[tokio::test]
async fn what_a_real_cluster_denies_is_named() {
    let Some(cluster) = real_cluster(Some("nobody")).await else { return };
    let problem = cluster.installation().await.unwrap_err();
    assert!(problem.what.contains("denies"), "{problem}");
    cluster.watch_namespace("default");
    let index = cluster.index();
    until(&cluster, "a denied namespace counts as listed", || index.is_complete("default").then_some(()))
        .await;
    assert!(matches!(cluster.link(), Link::Live), "{:?}", cluster.link());
}

#[tokio::test]
async fn a_real_cluster_that_is_dead_is_stale() {
    let Some(cluster) = real_cluster(Some("dead")).await else { return };
    cluster.watch_namespace("default");
    until(&cluster, "the link says so", || matches!(cluster.link(), Link::Stale { .. }).then_some(())).await;
    let error = cluster.version().await.unwrap_err();
    assert!(error.problem().what.contains("cannot be reached"), "{error:?}");
}
