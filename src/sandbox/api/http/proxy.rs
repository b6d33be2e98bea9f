//! `proxy` of pods and services: a request that is passed on to a pod, and its answer.
//!
//! It is as a real server does it, but for this: HTTPS to the pod and upgrades of the connection are refused, a request's body is
//! limited as all are, and the links in HTML are left as they are.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::call::Call;
use super::payload;
use crate::sandbox::body::{self, Body};
use crate::sandbox::object::{list, number, text};
use crate::sandbox::proxy::strip;
use crate::sandbox::runtime::Runtime;
use crate::sandbox::status::Status;

/// The resources that have it.
pub const PROXIED: [&str; 2] = ["pods", "services"];

/// Answers `…/{name}/proxy/{path}`; the name may have a scheme and a port: `http:web:80`.
pub async fn answer<B>(
    call: &Call,
    request: Request<B>,
    runtime: Option<Arc<dyn Runtime>>,
) -> Result<Response<Body>, Status>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = call.kind.storage() == "services";
    let (_, id) = call.key();
    let wanted = Wanted::parse(id).ok_or_else(|| {
        let kind = if service { "service" } else { "pod" };
        Status::bad_request(format!("invalid {kind} request {id:?}"))
    })?;
    let (pod, port) = if service { of_service(call, &wanted)? } else { of_pod(call, &wanted)? };
    if wanted.scheme == "https" {
        return Err(Status::not_implemented("a proxy to HTTPS"));
    }
    let headers = request.headers();
    if headers.contains_key(header::UPGRADE) {
        return Err(Status::not_implemented("upgrades of a connection through a proxy"));
    }
    let Some(path) = path_of(request.uri().path()) else {
        return Ok(moved(&request));
    };
    let runtime = runtime.ok_or_else(|| Status::not_implemented("a proxy without a node"))?;
    let prefix = request.uri().path().strip_suffix(path).unwrap_or_default().to_owned();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let passed_on = format!("{path}{query}");
    let host = format!("{}:{port}", text(&pod, "/status/podIP"));
    let (head, body) = request.into_parts();
    let mut inner = Request::new(Full::new(payload::read(body).await?));
    *inner.method_mut() = head.method;
    *inner.version_mut() = Version::HTTP_11;
    *inner.uri_mut() =
        passed_on.parse().map_err(|_| Status::bad_request(format!("invalid path {passed_on:?}")))?;
    *inner.headers_mut() = passed_headers(head.headers, &host);
    let mut answer = exchange(inner, &pod, port, runtime.as_ref()).await.map_err(|why| {
        let message = format!("error trying to reach service: dial tcp {host}: {why}");
        Status::new(503, "ServiceUnavailable", message)
    })?;
    strip(answer.headers_mut());
    move_location(answer.headers_mut(), &prefix, &host);
    Ok(answer)
}

/// What a name asks for.
struct Wanted<'a> {
    scheme: &'a str,
    name: &'a str,
    /// A number or a name; empty when none is given.
    port: &'a str,
}

impl<'a> Wanted<'a> {
    fn parse(id: &'a str) -> Option<Self> {
        let parts: Vec<&str> = id.split(':').collect();
        let (scheme, name, port) = match parts.as_slice() {
            [name] => ("", *name, ""),
            [name, port] => ("", *name, *port),
            [scheme @ ("" | "http" | "https"), name, port] => (*scheme, *name, *port),
            _ => return None,
        };
        (!name.is_empty()).then_some(Self { scheme, name, port })
    }
}

/// The pod by its name, and its first port when none is named.
fn of_pod(call: &Call, wanted: &Wanted<'_>) -> Result<(Arc<Value>, u16), Status> {
    let (namespace, _) = call.key();
    let pod = call.api.get("pods", namespace, wanted.name);
    let pod = pod.ok_or_else(|| Status::not_found("pods", wanted.name))?;
    let port = match wanted.port {
        "" => {
            let ports = list(&pod, "/spec/containers").iter().flat_map(|container| list(container, "/ports"));
            ports.filter_map(|port| number_of(&port["containerPort"])).next().unwrap_or(80)
        }
        port => port
            .parse()
            .map_err(|_| Status::bad_request(format!("invalid pod request \"{}:{port}\"", wanted.name)))?,
    };
    if text(&pod, "/status/podIP").is_empty() {
        return Err(Status::bad_request("address not allowed"));
    }
    Ok((pod, port))
}

/// A ready pod behind a Service.
fn of_service(call: &Call, wanted: &Wanted<'_>) -> Result<(Arc<Value>, u16), Status> {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let (namespace, id) = call.key();
    let unavailable = |message: String| Status::new(503, "ServiceUnavailable", message);
    let service = call.api.get("services", namespace, wanted.name);
    let service = service.ok_or_else(|| Status::not_found("services", wanted.name))?;
    let mut port_name = wanted.port.to_owned();
    if let Ok(port) = wanted.port.parse::<i64>() {
        let known = list(&service, "/spec/ports").iter().find(|known| number(known, "/port") == Some(port));
        let known = known.ok_or_else(|| {
            unavailable(format!("no service port {port} found for service {:?}", wanted.name))
        })?;
        port_name = text(known, "/name").to_owned();
    }
    let endpoints = call.api.get("endpoints", namespace, wanted.name);
    let endpoints = endpoints.ok_or_else(|| Status::not_found("endpoints", wanted.name))?;
    let subsets = list(&endpoints, "/subsets");
    if subsets.is_empty() {
        return Err(unavailable(format!("no endpoints available for service {:?}", wanted.name)));
    }
    let mut found: Vec<(Arc<Value>, u16)> = Vec::new();
    for subset in subsets {
        let port = list(subset, "/ports").iter().find(|port| text(port, "/name") == port_name);
        let Some(port) = port.and_then(|port| number_of(&port["port"])) else { continue };
        for address in list(subset, "/addresses") {
            // where no pod stands behind an address, nobody knows what does
            let pod = call.api.get("pods", namespace, text(address, "/targetRef/name"));
            let pod = pod.filter(|pod| text(pod, "/status/podIP") == text(address, "/ip"));
            found.extend(pod.map(|pod| (pod, port)));
        }
    }
    if found.is_empty() {
        return Err(unavailable(format!("no endpoints available for service {id:?}")));
    }
    Ok(found.swap_remove(TURN.fetch_add(1, Ordering::Relaxed) % found.len()))
}

fn number_of(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok())
}

/// What of a path is the pod's: everything after `/proxy`; none when nothing is.
fn path_of(path: &str) -> Option<&str> {
    // /api/v1/namespaces/{namespace}/services/{name}/proxy/…
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.nth(7).map(|at| &path[at..])
}

/// A browser would take relative links for those of the API server.
fn moved<B>(request: &Request<B>) -> Response<Body> {
    let mut response = Response::new(body::empty());
    if [Method::GET, Method::HEAD].contains(request.method()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
        if let Ok(location) = HeaderValue::from_str(&format!("{}/{query}", request.uri().path())) {
            response.headers_mut().insert(header::LOCATION, location);
        }
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// The client's headers, without what is meant for the API server.
fn passed_headers(mut headers: HeaderMap, host: &str) -> HeaderMap {
    strip(&mut headers);
    for name in [header::AUTHORIZATION, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    if !headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(host)
    {
        headers.insert(header::HOST, host);
    }
    headers
}

/// A redirect to the pod's own paths stays on the proxy.
fn move_location(headers: &mut HeaderMap, prefix: &str, host: &str) {
    let Some(location) = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()) else { return };
    let own = location.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host)).unwrap_or(location);
    if !own.starts_with('/') || own.starts_with("//") {
        return;
    }
    if let Ok(location) = HeaderValue::from_str(&format!("{prefix}{own}")) {
        headers.insert(header::LOCATION, location);
    }
}

async fn exchange(
    request: Request<Full<Bytes>>,
    pod: &Value,
    port: u16,
    runtime: &dyn Runtime,
) -> Result<Response<Body>, String> {
    let connection = runtime.connect(pod, port).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(connection))
        .await
        .map_err(|error| error.to_string())?;
    // it ends when the exchange does
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    Ok(response.map(|body| body.map_err(io::Error::other).boxed_unsync()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_scheme_and_a_port() {
        let parts = |id| Wanted::parse(id).map(|wanted| (wanted.scheme, wanted.name, wanted.port));
        assert_eq!(parts("web"), Some(("", "web", "")));
        assert_eq!(parts("web:http"), Some(("", "web", "http")));
        assert_eq!(parts("https:web:443"), Some(("https", "web", "443")));
        assert_eq!(parts("http:web:"), Some(("http", "web", "")));
        for bad in ["", ":80", "ftp:web:21", "a:b:c:d"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_rest_of_the_path_is_the_pods() {
        let base = "/api/v1/namespaces/n/services/web:80/proxy";
        assert_eq!(path_of(&format!("{base}/a%2Fb//c/")), Some("/a%2Fb//c/"));
        assert_eq!((path_of(&format!("{base}/")), path_of(base)), (Some("/"), None));
    }

    #[test]
    fn redirects_stay_on_the_proxy() {
        for (location, expected) in [
            ("/login", "/p/login"),
            ("http://127.2.1.1:80/x?y=1", "/p/x?y=1"),
            ("https://elsewhere/x", "https://elsewhere/x"),
            ("//elsewhere/x", "//elsewhere/x"),
            ("below", "below"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_static(location));
            move_location(&mut headers, "/p", "127.2.1.1:80");
            assert_eq!(headers[header::LOCATION], expected);
        }
    }
}
