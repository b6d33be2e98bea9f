//! `resourceFieldRef`: what a container requests and is limited to, as a number.

use serde_json::Value;

use super::Sources;
use crate::sandbox::kubelet::NODE_NAME;
use crate::sandbox::object;
use crate::sandbox::schema::quantity::Quantity;

/// A core, or a byte, in the quantity's own steps.
const ONE: i128 = 1_000_000_000;

impl Sources<'_> {
    /// The value of a `resourceFieldRef`, in units of its divisor and rounded up. `own` is the container that it is about when
    /// it names none. A limit that is not set is what the node can give; a request that is not set is zero.
    ///
    /// # Errors
    /// The container or the resource is not known.
    pub(in crate::sandbox::kubelet) fn resource(
        &self,
        reference: &Value,
        own: Option<&Value>,
    ) -> Result<String, String> {
        let resource = object::text(reference, "/resource");
        let container = match object::text(reference, "/containerName") {
            "" => own,
            name => self.container(name),
        };
        let container = container
            .ok_or_else(|| format!("container {:?} not found", object::text(reference, "/containerName")))?;
        let unsupported = || format!("unsupported container resource: {resource}");
        let (kind, name) = resource.split_once('.').ok_or_else(unsupported)?;
        let known = ["cpu", "memory", "ephemeral-storage"].contains(&name) || name.starts_with("hugepages-");
        if !known || !["limits", "requests"].contains(&kind) {
            return Err(unsupported());
        }
        let own = quantity(&container["resources"][kind][name]);
        let value = match (own, kind) {
            (Some(value), _) => value,
            (None, "limits") => self.allocatable(name),
            _ => 0,
        };
        let divisor = quantity(&reference["divisor"]).filter(|divisor| *divisor > 0).unwrap_or(ONE);
        Ok(((value + divisor - 1) / divisor).to_string())
    }

    fn container(&self, name: &str) -> Option<&Value> {
        ["/spec/containers", "/spec/initContainers"]
            .iter()
            .flat_map(|pointer| object::list(self.pod, pointer))
            .find(|container| container["name"] == name)
    }

    fn allocatable(&self, name: &str) -> i128 {
        let node = self.api.get("nodes", "", NODE_NAME);
        node.and_then(|node| quantity(&node["status"]["allocatable"][name])).unwrap_or(0)
    }
}

/// In billionths.
fn quantity(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Quantity::parse(&text).map(|quantity| quantity.nanos())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::sandbox::api::Api;
    use crate::sandbox::clock::SystemClock;
    use crate::sandbox::kubelet::tokens::Tokens;

    #[test]
    fn resources_are_divided_and_rounded_up() {
        let api = Api::new(Arc::new(SystemClock), 1);
        let pod = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [
            {"name": "main", "resources": {"limits": {"cpu": "1500m", "memory": "100Mi"}}},
        ]}});
        let (address, tokens) = (Ipv4Addr::LOCALHOST, Tokens::default());
        let sources = Sources { api: &api, pod: &pod, address, node_address: address, tokens: &tokens };
        for (resource, divisor, expected) in [
            ("limits.cpu", "0", "2"),
            ("limits.cpu", "1m", "1500"),
            ("limits.memory", "1Mi", "100"),
            ("limits.memory", "1", "104857600"),
            ("requests.cpu", "1", "0"),
        ] {
            let reference = json!({"containerName": "main", "resource": resource, "divisor": divisor});
            assert_eq!(sources.resource(&reference, None).unwrap(), expected, "{resource} {divisor}");
        }
        let own = &pod["spec"]["containers"][0];
        assert_eq!(sources.resource(&json!({"resource": "limits.cpu"}), Some(own)).unwrap(), "2");
        let wrong = sources.resource(&json!({"resource": "limits.magic"}), Some(own)).unwrap_err();
        assert_eq!(wrong, "unsupported container resource: limits.magic");
    }
}
