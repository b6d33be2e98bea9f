//! rollout, scale, set image, wait, autoscale.

use crate::ground::{Ground, web};

cases! { a_rollout_and_its_undoing, pausing_and_restarting, scaling_and_waiting, sets_and_jobs }

const SETTLED: &str = "rollout status deployment web --timeout=50s";

async fn a_rollout_and_its_undoing(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 2, "1.0.0")).await;
    let told = kubectl.ok(SETTLED).await;
    assert!(told.contains("deployment \"web\" successfully rolled out"), "{told}");
    kubectl.ok("set image deploy/web web=styrmin/notes-web:1.1.0").await;
    kubectl.ok(SETTLED).await;
    let history = kubectl.ok("rollout history deployment web").await;
    assert!(history.contains("\n1 ") && history.contains("\n2 "), "{history}");
    let second = kubectl.ok("rollout history deployment web --revision=2").await;
    assert!(second.contains("notes-web:1.1.0"), "{second}");
    kubectl.ok("rollout undo deployment web").await;
    kubectl.ok(SETTLED).await;
    let image = "get deploy web -o jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(kubectl.ok(image).await, "styrmin/notes-web:1.0.0");
    let revision = "get deploy web -o jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}";
    assert_eq!(kubectl.ok(revision).await, "3");
    kubectl.ok("rollout undo deployment web --to-revision=2").await;
    kubectl.ok(SETTLED).await;
    assert_eq!(kubectl.ok(image).await, "styrmin/notes-web:1.1.0");
}

async fn pausing_and_restarting(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    kubectl.ok(SETTLED).await;
    kubectl.ok("rollout pause deployment web").await;
    kubectl.ok("set image deploy/web web=styrmin/notes-web:1.1.0").await;
    let sets = kubectl.ok("get rs -o name").await;
    assert_eq!(sets.lines().count(), 1, "nothing is rolled out while it is paused");
    kubectl.ok("rollout resume deployment web").await;
    kubectl.ok(SETTLED).await;
    let before = kubectl.ok("get pods -l app=web -o name").await;
    kubectl.ok("rollout restart deployment web").await;
    kubectl.ok(SETTLED).await;
    assert_ne!(kubectl.ok("get pods -l app=web -o name").await, before);
}

async fn scaling_and_waiting(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    kubectl.ok("wait --for=condition=Available deployment/web --timeout=50s").await;
    kubectl.ok("scale deployment web --replicas=3").await;
    kubectl.ok(SETTLED).await;
    assert_eq!(kubectl.ok("get pods -o name").await.lines().count(), 3);
    let wrong = kubectl.refused("scale deployment web --current-replicas=7 --replicas=1", "").await;
    assert!(wrong.contains('7'), "{wrong}");
    kubectl.ok("scale deployment web --replicas=0").await;
    // When the last one is gone already, an old kubectl finds nothing to wait for.
    kubectl.run_with("wait --for=delete pod -l app=web --timeout=50s", b"", &[]).await;
    assert_eq!(kubectl.ok("get pods -o name").await, "");
    let never = kubectl.refused("wait --for=condition=Ready pod/nothing --timeout=1s", "").await;
    assert!(never.contains("not found"), "{never}");
}

const SET: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: db, image: 'styrmin/host:1', command: [sleep, '1000']}]
";

async fn sets_and_jobs(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", SET).await;
    kubectl.ok("rollout status statefulset db --timeout=50s").await;
    assert_eq!(kubectl.ok("get pods -o name").await, "pod/db-0\npod/db-1\n");
    kubectl.ok("rollout restart statefulset db").await;
    kubectl.ok("rollout status statefulset db --timeout=50s").await;
    kubectl.ok("create job once --image=styrmin/host:1 -- sh -c 'echo done'").await;
    kubectl.ok("wait --for=condition=complete job/once --timeout=50s").await;
    assert_eq!(kubectl.ok("logs job/once").await, "done\n");
    if kubectl.minor < 21 {
        println!("skipped: kubectl 1.{} knows CronJobs as batch/v1beta1 only", kubectl.minor);
        return;
    }
    kubectl.ok("create cronjob nightly --image=styrmin/host:1 --schedule='0 3 * * *' -- true").await;
    kubectl.ok("create job by-hand --from=cronjob/nightly").await;
    kubectl.ok("wait --for=condition=complete job/by-hand --timeout=50s").await;
}
