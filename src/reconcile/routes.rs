//! Where a deployment answers: the hosts of its frozen context, the routes that its chart brought beside them, and what carries each
//! of them in the cluster. Pure; the engine's status and the cockpit share it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::object::{Detail, GatewayDetail, Listener, RouteDetail, RouteRule};
use crate::domain::route::{CertificateView, Endpoints, GatewayRef, RouteKind, RouteView, Routing, covers};
use crate::domain::{ClusterRecord, ObjectSummary};
use crate::ingress;

/// Gateways by `namespace/name`.
pub type Gateways = BTreeMap<String, GatewayDetail>;

/// What routes are made from.
#[derive(Debug, Clone, Copy)]
pub struct RouteSources<'a> {
    /// The frozen context of the instance that is looked at.
    pub context: &'a Value,
    /// The cluster: the ports at which its ingress answers now.
    pub cluster: Option<&'a ClusterRecord>,
    /// Everything that belongs to the deployment.
    pub objects: &'a [ObjectSummary],
    /// The Gateways that are known beside those among its objects.
    pub gateways: &'a Gateways,
    /// Whether probes leave them alone.
    pub unprobed: bool,
}

/// A route, and what its view alone does not tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The route, without a probe, and without a word of what does not fit.
    pub view: RouteView,
    /// Why its controller did not take it.
    pub refused: Option<String>,
    /// Whether it is one of the context's hosts, as opposed to a route that the chart brought for itself.
    pub is_wanted: bool,
}

/// The routes of a deployment: service by service the readable host, extra hosts, the primary host; then those that only the
/// chart knows.
pub fn routes(sources: &RouteSources<'_>) -> Vec<Carried> {
    let maker = Maker::of(*sources);
    let mut found: Vec<Carried> = Vec::new();
    for (service, value) in maker.services() {
        for host in ingress::hosts_of(value).readable_first() {
            if !found.iter().any(|known| known.view.service == service && known.view.host == host) {
                found.push(maker.wanted(service, value, host));
            }
        }
    }
    for (object, route, rule) in brought(sources.objects) {
        let service = maker.service_behind(&rule.service);
        let is_known = |known: &Carried| {
            let same_host = known.view.host.eq_ignore_ascii_case(&rule.host);
            same_host && (known.view.service == service || rule.service.is_empty())
        };
        if !found.iter().any(is_known) {
            found.push(maker.found(service, (object, route, rule)));
        }
    }
    found
}

type Rule<'a> = (&'a ObjectSummary, &'a RouteDetail, &'a RouteRule);

/// The rules of all routes that name a host; of each host and backend the one with the shortest path.
fn brought(objects: &[ObjectSummary]) -> Vec<Rule<'_>> {
    let mut found: BTreeMap<(&str, &str), Rule<'_>> = BTreeMap::new();
    for (object, route) in carriers(objects) {
        for rule in route.rules.iter().filter(|rule| !rule.host.is_empty()) {
            let entry = found.entry((&rule.host, &rule.service)).or_insert((object, route, rule));
            if rule.path.len() < entry.2.path.len() {
                *entry = (object, route, rule);
            }
        }
    }
    // a rule without a backend only leads elsewhere: those that have one come first
    let mut rules: Vec<_> = found.into_values().collect();
    rules.sort_by_key(|(_, _, rule)| rule.service.is_empty());
    rules
}

fn carriers(objects: &[ObjectSummary]) -> impl Iterator<Item = (&ObjectSummary, &RouteDetail)> {
    objects.iter().filter(|object| !object.deleting).filter_map(|object| match &object.detail {
        Detail::Route(route) => Some((object, route)),
        _ => None,
    })
}

/// Makes routes of one deployment.
struct Maker<'a> {
    sources: RouteSources<'a>,
    routing: Routing,
    own_gateways: Gateways,
}

impl<'a> Maker<'a> {
    fn of(sources: RouteSources<'a>) -> Self {
        let own_gateways = sources.objects.iter().filter_map(|object| match &object.detail {
            Detail::Gateway(gateway) => {
                Some((format!("{}/{}", object.key.namespace, object.key.name), gateway.clone()))
            }
            _ => None,
        });
        // what cannot be read is refused where it is rendered
        let routing = ingress::routing_of(sources.context).unwrap_or_default();
        Self { routing, own_gateways: own_gateways.collect(), sources }
    }

    fn services(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let services = self.sources.context["services"].as_object().into_iter().flatten();
        services.map(|(name, value)| (name.as_str(), value))
    }

    /// The driver's service of which this is the Kubernetes Service; empty for none.
    fn service_behind(&self, backend: &str) -> &'a str {
        let mut services = self.services();
        let found = services.find(|(_, value)| !backend.is_empty() && value["host"] == backend);
        found.map_or("", |(name, _)| name)
    }

    /// A host of the context.
    fn wanted(&self, service: &str, value: &Value, host: &str) -> Carried {
        let backend = value["host"].as_str().unwrap_or_default();
        let path = value["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/");
        let tls = !ingress::tls_of(value).is_off();
        let carrier = self.carrier(host, path, backend);
        let mut carried = self.carried(service, (host, path, tls), carrier);
        backend.clone_into(&mut carried.view.backend);
        carried.view.endpoints = self.endpoints(backend);
        carried.is_wanted = true;
        if carried.view.object.is_none() {
            carried.view.class = self.class();
            carried.view.certificate =
                self.certificate(ingress::tls_secret(&ingress::tls_of(value), backend));
        }
        carried
    }

    /// A route that is there, and that the context does not know.
    fn found(&self, service: &str, rule: Rule<'_>) -> Carried {
        let (_, route, of) = rule;
        let listener = self.listener(route, &of.host);
        let tls = of.tls || listener.is_some_and(|listener| listener.https);
        self.carried(service, (&of.host, plain(&of.path), tls), Some(rule))
    }

    fn carried(
        &self,
        service: &str,
        (host, path, tls): (&str, &str, bool),
        carrier: Option<Rule<'_>>,
    ) -> Carried {
        let cluster = self.sources.cluster;
        let port =
            cluster.and_then(|cluster| if tls { cluster.ingress_tls_port } else { cluster.ingress_port });
        let via = self.routing.via.as_ref().map(|via| via.kind).or(self.routing.kind);
        let kind = carrier.and_then(|(object, ..)| RouteKind::parse(&object.key.kind)).or(via);
        let route = carrier.map(|(_, route, _)| route);
        let gateway = route.and_then(|route| self.gateway(&route.class));
        let secret = carrier.filter(|_| tls).and_then(|(object, route, rule)| {
            let listened = self.listener(route, host).and_then(|listener| listener.secret.clone());
            let listened = listened.map(|(namespace, name)| match namespace == object.key.namespace {
                true => name,
                false => format!("{namespace}/{name}"),
            });
            rule.secret.clone().or(listened)
        });
        let backend = carrier.map(|(_, _, rule)| rule.service.clone()).unwrap_or_default();
        let addresses = gateway.map(|gateway| &gateway.addresses).or(route.map(|route| &route.addresses));
        let refused = route.and_then(|route| route.refused.clone());
        let refused = refused.or_else(|| {
            let (gateway, route) = gateway.zip(route)?;
            Some(format!("Gateway {}: {}", route.class, gateway.refused.as_ref()?))
        });
        Carried {
            view: RouteView {
                service: service.to_owned(),
                endpoints: self.endpoints(&backend),
                backend,
                host: host.to_owned(),
                url: ingress::url(host, tls, port, path),
                object: carrier.map(|(object, ..)| object.key.clone()),
                kind: kind.unwrap_or(RouteKind::Ingress),
                class: route.map(|route| route.class.clone()).unwrap_or_default(),
                addresses: addresses.cloned().unwrap_or_default(),
                certificate: self.certificate(secret),
                trouble: Vec::new(),
                // nobody can ask for every name at once
                unprobed: self.sources.unprobed || host.starts_with(['*', '~']),
                probe: None,
                history: Arc::default(),
            },
            refused,
            is_wanted: false,
        }
    }

    /// What carries a host: with this path and backend rather than another one, and rather taken than refused.
    fn carrier(&self, host: &str, path: &str, backend: &str) -> Option<Rule<'a>> {
        let all = carriers(self.sources.objects)
            .flat_map(|(object, route)| route.rules.iter().map(move |rule| (object, route, rule)));
        let fitting = all.filter_map(|(object, route, rule)| {
            let same_path = rule.path.trim_end_matches('/') == path.trim_end_matches('/');
            let same_backend = rule.service == backend;
            let fits = rule.host.eq_ignore_ascii_case(host) && (same_path || same_backend);
            // one without TLS may be there to send on to the one that has it
            let rank = (same_path && same_backend, same_backend, route.refused.is_none(), rule.tls);
            fits.then_some((rank, (object, route, rule)))
        });
        fitting.max_by_key(|(rank, _)| *rank).map(|(_, rule)| rule)
    }

    fn gateway(&self, class: &str) -> Option<&GatewayDetail> {
        self.own_gateways.get(class).or_else(|| self.sources.gateways.get(class))
    }

    /// The listener that takes a host of an HTTPRoute, one with https rather than one without.
    fn listener(&self, route: &RouteDetail, host: &str) -> Option<&Listener> {
        let listeners = self.gateway(&route.class)?.listeners.iter();
        let takes = |listener: &&Listener| listener.host.is_empty() || covers(&listener.host, host);
        listeners.filter(takes).max_by_key(|listener| listener.https)
    }

    /// The class that a route is to get, as the context says.
    fn class(&self) -> String {
        let via = self.routing.via.as_ref();
        let gateway = via.and_then(|via| via.gateway.as_ref());
        let gateway = gateway.map(GatewayRef::whole);
        let frozen = self.sources.context["instance"]["config"]["ingress_class"].as_str();
        gateway
            .or_else(|| via.and_then(|via| via.class.clone()))
            .or_else(|| frozen.map(str::to_owned))
            .unwrap_or_default()
    }

    fn certificate(&self, secret: Option<String>) -> Option<CertificateView> {
        let secret = secret?;
        let manager = self.sources.objects.iter().find_map(|object| match &object.detail {
            Detail::Certificate { secret: kept, report } if *kept == secret => Some(report.clone()),
            _ => None,
        });
        Some(CertificateView { secret, held: None, manager })
    }

    /// Of a Service; none while nobody has counted them, or where that cannot be seen: one that runs has a slice, however empty.
    fn endpoints(&self, backend: &str) -> Option<Endpoints> {
        let slices = self.sources.objects.iter().filter_map(|object| match &object.detail {
            Detail::Endpoints { service, endpoints } if service == backend => Some(*endpoints),
            _ => None,
        });
        slices
            .reduce(|sum, slice| Endpoints { ready: sum.ready + slice.ready, total: sum.total + slice.total })
    }
}

/// A path up to where it becomes a pattern.
fn plain(path: &str) -> &str {
    path.split(['(', '[', '*', '^', '$', '?', '\\']).next().filter(|path| !path.is_empty()).unwrap_or("/")
}

#[cfg(test)]
mod tests;
