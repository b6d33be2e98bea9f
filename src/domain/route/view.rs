//! A route as it is shown: what is wanted, what carries it in the cluster, and what a request finds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Beat, Certificate, ManagerReport, Probe, RouteKind};
use crate::domain::ObjectKey;

/// One host of a service, and whether it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteView {
    /// The driver's service behind it; empty for a route that a chart brought for none of them.
    pub service: String,
    /// The Kubernetes Service behind it.
    pub backend: String,
    /// The host name.
    pub host: String,
    /// Complete, with scheme and port.
    pub url: String,
    /// The object that carries it, while there is one in the cluster.
    pub object: Option<ObjectKey>,
    /// The kind that it is, or is to be, written as.
    pub kind: RouteKind,
    /// The ingress class, or the Gateway as `namespace/name`; empty: the cluster's default.
    pub class: String,
    /// The addresses at which the ingress answers, as the object's status says: IP addresses and host names.
    pub addresses: Vec<String>,
    /// Of the Kubernetes Service; none while it is not there.
    pub endpoints: Option<Endpoints>,
    /// The certificate that is to be shown; none where the route answers on http, or the controller has its own.
    pub certificate: Option<CertificateView>,
    /// What does not fit, most pressing first: not taken by its controller, wrong address, another certificate than the Secret's.
    pub trouble: Vec<String>,
    /// Whether probes leave it alone.
    pub unprobed: bool,
    /// The last probe; none before the first.
    pub probe: Option<Probe>,
    /// The last probes, oldest first.
    pub history: Arc<[Beat]>,
}

impl RouteView {
    /// The Gateway that takes it, or is to: its namespace and its name. None where it is no HTTPRoute, or names none.
    pub fn gateway(&self) -> Option<(&str, &str)> {
        self.class.split_once('/').filter(|_| self.kind == RouteKind::HttpRoute)
    }
}

/// Endpoints of a Service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// That take requests.
    pub ready: u32,
    /// All.
    pub total: u32,
}

/// The certificate that a route is to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// The Secret that holds it.
    pub secret: String,
    /// What lies there; none: not read yet, or why it cannot be read stands in the route's trouble.
    pub held: Option<Certificate>,
    /// What cert-manager says of it, where it keeps it.
    pub manager: Option<ManagerReport>,
}
