//! The environment of a container: services, `envFrom`, `env`.

mod resource;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::expand::expand;
use super::tokens::Tokens;
use crate::sandbox::api::Api;
use crate::sandbox::object;

/// What the environment is made of, beside the container's specification.
pub(super) struct Sources<'a> {
    pub(super) api: &'a Api,
    pub(super) pod: &'a Value,
    pub(super) address: Ipv4Addr,
    pub(super) node_address: Ipv4Addr,
    pub(super) tokens: &'a Tokens,
}

type Variables = BTreeMap<String, String>;

impl Sources<'_> {
    /// The variables of a container. The error is a sentence for `CreateContainerConfigError`.
    pub(super) fn resolve(&self, container: &Value) -> Result<Variables, String> {
        let mut variables = Variables::new();
        if self.pod["spec"]["enableServiceLinks"].as_bool().unwrap_or(true) {
            let namespace = object::namespace(self.pod);
            for service in self.api.list("services", Some(namespace)) {
                service_variables(&service, &mut variables);
            }
        }
        for source in object::list(container, "/envFrom") {
            self.add_all(source, &mut variables)?;
        }
        // A name with `=` in it cannot be one of an environment.
        variables.retain(|name, _| !name.is_empty() && !name.contains(['=', '\0']));
        for entry in object::list(container, "/env") {
            let name = entry["name"].as_str().unwrap_or_default();
            let value = match entry.get("valueFrom").filter(|from| !from.is_null()) {
                Some(from) => self.value_from(from, container)?,
                None => {
                    let text = entry["value"].as_str().unwrap_or_default();
                    Some(expand(text, |name| variables.get(name).map(String::as_str)))
                }
            };
            if let Some(value) = value {
                variables.insert(name.to_owned(), value);
            }
        }
        Ok(variables)
    }

    fn add_all(&self, source: &Value, variables: &mut Variables) -> Result<(), String> {
        let prefix = source["prefix"].as_str().unwrap_or_default();
        for (field, resource) in [("configMapRef", "configmaps"), ("secretRef", "secrets")] {
            let Some(reference) = source.get(field).filter(|reference| !reference.is_null()) else {
                continue;
            };
            if let Some(found) = self.find(resource, reference)? {
                for (key, value) in data(&found, resource)? {
                    variables.insert(format!("{prefix}{key}"), String::from_utf8_lossy(&value).into_owned());
                }
            }
        }
        Ok(())
    }

    /// `Ok(None)`: it is optional and not there.
    fn value_from(&self, from: &Value, container: &Value) -> Result<Option<String>, String> {
        if from["resourceFieldRef"].is_object() {
            return self.resource(&from["resourceFieldRef"], Some(container)).map(Some);
        }
        if let Some(path) = from.pointer("/fieldRef/fieldPath").and_then(Value::as_str) {
            return self.field(path).map(Some);
        }
        for (field, resource) in [("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")] {
            let Some(reference) = from.get(field).filter(|reference| !reference.is_null()) else { continue };
            let Some(found) = self.find(resource, reference)? else { return Ok(None) };
            let key = reference["key"].as_str().unwrap_or_default();
            return match data(&found, resource)?.remove(key) {
                Some(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
                None if reference["optional"] == true => Ok(None),
                None => {
                    let kind = if resource == "secrets" { "Secret" } else { "ConfigMap" };
                    let (namespace, name) = (object::namespace(self.pod), object::name(&found));
                    Err(format!("couldn't find key {key} in {kind} {namespace}/{name}"))
                }
            };
        }
        let kind = from.as_object().and_then(|map| map.keys().next().cloned()).unwrap_or_default();
        Err(format!("the sandbox does not implement env valueFrom {kind}"))
    }

    fn find(&self, resource: &str, reference: &Value) -> Result<Option<std::sync::Arc<Value>>, String> {
        let name = reference["name"].as_str().unwrap_or_default();
        match self.api.get(resource, object::namespace(self.pod), name) {
            Some(found) => Ok(Some(found)),
            None if reference["optional"] == true => Ok(None),
            None => Err(format!("{} \"{name}\" not found", resource.trim_end_matches('s'))),
        }
    }

    /// A field of the pod, as the downward API names it.
    pub(super) fn field(&self, path: &str) -> Result<String, String> {
        let text = |pointer: &str| object::text(self.pod, pointer).to_owned();
        let of_map = |map: &str, key: &str| {
            self.pod["metadata"][map][key.trim_matches(['\'', '"'])].as_str().unwrap_or_default().to_owned()
        };
        Ok(match path {
            "metadata.name" => text("/metadata/name"),
            "metadata.namespace" => text("/metadata/namespace"),
            "metadata.uid" => text("/metadata/uid"),
            "spec.nodeName" => text("/spec/nodeName"),
            "spec.serviceAccountName" => text("/spec/serviceAccountName"),
            "status.podIP" | "status.podIPs" => self.address.to_string(),
            "status.hostIP" | "status.hostIPs" => self.node_address.to_string(),
            "metadata.labels" => lines(&self.pod["metadata"]["labels"]),
            "metadata.annotations" => lines(&self.pod["metadata"]["annotations"]),
            _ => {
                let inner = path.strip_suffix(']').and_then(|path| path.split_once('['));
                match inner {
                    Some(("metadata.labels", key)) => of_map("labels", key),
                    Some(("metadata.annotations", key)) => of_map("annotations", key),
                    _ => return Err(format!("unsupported fieldPath: {path}")),
                }
            }
        })
    }
}

fn lines(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    let lines: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={:?}", value.as_str().unwrap_or_default())).collect();
    lines.join("\n")
}

/// The data of a ConfigMap or a Secret, decoded.
pub(super) fn data(object: &Value, resource: &str) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut out = BTreeMap::new();
    let decode = |key: &str, text: &str| {
        STANDARD
            .decode(text)
            .map_err(|error| format!("key {key} of {} is no base64: {error}", object::name(object)))
    };
    for (key, value) in object["data"].as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        let bytes = if resource == "secrets" { decode(key, text)? } else { text.as_bytes().to_vec() };
        out.insert(key.clone(), bytes);
    }
    for (key, value) in object["binaryData"].as_object().into_iter().flatten() {
        out.insert(key.clone(), decode(key, value.as_str().unwrap_or_default())?);
    }
    Ok(out)
}

/// `NOTES_DB_SERVICE_HOST`, `NOTES_DB_PORT` and their relatives: Docker's links, which Kubernetes still sets.
fn service_variables(service: &Value, variables: &mut Variables) {
    let address = object::text(service, "/spec/clusterIP");
    if address.parse::<Ipv4Addr>().is_err() {
        return;
    }
    let prefix = variable_name(object::name(service));
    let ports = object::list(service, "/spec/ports");
    let Some(first) = ports.first() else { return };
    variables.insert(format!("{prefix}_SERVICE_HOST"), address.to_owned());
    variables.insert(format!("{prefix}_SERVICE_PORT"), first["port"].to_string());
    for (index, port) in ports.iter().enumerate() {
        let number = port["port"].to_string();
        let protocol = port["protocol"].as_str().unwrap_or("TCP").to_lowercase();
        if let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) {
            variables.insert(format!("{prefix}_SERVICE_PORT_{}", variable_name(name)), number.clone());
        }
        let url = format!("{protocol}://{address}:{number}");
        if index == 0 {
            variables.insert(format!("{prefix}_PORT"), url.clone());
        }
        let link = format!("{prefix}_PORT_{number}_{}", protocol.to_uppercase());
        variables.insert(format!("{link}_PROTO"), protocol);
        variables.insert(format!("{link}_PORT"), number);
        variables.insert(format!("{link}_ADDR"), address.to_owned());
        variables.insert(link, url);
    }
}

fn variable_name(name: &str) -> String {
    name.to_uppercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::sandbox::clock::SystemClock;

    fn resolve(api: &Api, container: &Value) -> Result<Variables, String> {
        let pod = json!({
            "metadata": {"name": "web-1", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"nodeName": "sandbox"},
        });
        let address = Ipv4Addr::new(127, 9, 1, 1);
        let node_address = Ipv4Addr::new(127, 9, 0, 1);
        Sources { api, pod: &pod, address, node_address, tokens: &Tokens::default() }.resolve(container)
    }

    fn api() -> Api {
        let api = Api::new(Arc::new(SystemClock), 1);
        let metadata = |name: &str| json!({"name": name, "namespace": "default"});
        let map = json!({"metadata": metadata("settings"), "data": {"COLOR": "blue", "SIZE": "1"}});
        api.create("configmaps", map, "test").unwrap();
        let secret = json!({"metadata": metadata("keys"), "data": {"password": STANDARD.encode("s3cret")}});
        api.create("secrets", secret, "test").unwrap();
        let service =
            json!({"metadata": metadata("notes-db"), "spec": {"ports": [{"name": "db", "port": 5433}]}});
        api.create("services", service, "test").unwrap();
        api
    }

    #[test]
    fn every_source_is_read_and_later_ones_win() {
        let container = json!({
            "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "P_"}],
            "env": [
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}},
                {"name": "URL", "value": "db:$(PASSWORD)@$(NOTES_DB_SERVICE_PORT)"},
                {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "P_SIZE", "value": "2"},
                {"name": "GONE", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y", "optional": true}}},
            ],
        });
        let variables = resolve(&api(), &container).unwrap();
        let get = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!(get("URL"), Some("db:s3cret@5433"));
        assert_eq!((get("ME"), get("APP"), get("IP")), (Some("web-1"), Some("web"), Some("127.9.1.1")));
        assert_eq!((get("P_COLOR"), get("P_SIZE"), get("GONE")), (Some("blue"), Some("2"), None));
        assert!(get("NOTES_DB_PORT").unwrap().starts_with("tcp://127."));
        assert_eq!(get("NOTES_DB_SERVICE_PORT_DB"), Some("5433"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let from =
            |from: Value| resolve(&api(), &json!({"env": [{"name": "A", "valueFrom": from}]})).unwrap_err();
        assert_eq!(from(json!({"secretKeyRef": {"name": "no", "key": "k"}})), "secret \"no\" not found");
        assert_eq!(
            from(json!({"configMapKeyRef": {"name": "settings", "key": "k"}})),
            "couldn't find key k in ConfigMap default/settings"
        );
        assert!(from(json!({"fileKeyRef": {"key": "k"}})).contains("does not implement"));
    }
}
