//! The cluster under test, and a namespace of one's own in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use styrmin::cluster::{Cluster, Connection};
use styrmin::domain::ClusterKind;
use styrmin::sandbox::{Sandbox, SandboxOptions};

use crate::things::Things;

/// The environment variable that names the kubeconfig of a real cluster.
const KUBECONFIG: &str = "STYRMIN_TEST_KUBECONFIG";

/// Declares the cases of a module: those for both kinds of cluster, and those for the sandbox alone, with the reason.
macro_rules! cases {
    ($($case:ident),* $(,)? $(; only_sandbox: $($only:ident: $why:literal),* $(,)?)?) => {
        mod on_sandbox {
            $(#[test] fn $case() { crate::ground::on_sandbox(super::$case) })*
            $($(#[test] fn $only() { crate::ground::on_sandbox(super::$only) })*)?
        }
        mod on_real {
            $(#[test] fn $case() { crate::ground::on_real(super::$case) })*
            $($(#[test] fn $only() { println!("skipped on a real cluster: {}", $why) })*)?
        }
    };
}

/// The cluster under test.
pub struct Ground {
    /// A client with every right.
    pub client: Client,
    /// The namespace of this test.
    pub namespace: String,
    /// How long anything may take.
    pub limit: Duration,
    /// The sandbox, when it is one.
    pub sandbox: Option<Sandbox>,
}

impl Ground {
    /// The cluster as Styrmin knows it.
    pub fn cluster(&self) -> Cluster {
        let connection =
            Connection { client: self.client.clone(), name: "test".to_owned(), kind: ClusterKind::Sandbox };
        Cluster::new(connection, Arc::new(styrmin::domain::SystemClock))
    }

    /// The objects of a resource, by its plural name: in this test's namespace where the resource has namespaces.
    pub fn things(&self, plural: &str) -> Things {
        Things::new(self, plural, &self.namespace)
    }

    /// The objects of a resource in another namespace.
    pub fn things_in(&self, plural: &str, namespace: &str) -> Things {
        Things::new(self, plural, namespace)
    }

    /// A name that no other test uses.
    pub fn unique(&self, base: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("{base}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// Fails the test when the future takes too long.
    pub async fn within<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        match tokio::time::timeout(self.limit, future).await {
            Ok(value) => value,
            Err(_) => panic!("{what}: not within {:?}", self.limit),
        }
    }

    async fn make_namespace(mut self) -> Self {
        self.namespace = self.unique("test");
        let namespace = json!({"metadata": {"name": self.namespace}});
        self.things("namespaces").create(namespace).await;
        // where a controller makes it, pods are refused until it is there
        let version = self.client.apiserver_version().await.expect("a version");
        let minor: u32 = version.minor.trim_end_matches('+').parse().expect("a minor version");
        let accounts = self.things("serviceaccounts");
        let usable = |account: &serde_json::Value| minor >= 24 || account.pointer("/secrets/0").is_some();
        accounts.until_is("default", "it can be used", usable).await;
        self
    }
}

/// Runs a case on a sandbox of its own.
pub fn on_sandbox(case: impl AsyncFnOnce(&Ground)) {
    block_on(async {
        let options = SandboxOptions::in_memory(7, env!("CARGO_BIN_EXE_styrmin"));
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let client = Client::new(sandbox.service(), "default");
        let limit = Duration::from_secs(60);
        let ground = Ground { client, namespace: String::new(), limit, sandbox: Some(sandbox) };
        let mut ground = ground.make_namespace().await;
        case(&ground).await;
        if let Some(sandbox) = ground.sandbox.take() {
            sandbox.stop().await;
        }
    });
}

/// Runs a case on the real cluster, when there is one.
pub fn on_real(case: impl AsyncFnOnce(&Ground)) {
    let Ok(path) = std::env::var(KUBECONFIG) else {
        println!("skipped: {KUBECONFIG} names no kubeconfig");
        return;
    };
    block_on(async {
        let kubeconfig = Kubeconfig::read_from(path).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let mut config = config.expect("a context");
        // a 429 is an answer that a case waits for
        config.default_retry = false;
        let client = Client::try_from(config).expect("a client");
        let limit = Duration::from_secs(90);
        let ground = Ground { client, namespace: String::new(), limit, sandbox: None };
        let ground = ground.make_namespace().await;
        case(&ground).await;
        let name = ground.namespace.clone();
        ground.things("namespaces").delete(&name).await;
    });
}

fn block_on(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(future);
}
