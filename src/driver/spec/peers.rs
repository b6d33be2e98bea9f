//! `spec.services[].allow_from`: who may reach a service from outside of its environment.

use std::collections::BTreeMap;

use crate::domain::names::check_label;
use crate::domain::route::{Block, Peer};
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Place, Tree};

/// The fields of one peer.
const FIELDS: [&str; 3] = ["namespace", "pods", "cidr"];

/// What a peer looks like, in messages.
const SHAPE: &str = "a namespace, a block of addresses, '*', or a mapping with namespace or cidr";

/// The peers in their order: `monitoring`, `10.0.0.0/8`, `"*"`, `{ namespace: monitoring, pods: { app: prometheus } }`,
/// `{ cidr: 10.0.0.0/8 }`. One alone counts as a list of one.
pub(super) fn read(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<Peer> {
    let name = if fields.get("allow_from").is_some() { "allow_from" } else { "allowFrom" };
    let Some(node) = fields.get(name) else { return Vec::new() };
    let path = fields.path_of(name);
    if !matches!(node.tree, Tree::List(_)) {
        return peer(node, &path, report).into_iter().collect();
    }
    let items = report.items(node, &path).iter().enumerate();
    items.filter_map(|(position, item)| peer(item, &format!("{path}[{position}]"), report)).collect()
}

fn peer(node: &Node, path: &str, report: &mut Report<'_>) -> Option<Peer> {
    match &node.tree {
        Tree::Text(text) if text.contains('/') || text.contains(':') => cidr(text, node.place, path, report),
        Tree::Text(text) => namespace(text, node.place, path, report)
            .map(|name| Peer::Namespace { name, pods: BTreeMap::new() }),
        Tree::Map(_) => mapping(node, path, report),
        _ => {
            report.expected(node, path, SHAPE);
            None
        }
    }
}

fn mapping(node: &Node, path: &str, report: &mut Report<'_>) -> Option<Peer> {
    let fields = Fields::open(node, path, &FIELDS, report);
    let found = (fields.optional_text("namespace", report), fields.optional_text("cidr", report));
    let pods = pods(&fields, report);
    match found {
        (Some(_), Some(_)) => {
            report.error(node.place, format!("{path} has a namespace and a cidr"), "make two entries of it");
            None
        }
        (Some(name), None) => {
            let name = namespace(&name, fields.place_of("namespace"), &fields.path_of("namespace"), report)?;
            Some(Peer::Namespace { name, pods })
        }
        (None, Some(block)) => {
            if fields.get("pods").is_some() {
                let hint = "pods are picked in a namespace";
                report.error(fields.place_of("pods"), format!("{path} has pods beside a cidr"), hint);
            }
            cidr(&block, fields.place_of("cidr"), &fields.path_of("cidr"), report)
        }
        (None, None) => {
            let hint = "pods of the environment itself may connect anyway; '*' is every namespace";
            report.error(node.place, format!("{path} has no namespace and no cidr"), hint);
            None
        }
    }
}

fn namespace(name: &str, place: Place, path: &str, report: &mut Report<'_>) -> Option<String> {
    if name == "*" {
        return Some(name.to_owned());
    }
    match check_label("namespace", name) {
        Ok(()) => Some(name.to_owned()),
        Err(problem) => {
            report.error(place, format!("{path} is '{name}', which names no namespace: {}", problem.why), "");
            None
        }
    }
}

fn cidr(block: &str, place: Place, path: &str, report: &mut Report<'_>) -> Option<Peer> {
    match Block::read(block) {
        Ok(_) => Some(Peer::Cidr(block.to_owned())),
        Err(why) => {
            let hint = "write a block such as 10.0.0.0/8";
            report.error(place, format!("{path} is '{block}': {why}"), hint);
            None
        }
    }
}

/// The labels of the pods; all of them when absent.
fn pods(fields: &Fields<'_>, report: &mut Report<'_>) -> BTreeMap<String, String> {
    let Some(node) = fields.get("pods") else { return BTreeMap::new() };
    let path = fields.path_of("pods");
    let entries = report.entries(node, &path);
    let label = |(key, value): (&crate::driver::yaml::Key, &Node)| {
        let text = report.text(value, &format!("{path}.{}", key.name))?;
        Some((key.name.clone(), text))
    };
    entries.into_iter().filter_map(label).collect()
}
