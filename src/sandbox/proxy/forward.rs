//! One request through the proxy.

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::pages::page;
use super::table::{Backend, Found, Port, Table};
use crate::sandbox::body::{Body, empty};
use crate::sandbox::network::services::Services;

/// Headers that belong to one connection only.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Answers requests by asking the pods.
#[derive(Debug)]
pub(super) struct Forwarder {
    services: Arc<Services>,
    table: Arc<RwLock<Arc<Table>>>,
    turn: AtomicUsize,
}

impl Forwarder {
    pub(super) fn new(services: Arc<Services>, table: Arc<RwLock<Arc<Table>>>) -> Self {
        Self { services, table, turn: AtomicUsize::new(0) }
    }

    /// The answer to one request.
    pub(super) async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Response<Body> {
        let host = host(&request);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner).clone();
        let backend = match table.find(name_of(&host), request.uri().path()) {
            Found::Backend(backend) => backend,
            Found::UnknownHost => {
                let hosts = table.hosts().join(", ");
                let hint = if hosts.is_empty() {
                    "No Ingress of the sandbox names a host yet.".to_owned()
                } else {
                    format!("The sandbox's Ingresses answer for: {hosts}")
                };
                return page(
                    StatusCode::NOT_FOUND,
                    &format!("No Ingress answers for the host {host}."),
                    &hint,
                );
            }
            Found::UnknownPath => {
                let what = format!("The host {host} has no rule for the path {}.", request.uri().path());
                return page(StatusCode::NOT_FOUND, &what, "See the paths of its Ingress.");
            }
        };
        let name = format!("{}/{}", backend.namespace, backend.service);
        let Some(address) = self.endpoint(&backend) else {
            let what = format!("The Service {name} has no ready endpoint.");
            return page(
                StatusCode::SERVICE_UNAVAILABLE,
                &what,
                "Its pods are starting, failing, or not there.",
            );
        };
        match exchange(request, address, client, &host).await {
            Ok(response) => response,
            Err(why) => {
                let what = format!("The Service {name} did not answer at {address}: {why}.");
                page(
                    StatusCode::BAD_GATEWAY,
                    &what,
                    "The pod is ready, but does not speak HTTP on this port now.",
                )
            }
        }
    }

    /// The ready endpoint whose turn it is.
    fn endpoint(&self, backend: &Backend) -> Option<SocketAddrV4> {
        let service = self.services.get(&backend.namespace, &backend.service)?;
        let port = match &backend.port {
            Port::Number(number) => service.port(*number)?,
            Port::Name(name) => service.port_named(name)?,
        };
        if port.backends.is_empty() {
            return None;
        }
        Some(port.backends[self.turn.fetch_add(1, Ordering::Relaxed) % port.backends.len()])
    }
}

/// The host that the client named, with its port.
fn host<B>(request: &Request<B>) -> String {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    request.uri().authority().map(|authority| authority.as_str()).or(header).unwrap_or_default().to_owned()
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

async fn exchange(
    mut request: Request<Incoming>,
    address: SocketAddrV4,
    client: SocketAddr,
    host: &str,
) -> Result<Response<Body>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).ok();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // It ends when the exchange does.
    tokio::spawn(connection.with_upgrades());
    let upgrade = upgrade_of(request.headers());
    let client_side = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
    let (mut head, body) = request.into_parts();
    head.uri = head
        .uri
        .path_and_query()
        .and_then(|path| path.as_str().parse().ok())
        .unwrap_or(Uri::from_static("/"));
    head.version = Version::HTTP_11;
    strip(&mut head.headers);
    add_forwarded(&mut head.headers, client, host);
    if let Some(upgrade) = upgrade {
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(header::UPGRADE, upgrade);
    }
    let mut response =
        sender.send_request(Request::from_parts(head, body)).await.map_err(|error| error.to_string())?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS
        && let Some(client_side) = client_side
    {
        let server_side = hyper::upgrade::on(&mut response);
        tokio::spawn(async move {
            if let (Ok(up), Ok(down)) = (client_side.await, server_side.await) {
                tokio::io::copy_bidirectional(&mut TokioIo::new(up), &mut TokioIo::new(down)).await.ok();
            }
        });
        return Ok(response.map(|_| empty()));
    }
    strip(response.headers_mut());
    Ok(response.map(|body| body.map_err(io::Error::other).boxed_unsync()))
}

/// The protocol that the client wants to change to.
fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let connection = headers.get(header::CONNECTION)?.to_str().ok()?;
    let asks = connection.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    headers.get(header::UPGRADE).filter(|_| asks).cloned()
}

/// Takes away what belongs to one connection, and what `Connection` names.
pub(in crate::sandbox) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn add_forwarded(headers: &mut HeaderMap, client: SocketAddr, host: &str) {
    let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let chain = before.map_or_else(|| client.ip().to_string(), |before| format!("{before}, {}", client.ip()));
    for (name, value) in [
        ("x-forwarded-for", chain.as_str()),
        ("x-forwarded-host", host),
        ("x-forwarded-proto", "http"),
        ("x-real-ip", &client.ip().to_string()),
        ("host", host),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port() {
        for (host, name) in [("a.localhost:8480", "a.localhost"), ("a", "a"), ("[::1]:80", "[::1]"), ("", "")]
        {
            assert_eq!(name_of(host), name);
        }
    }

    #[test]
    fn connection_headers_do_not_pass() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "x-mine, Upgrade"), ("x-mine", "1"), ("upgrade", "websocket"), ("accept", "*/*")]
        {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        assert_eq!(upgrade_of(&headers).unwrap(), "websocket");
        strip(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
        add_forwarded(&mut headers, "127.0.0.1:5".parse().unwrap(), "a.localhost:8480");
        assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
        assert_eq!(headers["host"], "a.localhost:8480");
    }
}
