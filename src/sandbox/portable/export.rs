//! Objects out of a directory.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::PortableError;
use super::documents::{HEADER, write};
use crate::sandbox::access::ROOT_CERTIFICATE;
use crate::sandbox::object;
use crate::sandbox::persist;

/// What belongs to one run on one machine: recorded, renewed or registered anew by the next.
const OF_A_RUN: [&str; 3] = ["events", "leases.coordination.k8s.io", "nodes"];
/// What controllers make again for the objects that own it.
const MADE_AGAIN: [&str; 2] = ["pods", "endpointslices.discovery.k8s.io"];

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The YAML.
    pub text: String,
    /// How many objects it holds.
    pub objects: usize,
}

/// The objects of the sandbox in `directory`; with `namespace` that namespace, what is in it, and the volumes that
/// its claims are bound to.
///
/// Left out are Events, Leases and Nodes, the Pods and EndpointSlices that a controller owns, and the ConfigMaps `kube-
/// root-ca.crt`. Nothing of volumes is in it. The order is the same every time: definitions, namespaces, then everything
/// else by resource, namespace and name.
///
/// # Errors
/// There is no sandbox, it runs, its file is damaged; the namespace does not exist.
pub fn export(directory: &Path, namespace: Option<&str>) -> Result<Export, PortableError> {
    if !persist::exists(directory) {
        return Err(PortableError::Nothing { path: directory.to_owned() });
    }
    let (loaded, sink, keeper) = persist::open(directory)?;
    drop(sink);
    keeper.close();
    let mut rows = loaded.rows;
    rows.retain(|(resource, row)| is_exported(resource, row) && is_in(resource, row, namespace));
    if let Some(name) = namespace
        && !rows.iter().any(|(resource, _)| resource == "namespaces")
    {
        return Err(PortableError::NoNamespace { name: name.to_owned() });
    }
    rows.sort_by(|(a, x), (b, y)| place(a, x).cmp(&place(b, y)));
    let mut text = HEADER.to_owned();
    for (resource, row) in &rows {
        let written = write(row).map_err(|error| PortableError::Unwritable {
            what: format!("{resource} {}/{}", object::namespace(row), object::name(row)),
            why: error.to_string(),
        })?;
        text.push_str(&written);
    }
    Ok(Export { text, objects: rows.len() })
}

fn is_exported(resource: &str, row: &Value) -> bool {
    let owned = object::owners(row).iter().any(|owner| owner["controller"] == true);
    let made_again = owned && MADE_AGAIN.contains(&resource);
    // Every sandbox puts the certificate of its own authority there.
    let own = resource == "configmaps" && object::name(row) == ROOT_CERTIFICATE;
    !(made_again || own || OF_A_RUN.contains(&resource))
}

fn is_in(resource: &str, row: &Value, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|wanted| match resource {
        "namespaces" => object::name(row) == wanted,
        "persistentvolumes" => object::text(row, "/spec/claimRef/namespace") == wanted,
        _ => object::namespace(row) == wanted,
    })
}

/// Where an object stands: what others need comes first.
fn place<'a>(resource: &'a str, row: &'a Arc<Value>) -> (u8, &'a str, &'a str, &'a str) {
    let rank = match resource {
        "customresourcedefinitions.apiextensions.k8s.io" => 0,
        "namespaces" => 1,
        _ => 2,
    };
    (rank, resource, object::namespace(row), object::name(row))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_made_again_is_left_out() {
        let owned = json!({"metadata": {"ownerReferences": [{"controller": true}]}});
        let held = json!({"metadata": {"ownerReferences": [{"controller": false}]}});
        assert!(!is_exported("pods", &owned));
        assert!(is_exported("pods", &held));
        assert!(is_exported("replicasets.apps", &owned));
        assert!(!is_exported("events", &held));
        assert!(!is_exported("configmaps", &json!({"metadata": {"name": "kube-root-ca.crt"}})));
    }

    #[test]
    fn a_namespace_brings_the_volumes_of_its_claims() {
        let volume =
            json!({"metadata": {"name": "pv"}, "spec": {"claimRef": {"namespace": "demo", "name": "data"}}});
        assert!(is_in("persistentvolumes", &volume, Some("demo")));
        assert!(!is_in("persistentvolumes", &volume, Some("other")));
        assert!(!is_in("nodes", &json!({"metadata": {"name": "demo"}}), Some("demo")));
        assert!(is_in("nodes", &json!({"metadata": {"name": "demo"}}), None));
    }
}
