//! The controllers that are known by name: where their proxies are, and how they hear of an allow-list.

/// The controller of ingress-nginx, which was retired in March 2026 and gets no more fixes.
pub const INGRESS_NGINX: &str = "k8s.io/ingress-nginx";
/// The controller of HAProxy Ingress, which a community makes.
pub const HAPROXY_INGRESS: &str = "haproxy-ingress.github.io/controller";
/// The controller of HAProxy Technologies.
pub const HAPROXY: &str = "haproxy.org/ingress-controller";
/// The controller of load balancers of AWS.
pub const AWS: &str = "ingress.k8s.aws/alb";
/// Traefik's controller.
pub const TRAEFIK: &str = "traefik.io/ingress-controller";
/// Traefik as the controller of a GatewayClass.
pub const TRAEFIK_GATEWAY: &str = "traefik.io/gateway-controller";
/// Envoy Gateway as the controller of a GatewayClass.
pub const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io/gatewayclass-controller";
/// The controller of the sandbox's own ingress.
pub const SANDBOX: &str = "sandbox.styrmin.io/ingress";

/// The labels of Traefik's pods.
const TRAEFIK_PODS: Proxies = Proxies::Pods("app.kubernetes.io/name=traefik");

/// Where connections of a controller come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxies {
    /// From pods with these labels, as its chart or manifests put them there.
    Pods(&'static str),
    /// From this namespace.
    Namespace(&'static str),
    /// From no pod of the cluster's network (a load balancer of a cloud, processes on the network of their nodes): what comes has an
    /// address, and no namespace.
    Outside,
}

/// A controller of ingress classes, or of GatewayClasses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controller {
    /// Its name, as classes have it.
    pub name: &'static str,
    /// Where its connections come from.
    pub proxies: Proxies,
    /// The annotation of an Ingress that takes a list of blocks of addresses, separated by commas.
    pub allow_list: Option<&'static str>,
}

const fn at(name: &'static str, proxies: Proxies) -> Controller {
    Controller { name, proxies, allow_list: None }
}

const fn listed(name: &'static str, proxies: Proxies, annotation: &'static str) -> Controller {
    Controller { name, proxies, allow_list: Some(annotation) }
}

impl Controller {
    /// Whether a class that names `name` is for it, or for one of its kind with a name of its own behind a slash
    /// (`haproxy.org/ingress-controller/edge`): then it hears what is said to it.
    pub fn is(&self, name: &str) -> bool {
        name.strip_prefix(self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The allow-lists:
///
/// - ingress-nginx: <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#whitelist-source-range>
///   (the older name, which its last versions still read beside `allowlist-source-range`)
/// - HAProxy Ingress: <https://haproxy-ingress.github.io/docs/configuration/keys/#allowlist>
/// - HAProxy Technologies: <https://github.com/haproxytech/kubernetes-ingress/blob/master/documentation/annotations.md>
/// - AWS: <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#inbound-cidrs>; where
///   several Ingresses share a load balancer (`group.name`), it is the load balancer's
///
/// Cilium's proxies run on the nodes, wherever its operator is a pod.
const KNOWN: [Controller; 20] = [
    listed(SANDBOX, Proxies::Namespace("kube-system"), "sandbox.styrmin.io/allow-list"),
    at(TRAEFIK, TRAEFIK_PODS),
    at(TRAEFIK_GATEWAY, TRAEFIK_PODS),
    listed(
        INGRESS_NGINX,
        Proxies::Pods("app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller"),
        "nginx.ingress.kubernetes.io/whitelist-source-range",
    ),
    listed(
        HAPROXY_INGRESS,
        Proxies::Pods("app.kubernetes.io/name=haproxy-ingress"),
        "haproxy-ingress.github.io/allowlist-source-range",
    ),
    listed(HAPROXY, Proxies::Pods("app.kubernetes.io/name=kubernetes-ingress"), "haproxy.org/allow-list"),
    at(
        ENVOY_GATEWAY,
        Proxies::Pods("app.kubernetes.io/managed-by=envoy-gateway,app.kubernetes.io/component=proxy"),
    ),
    at(
        "projectcontour.io/ingress-controller",
        Proxies::Pods("app.kubernetes.io/name=contour,app.kubernetes.io/component=envoy"),
    ),
    at("istio.io/ingress-controller", Proxies::Pods("istio=ingressgateway")),
    at("istio.io/gateway-controller", Proxies::Pods("gateway.networking.k8s.io/gateway-name")),
    listed(AWS, Proxies::Outside, "alb.ingress.kubernetes.io/inbound-cidrs"),
    at("eks.amazonaws.com/alb", Proxies::Outside),
    at("gateway.k8s.aws/alb", Proxies::Outside),
    at("k8s.io/ingress-gce", Proxies::Outside),
    at("networking.gke.io/gateway", Proxies::Outside),
    at("azure/application-gateway", Proxies::Outside),
    at("alb.networking.azure.io/alb-controller", Proxies::Outside),
    at("cilium.io/ingress-controller", Proxies::Outside),
    at("io.cilium/gateway-controller", Proxies::Outside),
    at("openshift.io/ingress-to-route", Proxies::Outside),
];

/// The controller of which `name` is one, or seems to be one that somebody named otherwise (`k8s.io/ingress-nginx2`); none: nobody
/// knows it. What has to be heard for sure asks [`Controller::is`] as well.
pub fn controller(name: &str) -> Option<&'static Controller> {
    KNOWN.iter().find(|known| {
        let rest = name.strip_prefix(known.name);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_is_known_by_its_name_and_what_stands_behind_it() {
        let found = |name: &str| controller(name).map(|known| known.name);
        for known in &KNOWN {
            assert_eq!(found(known.name), Some(known.name), "no name begins another");
        }
        for (name, wanted, sure) in [
            ("haproxy.org/ingress-controller/edge", Some("haproxy.org/ingress-controller"), true),
            ("k8s.io/ingress-nginx-internal", Some(INGRESS_NGINX), false),
            ("k8s.io/ingress-nginx2", Some(INGRESS_NGINX), false),
            ("haproxy.org/ingress-controllers", None, false),
            ("nginx.org/ingress-controller", None, false),
            ("k8s.io", None, false),
            ("", None, false),
        ] {
            assert_eq!(found(name), wanted, "{name}");
            assert_eq!(controller(name).is_some_and(|known| known.is(name)), sure, "{name}");
        }
    }
}
