//! A sandbox with one application, and ways to read and write its components.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};
use styrmin::backup::strategy::{self, Dumped, Incoming, Place, Restored, Sink, StrategyError, Wanted, Work};
use styrmin::cluster::{ApplyOptions, Cluster, Command, Connection};
use styrmin::domain::driver::{BackupTarget, ComponentSpec};
use styrmin::domain::operation::StepProgress;
use styrmin::domain::{ClusterKind, ObjectKey, Problem};
use styrmin::sandbox::{Sandbox, SandboxOptions};

/// How long anything may take before a test fails.
pub const LIMIT: Duration = Duration::from_secs(120);
/// The deployment of every test.
pub const APP: &str = "app";

/// Runs a case on a sandbox of its own.
pub fn on_sandbox(case: impl AsyncFnOnce(&Bench)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bench = Bench::start().await;
        case(&bench).await;
        bench.sandbox.stop().await;
    });
}

pub struct Bench {
    pub cluster: Cluster,
    sandbox: Sandbox,
    pub told: Mutex<Vec<StepProgress>>,
}

impl Bench {
    async fn start() -> Self {
        let options = SandboxOptions::in_memory(7, env!("CARGO_BIN_EXE_styrmin"));
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let client = kube::Client::new(sandbox.service(), "default");
        let connection = Connection { client, name: "test".to_owned(), kind: ClusterKind::Sandbox };
        let cluster = Cluster::new(connection, Arc::new(styrmin::domain::SystemClock));
        cluster.watch_namespace("default");
        let bench = Self { cluster, sandbox, told: Mutex::default() };
        bench
            .until("every watch has listed", || bench.cluster.index().is_complete("default").then_some(()))
            .await;
        bench
    }

    pub async fn until<T>(&self, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
        let mut moved = self.cluster.generation();
        let wait = async {
            loop {
                moved.mark_unchanged();
                if let Some(found) = condition() {
                    return found;
                }
                moved.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(LIMIT, wait).await {
            Ok(found) => found,
            Err(_) => {
                for object in self.cluster.index().objects("default") {
                    println!("{} {:?}", object.key, object.verdict);
                }
                for event in self.cluster.index().events("default") {
                    println!("{} {} {}", event.object, event.reason, event.message);
                }
                panic!("not within {} s: {what}", LIMIT.as_secs())
            }
        }
    }

    pub async fn apply(&self, object: Value) {
        self.cluster.apply(&object, ApplyOptions::default()).await.unwrap();
    }

    /// A component `name` of one pod with a volume `data`, whose container is this.
    pub async fn deploy(&self, name: &str, container: Value) {
        self.apply(stateful_set(name, container)).await;
        self.until_ready(name).await;
    }

    pub async fn until_ready(&self, name: &str) {
        let labels = labels(name);
        self.until(&format!("{name} is ready"), || {
            let pods = self.cluster.index().pods_of("default", &labels);
            pods.iter()
                .any(|pod| {
                    let styrmin::domain::object::Detail::Pod(detail) = &pod.detail else { return false };
                    !pod.deleting && detail.containers.iter().all(|container| container.ready)
                })
                .then_some(())
        })
        .await;
    }

    /// Scales a component, and waits until its pods are gone, or there.
    pub async fn scale(&self, name: &str, replicas: u32) {
        self.cluster.scale(&set_key(name), replicas, styrmin::domain::OperationId(1)).await.unwrap();
        if replicas > 0 {
            return self.until_ready(name).await;
        }
        let labels = labels(name);
        let gone = || self.cluster.index().pods_of("default", &labels).is_empty().then_some(());
        self.until("its pods are gone", gone).await;
    }

    pub fn wanted<'a>(
        &'a self,
        name: &'a str,
        component: &'a ComponentSpec,
        volume: Option<&'a str>,
    ) -> Wanted<'a> {
        Wanted { cluster: &self.cluster, namespace: "default", deployment: APP, name, component, volume }
    }

    pub async fn find(&self, name: &str, component: &ComponentSpec) -> Place {
        let volume = component.volumes.first().map(String::as_str);
        strategy::find(self.wanted(name, component, volume)).await.unwrap()
    }

    /// Reads a component. The bytes are there only when they were whole.
    pub async fn dump(&self, place: &Place) -> Result<(Vec<u8>, Dumped), StrategyError> {
        let kept = Kept::default();
        let sink = Memory { kept: kept.clone(), bytes: Vec::new() };
        let tell = |progress: StepProgress| self.told.lock().unwrap().push(progress);
        let work = Work { cluster: &self.cluster, place, total: None, tell: &tell };
        let dumped =
            tokio::time::timeout(LIMIT, strategy::dump(work, sink)).await.expect("it takes too long");
        let bytes = kept.0.lock().unwrap().take();
        match dumped {
            Ok(dumped) => {
                let bytes = bytes.expect("what is whole was finished");
                assert_eq!(dumped.bytes, bytes.len() as u64);
                Ok((bytes, dumped))
            }
            Err(error) => {
                assert!(bytes.is_none(), "a failed dump was finished");
                Err(error)
            }
        }
    }

    pub async fn restore(&self, place: &Place, bytes: &[u8]) -> Result<Restored, StrategyError> {
        self.bring(place, incoming(bytes)).await
    }

    pub async fn bring<S>(&self, place: &Place, incoming: Incoming<S>) -> Result<Restored, StrategyError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
    {
        let tell = |progress: StepProgress| self.told.lock().unwrap().push(progress);
        let work = Work { cluster: &self.cluster, place, total: None, tell: &tell };
        tokio::time::timeout(LIMIT, strategy::restore(work, incoming)).await.expect("it takes too long")
    }

    /// What a shell in the container prints. A script that fails fails the test.
    pub async fn sh(&self, place: &Place, script: &str, arguments: &[&str]) -> String {
        let words = ["sh", "-ec", script, "sh"].into_iter().chain(arguments.iter().copied());
        let command = Command { timeout: LIMIT, limit: 64 << 20, ..Command::new(words) };
        let executed = self.cluster.exec(&place.target, command, None).await.unwrap();
        assert_eq!(executed.code(), Some(0), "{script}: {}", executed.stderr.text());
        executed.stdout.text()
    }
}

pub fn set_key(name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "apps/v1".into(),
        kind: "StatefulSet".into(),
        namespace: "default".into(),
        name: name.into(),
    }
}

pub fn labels(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("component".to_owned(), name.to_owned())])
}

/// A component as a driver would describe it.
pub fn component(name: &str, strategy: &str, target: BackupTarget) -> ComponentSpec {
    ComponentSpec {
        labels: labels(name),
        backup: Some(strategy.to_owned()),
        backup_target: target,
        ..ComponentSpec::default()
    }
}

pub fn disk(name: &str) -> ComponentSpec {
    ComponentSpec { volumes: vec!["data".to_owned()], ..component(name, "disk", BackupTarget::default()) }
}

pub fn stateful_set(name: &str, mut container: Value) -> Value {
    container["name"] = json!("main");
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "default", "labels": {"styrmin.io/deployment": APP}},
        "spec": {
            "replicas": 1, "serviceName": name, "selector": {"matchLabels": labels(name)},
            "template": {
                "metadata": {"labels": labels(name)},
                "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}],
        },
    })
}

/// A container that does nothing, with the programs of this machine.
pub fn idle() -> Value {
    json!({"image": "styrmin/host:1", "command": ["sleep", "100000"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}]})
}

pub fn incoming(bytes: &[u8]) -> Incoming<impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<>> {
    let chunks: Vec<io::Result<Bytes>> =
        bytes.chunks(100_000).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    Incoming {
        size: bytes.len() as u64,
        stream: futures::stream::iter(chunks),
        server: String::new(),
        path: None,
        force: false,
    }
}

/// What was kept, once it is whole.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Option<Vec<u8>>>>);

/// Keeps what it is given in memory.
pub struct Memory {
    kept: Kept,
    bytes: Vec<u8>,
}

impl Sink for Memory {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Problem> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self) -> Result<(), Problem> {
        *self.kept.0.lock().unwrap() = Some(self.bytes);
        Ok(())
    }
}
