//! A served sandbox in this process, and a client that may be as rude as it likes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use jiff::Timestamp;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use styrmin::sandbox::clock::SystemClock;
use styrmin::sandbox::serve::{Credentials, Door, Limits};
use styrmin::sandbox::{Sandbox, SandboxOptions};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox that is served.
pub struct Served {
    pub sandbox: Sandbox,
    pub address: std::net::SocketAddr,
    pub credentials: Credentials,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Served {
    pub async fn start(limits: Limits) -> Self {
        let mut sandbox = Sandbox::start(SandboxOptions {
            directory: None,
            seed: 7,
            clock: Arc::new(SystemClock),
            ingress: ([127, 0, 0, 1], 0).into(),
            ingress_tls: Default::default(),
            executable: env!("CARGO_BIN_EXE_styrmin").into(),
        })
        .await
        .unwrap();
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
        let mut stream = self.connect("http/1.1").await.ok()?;
        // a server that has answered need not read the rest
        let _ = try_put(&mut stream, request).await;
        read_answer(&mut stream).await
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
        assert_eq!(self.send("GET", "/api/v1/namespaces/default", b"").await.code, 200);
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
    try_put(stream, bytes).await.unwrap();
}

/// Without the flush, what TLS has taken may wait for a later write that never comes.
async fn try_put(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads until the server closes; `None` when that is no answer.
pub async fn read_answer(stream: &mut TlsStream<TcpStream>) -> Option<Answer> {
    let mut bytes = Vec::new();
    // a connection that is cut after an answer is as good as one that is closed
    let _ = stream.read_to_end(&mut bytes).await;
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let code = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { code, head, body: bytes[at + 4..].to_vec() })
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
