//! What a probe or a lifecycle hook does: run a command, call a URL, connect to a port, sleep.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::sandbox::kubelet::process::{Inside, Running};
use crate::sandbox::object;

/// How much of a failed command's output is told, in bytes.
const OUTPUT_MAX: u64 = 1024;

/// Where checks are directed.
pub(in crate::sandbox::kubelet) struct Target {
    /// The styrmin binary.
    pub(in crate::sandbox::kubelet) executable: PathBuf,
    /// The container.
    pub(in crate::sandbox::kubelet) inside: Arc<Inside>,
    /// The pod's address.
    pub(in crate::sandbox::kubelet) address: Ipv4Addr,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::kubelet) enum Check {
    /// Exit code 0 is good.
    Exec(Vec<String>),
    /// 200 to 399 is good.
    Http { host: Option<String>, port: u16, path: String, headers: Vec<(String, String)> },
    /// A connection is good.
    Tcp { host: Option<String>, port: u16 },
    /// Waits.
    Sleep(Duration),
    /// The sandbox does not do it: fails with this sentence.
    Refused(String),
}

impl Check {
    /// From a probe or a hook's handler; `container` resolves named ports.
    pub(in crate::sandbox::kubelet) fn read(handler: &Value, container: &Value) -> Self {
        let has = |kind: &str| handler.get(kind).filter(|value| !value.is_null());
        let host = |value: &Value| value["host"].as_str().filter(|host| !host.is_empty()).map(str::to_owned);
        if let Some(exec) = has("exec") {
            return Self::Exec(object::texts(exec, "/command").iter().map(|&word| word.to_owned()).collect());
        }
        if let Some(get) = has("httpGet") {
            if get["scheme"] == "HTTPS" {
                return Self::Refused("the sandbox does not implement HTTPS probes".into());
            }
            let Some(port) = port(&get["port"], container) else { return no_port(get) };
            let headers = object::list(get, "/httpHeaders").iter().map(|entry| {
                let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                (text("name"), text("value"))
            });
            let path = get["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
            return Self::Http { host: host(get), port, path, headers: headers.collect() };
        }
        if let Some(tcp) = has("tcpSocket") {
            let Some(port) = port(&tcp["port"], container) else { return no_port(tcp) };
            return Self::Tcp { host: host(tcp), port };
        }
        if let Some(sleep) = has("sleep") {
            return Self::Sleep(Duration::from_secs(sleep["seconds"].as_u64().unwrap_or(0)));
        }
        let kind =
            if has("grpc").is_some() { "gRPC probes" } else { "a probe without exec, httpGet or tcpSocket" };
        Self::Refused(format!("the sandbox does not implement {kind}"))
    }

    /// Does it. The error says what is wrong.
    pub(in crate::sandbox::kubelet) async fn run(&self, target: &Target) -> Result<(), String> {
        match self {
            Self::Exec(argv) => exec(argv, target).await,
            Self::Http { host, port, path, headers } => {
                let address = socket(host.as_deref(), *port, target)?;
                get(address, path, headers).await
            }
            Self::Tcp { host, port } => {
                let address = socket(host.as_deref(), *port, target)?;
                TcpStream::connect(address).await.map(drop).map_err(|error| refused(address, &error))
            }
            Self::Sleep(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Self::Refused(why) => Err(why.clone()),
        }
    }
}

fn no_port(handler: &Value) -> Check {
    Check::Refused(format!("couldn't find port: {}", handler["port"]))
}

fn port(value: &Value, container: &Value) -> Option<u16> {
    let number =
        |value: &Value| value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    let named = |name: &str| {
        object::list(container, "/ports")
            .iter()
            .find(|port| port["name"] == name)
            .and_then(|port| number(&port["containerPort"]))
    };
    number(value).or_else(|| value.as_str().and_then(|name| named(name).or_else(|| name.parse().ok())))
}

fn socket(host: Option<&str>, port: u16, target: &Target) -> Result<SocketAddr, String> {
    let address = match host {
        None => IpAddr::V4(target.address),
        Some("localhost") => IpAddr::V4(target.address),
        Some(host) => host.parse().map_err(|_| format!("the probe's host {host:?} is no address"))?,
    };
    Ok(SocketAddr::new(address, port))
}

fn refused(address: SocketAddr, error: &std::io::Error) -> String {
    let why = match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    };
    format!("dial tcp {address}: connect: {why}")
}

async fn get(address: SocketAddr, path: &str, headers: &[(String, String)]) -> Result<(), String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("Get \"http://{address}{path}\": {}", refused(address, &error)))?;
    let wrong = |error: &dyn std::fmt::Display| format!("Get \"http://{address}{path}\": {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| wrong(&error))?;
    let mut request = Request::builder().uri(path).header(header::USER_AGENT, "kube-probe/sandbox");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header(header::HOST, address.to_string());
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| wrong(&error))?;
    // It ends when the sender is dropped.
    tokio::spawn(connection);
    let status = sender.send_request(request).await.map_err(|error| wrong(&error))?.status().as_u16();
    if (200..400).contains(&status) {
        Ok(())
    } else {
        Err(format!("HTTP probe failed with statuscode: {status}"))
    }
}

async fn exec(argv: &[String], target: &Target) -> Result<(), String> {
    let command = target.inside.command(&target.executable, argv)?;
    let mut running = Running::spawn(command).map_err(|error| error.to_string())?;
    let (_, stdout, stderr) = running.pipes();
    let (code, out, err) = tokio::join!(running.wait(), collect(stdout), collect(stderr));
    match code {
        0 => Ok(()),
        code => Err(format!("command exited with {code}: {}", format!("{out}{err}").trim_end())),
    }
}

/// The beginning of a pipe's output; the rest is read and dropped, so that the process does not block on it.
async fn collect(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut text = Vec::new();
    (&mut pipe).take(OUTPUT_MAX).read_to_end(&mut text).await.ok();
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await.ok();
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn handlers_are_read_and_named_ports_resolved() {
        let container = json!({"ports": [{"name": "web", "containerPort": 8080}]});
        let read = |handler: Value| Check::read(&handler, &container);
        assert_eq!(
            read(json!({"httpGet": {"port": "web", "path": "/readyz"}})),
            Check::Http { host: None, port: 8080, path: "/readyz".into(), headers: Vec::new() }
        );
        assert_eq!(read(json!({"tcpSocket": {"port": 5433}})), Check::Tcp { host: None, port: 5433 });
        assert_eq!(read(json!({"exec": {"command": ["a", "b"]}})), Check::Exec(vec!["a".into(), "b".into()]));
        for refused in [
            json!({"httpGet": {"port": "no"}}),
            json!({"httpGet": {"port": 1, "scheme": "HTTPS"}}),
            json!({"grpc": {"port": 1}}),
            json!({}),
        ] {
            assert!(matches!(read(refused.clone()), Check::Refused(_)), "{refused}");
        }
    }
}
