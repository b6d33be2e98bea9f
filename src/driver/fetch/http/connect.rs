//! The way to a server: its addresses, a proxy's tunnel where there is one, and TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::super::url::{Login, Url, bracketed};
use super::proxy::Proxy;
use super::{Client, HttpError};
use crate::ingress::probe;

/// The longest answer of a proxy, in bytes.
const PROXY_ANSWER_LIMIT: usize = 8 << 10;

/// A connection.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection, and the proxy that requests must be addressed through (it forwards plain `http` by itself).
pub(super) struct Connected {
    pub(super) connection: Box<dyn Connection>,
    pub(super) forwarder: Option<Proxy>,
}

/// `Basic …`.
pub(in super::super) fn basic(login: &Login) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", login.user, login.password)))
}

pub(super) async fn connect(client: &Client, url: &Url) -> Result<Connected, HttpError> {
    let place = url.authority();
    let proxy = client.proxies.towards(url).map_err(|why| HttpError::Proxy {
        proxy: "of the environment".to_owned(),
        place: place.clone(),
        why,
    })?;
    let (host, port) = proxy.map_or((url.host.as_str(), url.port), |proxy| (proxy.host.as_str(), proxy.port));
    let limit = client.limits.connect;
    let slow = || HttpError::Slow { place: place.clone(), what: "did not answer", limit };
    let reached = timeout(limit, open(host, port)).await.map_err(|_| slow())?;
    let mut stream = reached.map_err(|why| match proxy {
        None => HttpError::Unreachable { place: place.clone(), why },
        Some(_) => HttpError::Proxy { proxy: format!("{host}:{port}"), place: place.clone(), why },
    })?;
    if !url.tls {
        return Ok(Connected { connection: Box::new(stream), forwarder: proxy.cloned() });
    }
    if let Some(proxy) = proxy {
        let opened = timeout(limit, tunnel(&mut stream, proxy, url)).await.map_err(|_| slow())?;
        opened.map_err(|why| HttpError::Proxy {
            proxy: format!("{host}:{port}"),
            place: place.clone(),
            why,
        })?;
    }
    let encrypted = timeout(limit, encrypt(&client.tls, stream, url)).await.map_err(|_| slow())?;
    let connection = encrypted.map_err(|why| HttpError::Tls { place: place.clone(), why })?;
    Ok(Connected { connection, forwarder: None })
}

async fn open(host: &str, port: u16) -> Result<TcpStream, String> {
    probe::connect(&probe::resolve(host, port).await?).await
}

/// Has a proxy lead on to the server (RFC 9110, §9.3.6).
async fn tunnel(stream: &mut TcpStream, proxy: &Proxy, url: &Url) -> Result<(), String> {
    let target = format!("{}:{}", bracketed(&url.host), url.port);
    let login = proxy.login.as_ref();
    let login = login.map(|login| format!("Proxy-Authorization: {}\r\n", basic(login))).unwrap_or_default();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // byte by byte: what comes after the empty line is the server's already
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_ANSWER_LIMIT {
            return Err("its answer is too long".to_owned());
        }
        answer.push(stream.read_u8().await.map_err(|_| "it closed the connection".to_owned())?);
    }
    let first = String::from_utf8_lossy(&answer);
    let first = first.lines().next().unwrap_or("");
    match first.split(' ').nth(1) {
        Some(status) if status.len() == 3 && status.starts_with('2') => Ok(()),
        _ => Err(format!("it answers '{}'", first.chars().filter(|c| !c.is_control()).collect::<String>())),
    }
}

async fn encrypt(tls: &TlsConnector, stream: TcpStream, url: &Url) -> Result<Box<dyn Connection>, String> {
    let name = ServerName::try_from(url.host.clone()).map_err(|error| error.to_string())?;
    let stream = tls.connect(name, stream).await.map_err(|error| error.to_string())?;
    Ok(Box::new(stream))
}
