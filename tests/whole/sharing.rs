//! Several cockpits on one state directory: one holds the engine and the sandbox, the others see the same and are obeyed
//! as well; and when the one goes, however it goes, another goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyCode;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use styrmin::app::Target;
use styrmin::domain::world::EngineView;

use crate::journeys::Journey;
use crate::pty::PATIENCE;

impl Journey {
    /// Where the records say that the engine runs, as this cockpit sees it.
    async fn engine(&self) -> EngineView {
        let records = self.session.records().await.unwrap();
        self.session.engine_view(&records)
    }

    /// Waits until the engine runs here; its epoch.
    async fn leads(&self) -> u64 {
        let mut changes = self.session.store.changes();
        let leads = async {
            loop {
                if let EngineView::Here { epoch, .. } = self.engine().await {
                    return epoch;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, leads).await.expect("the engine runs here")
    }

    async fn lease(&self) -> (Option<String>, Option<i32>) {
        lease(self.client()).await
    }

    fn command(&self, name: &str) {
        self.press(KeyCode::Char(':'));
        self.write(name);
        self.press(KeyCode::Enter);
    }
}

async fn lease(client: kube::Client) -> (Option<String>, Option<i32>) {
    let leases: Api<Lease> = Api::namespaced(client, "styrmin-system");
    let spec = leases.get("styrmin-engine").await.unwrap().spec.unwrap();
    (spec.holder_identity, spec.lease_transitions)
}

/// Waits until this process as a whole has no pods of that sandbox any more.
async fn until_nothing_runs(marker: &str) {
    let gone = async {
        while !crate::binary::processes_of(marker).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    assert!(gone.is_ok(), "left behind: {:?}", crate::binary::processes_of(marker));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_in_the_second_cockpit_is_carried_out_by_the_first() {
    let mut first = Journey::start(120, 40).await;
    assert_eq!(first.leads().await, 1);
    let mut second = first.beside(120, 40).await;
    second.sees(&format!("engine: pid {} on", std::process::id())).await;
    assert!(!first.screen().contains("engine:"), "{}", first.screen());
    second.deploy("1.0.0", "notes").await;
    first.sees("notes").await;
    for journey in [&mut first, &mut second] {
        journey.sees("✓ Healthy").await;
        journey.sees("200 in").await;
    }
    // its own way into the sandbox carries logs, and commands in a pod
    second.press(KeyCode::Char('l'));
    second.sees("following").await;
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(second.client(), "demo");
    let listed = pods.list(&kube::api::ListParams::default()).await.unwrap();
    let web =
        listed.items.iter().find_map(|pod| pod.metadata.name.clone().filter(|name| name.contains("web")));
    let mut shell = pods
        .exec(
            &web.unwrap(),
            ["/bin/sh", "-c", "echo through the socket"],
            &kube::api::AttachParams::default(),
        )
        .await
        .unwrap();
    let mut said = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut shell.stdout().unwrap(), &mut said).await.unwrap();
    assert_eq!(said, "through the socket\n");
    let (holder, epoch) = second.lease().await;
    assert_eq!((holder.as_ref(), epoch), (Some(&first.session.me.identity), Some(1)));
    second.end().await;
    first.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_engine_finds_is_seen_in_every_cockpit() {
    let mut first = Journey::start(120, 40).await;
    first.leads().await;
    let mut second = first.beside(120, 40).await;
    second.deploy("1.0.0", "notes").await;
    second.sees("✓ Healthy").await;
    let kind = ApiResource {
        group: "styrmin.io".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "styrmin.io/v1alpha1".to_owned(),
        kind: "StyrminDeployment".to_owned(),
        plural: "styrmindeployments".to_owned(),
    };
    let resources: Api<DynamicObject> = Api::namespaced_with(second.client(), "demo", &kind);
    let patch = Patch::Merge(serde_json::json!({"spec": {"applicationVersion": "9.9.9"}}));
    resources.patch("notes", &PatchParams::default(), &patch).await.unwrap();
    for journey in [&mut first, &mut second] {
        // the first one shows the table, the second one the application
        journey.sees("9.9.9").await;
        journey.sees("✗ 1").await;
    }
    second.sees("THE ENGINE STOPPED").await;
    let patch = Patch::Merge(serde_json::json!({"spec": {"applicationVersion": "1.0.0"}}));
    resources.patch("notes", &PatchParams::default(), &patch).await.unwrap();
    for journey in [&mut first, &mut second] {
        journey.until("the problem is gone", |screen| !screen.contains("9.9.9")).await;
        journey.sees("✓ Healthy").await;
    }
    second.end().await;
    first.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_first_cockpit_is_left_the_second_goes_on() {
    let mut first = Journey::start(120, 40).await;
    first.leads().await;
    let mut second = first.beside(120, 40).await;
    second.sees("engine: pid").await;
    first.deploy("1.0.0", "notes").await;
    let mut changes = first.session.store.changes();
    while first.session.store.deployments("sandbox").await.unwrap().is_empty() {
        changes.changed().await.unwrap();
    }
    let before = ports(&second).await;
    assert!(before.1.is_some(), "{before:?}");
    // in the middle of it
    first.end().await;
    let epoch = second.leads().await;
    assert!(epoch > 1, "{epoch}");
    second.sees("✓ Healthy").await;
    second.sees("✓ 200").await;
    let (status, _) = second.visit("notes-demo.localhost", "/").await;
    assert_eq!(status, 200);
    assert_eq!(ports(&second).await, before, "the URL that people have open stays");
    second.until("nothing in the header", |screen| !screen.contains("engine:")).await;
    let (holder, transitions) = second.lease().await;
    assert_eq!(holder.as_ref(), Some(&second.session.me.identity));
    assert_eq!(u64::try_from(transitions.unwrap()).unwrap(), epoch);
    let marker = second.marker();
    second.end().await;
    until_nothing_runs(&marker).await;
}

/// Where the ingress is, for http and for https.
async fn ports(journey: &Journey) -> (Option<u16>, Option<u16>) {
    let record = journey.session.store.cluster("sandbox").await.unwrap().unwrap();
    (record.ingress_port, record.ingress_tls_port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cockpit_that_asks_for_the_engine_gets_it_and_gives_it_back() {
    let mut first = Journey::start(120, 40).await;
    let one = first.leads().await;
    let mut second = first.beside(120, 40).await;
    let third = first.beside(120, 40).await;
    second.sees("engine: pid").await;
    second.deploy("1.0.0", "notes").await;
    second.sees("✓ Healthy").await;
    second.command("take-over");
    second.sees("The engine runs here now").await;
    let two = second.leads().await;
    first.sees("engine: pid").await;
    first.sees("✓ Healthy").await;
    first.command("take-over");
    first.sees("The engine runs here now").await;
    let three = first.leads().await;
    assert!(one < two && two < three, "{one} {two} {three}");
    second.sees("engine: pid").await;
    second.sees("✓ Healthy").await;
    second.press(KeyCode::Esc);
    second.sees("notes").await;
    let no_word = |screen: &str| !screen.contains("engine:") && !screen.contains("no engine");
    first.until("nothing in the header", no_word).await;
    first.command("take-over");
    first.sees("The engine runs here already").await;
    for journey in [third, second, first] {
        journey.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_one_that_died_holds_nobody_up_for_long() {
    let first = Journey::start(100, 30).await;
    let one = first.leads().await;
    first.session.store.request_takeover("sandbox", "jump_1_dead").await.unwrap();
    let mut changes = first.session.store.changes();
    let again = async {
        while !matches!(first.engine().await, EngineView::Here { epoch, .. } if epoch > one) {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("it takes the engine again");
    first.end().await;
}

/// A cockpit on a jump host of its own: a cluster is all that it shares with others.
async fn host(kubeconfig: &Path) -> Journey {
    let target = Target::Kubeconfig { path: Some(kubeconfig.to_owned()), context: None };
    Journey::start_on(Arc::new(tempfile::tempdir().unwrap()), target, (120, 40)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cockpits_on_two_hosts_agree_by_the_lease() {
    let home = tempfile::tempdir().unwrap();
    let (sandbox, _, kubeconfig) = crate::binary::counted_cluster(home.path()).await;
    let client = || kube::Client::new(sandbox.service(), "default");
    let mut first = host(&kubeconfig).await;
    // without Styrmin there is nothing to hold: that alone keeps nobody from anything
    assert_eq!(first.leads().await, 1);
    first.sees("Install Styrmin on work").await;
    first.press(KeyCode::Tab);
    first.press(KeyCode::Enter);
    first.sees("to create").await;
    first.press(KeyCode::Char('y'));
    first.sees("is installed on work").await;
    let mut changes = first.session.store.changes();
    let leads = async {
        while lease_holder(client()).await.as_ref() != Some(&first.session.me.identity) {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, leads).await.expect("the first one has the Lease");
    let one = first.leads().await;
    let mut second = host(&kubeconfig).await;
    second.sees(&format!("engine: pid {} on", std::process::id())).await;
    second.command("take-over");
    second.sees("The engine runs here now").await;
    let two = second.leads().await;
    first.sees("engine: pid").await;
    assert_eq!(lease(client()).await, (Some(second.session.me.identity.clone()), i32::try_from(two).ok()));
    assert!(two > one, "{one} {two}");
    // who leaves in order is not waited for
    second.end().await;
    let three = first.leads().await;
    assert!(three > two, "{two} {three}");
    first.end().await;
    assert_eq!(lease_holder(client()).await.as_deref(), Some(""), "released");
    sandbox.stop().await;
}

/// None where there is no Lease yet.
async fn lease_holder(client: kube::Client) -> Option<String> {
    let leases: Api<Lease> = Api::namespaced(client, "styrmin-system");
    leases.get_opt("styrmin-engine").await.unwrap()?.spec?.holder_identity
}
