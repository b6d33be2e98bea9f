//! Services, endpoints, ingresses and network policies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::column::{Cell, Column, Row};
use super::text::{self, NONE, UNSET, field};

/// How many addresses, ports or hosts a cell names.
const SHOWN: usize = 3;

/// The columns of services.
pub const SERVICES: &[Column] = &[
    Column::name(),
    Column::new("Type", "How the service can be reached.", Cell::Text("/spec/type", "")),
    Column::new("Cluster-IP", "Its address inside the cluster.", Cell::Made(cluster_ip)),
    Column::new("External-IP", "Its addresses outside the cluster.", Cell::Made(external_ip)),
    Column::new("Port(s)", "Its ports, with those on the nodes.", Cell::Made(service_ports)),
    Column::age(),
    Column::new("Selector", "Which pods are meant.", Cell::Made(service_selector)).wide(),
];

/// The columns of endpoints.
pub const ENDPOINTS: &[Column] = &[
    Column::name(),
    Column::new("Endpoints", "The first addresses with their ports.", Cell::Made(endpoints)),
    Column::age(),
];

/// The columns of endpoint slices.
pub const ENDPOINT_SLICES: &[Column] = &[
    Column::name(),
    Column::new("AddressType", "What kind of addresses it has.", Cell::Text("/addressType", "")),
    Column::new("Ports", "The first ports.", Cell::Made(slice_ports)),
    Column::new("Endpoints", "The first addresses.", Cell::Made(slice_endpoints)),
    Column::age(),
];

/// The columns of ingresses.
pub const INGRESSES: &[Column] = &[
    Column::name(),
    Column::new(
        "Class",
        "The ingress class that is to serve it.",
        Cell::Text("/spec/ingressClassName", NONE),
    ),
    Column::new("Hosts", "The first hosts of its rules.", Cell::Made(hosts)),
    Column::new("Address", "Where it is served.", Cell::Made(ingress_address)),
    Column::new("Ports", "The ports on which it is served.", Cell::Made(ingress_ports)),
    Column::age(),
];

/// The columns of ingress classes.
pub const INGRESS_CLASSES: &[Column] = &[
    Column::name(),
    Column::new("Controller", "The controller that serves the class.", Cell::Text("/spec/controller", "")),
    Column::new("Parameters", "The object with more about the class.", Cell::Made(parameters)),
    Column::age(),
];

/// The columns of network policies.
pub const NETWORK_POLICIES: &[Column] = &[
    Column::name(),
    Column::new("Pod-Selector", "Which pods are meant.", Cell::Made(pod_selector)),
    Column::age(),
];

fn cluster_ip(row: &Row<'_>) -> Value {
    // objects of an older sandbox lack the list
    let addresses = row.texts("/spec/clusterIPs");
    let address = addresses.first().copied().unwrap_or_else(|| row.text("/spec/clusterIP"));
    Value::from(if address.is_empty() { NONE } else { address })
}

fn external_ip(row: &Row<'_>) -> Value {
    let mut addresses: Vec<String> = row.texts("/spec/externalIPs").into_iter().map(str::to_owned).collect();
    let missing = match row.text("/spec/type") {
        "ClusterIP" | "NodePort" => NONE,
        "LoadBalancer" => {
            let own = balancer_addresses(row);
            addresses.splice(0..0, own);
            "<pending>"
        }
        "ExternalName" => return Value::from(row.text("/spec/externalName")),
        _ => return Value::from("<unknown>"),
    };
    Value::from(if addresses.is_empty() { missing.to_owned() } else { addresses.join(",") })
}

/// The addresses or host names of a load balancer, each once, in order.
fn balancer_addresses(row: &Row<'_>) -> BTreeSet<String> {
    let ingress = row.items("/status/loadBalancer/ingress").iter();
    let address = |one: &Value| match field(one, "ip") {
        "" => field(one, "hostname").to_owned(),
        ip => ip.to_owned(),
    };
    ingress.map(address).filter(|address| !address.is_empty()).collect()
}

fn service_ports(row: &Row<'_>) -> Value {
    let port = |port: &Value| {
        let (number, protocol) = (port["port"].as_i64().unwrap_or(0), field(port, "protocol"));
        match port["nodePort"].as_i64().unwrap_or(0) {
            0 => format!("{number}/{protocol}"),
            node => format!("{number}:{node}/{protocol}"),
        }
    };
    let ports: Vec<String> = row.items("/spec/ports").iter().map(port).collect();
    Value::from(if ports.is_empty() { NONE.to_owned() } else { ports.join(",") })
}

fn service_selector(row: &Row<'_>) -> Value {
    Value::from(text::labels(row.object.pointer("/spec/selector")))
}

fn endpoints(row: &Row<'_>) -> Value {
    let mut all = Vec::new();
    for subset in row.items("/subsets") {
        let list = |name: &str| subset.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (addresses, ports) = (list("addresses"), list("ports"));
        if ports.is_empty() {
            all.extend(addresses.iter().map(|address| field(address, "ip").to_owned()));
        }
        for port in ports {
            let number = port["port"].as_i64().unwrap_or(0);
            all.extend(addresses.iter().map(|address| with_port(field(address, "ip"), number)));
        }
    }
    if row.items("/subsets").is_empty() {
        return Value::from(NONE);
    }
    Value::from(text::first_of(&all[..all.len().min(SHOWN)], all.len()))
}

fn with_port(address: &str, port: i64) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn slice_ports(row: &Row<'_>) -> Value {
    let port = |port: &Value| match (port["port"].as_i64(), port["name"].as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    };
    some_of(&row.items("/ports").iter().map(port).collect::<Vec<_>>())
}

fn slice_endpoints(row: &Row<'_>) -> Value {
    let addresses = row.items("/endpoints").iter().filter_map(|endpoint| endpoint["addresses"].as_array());
    some_of(&addresses.flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
}

fn some_of(all: &[String]) -> Value {
    let text = text::first_of(&all[..all.len().min(SHOWN)], all.len());
    Value::from(if text.is_empty() { UNSET.to_owned() } else { text })
}

/// Rules without a host count among those that are not shown, as in a real server.
fn hosts(row: &Row<'_>) -> Value {
    let rules = row.items("/spec/rules");
    let mut shown: Vec<String> = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= shown.len() == SHOWN;
        let host = field(rule, "host");
        if !more && !host.is_empty() {
            shown.push(host.to_owned());
        }
    }
    Value::from(match () {
        () if shown.is_empty() => "*".to_owned(),
        () if more => text::first_of(&shown, rules.len()),
        () => shown.join(","),
    })
}

fn ingress_address(row: &Row<'_>) -> Value {
    Value::from(balancer_addresses(row).into_iter().collect::<Vec<_>>().join(","))
}

fn ingress_ports(row: &Row<'_>) -> Value {
    Value::from(if row.items("/spec/tls").is_empty() { "80" } else { "80, 443" })
}

fn parameters(row: &Row<'_>) -> Value {
    let Some(parameters) = row.object.pointer("/spec/parameters").filter(|found| found.is_object()) else {
        return Value::from(NONE);
    };
    let kind = match parameters["apiGroup"].as_str() {
        Some(group) => format!("{}.{group}", field(parameters, "kind")),
        None => field(parameters, "kind").to_owned(),
    };
    Value::from(format!("{kind}/{}", field(parameters, "name")))
}

fn pod_selector(row: &Row<'_>) -> Value {
    Value::from(text::selector(row.object.pointer("/spec/podSelector")))
}
