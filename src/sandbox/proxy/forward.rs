//! One request through the proxy.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::net::TcpStream;

use super::balancer;
use super::claims::Claim;
use super::exchange::{Client, exchange};
use super::explain::{self, Refusal};
use super::policies;
use super::table::{Backend, Found, Port, Table};
use super::{SharedTable, current};
use crate::sandbox::api::Api;
use crate::sandbox::body::{Body, empty};
use crate::sandbox::network::services::Services;

/// The ports of every load balancer, whatever the proxy's own are.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Answers requests by asking the pods.
#[derive(Debug)]
pub(super) struct Forwarder {
    api: Api,
    services: Arc<Services>,
    table: SharedTable,
    /// Where the proxy serves https.
    tls_port: u16,
    turn: AtomicUsize,
}

impl Forwarder {
    pub(super) fn new(api: Api, services: Arc<Services>, table: SharedTable, tls_port: u16) -> Self {
        Self { api, services, table, tls_port, turn: AtomicUsize::new(0) }
    }

    /// The answer to one request.
    pub(super) async fn answer(&self, request: Request<Incoming>, client: Client) -> Response<Body> {
        let host = host(&request);
        let table = current(&self.table);
        let answered = match table.find(name_of(&host), request.uri().path()) {
            Found::Backend(backend) => self.ask(request, &backend, client, &host).await,
            Found::Elsewhere(claim) => self.carry(request, &claim, client, &host).await,
            Found::UnknownHost => Err(unknown_host(&table, &host)),
            Found::UnknownPath => {
                let what = format!("The host {host} has no rule for the path {}.", request.uri().path());
                Err(Refusal::new(StatusCode::NOT_FOUND, what, "See the paths of its Ingress."))
            }
        };
        answered.unwrap_or_else(|refusal| refusal.page())
    }

    /// Asks a pod of the sandbox's own Ingress.
    async fn ask(
        &self,
        request: Request<Incoming>,
        backend: &Backend,
        client: Client,
        host: &str,
    ) -> Result<Response<Body>, Refusal> {
        if let Some(why) = backend.allow.refusal(client.address.ip()) {
            let what = format!("The Ingress {}/{} does not let you in.", backend.namespace, backend.ingress);
            return Err(Refusal::new(StatusCode::FORBIDDEN, what, why));
        }
        if backend.to_https && !client.tls {
            return self.send_on(&request, host);
        }
        let address = self.endpoint(backend).ok_or_else(|| explain::no_endpoint(&self.api, backend))?;
        policies::permit_ingress(&self.api, &backend.namespace, address)?;
        let silent = |why: String| explain::no_answer(&self.api, backend, address, &why);
        let stream = TcpStream::connect(address).await.map_err(|error| silent(error.to_string()))?;
        exchange(request, stream, Some(client), host).await.map_err(silent)
    }

    /// Sends a client on to https, where it asks the same again.
    fn send_on<B>(&self, request: &Request<B>, host: &str) -> Result<Response<Body>, Refusal> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = match self.tls_port {
            HTTPS => format!("https://{}{path}", name_of(host)),
            port => format!("https://{}:{port}{path}", name_of(host)),
        };
        let location = HeaderValue::try_from(location).map_err(|error| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                format!("The host {host} cannot be in a URL."),
                error.to_string(),
            )
        })?;
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }

    /// Carries a request to the load balancer of another controller.
    async fn carry(
        &self,
        request: Request<Incoming>,
        claim: &Claim,
        client: Client,
        host: &str,
    ) -> Result<Response<Body>, Refusal> {
        if client.tls {
            // a connection that was opened for another name, and may not be shared
            let hint = "Open a connection of its own for it.";
            let what = format!("{} answers for the host {host}, with its own certificate.", claim.what);
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, what, hint));
        }
        let from = client.address.ip();
        let address = balancer::lead(&self.api, &self.services, claim, (from, HTTP, self.next()))?;
        let silent = |why: String| {
            let what = format!("The load balancer at {address} did not answer: {why}.");
            Refusal::new(StatusCode::BAD_GATEWAY, what, format!("{} is served by it.", claim.what))
        };
        let stream =
            balancer::connect_from(from, address).await.map_err(|error| silent(error.to_string()))?;
        exchange(request, stream, None, host).await.map_err(silent)
    }

    /// Where the bytes of a TLS client go that means a host of another controller: `None` when the host is ours, or nobody's.
    pub(super) fn passage(&self, host: &str, client: Client) -> Option<Result<SocketAddrV4, Refusal>> {
        let claim = current(&self.table).elsewhere(name_of(host))?;
        Some(balancer::lead(&self.api, &self.services, &claim, (client.address.ip(), HTTPS, self.next())))
    }

    fn next(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
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
        Some(port.backends[self.next() % port.backends.len()])
    }
}

fn unknown_host(table: &Table, host: &str) -> Refusal {
    let hosts = table.hosts().join(", ");
    let hint = if hosts.is_empty() {
        "No Ingress of the sandbox names a host yet.".to_owned()
    } else {
        format!("The sandbox's Ingresses answer for: {hosts}")
    };
    Refusal::new(StatusCode::NOT_FOUND, format!("No Ingress answers for the host {host}."), hint)
}

/// The host that the client named, with its port.
fn host<B>(request: &Request<B>) -> String {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    request.uri().authority().map(|authority| authority.as_str()).or(header).unwrap_or_default().to_owned()
}

/// The host without its port and the dot of the root.
fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port() {
        for (host, name) in [
            ("a.localhost:8480", "a.localhost"),
            ("a", "a"),
            ("[::1]:80", "[::1]"),
            ("", ""),
            ("a.b.:80", "a.b"),
        ] {
            assert_eq!(name_of(host), name);
        }
    }
}
