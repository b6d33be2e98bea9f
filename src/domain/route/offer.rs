//! What a cluster has that could answer for routes.

use std::collections::BTreeMap;

use super::GatewayRef;

/// What a cluster has that could answer for the routes of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Its ingress classes, by name.
    pub classes: Vec<ClassOffer>,
    /// Gateways that take HTTPRoutes of the namespace and are programmed, by namespace and name: each as a whole, then its listeners
    /// that do. Empty where the Gateway API is not served.
    pub gateways: Vec<GatewayOffer>,
    /// Whether it serves Traefik's IngressRoutes and Middlewares.
    pub traefik: bool,
    /// Whether it serves the Gateway API's HTTPRoutes.
    pub gateway_api: bool,
    /// Whether it serves cert-manager's Certificates.
    pub cert_manager: bool,
    /// Whether it serves Envoy Gateway's SecurityPolicies.
    pub security_policies: bool,
    /// The namespaces in which pods of known ingress controllers run, by the controller's name as classes have it.
    pub namespaces: BTreeMap<String, String>,
}

/// An ingress class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassOffer {
    /// Its name.
    pub name: String,
    /// Its controller, such as `traefik.io/ingress-controller`.
    pub controller: String,
    /// Whether Ingresses without a class get it.
    pub is_default: bool,
}

/// A Gateway that takes HTTPRoutes of the namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayOffer {
    /// Which; its `https` says whether one of its listeners speaks https.
    pub gateway: GatewayRef,
    /// The controller of its class.
    pub controller: String,
    /// The host names that its listeners take, wildcards among them; empty: all.
    pub hostnames: Vec<String>,
}
