//! A served sandbox in this process, and a client that may be as rude as it likes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use jiff::Timestamp;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use styrmin::sandbox::serve::{Credentials, Door, Limits};
use styrmin::sandbox::{Sandbox, SandboxOptions};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::wire::{self, Answer};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A sandbox that is served.
pub struct Served {
    pub sandbox: Sandbox,
    pub address: std::net::SocketAddr,
    pub credentials: Credentials,
}

impl Served {
    pub async fn start(limits: Limits) -> Self {
        let options = SandboxOptions::in_memory(7, env!("CARGO_BIN_EXE_styrmin"));
        let mut sandbox = Sandbox::start(options).await.unwrap();
        let door = Door::open("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = door.address();
        let credentials = Credentials::fresh(now()).unwrap();
        sandbox.serve(door, &credentials, limits).unwrap();
        Self { sandbox, address, credentials }
    }

    /// A connection that speaks this protocol.
    pub async fn connect(&self, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let authority = &self.credentials.certificates.authority;
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// `Authorization` with the token, as a header line.
    pub fn authorization(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.credentials.token)
    }

    /// Sends these very bytes and reads what comes back, until the server closes; `None` when that is no answer.
    pub async fn raw(&self, request: &[u8]) -> Option<Answer> {
        let stream = self.connect("http/1.1").await.ok()?;
        Some(wire::ask(stream, request).await).filter(|answer| answer.status != 0)
    }

    /// A request with the token, and a body of JSON where there is one.
    pub async fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n",
            self.authorization(),
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat()).await.expect("an answer")
    }

    /// Asserts that the sandbox still answers.
    pub async fn assert_well(&self) {
        assert_eq!(self.send("GET", "/api/v1/namespaces/default", b"").await.status, 200);
    }

    /// How many ConfigMaps are in `default`, but for those that every namespace has.
    pub async fn config_maps(&self) -> usize {
        let list = self.send("GET", "/api/v1/namespaces/default/configmaps", b"").await.json();
        let items = list["items"].as_array().unwrap();
        items.iter().filter(|item| item["metadata"]["name"] != "kube-root-ca.crt").count()
    }
}

/// Sends these very bytes.
pub async fn put(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    wire::put(stream, bytes).await.unwrap();
}

/// Reads until the server closes; `None` when that is no answer.
pub async fn read_answer(stream: &mut TlsStream<TcpStream>) -> Option<Answer> {
    Some(wire::read(stream).await).filter(|answer| answer.status != 0)
}

pub const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A ConfigMap.
pub fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "value"}})
}

#[expect(clippy::disallowed_methods, reason = "certificates are for today")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A client as any program would make it.
pub async fn client(kubeconfig: &Path) -> Client {
    let read = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// One request through a client.
pub async fn ask(client: &Client, method: &str, path: &str, body: &Value) -> kube::Result<Value> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    client.request(request.body(body).unwrap()).await
}

/// Runs a test within its time.
pub fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("in time") });
}
