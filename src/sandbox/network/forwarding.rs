//! The Services' listeners: cluster address and port → a ready endpoint, in turn.

use std::collections::HashMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::services::{ServiceKey, Services};

/// How long a listener waits after it could not accept.
const PAUSE: Duration = Duration::from_millis(100);

/// Keeps one listener per Service port that has a ready endpoint, until `stop`.
pub(super) async fn run(services: Arc<Services>, stop: CancellationToken) {
    let mut changes = services.changes();
    let mut listeners: HashMap<SocketAddrV4, (ServiceKey, CancellationToken)> = HashMap::new();
    loop {
        changes.mark_unchanged();
        let wanted = wanted(&services);
        listeners.retain(|address, (key, token)| {
            let keep = wanted.get(address) == Some(key);
            if !keep {
                token.cancel();
            }
            keep
        });
        for (address, key) in wanted {
            if listeners.contains_key(&address) {
                continue;
            }
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let token = stop.child_token();
                    let listening = Listening { services: Arc::clone(&services), key: key.clone(), address };
                    tokio::spawn(listening.run(listener, token.clone()));
                    listeners.insert(address, (key, token));
                }
                Err(error) => tracing::warn!(%error, %address, service = key.1, "the Service cannot listen"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Which addresses should be listened on: those of ports with a ready endpoint. The others refuse connections.
fn wanted(services: &Services) -> HashMap<SocketAddrV4, ServiceKey> {
    let mut wanted = HashMap::new();
    for (key, service) in services.all() {
        let Some(address) = service.address.filter(std::net::Ipv4Addr::is_loopback) else { continue };
        for port in service.ports.iter().filter(|port| !port.backends.is_empty()) {
            wanted.insert(SocketAddrV4::new(address, port.port), key.clone());
        }
    }
    wanted
}

struct Listening {
    services: Arc<Services>,
    key: ServiceKey,
    address: SocketAddrV4,
}

impl Listening {
    async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let turn = AtomicUsize::new(0);
        loop {
            let client = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => match accepted {
                    Ok((client, _)) => client,
                    Err(error) => {
                        // Out of descriptors, most likely: give others time to close some.
                        tracing::warn!(%error, address = %self.address, "a connection to a Service was lost");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                },
            };
            let backends = self.backends();
            if backends.is_empty() {
                continue;
            }
            let first = turn.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(carry(client, backends, first));
        }
    }

    fn backends(&self) -> Vec<SocketAddrV4> {
        let service = self.services.get(&self.key.0, &self.key.1);
        service
            .and_then(|service| service.port(self.address.port()).map(|port| port.backends.clone()))
            .unwrap_or_default()
    }
}

/// Connects to the backend whose turn it is, or the next that answers, and carries bytes until both sides are done.
async fn carry(mut client: TcpStream, backends: Vec<SocketAddrV4>, first: usize) {
    for step in 0..backends.len() {
        let backend = backends[(first + step) % backends.len()];
        if let Ok(mut server) = TcpStream::connect(backend).await {
            client.set_nodelay(true).ok();
            server.set_nodelay(true).ok();
            tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
            return;
        }
    }
}
