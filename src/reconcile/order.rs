//! What has to be applied before what: the edges that make a plan a graph. Read from the references that objects make by
//! name, so that independent objects are applied side by side.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

mod refs;

/// Kinds that bound what others may do: a pod that starts before them would escape them.
const BOUNDS: [&str; 3] = ["NetworkPolicy", "ResourceQuota", "LimitRange"];

/// For each object, given in the order of application, the positions of the objects that have to be applied before it:
/// smaller than its own, sorted, each once. References to objects that are not among them are nobody's business.
pub fn needs(objects: &[Value]) -> Vec<Vec<usize>> {
    let index = Index::of(objects);
    let one = |(position, object)| {
        let mut found = BTreeSet::new();
        index.collect(object, &mut found);
        found.into_iter().take_while(|before| *before < position).collect()
    };
    objects.iter().enumerate().map(one).collect()
}

/// The objects by what others call them.
#[derive(Default)]
struct Index<'a> {
    /// By kind and name, with the namespace, which may be empty.
    names: HashMap<(&'a str, &'a str), Vec<(&'a str, usize)>>,
    /// Definitions by the group and kind that they define.
    definitions: HashMap<(&'a str, &'a str), usize>,
    /// Bindings by the service account that they give rights to.
    bindings: HashMap<&'a str, Vec<usize>>,
    /// Positions of [`BOUNDS`].
    bounds: Vec<usize>,
    /// Names and positions of namespaces.
    namespaces: Vec<(&'a str, usize)>,
}

impl<'a> Index<'a> {
    fn of(objects: &'a [Value]) -> Self {
        let mut index = Self::default();
        for (position, object) in objects.iter().enumerate() {
            index.add(position, object);
        }
        index
    }

    fn add(&mut self, position: usize, object: &'a Value) {
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        let entry = (text(object, "/metadata/namespace"), position);
        self.names.entry((kind, name)).or_default().push(entry);
        match kind {
            "Namespace" => self.namespaces.push((name, position)),
            "CustomResourceDefinition" => {
                let defined = (text(object, "/spec/group"), text(object, "/spec/names/kind"));
                self.definitions.insert(defined, position);
            }
            "RoleBinding" | "ClusterRoleBinding" => {
                for (_, account) in refs::accounts(object) {
                    self.bindings.entry(account).or_default().push(position);
                }
            }
            _ if BOUNDS.contains(&kind) => self.bounds.push(position),
            _ => {}
        }
    }

    fn collect(&self, object: &'a Value, found: &mut BTreeSet<usize>) {
        let namespace = text(object, "/metadata/namespace");
        let within = |other: &str| namespace.is_empty() || other.is_empty() || namespace == other;
        let spaces = self.namespaces.iter().filter(|(name, _)| within(name));
        found.extend(spaces.map(|(_, position)| *position));
        let group = text(object, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
        found.extend(self.definitions.get(&(group, text(object, "/kind"))));
        for reference in refs::of(object) {
            let named = self.names.get(&reference).into_iter().flatten();
            found.extend(named.filter(|(other, _)| within(other)).map(|(_, position)| *position));
        }
        if let Some(pod) = refs::pod(object) {
            found.extend(&self.bounds);
            found.extend(self.bindings.get(refs::account(pod)).into_iter().flatten());
        }
    }
}

/// The text at a JSON pointer, empty when there is none.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
