//! An environment with an ingress controller of its own: the built-in driver, deployed by the engine, as a real process.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use styrmin::backup;
use styrmin::cluster::{Cluster, Connection};
use styrmin::domain::route::{Isolation, Offer, Reach, Routing, TlsSource};
use styrmin::domain::{
    ClusterKind, ClusterRecord, DedicatedIngress, DeploymentDraft, DriverRef, Environment, Intent,
    SystemClock,
};
use styrmin::driver;
use styrmin::hooks::Worker;
use styrmin::ingress::{DEDICATED, detect};
use styrmin::reconcile::{Drivers, Engine, SeededRandom, Surroundings};
use styrmin::sandbox::Sandbox;
use styrmin::store::{Holder, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::asking::{STRANGER, ask, ask_from, ask_tls_as, until};
use crate::ground::{LIMIT, WEB, options, with_traefik};
use crate::objects::certificate;

/// The environment with an ingress of its own, and one beside it.
const OWN: &str = "demo";
const BESIDE: &str = "beside";
/// Who may come into the first: this machine by its usual address.
const ALLOWED: &str = "127.0.0.1/32";

/// A sandbox as the cockpit runs it, and an engine.
struct Yard {
    sandbox: Sandbox,
    cluster: Cluster,
    engine: Engine,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _reach: Reached,
}

/// What probes would have found: nobody probes here.
type Reached = watch::Sender<Arc<BTreeMap<String, Reach>>>;

async fn sandbox(directory: &Path) -> Sandbox {
    Sandbox::start_for_pods(options(Some(directory.to_owned()))).await.unwrap()
}

fn environment(name: &str, cluster: &Cluster) -> Environment {
    let mut environment = Environment::new(name, cluster.name(), name);
    if name == OWN {
        environment.dedicated_ingress = Some(DedicatedIngress::default());
        environment.ip_whitelist = vec![ALLOWED.to_owned()];
    }
    let via = detect(&Offer::default(), &environment, None).unwrap().via;
    environment.routing =
        Routing { via: Some(via), isolation: Some(Isolation::Inbound), ..Routing::default() };
    environment
}

impl Yard {
    async fn start(directory: &Path) -> Self {
        let sandbox = sandbox(directory).await;
        let connection = Connection::from_service(sandbox.service(), "sandbox");
        let clock = Arc::new(SystemClock);
        let cluster = Cluster::new(connection, Arc::clone(&clock) as _);
        let plan = cluster.installation().await.unwrap();
        cluster.install(&plan.hash()).await.unwrap();
        let store = Store::in_memory(Arc::clone(&clock) as _).unwrap();
        let record = ClusterRecord {
            name: cluster.name().to_owned(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: Some("localhost".to_owned()),
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: Some(sandbox.ingress_tls_address().port()),
        };
        store.upsert_cluster(&record).await.unwrap();
        for name in [OWN, BESIDE] {
            store.upsert_environment(&environment(name, &cluster)).await.unwrap();
            cluster.watch_namespace(name);
        }
        let reach = Reached::default();
        let surroundings = Surroundings {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SeededRandom::from_entropy()),
            worker: Worker::new(env!("CARGO_BIN_EXE_styrmin").into()),
            extension: backup::extension(store.clone(), cluster.clone(), clock),
            reach: reach.subscribe(),
        };
        let drivers = Drivers::new(driver::built_in().into_iter().map(|loaded| loaded.version));
        let engine = Engine::new(store.clone(), cluster.clone(), Arc::new(drivers), surroundings);
        let me = Holder { identity: "test".to_owned(), host: "here".to_owned(), pid: None };
        engine.lead(store.claim_engine(cluster.name(), &me, 0).await.unwrap());
        let stop = CancellationToken::new();
        let (runs, ends) = (engine.clone(), stop.clone());
        let running = tokio::spawn(async move {
            runs.run(ends).await;
        });
        Self { sandbox, cluster, engine, stop, running, _reach: reach }
    }

    async fn deploy(&self, environment: &str, name: &str, parameters: &[(&str, Value)]) {
        let driver = if name == DEDICATED { "traefik" } else { "notes" };
        let known = driver::built_in().into_iter().map(|loaded| loaded.version);
        let known = known.into_iter().find(|version| version.reference.name == driver).unwrap();
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let intent = Intent::Deploy(DeploymentDraft {
            name: name.to_owned(),
            environment: environment.to_owned(),
            driver: DriverRef { name: driver.to_owned(), version: known.reference.version.clone() },
            application_version: known.spec.default_version.clone(),
            parameters: parameters.collect(),
            ..DeploymentDraft::default()
        });
        self.carry_out(&intent).await;
        // one after the other: a plan that is shown while its namespace changes is soon out of date
        self.until_running(environment, name).await;
    }

    async fn carry_out(&self, intent: &Intent) {
        let preview = self.engine.preview(intent).await.unwrap_or_else(|problem| panic!("{problem}"));
        self.engine.confirm(intent, &preview.plan.hash(), "anna@here").await.unwrap();
    }

    /// Waits until a deployment is healthy.
    async fn until_running(&self, environment: &str, name: &str) {
        let mut moved = self.cluster.generation();
        let runs = || {
            let resource = self.cluster.index().custom_resource(environment, name);
            resource.is_some_and(|resource| resource.status.phase.as_deref() == Some("Running"))
        };
        let wait = async {
            while !runs() {
                moved.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(LIMIT, wait).await.is_err() {
            let events = self.cluster.index().events(environment);
            let events: Vec<_> =
                events.iter().map(|one| format!("{}: {}", one.reason, one.message)).collect();
            panic!("{environment}/{name} does not run: {:#?}\n{events:#?}", self.engine.problems());
        }
    }

    /// Ends the engine and the sandbox.
    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
        self.sandbox.stop().await;
    }
}

/// Where the environment's front door is, inside the cluster.
fn door(sandbox: &Sandbox) -> SocketAddr {
    let service = sandbox.api().get("services", OWN, "ingress-public").unwrap();
    let address: IpAddr = service["spec"]["clusterIP"].as_str().unwrap().parse().unwrap();
    SocketAddr::new(address, 80)
}

/// The pod of the controller.
fn proxy(sandbox: &Sandbox) -> Arc<Value> {
    let pods = sandbox.api().list("pods", Some(OWN));
    let mut found = pods.into_iter().filter(|pod| pod["spec"]["containers"][0]["name"] == "traefik");
    let pod = found.next().expect("a pod of the controller");
    assert!(found.next().is_none(), "there is one");
    pod
}

#[test]
fn an_environment_has_a_front_door_of_its_own() {
    with_traefik(async |_| {
        let home = TempDir::new().unwrap();
        let yard = Yard::start(home.path()).await;
        yard.deploy(OWN, DEDICATED, &[("replicas", json!(1))]).await;
        yard.deploy(OWN, "notes", &[("title", json!("Thoughts of its own"))]).await;
        yard.deploy(BESIDE, "notes", &[("title", json!("Thoughts beside"))]).await;
        let api = yard.sandbox.api();
        let ingress = api.get("ingresses.networking.k8s.io", OWN, "notes").unwrap();
        assert_eq!(ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"], "styrmin-demo");
        assert!(api.get("ingresses.networking.k8s.io", BESIDE, "notes").is_some());

        let web = door(&yard.sandbox);
        let is_own = "the host leads to the application";
        until(
            is_own,
            LIMIT,
            async || ask(web, "notes-demo.localhost").await,
            |answer| answer.code == 200 && answer.text.contains("Thoughts of its own"),
        )
        .await
        .unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(ask(web, "notes-beside.localhost").await.code, 404, "it is not its host");

        let pod = proxy(&yard.sandbox);
        assert!(pod["metadata"]["annotations"].get("sandbox.styrmin.io/simulated").is_none());
        let address: IpAddr = pod["status"]["podIP"].as_str().unwrap().parse().unwrap();
        let (direct, inner) = (SocketAddr::new(address, WEB), SocketAddr::new(address, 8080));
        assert_eq!(ask(direct, "notes-demo.localhost").await.code, 200);
        assert_eq!(ask_from(STRANGER, direct, "notes-demo.localhost").await.code, 403);
        let unrouted = ask_from(STRANGER, inner, "notes-demo.localhost").await;
        assert_eq!(unrouted.code, 404, "no route is at the entry point that the list does not guard");
        let beside = SocketAddr::from(([127, 0, 0, 1], WEB));
        assert_eq!(ask(beside, "notes-demo.localhost").await.code, 0, "it listens at the pod's address only");

        // the same from outside, by what stands for DNS and a load balancer
        let outside = yard.sandbox.ingress_address();
        let shown = ask(outside, "notes-demo.localhost").await;
        assert!(shown.code == 200 && shown.text.contains("Thoughts of its own"), "{shown:?}");
        assert_eq!(ask_from(STRANGER, outside, "notes-demo.localhost").await.code, 403);

        // it writes where it is, with the rights that it has
        let mut changes = api.changes();
        let told = async {
            loop {
                let ingress = api.get("ingresses.networking.k8s.io", OWN, "notes").unwrap();
                let told = &ingress["status"]["loadBalancer"]["ingress"][0]["ip"];
                if told.as_str() == Some(&web.ip().to_string()) {
                    return;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, told).await.expect("the Ingress says where it is answered");

        yard.stop().await;
        let again = sandbox(home.path()).await;
        let web = door(&again);
        let is_back = "it answers after the sandbox began anew";
        until(
            is_back,
            LIMIT,
            async || ask(web, "notes-demo.localhost").await,
            |answer| answer.code == 200 && answer.text.contains("Thoughts of its own"),
        )
        .await
        .unwrap_or_else(|why| panic!("{why}"));
        let after = proxy(&again);
        assert_eq!(after["metadata"]["uid"], pod["metadata"]["uid"]);
        assert_eq!(after["status"]["containerStatuses"][0]["restartCount"], 1);
        again.stop().await;
    });
}

#[test]
fn a_front_door_of_its_own_sends_http_on_to_https() {
    with_traefik(async |_| {
        let home = TempDir::new().unwrap();
        let yard = Yard::start(home.path()).await;
        yard.deploy(OWN, DEDICATED, &[("replicas", json!(1))]).await;
        yard.deploy(OWN, "notes", &[("title", json!("Thoughts of its own"))]).await;
        let host = "notes-demo.localhost";
        let (secret, trusted) = certificate(OWN, "wild", host);
        yard.sandbox.api().create("secrets", secret, "test").unwrap();
        let mut secure = environment(OWN, &yard.cluster);
        secure.routing.tls = TlsSource::Secret("wild".to_owned());
        yard.carry_out(&Intent::SetEnvironment(Box::new(secure))).await;

        let outside = yard.sandbox.ingress_address();
        let tls = yard.sandbox.ingress_tls_address();
        let named = format!("{host}:{}", tls.port());
        let location = format!("location: https://{named}/\r\n");
        let sent = until(
            "http is sent on",
            LIMIT,
            async || ask(outside, host).await,
            |answer| answer.code == 301 && answer.text.to_lowercase().contains(&location),
        );
        sent.await.unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(ask_from(STRANGER, outside, host).await.code, 403);
        let shown = ask_tls_as(tls, (host, &named), &trusted).await;
        assert!(shown.code == 200 && shown.text.contains("Thoughts of its own"), "{shown:?}");
        yard.stop().await;
    });
}
