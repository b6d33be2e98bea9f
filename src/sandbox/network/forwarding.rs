//! The Services' listeners: cluster address and port → a ready endpoint, in turn.

use std::collections::HashMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::services::{ServiceKey, Services};

/// How long a listener waits after it could not accept.
const PAUSE: Duration = Duration::from_millis(100);

/// Keeps one listener per Service port that has a ready endpoint, until `stop`.
pub(super) async fn run(services: Arc<Services>, stop: CancellationToken) {
    let mut changes = services.changes();
    let mut listeners: HashMap<SocketAddrV4, Listener> = HashMap::new();
    loop {
        changes.mark_unchanged();
        let wanted = wanted(&services);
        let unwanted = listeners.extract_if(|address, listener| wanted.get(address) != Some(&listener.key));
        for (_, listener) in unwanted.collect::<Vec<_>>() {
            listener.close().await;
        }
        for (address, key) in wanted {
            if listeners.contains_key(&address) {
                continue;
            }
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let stop = stop.child_token();
                    let listening = Listening { services: Arc::clone(&services), key: key.clone(), address };
                    let task = tokio::spawn(listening.run(listener, stop.clone()));
                    listeners.insert(address, Listener { key, stop, task });
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

/// A listener that runs.
struct Listener {
    key: ServiceKey,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listener {
    /// Returns when nobody listens any more: until then the address is taken for whoever comes next.
    async fn close(self) {
        self.stop.cancel();
        self.task.await.ok();
    }
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
                        tokio::select! {
                            () = stop.cancelled() => return,
                            () = tokio::time::sleep(PAUSE) => continue,
                        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::sandbox::api::{Api, DeleteOptions};
    use crate::sandbox::clock::SystemClock;

    /// How long anything may take.
    const LIMIT: Duration = Duration::from_secs(60);

    /// A Service at `address` with one endpoint, which is `backend`.
    fn create(api: &Api, name: &str, address: SocketAddrV4, backend: SocketAddrV4) {
        let service = json!({"metadata": {"name": name, "namespace": "default"},
            "spec": {"clusterIP": address.ip().to_string(), "ports": [{"name": "p", "port": address.port()}]}});
        api.create("services", service, "test").unwrap();
        let slice = json!({"addressType": "IPv4",
            "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"name": "p", "port": backend.port()}],
            "endpoints": [{"addresses": [backend.ip().to_string()]}]});
        api.create("endpointslices.discovery.k8s.io", slice, "test").unwrap();
    }

    /// Connects until what answers says so.
    async fn until(address: SocketAddrV4, wanted: &str) {
        let asking = async {
            loop {
                let mut said = String::new();
                if let Ok(mut stream) = TcpStream::connect(address).await {
                    stream.read_to_string(&mut said).await.ok();
                }
                if said == wanted {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, asking).await.unwrap();
    }

    /// Says its name to whoever connects.
    async fn named(name: &'static str) -> SocketAddrV4 {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("not IPv4") };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::io::AsyncWriteExt::write_all(&mut stream, name.as_bytes()).await.ok();
            }
        });
        address
    }

    #[tokio::test]
    async fn an_address_that_goes_to_another_service_is_listened_on_by_it() {
        let api = Api::new(Arc::new(SystemClock), 1);
        let (first, second) = (named("first").await, named("second").await);
        let free = std::net::TcpListener::bind((std::net::Ipv4Addr::new(127, 1, 200, 1), 0)).unwrap();
        let std::net::SocketAddr::V4(address) = free.local_addr().unwrap() else { panic!("not IPv4") };
        drop(free);
        let (services, stop) = (Services::new(api.clone()), CancellationToken::new());
        let tasks = [
            tokio::spawn(Arc::clone(&services).follow(stop.clone())),
            tokio::spawn(run(services, stop.clone())),
        ];
        create(&api, "first", address, first);
        until(address, "first").await;
        // one look finds the one gone and the other there
        for resource in ["endpointslices.discovery.k8s.io", "services"] {
            api.delete(resource, "default", "first", &DeleteOptions::default()).unwrap();
        }
        create(&api, "second", address, second);
        until(address, "second").await;
        stop.cancel();
        for task in tasks {
            task.await.unwrap();
        }
    }
}
