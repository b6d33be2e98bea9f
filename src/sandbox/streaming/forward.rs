//! `portforward`: connections to ports of a pod, over SPDY streams (also inside a WebSocket) or WebSocket channels.

mod channels;
mod streams;
mod tunnel;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::{query, socket, upgrade};
use crate::sandbox::body::Body;
use crate::sandbox::runtime::Runtime;
use crate::sandbox::status::Status;

/// Bytes read from a connection at once.
const CHUNK: usize = 32 * 1024;

/// The pod that is forwarded to.
#[derive(Clone)]
struct Target {
    pod: Arc<Value>,
    runtime: Arc<dyn Runtime>,
}

/// The client's end of one forwarded connection.
trait Outlet: Sync {
    /// Sends bytes that came from the pod; false when nobody wants them any more.
    fn send(&self, bytes: Bytes) -> impl Future<Output = bool> + Send;
}

/// Answers 101 and forwards until the client is gone.
pub(super) fn handle<B>(
    request: Request<B>,
    pod: Arc<Value>,
    pairs: &[(String, String)],
    runtime: Arc<dyn Runtime>,
) -> Result<Response<Body>, Status> {
    runtime.check_forward(&pod)?;
    let target = Target { pod, runtime };
    if !upgrade::is_websocket(request.headers()) {
        let accepted = upgrade::accept(request, &["portforward.k8s.io"])?;
        let response = accepted.response();
        tokio::spawn(async move {
            if let Some(transport) = accepted.open().await {
                streams::serve(transport, target).await;
            }
        });
        return Ok(response);
    }
    let accepted = socket::accept(request, &socket::FORWARD)?;
    let tunnelled = accepted.protocol == socket::TUNNEL;
    // In a tunnel every stream names its port.
    let ports = if tunnelled { Vec::new() } else { query::ports(pairs)? };
    let response = accepted.response();
    tokio::spawn(async move {
        let encoding = accepted.encoding();
        match accepted.open().await {
            Some(socket) if tunnelled => streams::serve(tunnel::open(socket), target).await,
            Some(socket) => channels::serve(socket, encoding, &ports, target).await,
            None => {}
        }
    });
    Ok(response)
}

impl Target {
    /// Connects to a port and carries bytes both ways until the pod's side ends. A client that has only stopped sending still
    /// gets the answer. Returns what went wrong.
    async fn relay(
        &self,
        port: u16,
        mut received: mpsc::Receiver<Bytes>,
        outlet: &impl Outlet,
    ) -> Option<String> {
        let connection = match self.runtime.connect(&self.pod, port).await {
            Ok(connection) => connection,
            Err(error) => return Some(error.to_string()),
        };
        let (mut reader, mut writer) = tokio::io::split(connection);
        let upward = async {
            while let Some(bytes) = received.recv().await {
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            writer.shutdown().await.ok();
        };
        let downward = async {
            let mut buffer = vec![0; CHUNK];
            loop {
                match reader.read(&mut buffer).await {
                    Ok(0) => return None,
                    Ok(count) if outlet.send(Bytes::copy_from_slice(&buffer[..count])).await => {}
                    Ok(_) => return None,
                    Err(error) => return Some(error.to_string()),
                }
            }
        };
        tokio::pin!(downward);
        tokio::select! {
            failed = &mut downward => failed,
            () = upward => downward.await,
        }
    }
}
