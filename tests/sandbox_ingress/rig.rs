//! A whole sandbox, applications in it, and ways to ask them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use styrmin::sandbox::api::Api;
use styrmin::sandbox::{Sandbox, SandboxOptions, object};

use crate::client::{self, Answer};
use crate::echo;

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(60);
pub const INGRESSES: &str = "ingresses.networking.k8s.io";
pub const POLICIES: &str = "networkpolicies.networking.k8s.io";
pub const HOME: [u8; 4] = [127, 0, 0, 1];

/// The future's result, in time.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it took too long")
}

pub struct Rig {
    pub sandbox: Sandbox,
    pub api: Api,
}

impl Rig {
    /// With these namespaces.
    pub async fn start(namespaces: &[&str]) -> Self {
        let options = SandboxOptions::in_memory(11, env!("CARGO_BIN_EXE_styrmin"));
        let sandbox = Sandbox::start(options).await.unwrap();
        let api = sandbox.api();
        for name in namespaces {
            api.create("namespaces", json!({"metadata": {"name": name}}), "test").unwrap();
        }
        Self { sandbox, api }
    }

    pub fn create(&self, resource: &str, namespace: &str, name: &str, mut object: Value) {
        object["metadata"]["name"] = json!(name);
        object["metadata"]["namespace"] = json!(namespace);
        self.api.create(resource, object, "test").unwrap();
    }

    pub fn change(&self, resource: &str, (namespace, name): (&str, &str), change: impl FnOnce(&mut Value)) {
        self.api.mutate(resource, namespace, name, "test", change).unwrap().unwrap();
    }

    /// An application that says who it is, its Service, and its Ingress for `<name>-<namespace>.localhost`.
    pub fn deploy(&self, namespace: &str, name: &str) {
        self.create("deployments.apps", namespace, name, deployment(&format!("{name} of {namespace}"), name));
        self.create("services", namespace, name, service(name, "ClusterIP"));
        let host = format!("{name}-{namespace}.localhost");
        self.create(INGRESSES, namespace, name, json!({"spec": {"rules": [rule(&host, name)]}}));
    }

    /// Asks over http from 127.0.0.1.
    pub async fn get(&self, host: &str) -> Answer {
        self.get_from(HOME, host).await
    }

    pub async fn get_from(&self, source: [u8; 4], host: &str) -> Answer {
        let stream = client::connect_from(source, self.sandbox.ingress_address()).await;
        client::get(stream, host, "/").await
    }

    /// Asks over https from 127.0.0.1.
    pub async fn get_tls(&self, host: &str) -> Answer {
        let stream = client::connect_from(HOME, self.sandbox.ingress_tls_address()).await;
        client::get(client::tls(stream, host, &[]).await.unwrap(), host, "/").await
    }

    /// Asks again until the answer is as wanted: the proxy follows the changes of the cluster a moment behind.
    pub async fn until(&self, host: &str, status: u16, part: &str) -> Answer {
        let mut changes = self.api.changes();
        let begun = std::time::Instant::now();
        loop {
            changes.mark_unchanged();
            let answer = self.get(host).await;
            if answer.status == status && answer.body.contains(part) {
                return answer;
            }
            assert!(begun.elapsed() < LIMIT, "not {status} with {part:?}: {answer:?}");
            tokio::time::timeout(Duration::from_millis(50), changes.changed()).await.ok();
        }
    }

    /// Waits for an event about an object.
    pub async fn until_event(&self, about: &str, reason: &str, part: &str) {
        let is = |event: &Arc<Value>| {
            event["reason"] == reason
                && event["involvedObject"]["name"] == about
                && object::text(event, "/message").contains(part)
        };
        let waiting = async {
            let mut changes = self.api.changes();
            while !self.api.list("events", None).iter().any(is) {
                changes.changed().await.unwrap();
            }
        };
        within(waiting).await;
    }
}

/// Pods that run the echo and say `name`.
pub fn deployment(name: &str, app: &str) -> Value {
    let program = std::env::current_exe().unwrap();
    let container = json!({
        "name": "main", "image": "styrmin/host:1",
        "command": [program, "--exact", "echo::program_of_a_pod", "--nocapture"],
        "env": [{"name": echo::NAME, "value": name}],
        "ports": [{"name": "web", "containerPort": echo::HTTP}, {"name": "tls", "containerPort": echo::HTTPS}],
        "readinessProbe": {"tcpSocket": {"port": echo::HTTP}, "periodSeconds": 1},
    });
    json!({"spec": {"replicas": 1, "selector": {"matchLabels": {"app": app}}, "template": {
        "metadata": {"labels": {"app": app}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }}})
}

pub fn service(app: &str, kind: &str) -> Value {
    json!({"spec": {"type": kind, "selector": {"app": app}, "ports": [
        {"name": "http", "port": 80, "targetPort": "web"}, {"name": "https", "port": 443, "targetPort": "tls"}]}})
}

pub fn rule(host: &str, service: &str) -> Value {
    json!({"host": host, "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"name": "http"}}}},
    ]}})
}
