//! Cluster addresses and node ports of Services. Nothing listens on the node ports: the cluster addresses are the machine's
//! own, so a Service is reached there.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::object;
use super::objects::Objects;
use super::ring::ChangeKind;
use crate::sandbox::status::Status;

/// The third octets that belong to Services; pods have those below.
const SERVICE_OCTETS: std::ops::RangeInclusive<u8> = 200..=255;
/// The node ports that are given out.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;

/// Gives a Service its cluster address, or carries over the one it has.
pub fn assign(objects: &Objects, old: Option<&Value>, value: &mut Value) -> Result<(), Status> {
    assign_node_ports(objects, old, value)?;
    if object::text(value, "/spec/type") == "ExternalName" {
        return Ok(());
    }
    let mut address = object::text(value, "/spec/clusterIP").to_owned();
    if address.is_empty() {
        address = old.map(|old| object::text(old, "/spec/clusterIP").to_owned()).unwrap_or_default();
    }
    if address.is_empty() {
        address = free(objects)?;
    }
    let spec = object::child_mut(value, "spec");
    spec.insert("clusterIPs".to_owned(), json!([address]));
    spec.insert("clusterIP".to_owned(), Value::from(address));
    Ok(())
}

/// Gives the ports of a Service their node ports, or takes them away when its type has none.
fn assign_node_ports(objects: &Objects, old: Option<&Value>, value: &mut Value) -> Result<(), Status> {
    let kind = object::text(value, "/spec/type");
    let wanted = kind == "NodePort"
        || kind == "LoadBalancer" && value["spec"]["allocateLoadBalancerNodePorts"] != false;
    let keeps = wanted || kind == "LoadBalancer";
    let key = (object::namespace(value).to_owned(), object::name(value).to_owned());
    let mut ports = object::list(value, "/spec/ports").to_vec();
    if !keeps {
        let had = old.is_some_and(|old| has_node_ports(object::text(old, "/spec/type")));
        ports.iter_mut().filter_map(Value::as_object_mut).for_each(|port| {
            // left over from the type before; anything else is for the validation to refuse
            if had {
                port.remove("nodePort");
            }
        });
    } else {
        let others = taken(objects, &key);
        for index in 0..ports.len() {
            let number = match node_port(&ports[index]) {
                Some(sent) => check_node_port(&others, sent, (index, &key.1), old)?,
                None if wanted => {
                    let before = old.and_then(|old| kept(old, &ports[index], &ports));
                    before.map_or_else(|| free_node_port(&others, &ports), Ok)?
                }
                None => continue,
            };
            ports[index]["nodePort"] = json!(number);
        }
    }
    if !ports.is_empty() {
        object::child_mut(value, "spec").insert("ports".to_owned(), json!(ports));
    }
    Ok(())
}

fn has_node_ports(kind: &str) -> bool {
    matches!(kind, "NodePort" | "LoadBalancer")
}

fn node_port(port: &Value) -> Option<i64> {
    port["nodePort"].as_i64().filter(|number| *number != 0)
}

/// The node ports of all other Services.
fn taken(objects: &Objects, but: &(String, String)) -> HashSet<i64> {
    let services = objects.list("services", None);
    let others = services
        .iter()
        .filter(|service| (object::namespace(service), object::name(service)) != (&but.0, &but.1));
    others.flat_map(|service| object::list(service, "/spec/ports").iter().filter_map(node_port)).collect()
}

/// The node port that an equal port of the Service had before, unless it is asked for elsewhere now.
fn kept(old: &Value, port: &Value, all: &[Value]) -> Option<i64> {
    let known = object::list(old, "/spec/ports");
    let equal = |before: &&Value| {
        before["name"] == port["name"]
            && before["port"] == port["port"]
            && before["protocol"] == port["protocol"]
    };
    let number = known.iter().find(equal).and_then(node_port)?;
    (!all.iter().any(|port| node_port(port) == Some(number))).then_some(number)
}

fn free_node_port(others: &HashSet<i64>, own: &[Value]) -> Result<i64, Status> {
    let is_free =
        |number: &i64| !others.contains(number) && !own.iter().any(|port| node_port(port) == Some(*number));
    NODE_PORTS
        .clone()
        .find(is_free)
        .ok_or_else(|| Status::new(500, "InternalError", "failed to allocate a nodePort: range is full"))
}

fn check_node_port(
    others: &HashSet<i64>,
    sent: i64,
    (index, name): (usize, &str),
    old: Option<&Value>,
) -> Result<i64, Status> {
    let own = old
        .is_some_and(|old| object::list(old, "/spec/ports").iter().any(|port| node_port(port) == Some(sent)));
    let problem = if !NODE_PORTS.contains(&sent) && !own {
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    } else if others.contains(&sent) {
        "provided port is already allocated"
    } else {
        return Ok(sent);
    };
    let field = format!("spec.ports[{index}].nodePort");
    let text = format!("Invalid value: {sent}: {problem}");
    Err(Status::invalid("Service", name, &[("FieldValueInvalid", field, text)]))
}

/// Moves every Service into a block. No client could do this: cluster addresses are immutable to them.
pub fn move_all(objects: &mut Objects, block: u8) {
    objects.block = block;
    for service in objects.list("services", None) {
        let Ok(old) = object::text(&service, "/spec/clusterIP").parse::<Ipv4Addr>() else { continue };
        let [_, was, third, fourth] = old.octets();
        if was == block {
            continue;
        }
        let mut moved = (*service).clone();
        let address = Ipv4Addr::new(127, block, third, fourth).to_string();
        let spec = object::child_mut(&mut moved, "spec");
        spec.insert("clusterIPs".to_owned(), json!([address]));
        spec.insert("clusterIP".to_owned(), Value::from(address));
        objects.commit("services", ChangeKind::Modified, moved);
    }
}

/// Gives a Service that comes from another sandbox a cluster address that no other Service has, in whatever block they are:
/// all of them are going to be moved into one.
pub fn settle(objects: &Objects, value: &mut Value) -> Result<(), Status> {
    let place = |service: &Value| {
        let address = object::text(service, "/spec/clusterIP").parse::<Ipv4Addr>().ok()?;
        let [_, _, third, fourth] = address.octets();
        Some((third, fourth))
    };
    let Some(wanted) = place(value) else { return Ok(()) };
    let services = objects.list("services", None);
    let taken: HashSet<(u8, u8)> = services.iter().filter_map(|service| place(service)).collect();
    if !taken.contains(&wanted) {
        return Ok(());
    }
    let free = SERVICE_OCTETS.flat_map(|third| (1..=254).map(move |fourth| (third, fourth)));
    let (third, fourth) = free.into_iter().find(|place| !taken.contains(place)).ok_or_else(full)?;
    let address = Ipv4Addr::new(127, objects.block, third, fourth).to_string();
    let spec = object::child_mut(value, "spec");
    spec.insert("clusterIPs".to_owned(), json!([address]));
    spec.insert("clusterIP".to_owned(), Value::from(address));
    Ok(())
}

fn full() -> Status {
    Status::new(500, "InternalError", "failed to allocate a serviceIP: range is full")
}

/// The first address of the block that no Service has.
fn free(objects: &Objects) -> Result<String, Status> {
    let services = objects.list("services", None);
    let taken: HashSet<&str> =
        services.iter().map(|service| object::text(service, "/spec/clusterIP")).collect();
    for third in SERVICE_OCTETS {
        for fourth in 1..=254 {
            let address = Ipv4Addr::new(127, objects.block, third, fourth).to_string();
            if !taken.contains(address.as_str()) {
                return Ok(address);
            }
        }
    }
    Err(full())
}
