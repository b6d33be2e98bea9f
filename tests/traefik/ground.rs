//! A served sandbox, and a Traefik outside of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use styrmin::sandbox::api::Api;
use styrmin::sandbox::serve::{Credentials, Door, Kubeconfig, Limits};
use styrmin::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::asking::{self, Answer};

type Log = Arc<Mutex<Vec<String>>>;

/// How long anything may take.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Traefik's ports in these tests, those of the driver.
pub const WEB: u16 = 8000;
pub const WEBSECURE: u16 = 8443;

/// The program, or why the test is skipped.
pub fn program() -> Option<PathBuf> {
    let found = match std::env::var_os("STYRMIN_TRAEFIK") {
        Some(named) => Some(PathBuf::from(named)),
        None => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let mut all = std::env::split_paths(&path).map(|directory| directory.join("traefik"));
            all.find(|path| path.is_file())
        }
    };
    if found.is_none() {
        println!("skipped: there is no traefik (.ci/traefik brings one, STYRMIN_TRAEFIK names it)");
    }
    found
}

/// Runs a case within its time, where there is a Traefik.
pub fn with_traefik(case: impl AsyncFnOnce(PathBuf)) {
    let Some(program) = program() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(3 * LIMIT, case(program)).await.expect("the whole case in its time");
    });
}

pub fn options(directory: Option<PathBuf>) -> SandboxOptions {
    let seed = u64::from(std::process::id()) << 8 | u64::from(next());
    SandboxOptions { directory, ..SandboxOptions::in_memory(seed, env!("CARGO_BIN_EXE_styrmin")) }
}

fn next() -> u8 {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    COUNT.fetch_add(1, Ordering::SeqCst)
}

#[expect(clippy::disallowed_methods, reason = "certificates are for today")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A served sandbox.
pub struct Ground {
    pub api: Api,
    sandbox: Sandbox,
    kubeconfig: PathBuf,
    home: TempDir,
}

impl Ground {
    pub async fn start() -> Self {
        let home = TempDir::new().unwrap();
        let kubeconfig = home.path().join("kubeconfig");
        let door = Door::open("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = door.address();
        let mut sandbox = Sandbox::start_reachable(options(None), Some(address)).await.unwrap();
        let credentials = Credentials::fresh(now()).unwrap();
        Kubeconfig::default().write(&kubeconfig, address, &credentials).unwrap();
        sandbox.serve(door, &credentials, Limits::default()).unwrap();
        Self { api: sandbox.api(), sandbox, kubeconfig, home }
    }

    /// Writes an object, whatever its kind.
    pub fn create(&self, object: Value) {
        let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        let resource = self.api.type_of(version, kind).unwrap_or_else(|| panic!("{version} {kind}"));
        if let Err(status) = self.api.create(&resource.qualified(), object.clone(), "test") {
            panic!("{object}: {status:?}");
        }
    }

    pub fn create_all(&self, objects: impl IntoIterator<Item = Value>) {
        objects.into_iter().for_each(|object| self.create(object));
    }

    /// Waits until an object is as `condition` says.
    pub async fn until(&self, resource: &str, place: (&str, &str), condition: impl Fn(&Value) -> bool) {
        let (namespace, name) = place;
        let mut changes = self.api.changes();
        let reached = async {
            while !self.api.get(resource, namespace, name).is_some_and(|object| condition(&object)) {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(LIMIT, reached).await.is_err() {
            panic!("{resource} {namespace}/{name}: {:?}", self.api.get(resource, namespace, name));
        }
    }

    /// Waits until a Deployment has this many ready pods.
    pub async fn until_ready(&self, namespace: &str, name: &str, count: u64) {
        let ready = |object: &Value| object["status"]["readyReplicas"].as_u64().unwrap_or(0) == count;
        self.until("deployments.apps", (namespace, name), ready).await;
    }

    /// Starts a Traefik outside of the sandbox, as an administrator of it.
    pub async fn traefik(&self, program: &PathBuf, arguments: &[&str]) -> Traefik {
        let address = Ipv4Addr::new(127, 1, u8::try_from(std::process::id() % 250).unwrap() + 1, next());
        let home = self.home.path().join(address.to_string());
        std::fs::create_dir_all(&home).unwrap();
        let mut child = Command::new(program)
            .arg(format!("--entryPoints.web.address={address}:{WEB}"))
            .arg(format!("--entryPoints.websecure.address={address}:{WEBSECURE}"))
            .args(["--entryPoints.websecure.http.tls=true", "--global.checkNewVersion=false"])
            .args(["--log.level=DEBUG", "--providers.providersThrottleDuration=50ms"])
            .args(arguments)
            .env_clear()
            .env("HOME", &home)
            .env("KUBECONFIG", &self.kubeconfig)
            .current_dir(&home)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::default();
        keep(child.stdout.take().unwrap(), &log);
        keep(child.stderr.take().unwrap(), &log);
        Traefik { address, log, child }
    }

    pub async fn stop(self) {
        self.sandbox.stop().await;
    }
}

/// Keeps what is said, line by line.
fn keep(stream: impl AsyncRead + Unpin + Send + 'static, log: &Log) {
    let (mut lines, log) = (BufReader::new(stream).lines(), Arc::clone(log));
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            log.lock().unwrap().push(line);
        }
    });
}

/// A Traefik that runs. It ends with this value.
pub struct Traefik {
    pub address: Ipv4Addr,
    log: Log,
    child: Child,
}

impl Traefik {
    pub fn web(&self) -> SocketAddr {
        SocketAddr::from((self.address, WEB))
    }

    pub fn websecure(&self) -> SocketAddr {
        SocketAddr::from((self.address, WEBSECURE))
    }

    /// Asks until the answer is as expected; fails with what Traefik said.
    pub async fn until(
        &mut self,
        what: &str,
        ask: impl AsyncFn() -> Answer,
        expected: impl Fn(&Answer) -> bool,
    ) -> Answer {
        match asking::until(what, LIMIT, ask, expected).await {
            Ok(answer) => answer,
            Err(why) => {
                let log = self.log.lock().unwrap();
                let last = log.iter().rev().take(40).rev().map(String::as_str).collect::<Vec<_>>();
                panic!("{why}; it runs: {:?}\n{}", self.child.try_wait(), last.join("\n"));
            }
        }
    }

    /// Waits until requests for a host reach the application of that title.
    pub async fn until_reached(&mut self, host: &str, title: &str) {
        let web = self.web();
        let what = format!("{host} leads to {title}");
        self.until(&what, async || asking::ask(web, host).await, |answer| answer.text.contains(title)).await;
    }
}
