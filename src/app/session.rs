//! One run's connections: the records, the cluster, the engine; and who leads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::backups::schedules;
use super::home::SandboxHome;
use super::leader::{self, Leader, Office, Taken, identity};
use super::lock::EngineLock;
use super::paths::Paths;
use super::probes::{self, Probes};
use super::route::SandboxRoute;
use super::world::{DeploymentRecord, Observed, Records};
use super::{Options, Target, classes, drivers};
use crate::backup;
use crate::cluster::{Cluster, Connection, LeaseTimes};
use crate::domain::route::RouteKind;
use crate::domain::world::{ClusterView, EngineView};
use crate::domain::{Clock, ClusterKind, ClusterRecord, Instance, InstanceState, Problem};
use crate::hooks::Worker;
use crate::reconcile::{Drivers, Engine, SeededRandom, Surroundings};
use crate::store::{EngineRecord, Holder, Store};

/// The setting that holds the theme a person chose.
pub const THEME: &str = "theme";
/// The most operations that are shown.
const OPERATIONS: u32 = 200;
/// How long to wait for the engine after it was asked for: longer than a dead holder's Lease takes to lapse.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long after a failure the cluster is asked for its version again, at least.
const AGAIN: Duration = Duration::from_secs(2);

/// The file of this very program, also when another one lies under its name by now.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

/// What everything else acts through. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    /// The records.
    pub store: Store,
    /// The cluster.
    pub cluster: Cluster,
    /// The engine.
    pub engine: Engine,
    /// What asks the URLs of routes whether they answer.
    pub probes: Probes,
    /// This process, as an engine's holder.
    pub me: Holder,
    /// The present.
    pub clock: Arc<dyn Clock>,
    version: Arc<OnceLock<String>>,
    /// What is worth knowing about its ingress classes.
    classes: classes::Warnings,
    actor: Arc<str>,
}

/// A session and what must be run beside it.
pub struct Opened {
    /// The session.
    pub session: Session,
    /// Who runs the engine whenever it is this process's turn, and the sandbox with it.
    pub leader: Leader,
    /// The way to the embedded cluster, when it is the one in use.
    pub sandbox: Option<SandboxRoute>,
    /// What could not be used, and was left out.
    pub notices: Vec<Problem>,
}

/// Opens the records and the cluster; nothing is written to a cluster that is not the sandbox. Where no other process of
/// the state directory has the engine it is taken at once, and the sandbox started.
///
/// # Errors
/// When something without which nothing can go on is missing or broken: the message says which, where, and what to do.
pub async fn open(
    options: &Options,
    paths: &Paths,
    store: Store,
    clock: Arc<dyn Clock>,
) -> Result<Opened, Problem> {
    let (home, connection) = connect(options, paths, &store).await?;
    let me = identity::fresh();
    let lock = EngineLock::new(&paths.state, &connection.name)?;
    let held = lock.try_take(&me)?;
    let sandbox = match (&home, &held) {
        (Some(home), Some(_)) => Some(home.start(&store, false).await?),
        _ => None,
    };
    let loaded = drivers::read(options, &paths.config)?;
    let (loaded, notices) = loaded.record(&store, paths, &clock).await?;
    let cluster = Cluster::new(connection, Arc::clone(&clock));
    if sandbox.is_some() {
        leader::prepare(&cluster).await?;
    }
    let known = Arc::new(Drivers::new(loaded));
    let probes = Probes::new(probes::from_here(Arc::clone(&clock)));
    let surroundings = Surroundings {
        clock: Arc::clone(&clock),
        random: Arc::new(SeededRandom::from_entropy()),
        worker: Worker::new(options.executable.clone().unwrap_or_else(|| PathBuf::from(OWN_EXECUTABLE))),
        extension: backup::extension(store.clone(), cluster.clone(), Arc::clone(&clock)),
        reach: probes.reach(),
    };
    let engine = Engine::new(store.clone(), cluster.clone(), known, surroundings);
    let route = home.as_ref().map(|home| home.route.clone());
    let office = Office {
        store: store.clone(),
        cluster: cluster.clone(),
        engine: engine.clone(),
        clock: Arc::clone(&clock),
        me: me.clone(),
        lock,
        home,
        times: LeaseTimes::default(),
    };
    let leader = Leader::new(office, held.map(|lock| Taken { lock, sandbox }));
    let session = Session {
        store,
        cluster,
        engine,
        probes,
        me,
        clock,
        version: Arc::default(),
        classes: Arc::default(),
        actor: whoami().into(),
    };
    Ok(Opened { session, leader, sandbox: route, notices })
}

/// The way to the cluster; with the sandbox's home when that is it.
async fn connect(
    options: &Options,
    paths: &Paths,
    store: &Store,
) -> Result<(Option<SandboxHome>, Connection), Problem> {
    let in_pod = options.target == Target::DetectInPod && !detected() && Connection::in_pod();
    let connection = match kubeconfig(&options.target) {
        _ if in_pod => Connection::from_pod()?,
        Some((path, context)) => Connection::from_kubeconfig(path.as_deref(), context.as_deref()).await?,
        None => {
            let home = SandboxHome::new(options, paths)?;
            let connection = Connection::from_service(home.route.clone(), ClusterKind::Sandbox.as_str());
            return Ok((Some(home), connection));
        }
    };
    let record = recorded(store, &connection.name, connection.kind).await?;
    store.upsert_cluster(&record).await?;
    Ok((None, connection))
}

/// The person's name and the machine's, as the system knows them.
pub fn whoami() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{host}")
}

/// The kubeconfig to use, as path and context; none for the sandbox.
fn kubeconfig(target: &Target) -> Option<(Option<PathBuf>, Option<String>)> {
    match target {
        Target::Sandbox => None,
        Target::Kubeconfig { path, context } => Some((path.clone(), context.clone())),
        Target::Detect | Target::DetectInPod => detected().then_some((None, None)),
    }
}

/// Whether the person has a kubeconfig: `$KUBECONFIG` is set, or `~/.kube/config` is there.
fn detected() -> bool {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|value| !value.is_empty());
    let usual = std::env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"));
    named || usual.is_some_and(|path| path.exists())
}

async fn recorded(store: &Store, name: &str, kind: ClusterKind) -> Result<ClusterRecord, Problem> {
    let known = store.cluster(name).await?;
    Ok(known.unwrap_or_else(|| ClusterRecord {
        name: name.to_owned(),
        kind,
        fqdn_suffix: None,
        storage_class: None,
        ingress_port: None,
        ingress_tls_port: None,
    }))
}

impl Session {
    /// Who sits here, as operations name them: `anna@jump-1`.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Starts the watches, and asks the cluster for its version.
    pub fn start(&self) {
        self.cluster.watch_deployments();
        let session = self.clone();
        tokio::spawn(async move { session.greet().await });
        tokio::spawn(classes::follow(self.cluster.clone(), Arc::clone(&self.classes)));
    }

    async fn greet(&self) {
        let mut moved = self.cluster.generation();
        loop {
            if let Ok(version) = self.cluster.version().await {
                // a second answer would be the same
                let _ = self.version.set(version);
                self.cluster.index().touch();
                return;
            }
            // news of the cluster is a sign that it answers by now
            tokio::time::sleep(AGAIN).await;
            if moved.changed().await.is_err() {
                return;
            }
        }
    }

    /// Reads the records of this cluster.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub async fn records(&self) -> Result<Records, Problem> {
        let cluster = self.cluster.name();
        let mut deployments = Vec::new();
        for deployment in self.store.deployments(cluster).await? {
            let history: Vec<_> =
                self.store.instances(deployment.id).await?.into_iter().map(Arc::new).collect();
            let newest = history.first().map(|instance| Instance::clone(instance));
            let active = history.iter().find(|instance| instance.state == InstanceState::Active);
            let active = active.map(|instance| Instance::clone(instance));
            deployments.push(DeploymentRecord { deployment, newest, active, history });
        }
        Ok(Records {
            cluster: self.store.cluster(cluster).await?,
            engine: self.store.engine(cluster).await?,
            environments: self.store.environments(cluster).await?,
            drivers: self.store.drivers().await?.into_iter().map(Arc::new).collect(),
            deployments,
            operations: (self.store.operations(cluster, OPERATIONS).await?)
                .into_iter()
                .map(Arc::new)
                .collect(),
            backups: self.store.backups(cluster).await?.into_iter().map(Arc::new).collect(),
            locations: self.store.locations().await?,
            schedules: schedules::views(&self.store, cluster, self.clock.now()).await?,
            findings: self.store.findings(cluster).await?,
        })
    }

    /// What the watches hold of a namespace and its deployments.
    pub fn observed<'a>(&self, namespace: &str, deployments: impl Iterator<Item = &'a str>) -> Observed {
        let index = self.cluster.index();
        let resources = index.custom_resources();
        let here = resources.iter().filter(|resource| resource.namespace == namespace);
        let unseen = RouteKind::ALL.iter().map(|kind| kind.as_str()).chain(["Service"]);
        Observed {
            complete: index.is_complete(namespace),
            unseen: unseen.filter(|kind| !index.sees(namespace, kind)).map(str::to_owned).collect(),
            objects: deployments.map(|name| (name.to_owned(), index.objects_of(namespace, name))).collect(),
            events: index.events(namespace),
            conditions: here.map(|resource| (resource.name.clone(), resource.conditions())).collect(),
        }
    }

    /// The cluster, as it is shown.
    pub fn cluster_view(&self, records: &Records) -> ClusterView {
        let unrecorded = || SandboxHome::record(None, None);
        let sandbox = self.cluster.kind() == ClusterKind::Sandbox;
        ClusterView {
            record: records.cluster.clone().or_else(|| sandbox.then(unrecorded)),
            link: self.cluster.link(),
            version: self.version.get().cloned(),
            installed: self.cluster.installed(),
            warnings: self.cluster.outdated().into_iter().chain(classes::read(&self.classes)).collect(),
        }
    }

    /// Where the engine runs, as the records say.
    pub fn engine_view(&self, records: &Records) -> EngineView {
        let Some(record) = &records.engine else { return EngineView::Unknown };
        let Some(holder) = &record.holder else { return EngineView::None };
        let (epoch, since) = (record.epoch, record.since);
        match holder.identity == self.me.identity {
            true => EngineView::Here { epoch, since },
            false => EngineView::Elsewhere { holder: identity::describe(holder), since: Some(since), epoch },
        }
    }

    /// Asks for the engine, and waits until it runs here: a sentence that says so.
    ///
    /// # Errors
    /// Nobody has it to give, or whoever has it does not hand it over in time; then the request is taken back.
    pub async fn take_over(&self) -> Result<String, Problem> {
        let cluster = self.cluster.name();
        let mut changes = self.store.changes();
        let holder = self.store.engine(cluster).await?.and_then(|record| record.holder);
        let Some(holder) = holder else {
            return Err(Problem::new(
                "The engine cannot be taken over",
                "nobody runs it: it begins here as soon as nothing is in its way",
                "look at the messages; the log in the state directory has them all",
            ));
        };
        if holder.identity == self.me.identity {
            return Ok("The engine runs here already".to_owned());
        }
        self.store.request_takeover(cluster, &self.me.identity).await?;
        let arrival = async {
            loop {
                if let Some(epoch) = self.epoch_here(self.store.engine(cluster).await?) {
                    return Ok(format!("The engine runs here now, as number {epoch}"));
                }
                if changes.changed().await.is_err() {
                    return Err(Problem::from(crate::store::StoreError::Closed));
                }
            }
        };
        if let Ok(arrived) = tokio::time::timeout(PATIENCE, arrival).await {
            return arrived;
        }
        self.store.drop_takeover(cluster, &self.me.identity).await?;
        let who = identity::describe(&holder);
        Err(Problem::new(
            "The engine was not handed over",
            format!("{who} did not answer within {} s", PATIENCE.as_secs()),
            format!("end that process ({who}); the engine comes here by itself then"),
        ))
    }

    fn epoch_here(&self, record: Option<EngineRecord>) -> Option<u64> {
        let record = record?;
        (record.holder?.identity == self.me.identity).then_some(record.epoch)
    }

    /// Remembers the theme for the next start. A failure is of no consequence for anything else.
    pub async fn remember_theme(&self, name: &str) {
        if let Err(error) = self.store.set_setting(THEME, name).await {
            tracing::warn!(%error, "the theme is not remembered");
        }
    }
}
