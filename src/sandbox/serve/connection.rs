//! Connections: how many, how patiently, and which version of HTTP.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::front::{Front, Known};
use super::limits::Limits;

/// How long the listener rests when the system has no file for one more connection.
const REST: Duration = Duration::from_millis(50);

/// Takes connections.
pub struct Listening {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    front: Arc<Front>,
    limits: Arc<Limits>,
    http: Arc<Builder<TokioExecutor>>,
}

impl Listening {
    /// Takes connections at `listener` for `front`.
    pub fn new(listener: TcpListener, acceptor: TlsAcceptor, front: Arc<Front>, limits: Limits) -> Self {
        let http = Arc::new(protocol(&limits));
        Self { listener, acceptor, front, limits: Arc::new(limits), http }
    }

    /// Serves until `stop`, and until what was under way then has ended.
    pub async fn run(self, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let connection = self.connection(stream, stop.clone());
                        connections.spawn(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    Err(_) => tracing::warn!(
                        limit = self.limits.connections,
                        "a connection was closed at once: there are too many"
                    ),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection was lost");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }

    /// One connection, from its handshake to its end.
    fn connection(&self, stream: TcpStream, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        let (acceptor, front) = (self.acceptor.clone(), Arc::clone(&self.front));
        let (limits, http) = (Arc::clone(&self.limits), Arc::clone(&self.http));
        async move {
            // without it small answers wait for more
            stream.set_nodelay(true).ok();
            let handshake = tokio::time::timeout(limits.handshake, acceptor.accept(stream));
            let stream = tokio::select! {
                () = stop.cancelled() => return,
                done = handshake => match done {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "a TLS handshake failed");
                        return;
                    }
                    Err(_) => return,
                },
            };
            let known = Arc::new(Known::default());
            let seen = Arc::clone(&known);
            let service = service_fn(move |request: Request<Incoming>| {
                let (front, known) = (Arc::clone(&front), Arc::clone(&seen));
                async move { front.answer(request, &known).await }
            });
            let serving = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
            tokio::pin!(serving);
            let ended = tokio::select! {
                ended = &mut serving => ended,
                () = stays_unknown(&known, limits.unknown) => return,
                () = stop.cancelled() => {
                    // What is under way is finished; watches end by themselves.
                    serving.as_mut().graceful_shutdown();
                    match tokio::time::timeout(limits.farewell, serving).await {
                        Ok(ended) => ended,
                        Err(_) => return,
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
    }
}

/// Ends when nobody known has asked anything on a connection in time, and never otherwise.
async fn stays_unknown(known: &Known, time: Duration) {
    tokio::time::sleep(time).await;
    if known.is_set() {
        std::future::pending::<()>().await;
    }
}

/// HTTP/1.1 and HTTP/2 within the limits.
fn protocol(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(limits.header_bytes)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping);
    builder
}
