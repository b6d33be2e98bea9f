//! An engine that runs: its cluster, its records, and everything that a test asks of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use serde_json::Value;
use styrmin::backup;
use styrmin::cluster::{Cluster, Connection, DeploymentResource};
use styrmin::domain::operation::Subject;
use styrmin::domain::{
    ClusterRecord, Deployment, DeploymentDraft, DeploymentId, DriverRef, DriverVersion, Environment,
    Instance, Intent, ObjectKey, OperationView, SystemClock, route,
};
use styrmin::driver;
use styrmin::hooks::{Limits, Worker};
use styrmin::reconcile::{Drivers, Engine, SeededRandom, Surroundings};
use styrmin::sandbox::faults::Faults;
use styrmin::sandbox::{Sandbox, SandboxOptions};
use styrmin::store::{Holder, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::clock::TestClock;
use crate::guillotine::{AtTheCluster, AtTheRecords, Guillotine};
use crate::site;
use crate::support::{KUBECONFIG, LIMIT, real_cluster, until};

/// What went through a client: watches do not count, they stay open.
#[derive(Clone, Default)]
pub struct Counters {
    requests: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

/// Counts the requests that go through it.
#[derive(Clone)]
struct Counting<S> {
    inner: S,
    counters: Counters,
}

impl<S, B> Service<http::Request<B>> for Counting<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if !request.uri().query().is_some_and(|query| query.contains("watch=true")) {
            self.counters.requests.fetch_add(1, Ordering::SeqCst);
        }
        if request.method() != http::Method::GET {
            self.counters.writes.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.call(request)
    }
}

/// What requests to URLs find.
pub type Reach = watch::Sender<Arc<BTreeMap<String, route::Reach>>>;

/// A running engine.
pub struct Bench {
    pub cluster: Cluster,
    pub store: Store,
    pub engine: Engine,
    pub environment: String,
    counters: Counters,
    port: u16,
    /// Another client of the same cluster.
    pub other: kube::Client,
    /// The time as the engine and its records see it.
    pub clock: Arc<TestClock>,
    /// What requests to URLs find, as the engine hears of it.
    pub reach: Reach,
    pub sandbox: Option<Sandbox>,
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
    /// The deployment that a test is about.
    pub id: Option<DeploymentId>,
    /// Whether it is right about being the one: deposed, it goes on with a higher epoch.
    pub has_lease: bool,
    least: u64,
    /// The drivers beside the built-in ones.
    pub drivers: Vec<DriverVersion>,
    /// The version of the demo application's driver.
    notes: String,
}

impl Bench {
    /// On a sandbox of its own, with a driver of the test's.
    pub async fn with_driver(driver: DriverVersion) -> Self {
        let mut bench = Self::on_sandbox().await;
        bench.add_driver(driver).await;
        bench
    }

    async fn add_driver(&mut self, driver: DriverVersion) {
        self.end().await;
        self.store.record_driver(&driver).await.unwrap();
        self.drivers.push(driver);
        self.engine = engine(&self.store, &self.cluster, &self.drivers, (&self.clock, &self.reach));
        self.start();
    }

    /// A draft of the small application.
    pub fn site(&self, version: &str) -> DeploymentDraft {
        DeploymentDraft { driver: site::reference(), ..self.draft("site", version) }
    }

    /// Runs an engine that dies where `guillotine` says.
    pub fn start_mortal(&mut self, guillotine: &Arc<Guillotine>) {
        let sandbox = self.sandbox.as_ref().unwrap();
        let service = AtTheCluster { inner: sandbox.service(), guillotine: Arc::clone(guillotine) };
        let cluster = Cluster::new(Connection::from_service(service, "sandbox"), Arc::new(SystemClock));
        let store = self.store.clone().gated(Arc::new(AtTheRecords(Arc::clone(guillotine))));
        let engine = engine(&store, &cluster, &self.drivers, (&self.clock, &self.reach));
        self.run(engine);
    }

    /// Ends the engine wherever it is.
    pub async fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// Waits until the wish is fulfilled: this instance is active and runs or has stopped; or all is gone.
    pub async fn until_settled(&self, name: &str, instance: Option<u32>) {
        let mut recorded = self.store.changes();
        let settled = async {
            loop {
                recorded.mark_unchanged();
                let open = self.store.open_operations(self.cluster.name()).await.unwrap();
                let reached = match (instance, self.recorded(name).await) {
                    (None, found) => found.is_none(),
                    (Some(number), Some(found)) => {
                        self.active(found.id).await.is_some_and(|active| active.number == number)
                            && !self.operations(name).await.is_empty()
                    }
                    (Some(_), None) => false,
                };
                if open.is_empty() && reached {
                    return;
                }
                recorded.changed().await.unwrap();
            }
        };
        // who looks at the index next must find everything there
        let index = self.cluster.index();
        let listed = || (index.deployments_complete() && index.is_complete(&self.environment)).then_some(());
        tokio::select! {
            () = settled => until(&self.cluster, "everything is listed", listed).await,
            () = self.explain(name) => {}
        }
    }

    /// On a sandbox of its own.
    pub async fn on_sandbox() -> Self {
        let options = SandboxOptions::in_memory(seed(), env!("CARGO_BIN_EXE_styrmin"));
        let sandbox = Sandbox::start(options).await.unwrap();
        let counters = Counters::default();
        let cluster = connect(&sandbox, &counters);
        let port = sandbox.ingress_address().port();
        let other = kube::Client::new(sandbox.service(), "default");
        let mut bench = Self::over(cluster, other, "demo", counters, port).await;
        bench.sandbox = Some(sandbox);
        bench
    }

    /// On the real API server, in a namespace of its own.
    pub async fn on_real_cluster(name: &str) -> Option<Self> {
        let cluster = real_cluster(None).await?;
        let environment = format!("styrmin-{name}-{}", std::process::id());
        let kubeconfig = kube::config::Kubeconfig::read_from(std::env::var_os(KUBECONFIG)?).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        let other = kube::Client::try_from(config).unwrap();
        let mut bench = Self::over(cluster, other, &environment, Counters::default(), 80).await;
        // its pods have no processes, in which an action could run a command
        let driver = notes_without_actions();
        bench.notes.clone_from(&driver.reference.version);
        bench.add_driver(driver).await;
        Some(bench)
    }

    async fn over(
        cluster: Cluster,
        other: kube::Client,
        environment: &str,
        counters: Counters,
        port: u16,
    ) -> Self {
        let plan = cluster.installation().await.unwrap();
        cluster.install(&plan.hash()).await.unwrap();
        let clock = Arc::new(TestClock::default());
        let store = Store::in_memory(Arc::clone(&clock) as _).unwrap();
        record_place(&store, &cluster, environment, port).await;
        // An engine that ends at once may not have come to it.
        cluster.watch_namespace(environment);
        let reach = Reach::default();
        let engine = engine(&store, &cluster, &[], (&clock, &reach));
        let mut bench = Self {
            cluster,
            store,
            engine,
            environment: environment.to_owned(),
            counters,
            port,
            other,
            clock,
            reach,
            sandbox: None,
            stop: CancellationToken::new(),
            running: None,
            id: None,
            has_lease: true,
            least: 0,
            drivers: Vec::new(),
            notes: "1.1.0".to_owned(),
        };
        bench.start();
        bench
    }

    /// What goes wrong on purpose, where the cluster is a sandbox.
    pub fn faults(&self) -> &Faults {
        self.sandbox.as_ref().unwrap().faults()
    }

    /// Runs the engine.
    pub fn start(&mut self) {
        self.run(self.engine.clone());
    }

    fn run(&mut self, engine: Engine) {
        self.stop = CancellationToken::new();
        let stop = self.stop.clone();
        let (store, cluster) = (self.store.clone(), self.cluster.name().to_owned());
        let (has_lease, mut least) = (self.has_lease, self.least);
        self.running = Some(tokio::spawn(async move {
            let me = Holder { identity: "test".to_owned(), host: "here".to_owned(), pid: None };
            loop {
                engine.lead(store.claim_engine(&cluster, &me, least).await.unwrap());
                // as whoever holds the Lease: the epoch has to be above all that the cluster has seen
                match engine.run(stop.clone()).await {
                    Some(newest) if has_lease => least = newest + 1,
                    _ => return,
                }
            }
        }));
    }

    /// Ends the engine.
    pub async fn end(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
    }

    /// Another host with records of its own runs an engine of this epoch on the same cluster.
    pub async fn beside(&self, epoch: u64) -> Self {
        let counters = Counters::default();
        let cluster = connect(self.sandbox.as_ref().unwrap(), &counters);
        let mut bench = Self::over(cluster, self.other.clone(), &self.environment, counters, self.port).await;
        bench.end().await;
        (bench.drivers, bench.least) = (self.drivers.clone(), epoch);
        bench.engine = engine(&bench.store, &bench.cluster, &bench.drivers, (&bench.clock, &bench.reach));
        bench.start();
        bench
    }

    /// The engine of another process with the same records: it runs nothing, and remembers nothing.
    pub fn idle_engine(&self) -> Engine {
        engine(&self.store, &self.cluster, &self.drivers, (&self.clock, &self.reach))
    }

    /// Waits until the engine has ended by itself.
    pub async fn until_deposed(&mut self) {
        let running = self.running.take().unwrap();
        tokio::time::timeout(LIMIT, running).await.expect("a newer engine is seen").unwrap();
    }

    /// Another engine that remembers nothing takes over, with the same records and the same cluster.
    pub async fn restart(&mut self) {
        self.end().await;
        self.engine = engine(&self.store, &self.cluster, &self.drivers, (&self.clock, &self.reach));
        self.start();
    }

    /// Another process takes over: it has the records, and knows nothing of the cluster yet.
    pub async fn reconnect(&mut self) {
        self.end().await;
        self.cluster = connect(self.sandbox.as_ref().unwrap(), &self.counters);
        self.engine = engine(&self.store, &self.cluster, &self.drivers, (&self.clock, &self.reach));
        self.start();
    }

    /// The records are lost: an engine with empty ones takes over.
    pub async fn lose_records(&mut self) {
        self.end().await;
        self.store = Store::in_memory(Arc::clone(&self.clock) as _).unwrap();
        let record = cluster_record(&self.cluster, self.port);
        self.store.upsert_cluster(&record).await.unwrap();
        self.engine = engine(&self.store, &self.cluster, &self.drivers, (&self.clock, &self.reach));
        self.start();
    }

    /// A draft of the demo application.
    pub fn draft(&self, name: &str, version: &str) -> DeploymentDraft {
        DeploymentDraft {
            name: name.to_owned(),
            environment: self.environment.clone(),
            driver: DriverRef { name: "notes".to_owned(), version: self.notes.clone() },
            application_version: version.to_owned(),
            parameters: Default::default(),
            ..DeploymentDraft::default()
        }
    }

    /// Plans, confirms and records.
    pub async fn deploy(&self, draft: DeploymentDraft) -> DeploymentId {
        let name = draft.name.clone();
        self.confirm(Intent::Deploy(draft)).await;
        self.recorded(&name).await.unwrap().id
    }

    /// Plans and confirms.
    pub async fn confirm(&self, intent: Intent) {
        let preview = self.engine.preview(&intent).await.unwrap();
        self.engine.confirm(&intent, &preview.plan.hash(), "anna@here").await.unwrap();
    }

    /// The operations of a deployment, newest first.
    pub async fn operations(&self, name: &str) -> Vec<OperationView> {
        let subject = Subject {
            cluster: self.cluster.name().to_owned(),
            environment: self.environment.clone(),
            name: name.to_owned(),
        };
        self.store.operations_of(&subject, 50).await.unwrap()
    }

    /// The custom resource of a deployment.
    pub fn resource(&self, name: &str) -> Option<Arc<DeploymentResource>> {
        self.cluster.index().custom_resource(&self.environment, name)
    }

    /// Waits until the custom resource is as `condition` says.
    pub async fn until_resource(
        &self,
        name: &str,
        what: &str,
        condition: impl Fn(&DeploymentResource) -> bool,
    ) {
        let described = format!("{name}: {what}");
        let holds = || self.resource(name).filter(|resource| condition(resource)).map(|_| ());
        tokio::select! {
            () = until(&self.cluster, &described, holds) => {}
            () = self.explain(name) => {}
        }
    }

    /// Fails with all that is known before the wait itself fails without it.
    pub async fn explain(&self, name: &str) {
        tokio::time::sleep(LIMIT - std::time::Duration::from_secs(2)).await;
        panic!(
            "{name}: operations {:#?}\nresource {:#?}\nproblems {:#?}\nobjects {:#?}",
            self.operations(name).await,
            self.resource(name).map(|resource| resource.status.clone()),
            self.engine.problems(),
            self.cluster
                .index()
                .objects_of(&self.environment, name)
                .iter()
                .map(|object| (object.key.to_string(), object.verdict.headline()))
                .collect::<Vec<_>>()
        );
    }

    /// Waits until the deployment runs and is healthy, at this instance.
    pub async fn until_running(&self, name: &str, instance: u32) {
        let running = |resource: &DeploymentResource| {
            resource.status.phase.as_deref() == Some("Running")
                && resource.status.instance == Some(instance)
                && resource.status.observed_generation == Some(resource.generation)
        };
        self.until_resource(name, &format!("instance {instance} runs"), running).await;
    }

    /// Another client changes an object, as `kubectl edit` would.
    pub async fn edit(&self, key: &ObjectKey, plural: &str, patch: Value) {
        let (group, version) = key.api_version.split_once('/').unwrap();
        let resource = ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: key.api_version.clone(),
            kind: key.kind.clone(),
            plural: plural.to_owned(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.other.clone(), &key.namespace, &resource);
        let params = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
        api.patch(&key.name, &params, &Patch::Merge(&patch)).await.unwrap();
    }

    /// Another client creates an object of the core group.
    pub async fn create(&self, plural: &str, object: Value) {
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let resource = ApiResource {
            group: String::new(),
            version: "v1".to_owned(),
            api_version: "v1".to_owned(),
            kind: object.types.clone().unwrap().kind,
            plural: plural.to_owned(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.other.clone(), &self.environment, &resource);
        let params = PostParams { field_manager: Some("kubectl-create".to_owned()), ..PostParams::default() };
        api.create(&params, &object).await.unwrap();
    }

    /// The deployment as it is recorded.
    pub async fn recorded(&self, name: &str) -> Option<Deployment> {
        self.store.find_deployment(self.cluster.name(), &self.environment, name).await.unwrap()
    }

    /// The active instance.
    pub async fn active(&self, id: DeploymentId) -> Option<Instance> {
        self.store.active_instance(id).await.unwrap()
    }

    /// How many requests were sent so far, watches aside.
    pub fn requests(&self) -> usize {
        self.counters.requests.load(Ordering::SeqCst)
    }

    /// How many of them were writes.
    pub fn writes(&self) -> usize {
        self.counters.writes.load(Ordering::SeqCst)
    }

    /// Ends everything in order.
    pub async fn close(mut self) {
        self.end().await;
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
    }
}

/// A seed of its own for every sandbox: tests run side by side, and a pod's name must lead to one process only.
fn seed() -> u64 {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let count = STARTED.fetch_add(1, Ordering::SeqCst) as u64;
    (u64::from(std::process::id()) << 16) + count
}

fn engine(
    store: &Store,
    cluster: &Cluster,
    drivers: &[DriverVersion],
    (clock, reach): (&Arc<TestClock>, &Reach),
) -> Engine {
    let versions = driver::built_in().into_iter().map(|loaded| loaded.version).chain(drivers.iter().cloned());
    Engine::new(
        store.clone(),
        cluster.clone(),
        Arc::new(Drivers::new(versions)),
        Surroundings {
            clock: Arc::clone(clock) as _,
            random: Arc::new(SeededRandom::from_entropy()),
            worker: worker(),
            extension: backup::extension(store.clone(), cluster.clone(), Arc::clone(clock) as _),
            reach: reach.subscribe(),
        },
    )
}

/// The driver of the demo application as it would be without actions.
fn notes_without_actions() -> DriverVersion {
    let notes = driver::built_in().into_iter().map(|loaded| loaded.version);
    let mut files = notes.into_iter().find(|version| version.reference.name == "notes").unwrap().files;
    let spec = files.get_mut("driver.styrmin.yml").unwrap();
    let (rest, _) = spec.split_once("\n  actions:\n").unwrap();
    *spec = rest.replacen("version: \"1.1.0\"", "version: \"1.1.0-without-actions\"", 1) + "\n";
    driver::load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// What runs functions, within as little as tests need.
fn worker() -> Worker {
    let limits = Limits { processor: 3, memory: 64, ..Limits::default() };
    Worker { limits, ..Worker::new(PathBuf::from(env!("CARGO_BIN_EXE_styrmin"))) }
}

fn connect(sandbox: &Sandbox, counters: &Counters) -> Cluster {
    let service = Counting { inner: sandbox.service(), counters: counters.clone() };
    Cluster::new(Connection::from_service(service, "sandbox"), Arc::new(SystemClock))
}

fn cluster_record(cluster: &Cluster, port: u16) -> ClusterRecord {
    ClusterRecord {
        name: cluster.name().to_owned(),
        kind: cluster.kind(),
        fqdn_suffix: Some("localhost".to_owned()),
        storage_class: None,
        ingress_port: Some(port),
        ingress_tls_port: None,
    }
}

async fn record_place(store: &Store, cluster: &Cluster, environment: &str, port: u16) {
    store.upsert_cluster(&cluster_record(cluster, port)).await.unwrap();
    let environment = Environment {
        name: environment.to_owned(),
        cluster: cluster.name().to_owned(),
        namespace: environment.to_owned(),
        ingress_class: None,
        fqdn_suffix: None,
        production: false,
        ..Environment::new("", "", "")
    };
    store.upsert_environment(&environment).await.unwrap();
}
