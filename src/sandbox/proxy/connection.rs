//! Connections to the proxy: how many, how patiently, with TLS or without.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::balancer;
use super::exchange::Client;
use super::forward::Forwarder;
use super::hello::{self, Hello, NoHello};
use crate::sandbox::body::Body;
use crate::sandbox::serve::Limits;

/// How long a listener rests when the system has no file for one more connection.
const REST: Duration = Duration::from_millis(100);
/// For those who leave the `s` away.
const NOT_HTTPS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
    This port speaks https: write https:// in front of the address.\n";

/// Takes connections and hands their requests on.
pub(super) struct Connections {
    forwarder: Arc<Forwarder>,
    tls: TlsAcceptor,
    limits: Limits,
    places: Arc<Semaphore>,
}

impl Connections {
    pub(super) fn new(forwarder: Forwarder, tls: TlsAcceptor, limits: Limits) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limits.connections));
        Arc::new(Self { forwarder: Arc::new(forwarder), tls, limits, places })
    }

    /// Takes connections until `stop`.
    pub(super) async fn accept(
        self: &Arc<Self>,
        listener: &TcpListener,
        tls: bool,
        stop: &CancellationToken,
    ) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => self.begin(stream, Client { address, tls }, stop),
                Err(error) => {
                    tracing::warn!(%error, "a connection to the ingress was lost");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn begin(self: &Arc<Self>, stream: TcpStream, client: Client, stop: &CancellationToken) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let limit = self.limits.connections;
            tracing::warn!(limit, "a connection to the ingress was closed at once: there are too many");
            return;
        };
        let (connections, stop) = (Arc::clone(self), stop.child_token());
        tokio::spawn(async move {
            stream.set_nodelay(true).ok();
            tokio::select! {
                () = connections.serve(stream, client) => {}
                () = stop.cancelled() => {}
            }
            drop(place);
        });
    }

    async fn serve(&self, stream: TcpStream, client: Client) {
        if client.tls {
            self.serve_tls(stream, client).await;
        } else {
            self.http1(stream, client).await;
        }
    }

    /// Looks at the host that the client means before anybody answers: the connection may be for another controller.
    async fn serve_tls(&self, mut stream: TcpStream, client: Client) {
        let Ok(heard) = tokio::time::timeout(self.limits.handshake, hello::read(&mut stream)).await else {
            return;
        };
        let hello = match heard {
            Ok(hello) => hello,
            Err(NoHello::Gone) => return,
            Err(NoHello::Plain) => return farewell(stream, NOT_HTTPS).await,
            Err(NoHello::Broken(alert)) => return farewell(stream, &alert).await,
        };
        let passage = hello.host.as_deref().and_then(|host| self.forwarder.passage(host, client));
        match passage {
            Some(Ok(address)) => pass(stream, hello, client.address, address).await,
            Some(Err(refusal)) => {
                let host = hello.host.unwrap_or_default();
                tracing::info!(host, why = refusal.what, "a TLS connection to another controller was closed");
            }
            None => {
                let stream = hello::replayed(stream, hello.bytes);
                match tokio::time::timeout(self.limits.handshake, self.tls.accept(stream)).await {
                    Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                        self.http2(stream, client).await;
                    }
                    Ok(Ok(stream)) => self.http1(stream, client).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake with the ingress failed"),
                    Err(_) => {}
                }
            }
        }
    }

    async fn http1(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, client: Client) {
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.headers)
            .max_buf_size(self.limits.header_bytes);
        let service = service_fn(|request| self.answer(request, client));
        // it ends early when the client goes away
        let _ = server.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    }

    async fn http2(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, client: Client) {
        let mut server = http2::Builder::new(TokioExecutor::new());
        server
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .max_header_list_size(u32::try_from(self.limits.header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(self.limits.ping)
            .keep_alive_timeout(self.limits.ping);
        let forwarder = Arc::clone(&self.forwarder);
        let service = service_fn(move |request| {
            let forwarder = Arc::clone(&forwarder);
            async move { Ok::<_, std::convert::Infallible>(forwarder.answer(request, client).await) }
        });
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(
        &self,
        request: http::Request<Incoming>,
        client: Client,
    ) -> Result<http::Response<Body>, std::convert::Infallible> {
        Ok(self.forwarder.answer(request, client).await)
    }
}

/// Says one last thing.
async fn farewell(mut stream: TcpStream, words: &[u8]) {
    stream.write_all(words).await.ok();
    stream.shutdown().await.ok();
}

/// Carries a TLS connection, from its first byte on, to whoever holds the certificate.
async fn pass(mut stream: TcpStream, hello: Hello, client: SocketAddr, to: std::net::SocketAddrV4) {
    let mut server = match balancer::connect_from(client.ip(), to).await {
        Ok(server) => server,
        Err(error) => {
            tracing::info!(%error, %to, "a TLS connection could not be carried");
            return;
        }
    };
    server.set_nodelay(true).ok();
    if server.write_all(&hello.bytes).await.is_ok() {
        tokio::io::copy_bidirectional(&mut stream, &mut server).await.ok();
    }
}
