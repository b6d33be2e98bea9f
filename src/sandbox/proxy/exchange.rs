//! One request and its answer, over a connection of their own to whoever answers.

use std::io;
use std::net::SocketAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::sandbox::body::{Body, empty};

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

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    /// Whether over https.
    pub(super) tls: bool,
}

/// Asks over `stream` for what the client asks for, under the host that it named. An ingress says for whom it asks; what only
/// carries, as a load balancer, does not (`client` is none).
pub(super) async fn exchange(
    mut request: Request<Incoming>,
    stream: TcpStream,
    client: Option<Client>,
    host: &str,
) -> Result<Response<Body>, String> {
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
    join_cookies(&mut head.headers);
    if let Ok(host) = HeaderValue::from_str(host) {
        head.headers.insert(header::HOST, host);
    }
    if let Some(client) = client {
        add_forwarded(&mut head.headers, client, host);
    }
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

/// HTTP/2 may bring cookies one by one; HTTP/1.1 has one header for all (RFC 9113, 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let all: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if all.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

fn add_forwarded(headers: &mut HeaderMap, client: Client, host: &str) {
    let address = client.address.ip().to_canonical().to_string();
    let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let chain = before.map_or_else(|| address.clone(), |before| format!("{before}, {address}"));
    for (name, value) in [
        ("x-forwarded-for", chain.as_str()),
        ("x-forwarded-host", host),
        ("x-forwarded-proto", if client.tls { "https" } else { "http" }),
        ("x-real-ip", &address),
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
        let client = Client { address: "127.0.0.1:5".parse().unwrap(), tls: true };
        add_forwarded(&mut headers, client, "a.localhost:8480");
        assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
        assert_eq!(headers["x-forwarded-host"], "a.localhost:8480");
        assert_eq!(headers["x-forwarded-proto"], "https");
    }

    #[test]
    fn cookies_become_one_header() {
        let mut headers = HeaderMap::new();
        for value in ["a=1", "b=2"] {
            headers.append(header::COOKIE, HeaderValue::from_static(value));
        }
        join_cookies(&mut headers);
        assert_eq!(headers.get_all(header::COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }
}
