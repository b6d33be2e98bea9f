//! What the cluster has that could answer for routes: asked when an environment is planned, never watched.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{DynamicObject, ListParams};
use serde_json::{Value, json};

use crate::domain::route::{
    self, ClassOffer, GATEWAY_GROUP, GatewayOffer, GatewayRef, Offer, Proxies, TRAEFIK,
};
use crate::domain::{ObjectKey, labels};

use super::Cluster;
use super::error::ClusterError;

/// Says that Ingresses without a class get this one.
const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
/// A namespace's own name, as a label: since 1.21.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";
/// The Gateway API.
const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";
/// The most pods that are looked at for each label.
const PODS: u32 = 200;

impl Cluster {
    /// What the cluster has that could answer for routes in `namespace`, which need not exist yet. What may not be listed counts as
    /// not there.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn offer(&self, namespace: &str) -> Result<Offer, ClusterError> {
        let gateway_api = self.serves(GATEWAY_API, "HTTPRoute").await?;
        let classes: Vec<ClassOffer> =
            self.known("networking.k8s.io/v1", "IngressClass").await?.iter().map(class).collect();
        let namespaces = self.known("v1", "Namespace").await?;
        let gateways = match gateway_api {
            true => self.gateways(namespace, &namespaces).await?,
            false => Vec::new(),
        };
        let traefik = self.serves("traefik.io/v1alpha1", "IngressRoute").await?;
        let named = classes.iter().map(|class| class.controller.as_str());
        let named = named.chain(gateways.iter().map(|offer| offer.controller.as_str()));
        let places = self.places(&named.chain(traefik.then_some(TRAEFIK)).collect()).await?;
        // a policy finds a namespace by the label that has its name, where the server is new enough to put it there
        let labelled = |name: &String| {
            let mut all = namespaces.iter();
            all.any(|found| found["metadata"]["labels"][NAME_LABEL].as_str() == Some(name.as_str()))
        };
        Ok(Offer {
            namespaces: places.into_iter().filter(|(_, name)| labelled(name)).collect(),
            traefik,
            gateway_api,
            cert_manager: self.serves("cert-manager.io/v1", "Certificate").await?,
            security_policies: self.serves("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy").await?,
            classes,
            gateways,
        })
    }

    /// Whether the cluster serves a kind. It is asked anew about one that it did not serve before.
    async fn serves(&self, api_version: &str, kind: &str) -> Result<bool, ClusterError> {
        match self.resolve(&ObjectKey::every(api_version, kind)).await {
            Ok(_) => Ok(true),
            Err(ClusterError::Unserved { .. }) => Ok(false),
            Err(error) => lenient(error).map(|()| false),
        }
    }

    /// Every object of a kind; none where that is denied, or there is no such kind.
    async fn known(&self, api_version: &str, kind: &str) -> Result<Vec<Value>, ClusterError> {
        match self.list(&ObjectKey::every(api_version, kind)).await {
            Ok(found) => Ok(found),
            Err(error) => lenient(error).map(|()| Vec::new()),
        }
    }

    async fn gateways(
        &self,
        namespace: &str,
        namespaces: &[Value],
    ) -> Result<Vec<GatewayOffer>, ClusterError> {
        let classes = self.known(GATEWAY_API, "GatewayClass").await?;
        let controllers: BTreeMap<&str, &str> = classes
            .iter()
            .filter_map(|class| {
                Some((class["metadata"]["name"].as_str()?, class["spec"]["controllerName"].as_str()?))
            })
            .collect();
        let found = namespaces.iter().find(|found| found["metadata"]["name"] == namespace);
        let place = Place { namespace, labels: labels_of(namespace, found) };
        let mut gateways: Vec<GatewayOffer> = self
            .known(GATEWAY_API, "Gateway")
            .await?
            .iter()
            .flat_map(|gateway| offers(gateway, &controllers, &place))
            .collect();
        gateways.sort_by(|first, second| first.gateway.cmp(&second.gateway));
        Ok(gateways)
    }

    /// In which namespace the proxies of each of these controllers run, where it is one.
    async fn places(&self, controllers: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, ClusterError> {
        let mut homes: BTreeMap<&str, Option<String>> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for name in controllers {
            let found = match route::controller(name).map(|known| known.proxies) {
                Some(Proxies::Namespace(namespace)) => Some(namespace.to_owned()),
                Some(Proxies::Pods(selector)) => {
                    if !homes.contains_key(selector) {
                        let pods = self.pods(selector).await?;
                        homes.insert(selector, home(&pods).map(str::to_owned));
                    }
                    homes.get(selector).cloned().flatten()
                }
                Some(Proxies::Outside) | None => None,
            };
            places.extend(found.map(|found| ((*name).to_owned(), found)));
        }
        Ok(places)
    }

    /// The pods with these labels in all namespaces, but those that we deployed: they are the proxies of one environment.
    async fn pods(&self, selector: &str) -> Result<Vec<DynamicObject>, ClusterError> {
        let served = self.resolve(&ObjectKey::every("v1", "Pod")).await?;
        let api = self.api(&served.resource, "");
        let params = ListParams::default().labels(selector).limit(PODS);
        match self.unary("the pods of ingress controllers", api.list(&params)).await {
            Ok(listed) => {
                let ours = |pod: &DynamicObject| {
                    pod.metadata.labels.as_ref().is_some_and(|found| found.contains_key(labels::DEPLOYMENT))
                };
                Ok(listed.items.into_iter().filter(|pod| !ours(pod)).collect())
            }
            Err(error) => lenient(error).map(|()| Vec::new()),
        }
    }
}

/// The namespace from which the connections of these pods come. None where there are several, of which nobody knows which one
/// answers; and where one is on the network of its node: then a connection comes from the node, and is no pod's for a policy.
fn home(pods: &[DynamicObject]) -> Option<&str> {
    if pods.iter().any(|pod| pod.data["spec"]["hostNetwork"] == true) {
        return None;
    }
    let mut found: Vec<&str> = pods.iter().filter_map(|pod| pod.metadata.namespace.as_deref()).collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// Being denied something, or that there is no such thing, is an answer.
fn lenient(error: ClusterError) -> Result<(), ClusterError> {
    match error {
        ClusterError::Forbidden { .. } | ClusterError::Unserved { .. } | ClusterError::NotFound { .. } => {
            Ok(())
        }
        error => Err(error),
    }
}

fn class(object: &Value) -> ClassOffer {
    let metadata = &object["metadata"];
    ClassOffer {
        name: metadata["name"].as_str().unwrap_or_default().to_owned(),
        controller: object["spec"]["controller"].as_str().unwrap_or_default().to_owned(),
        is_default: metadata["annotations"][IS_DEFAULT] == "true",
    }
}

/// The namespace that routes are to be in.
struct Place<'a> {
    namespace: &'a str,
    labels: BTreeMap<String, String>,
}

/// The labels of a namespace; those that it will have at least, while it does not exist.
fn labels_of(namespace: &str, found: Option<&Value>) -> BTreeMap<String, String> {
    let known = found.and_then(|found| found["metadata"]["labels"].as_object());
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    match known {
        Some(known) => known.iter().filter_map(text).collect(),
        None => [(NAME_LABEL, namespace), (labels::MANAGED_BY, labels::MANAGER)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A Gateway that is programmed, as a whole and each of its listeners that take HTTPRoutes of the place; none where no one does.
fn offers(gateway: &Value, controllers: &BTreeMap<&str, &str>, place: &Place<'_>) -> Vec<GatewayOffer> {
    let (metadata, spec) = (&gateway["metadata"], &gateway["spec"]);
    let home = metadata["namespace"].as_str().unwrap_or_default();
    let taking: Vec<&Value> = items(&spec["listeners"]).filter(|one| takes(one, home, place)).collect();
    if !is_programmed(gateway) || taking.is_empty() {
        return Vec::new();
    }
    let controller = spec["gatewayClassName"].as_str().and_then(|class| controllers.get(class));
    let offer = |section: Option<&str>, listeners: &[&Value]| GatewayOffer {
        gateway: GatewayRef {
            namespace: home.to_owned(),
            name: metadata["name"].as_str().unwrap_or_default().to_owned(),
            section: section.map(str::to_owned),
            https: listeners.iter().any(|one| one["protocol"] == "HTTPS"),
        },
        controller: controller.copied().unwrap_or_default().to_owned(),
        hostnames: hostnames(listeners),
    };
    let each = taking.iter().filter_map(|one| Some(offer(Some(one["name"].as_str()?), &[one])));
    std::iter::once(offer(None, &taking)).chain(each).collect()
}

/// The host names that the listeners take; empty: all, as one of them does.
fn hostnames(listeners: &[&Value]) -> Vec<String> {
    let names: Option<Vec<String>> = listeners
        .iter()
        .map(|one| one["hostname"].as_str().filter(|name| !name.is_empty()).map(str::to_owned))
        .collect();
    let mut names = names.unwrap_or_default();
    names.sort();
    names.dedup();
    names
}

fn is_programmed(gateway: &Value) -> bool {
    items(&gateway["status"]["conditions"])
        .any(|condition| condition["type"] == "Programmed" && condition["status"] == "True")
}

/// Whether a listener of a Gateway in the namespace `home` takes HTTPRoutes of the place
/// (<https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes>).
fn takes(listener: &Value, home: &str, place: &Place<'_>) -> bool {
    if !matches!(listener["protocol"].as_str(), Some("HTTP" | "HTTPS")) {
        return false;
    }
    let allowed = &listener["allowedRoutes"];
    let is_http_route = |kind: &Value| {
        kind["kind"] == "HTTPRoute" && matches!(kind["group"].as_str(), None | Some(GATEWAY_GROUP))
    };
    let mut kinds = items(&allowed["kinds"]).peekable();
    if kinds.peek().is_some() && !kinds.any(is_http_route) {
        return false;
    }
    let namespaces = &allowed["namespaces"];
    match namespaces["from"].as_str().unwrap_or("Same") {
        "All" => true,
        "Same" => home == place.namespace,
        "Selector" => selects(&namespaces["selector"], &place.labels),
        _ => false,
    }
}

/// Whether a label selector selects; one that is not there selects nothing.
fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    if !selector.is_object() {
        return false;
    }
    let exact = selector["matchLabels"].as_object().into_iter().flatten();
    let expression = |expression: &Value| {
        let value = expression["key"].as_str().and_then(|key| labels.get(key));
        let listed = value.is_some_and(|value| items(&expression["values"]).any(|one| *one == json!(value)));
        match expression["operator"].as_str() {
            Some("In") => listed,
            Some("NotIn") => !listed,
            Some("Exists") => value.is_some(),
            Some("DoesNotExist") => value.is_none(),
            _ => false,
        }
    };
    exact.into_iter().all(|(name, value)| labels.get(name).map(String::as_str) == value.as_str())
        && items(&selector["matchExpressions"]).all(expression)
}

#[cfg(test)]
mod tests;
