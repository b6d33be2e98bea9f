//! Services and their ready endpoints, kept current from the API server's changes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::sandbox::api::Api;
use crate::sandbox::object;

const SLICES: &str = "endpointslices.discovery.k8s.io";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Namespace and name.
pub type ServiceKey = (String, String);

/// What is known about a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Its cluster address; none when it is headless or an external name.
    pub address: Option<Ipv4Addr>,
    /// Its TCP ports.
    pub ports: Vec<ServicePort>,
    /// Its ready endpoints' addresses, with their host names.
    pub endpoints: Vec<(Ipv4Addr, Option<String>)>,
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// `http`; empty when it has none.
    pub name: String,
    /// The Service's own port.
    pub port: u16,
    /// Where its ready endpoints listen.
    pub backends: Vec<SocketAddrV4>,
}

impl Service {
    /// The port with this number.
    pub fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.port == number)
    }

    /// The port with this name.
    pub fn port_named(&self, name: &str) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.name == name)
    }
}

/// All Services.
#[derive(Debug)]
pub struct Services {
    api: Api,
    entries: RwLock<BTreeMap<ServiceKey, Arc<Service>>>,
    generation: watch::Sender<u64>,
}

impl Services {
    /// The Services as they are now. Call [`Services::follow`] to keep them current.
    pub fn new(api: Api) -> Arc<Self> {
        let services = Self { api, entries: RwLock::default(), generation: watch::Sender::new(0) };
        services.reload();
        Arc::new(services)
    }

    /// One Service.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Service>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<(ServiceKey, Arc<Service>)> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|(key, service)| (key.clone(), Arc::clone(service))).collect()
    }

    /// Woken when something changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Follows Services and EndpointSlices until `stop`.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let mut services = self.api.subscribe("services");
            let mut slices = self.api.subscribe(SLICES);
            self.reload();
            loop {
                let change = tokio::select! {
                    () = stop.cancelled() => return,
                    change = services.recv() => change.map(|change| {
                        let object = &change.object;
                        (object::namespace(object).to_owned(), object::name(object).to_owned())
                    }),
                    change = slices.recv() => change.map(|change| {
                        let object = &change.object;
                        (object::namespace(object).to_owned(), owner(object).to_owned())
                    }),
                };
                match change {
                    Some(key) => self.refresh(&key),
                    // Changes were lost: begin again.
                    None => break,
                }
            }
        }
    }

    fn reload(&self) {
        let mut slices: BTreeMap<ServiceKey, Vec<Arc<Value>>> = BTreeMap::new();
        for slice in self.api.list(SLICES, None) {
            let key = (object::namespace(&slice).to_owned(), owner(&slice).to_owned());
            slices.entry(key).or_default().push(slice);
        }
        let mut entries = BTreeMap::new();
        for service in self.api.list("services", None) {
            let key = (object::namespace(&service).to_owned(), object::name(&service).to_owned());
            let of_it = slices.remove(&key).unwrap_or_default();
            entries.insert(key, Arc::new(summarize(&service, &of_it)));
        }
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
        self.generation.send_modify(|generation| *generation += 1);
    }

    fn refresh(&self, key: &ServiceKey) {
        let new = self.api.get("services", &key.0, &key.1).map(|service| {
            let mut slices = self.api.list(SLICES, Some(&key.0));
            slices.retain(|slice| owner(slice) == key.1);
            Arc::new(summarize(&service, &slices))
        });
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.get(key) == new.as_ref() {
            return;
        }
        match new {
            Some(service) => entries.insert(key.clone(), service),
            None => entries.remove(key),
        };
        drop(entries);
        self.generation.send_modify(|generation| *generation += 1);
    }
}

fn owner(slice: &Value) -> &str {
    slice["metadata"]["labels"][SERVICE_NAME].as_str().unwrap_or_default()
}

fn port_number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

fn is_tcp(port: &Value) -> bool {
    port["protocol"].as_str().is_none_or(|protocol| protocol == "TCP")
}

/// A Service and its EndpointSlices as one entry.
fn summarize(service: &Value, slices: &[Arc<Value>]) -> Service {
    let ports = object::list(service, "/spec/ports");
    let ports = ports.iter().filter(|port| is_tcp(port)).filter_map(|port| {
        let name = port["name"].as_str().unwrap_or_default();
        let backends = slices.iter().flat_map(|slice| backends(slice, name)).collect();
        Some(ServicePort { name: name.to_owned(), port: port_number(&port["port"])?, backends })
    });
    let endpoints = slices.iter().flat_map(|slice| ready(slice)).flat_map(|endpoint| {
        let hostname = endpoint["hostname"].as_str().map(str::to_owned);
        addresses(endpoint).into_iter().map(move |address| (address, hostname.clone()))
    });
    Service {
        address: object::text(service, "/spec/clusterIP").parse().ok(),
        ports: ports.collect(),
        endpoints: endpoints.collect(),
    }
}

/// The endpoints of a slice that take connections; an absent condition counts as ready.
fn ready(slice: &Value) -> impl Iterator<Item = &Value> {
    object::list(slice, "/endpoints")
        .iter()
        .filter(|endpoint| endpoint["conditions"]["ready"].as_bool().unwrap_or(true))
}

fn addresses(endpoint: &Value) -> Vec<Ipv4Addr> {
    object::texts(endpoint, "/addresses").iter().filter_map(|text| text.parse().ok()).collect()
}

/// Where the ready endpoints of a slice serve the port with this name.
fn backends(slice: &Value, name: &str) -> Vec<SocketAddrV4> {
    let port = object::list(slice, "/ports")
        .iter()
        .find(|port| port["name"].as_str().unwrap_or_default() == name && is_tcp(port))
        .and_then(|port| port_number(&port["port"]));
    let Some(port) = port else { return Vec::new() };
    ready(slice).flat_map(addresses).map(|address| SocketAddrV4::new(address, port)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ready_endpoints_are_the_backends() {
        let service = json!({"spec": {"clusterIP": "127.9.200.1", "ports": [
            {"name": "http", "port": 80, "targetPort": "web"}, {"name": "dns", "port": 53, "protocol": "UDP"},
        ]}});
        let slice = json!({
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [
                {"addresses": ["127.9.1.1"], "conditions": {"ready": true}},
                {"addresses": ["127.9.1.2"], "conditions": {"ready": false}},
                {"addresses": ["127.9.1.3"], "hostname": "web-0"},
            ],
        });
        let entry = summarize(&service, &[Arc::new(slice)]);
        assert_eq!(entry.address, Some(Ipv4Addr::new(127, 9, 200, 1)));
        assert_eq!(entry.ports.len(), 1);
        let backends: Vec<String> =
            entry.port(80).unwrap().backends.iter().map(ToString::to_string).collect();
        assert_eq!(backends, ["127.9.1.1:8080", "127.9.1.3:8080"]);
        assert_eq!(entry.endpoints[1].1.as_deref(), Some("web-0"));
        assert!(entry.port_named("http").is_some() && entry.port(53).is_none());
    }

    #[test]
    fn headless_services_have_no_address() {
        assert_eq!(summarize(&json!({"spec": {"clusterIP": "None"}}), &[]), Service::default());
    }
}
