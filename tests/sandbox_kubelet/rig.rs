//! A sandbox of parts: API server, controllers, kubelet, ingress; and ways to wait for what it does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use styrmin::sandbox::access::key::SigningKey;
use styrmin::sandbox::api::http::Server;
use styrmin::sandbox::api::{Api, Subscription};
use styrmin::sandbox::clock::{Clock, ManualClock, SystemClock};
use styrmin::sandbox::faults::Faults;
use styrmin::sandbox::kubelet::{Kubelet, NodeOptions};
use styrmin::sandbox::object;
use styrmin::sandbox::pipe::SandboxService;
use styrmin::sandbox::proxy::IngressProxy;
use styrmin::sandbox::{collector, controllers};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::wire::{self, Answer};

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Rig {
    pub api: Api,
    pub client: kube::Client,
    ingress: SocketAddr,
    directory: tempfile::TempDir,
    node: (JoinHandle<()>, CancellationToken),
    others: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_at(Arc::new(SystemClock), |_| ()).await
    }

    /// With a clock that moves only when told to, and simulated containers that take no time.
    pub async fn standing_still() -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let rig = Self::start_at(clock.clone(), |options| options.simulated_delay = Duration::ZERO).await;
        (rig, clock)
    }

    pub async fn start_at(clock: Arc<dyn Clock>, change: fn(&mut NodeOptions)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let api = Api::new(clock, 1);
        api.credentials().sign_with(SigningKey::random().unwrap());
        let stop = CancellationToken::new();
        let server = Arc::new(Server::new(api.clone(), None, stop.clone()));
        let (kubelet, node) = start_node(&api, directory.path(), change);
        server.set_runtime(kubelet);
        let proxy =
            IngressProxy::bind(api.clone(), ([127, 0, 0, 1], 0).into(), Default::default()).await.unwrap();
        let ingress = proxy.address();
        let others = vec![
            tokio::spawn(collector::run(api.clone(), stop.clone())),
            tokio::spawn(controllers::run(api.clone(), stop.clone())),
            tokio::spawn(proxy.run(stop.clone())),
        ];
        let client =
            kube::Client::new(SandboxService::new(server, Faults::new(Arc::new(SystemClock))), "default");
        Self { api, client, ingress, directory, node, others, stop }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.node.1.cancel();
        within(self.node.0).await.unwrap();
        for task in self.others {
            within(task).await.unwrap();
        }
    }

    /// Drops everything, as at an error or a panic.
    pub fn abort(self) {
        self.node.0.abort();
        for task in self.others {
            task.abort();
        }
    }

    /// Stops the node with all processes, and starts another one on the same directory and objects.
    pub async fn restart_node(&mut self) {
        self.node.1.cancel();
        within(&mut self.node.0).await.unwrap();
        self.node = start_node(&self.api, self.directory.path(), |_| ()).1;
    }

    pub fn create(&self, resource: &str, mut object: Value) {
        if object["metadata"]["namespace"].is_null() {
            object["metadata"]["namespace"] = json!("default");
        }
        self.api.create(resource, object, "test").unwrap();
    }

    /// The files that the node keeps of a pod.
    pub fn pod_directory(&self, pod: &Value) -> std::path::PathBuf {
        self.directory.path().join("pods").join(object::uid(pod))
    }

    /// What a GET of the API server says: status code and body.
    pub async fn ask(&self, path: &str) -> (u16, Value) {
        let request = http::Request::get(path).body(kube::client::Body::empty()).unwrap();
        let response = within(self.client.send(request)).await.unwrap();
        let code = response.status().as_u16();
        let bytes = within(response.into_body().collect_bytes()).await.unwrap();
        (code, serde_json::from_slice(&bytes).unwrap())
    }

    /// The demo application: database with a volume, front, services, ingress.
    pub fn create_notes(&self, version: &str) {
        let claim = json!({"metadata": {"name": "notes-data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }});
        self.create("persistentvolumeclaims", claim);
        let mut database = deployment("notes-db", &format!("styrmin/notes-db:{version}"), "/healthz", 5433);
        let spec = &mut database["spec"]["template"]["spec"];
        spec["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "notes-data"}}]);
        spec["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
        database["spec"]["strategy"] = json!({"type": "Recreate"});
        let mut front = deployment("notes-web", &format!("styrmin/notes-web:{version}"), "/readyz", 8080);
        front["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "NOTES_DB_HOST", "value": "notes-db"}, {"name": "NOTES_TITLE", "value": "My notes"}]);
        self.create("deployments.apps", database);
        self.create("deployments.apps", front);
        self.create("services", service("notes-db", 5433, 5433));
        self.create("services", service("notes-web", 80, 8080));
        self.create("ingresses.networking.k8s.io", ingress());
    }

    pub fn set_image(&self, deployment: &str, image: &str) {
        self.api
            .mutate("deployments.apps", "default", deployment, "test", |deployment| {
                deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
            })
            .unwrap()
            .unwrap();
    }

    /// The name of a pod of an application that is running and not ending.
    pub fn pod_of(&self, app: &str) -> String {
        let pods = self.api.list("pods", Some("default"));
        let pod = pods.iter().find(|pod| {
            pod["metadata"]["labels"]["app"] == app
                && pod["status"]["phase"] == "Running"
                && !object::deleting(pod)
        });
        object::name(pod.expect("a running pod")).to_owned()
    }

    /// Waits for a change; a subscription that has lost some is replaced, and everything is looked at again.
    async fn next(&self, mut changes: Subscription, resource: &str) -> Subscription {
        match changes.recv().await {
            Some(_) => changes,
            None => self.api.subscribe(resource),
        }
    }

    /// Waits until an object is as wanted.
    pub async fn until(&self, resource: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Arc<Value> {
        let mut changes = self.api.subscribe(resource);
        loop {
            if let Some(found) = self.api.get(resource, "default", name).filter(|object| wanted(object)) {
                return found;
            }
            changes = self.next(changes, resource).await;
        }
    }

    pub async fn until_any_pod(&self, wanted: impl Fn(&Value) -> bool) -> Arc<Value> {
        let mut changes = self.api.subscribe("pods");
        loop {
            if let Some(found) = self.api.list("pods", None).into_iter().find(|pod| wanted(pod)) {
                return found;
            }
            changes = self.next(changes, "pods").await;
        }
    }

    pub async fn until_gone(&self, resource: &str, name: &str) {
        let mut changes = self.api.subscribe(resource);
        while self.api.get(resource, "default", name).is_some() {
            changes = self.next(changes, resource).await;
        }
    }

    pub async fn until_event(&self, reason: &str, wanted: impl Fn(&str) -> bool) {
        self.until_event_of("", reason, wanted).await;
    }

    /// Waits for an event about an object; no name means any.
    pub async fn until_event_of(&self, name: &str, reason: &str, wanted: impl Fn(&str) -> bool) {
        let is = |event: &Value| {
            event["reason"] == reason
                && (name.is_empty() || event["involvedObject"]["name"] == name)
                && wanted(object::text(event, "/message"))
        };
        let mut changes = self.api.subscribe("events");
        loop {
            if self.api.list("events", None).iter().any(|event| is(event)) {
                return;
            }
            changes = self.next(changes, "events").await;
        }
    }

    /// Follows a pod's log until all of it, without the last newline, is as wanted.
    pub async fn until_log(&self, pod: &str, wanted: impl Fn(&str) -> bool) -> String {
        use futures::{AsyncBufReadExt, TryStreamExt};
        // There is no log before the container's first life.
        self.until("pods", pod, |pod| {
            let state = &pod["status"]["containerStatuses"][0]["state"];
            state["running"].is_object() || state["terminated"].is_object()
        })
        .await;
        let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
            kube::Api::default_namespaced(self.client.clone());
        let params = kube::api::LogParams { follow: true, ..kube::api::LogParams::default() };
        let mut lines = pods.log_stream(pod, &params).await.unwrap().lines();
        let mut log: Vec<String> = Vec::new();
        while let Some(line) = lines.try_next().await.unwrap() {
            log.push(line);
            if wanted(&log.join("\n")) {
                return log.join("\n");
            }
        }
        panic!("the log ended: {log:?}");
    }

    pub async fn get(&self, host: &str, path: &str) -> Answer {
        self.request(&wire::get(host, path)).await
    }

    pub async fn post(&self, host: &str, path: &str, body: &str) -> Answer {
        self.request(&wire::request("POST", host, path, "", body)).await
    }

    async fn request(&self, text: &str) -> Answer {
        let exchange = async {
            let stream = tokio::net::TcpStream::connect(self.ingress).await.unwrap();
            wire::ask(stream, text.as_bytes()).await
        };
        within(exchange).await
    }

    /// Asks again at every change of the cluster until the answer is as wanted.
    pub async fn until_answer(&self, host: &str, path: &str, wanted: impl Fn(&str) -> bool) {
        self.until_asked(host, path, |answer| answer.status == 200 && wanted(&answer.body)).await;
    }

    pub async fn until_status(&self, host: &str, wanted: u16) -> Answer {
        self.until_asked(host, "/", |answer| answer.status == wanted).await
    }

    async fn until_asked(&self, host: &str, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let mut changes = self.api.changes();
        loop {
            changes.mark_unchanged();
            let answer = self.get(host, path).await;
            if wanted(&answer) {
                return answer;
            }
            // The proxy follows the changes too: it may be a moment behind.
            tokio::time::timeout(Duration::from_millis(50), changes.changed()).await.ok();
        }
    }
}

type Node = (JoinHandle<()>, CancellationToken);

fn start_node(api: &Api, directory: &std::path::Path, change: fn(&mut NodeOptions)) -> (Arc<Kubelet>, Node) {
    let mut options = NodeOptions::new(directory, env!("CARGO_BIN_EXE_styrmin"));
    change(&mut options);
    let kubelet = Kubelet::new(api.clone(), options).unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(Arc::clone(&kubelet).run(stop.clone()));
    (kubelet, (task, stop))
}

/// The future's result, in time.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it took too long")
}

pub fn pod(name: &str, container: Value) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    })
}

pub fn host_container(command: &[&str]) -> Value {
    json!({
        "name": "main", "image": "styrmin/host:1", "command": command,
        "env": [{"name": "MY_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    })
}

fn deployment(name: &str, image: &str, ready: &str, port: u16) -> Value {
    let probe = json!({"httpGet": {"path": ready, "port": port}, "periodSeconds": 1});
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 2, "containers": [
                    {"name": "main", "image": image, "ports": [{"containerPort": port}], "readinessProbe": probe},
                ]},
            },
        },
    })
}

pub fn service(name: &str, port: u16, target: u16) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": port, "targetPort": target}]},
    })
}

pub fn ingress() -> Value {
    let backend = json!({"service": {"name": "notes-web", "port": {"number": 80}}});
    json!({
        "metadata": {"name": "notes"},
        "spec": {"rules": [{"host": "notes-demo.localhost", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": backend},
        ]}}]},
    })
}

/// The process id of a pod's first container.
pub fn pid(pod: &Value) -> i32 {
    let id = object::text(&pod["status"]["containerStatuses"][0], "/containerID");
    let number = id.trim_start_matches("sandbox://").split('.').next().unwrap();
    number.parse().unwrap_or_else(|_| panic!("no process id in {id}"))
}

pub fn kill(pid: i32) {
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

/// Whether a process runs; one that has ended and was not waited for does not.
pub fn alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Waits until a process has ended. Nothing tells when a process that is not ours has.
pub async fn gone(pid: i32) {
    while alive(pid) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
