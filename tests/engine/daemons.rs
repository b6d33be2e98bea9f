//! Actions on a component that is a DaemonSet: it has no number of pods.

use serde_json::Value;
use styrmin::domain::{
    ActionRequest, DeploymentDraft, DeploymentId, DriverRef, DriverVersion, Intent, ObjectKey,
    OperationState, OperationView,
};
use styrmin::driver::load_files;

use crate::bench::Bench;
use crate::rig::key;

const NAME: &str = "agents";

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: agents}
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  components: {agent: {identifier: {label: {part: agent}}}}
  actions:
    - {name: renew, location: 'actions.star::renew'}
    - {name: halt, location: 'actions.star::halt'}
    - {name: halt-one, location: 'actions.star::halt_one'}
";

const MANIFEST: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: '{{ deployment.name }}', labels: {part: agent}}
spec:
  selector: {matchLabels: {app: '{{ deployment.name }}', part: agent}}
  template:
    metadata: {labels: {app: '{{ deployment.name }}', part: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: agent, image: 'styrmin/host:1', command: [sleep, '1000']}]
";

const ACTIONS: &str = "
def renew(ctx):
    restart()
    wait_ready()

def halt(ctx):
    stop_components()

def halt_one(ctx):
    stop_component('agent')
";

fn driver() -> DriverVersion {
    let files = [("driver.styrmin.yml", SPEC), ("manifests/a.yaml.j2", MANIFEST), ("actions.star", ACTIONS)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

async fn run(bench: &Bench, id: DeploymentId, action: &str) -> OperationView {
    let request = ActionRequest { action: action.to_owned(), ..ActionRequest::default() };
    bench.confirm(Intent::Act(id, request)).await;
    let newest = bench.operations(NAME).await.remove(0).operation.id;
    let ended = |view: &OperationView| view.operation.id == newest && view.operation.state.is_final();
    bench.until_operation(NAME, "the action has ended", ended).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_set_is_restarted_and_cannot_be_stopped() {
    let bench = Bench::with_driver(driver()).await;
    let draft = DeploymentDraft {
        driver: DriverRef { name: NAME.to_owned(), version: "1.0.0".to_owned() },
        ..bench.draft(NAME, "1.0.0")
    };
    let id = bench.deploy(draft).await;
    bench.until_running(NAME, 1).await;
    let daemons = ObjectKey { api_version: "apps/v1".to_owned(), ..key("DaemonSet", NAME) };
    let restarted = || async {
        let live = bench.live(&daemons).await.unwrap();
        live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"].clone()
    };
    assert_eq!(restarted().await, Value::Null);
    assert_eq!(run(&bench, id, "renew").await.operation.state, OperationState::Succeeded);
    assert_ne!(restarted().await, Value::Null);
    // of all components it is left out; by its name it is refused at once
    assert_eq!(run(&bench, id, "halt").await.operation.state, OperationState::Succeeded);
    let refused = run(&bench, id, "halt-one").await;
    assert_eq!(refused.operation.state, OperationState::Failed);
    let why = refused.first_problem().map(|(_, problem)| problem.to_string()).unwrap_or_default();
    assert!(why.contains("one pod on each node"), "{why}");
    bench.close().await;
}
