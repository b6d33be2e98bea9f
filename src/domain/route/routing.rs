//! What is said about the routes of an environment.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::gateway::GatewayRef;
use super::peer::Peer;
use crate::domain::words::words;

words! {
    /// The kind of object that a route is written as.
    RouteKind {
        /// `networking.k8s.io/v1`.
        Ingress => "Ingress",
        /// `gateway.networking.k8s.io/v1`.
        HttpRoute => "HTTPRoute",
        /// `traefik.io/v1alpha1`.
        IngressRoute => "IngressRoute",
    }
}

words! {
    /// Which connections of an environment's pods NetworkPolicies keep away.
    Isolation {
        /// None.
        Off => "off",
        /// Those into the namespace, but for what is allowed.
        Inbound => "inbound",
        /// Those out of it as well, but for names (DNS), the namespace itself, and what is allowed.
        Both => "both",
    }
}

impl Isolation {
    /// What is kept away by what is said of it; none: nothing is, be it said or not.
    pub fn in_force(said: Option<Self>) -> Option<Self> {
        said.filter(|said| *said != Self::Off)
    }
}

/// What is said about the routes of an environment. Everything absent: as Styrmin did before it asked, an Ingress of the
/// environment's class, http, nothing kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Routing {
    /// The kind that a person chose; none: what the cluster has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<RouteKind>,
    /// Who answers for the routes. Found out when the environment is made or set, and kept: what the cluster gains later changes
    /// nothing that runs. None: not found out yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Where certificates come from.
    #[serde(skip_serializing_if = "TlsSource::is_off")]
    pub tls: TlsSource,
    /// Whether http is sent on to https where there is both; none: not said, so each controller does what it does by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<bool>,
    /// The listeners of its Gateway, where http is sent on: routes are told apart by them. Found out with who answers, and kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<RouteListener>,
    /// Which connections are kept away; none: not said, so none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Who may reach every pod of the environment, beside its own namespace and the ingress controller.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_from: Vec<Peer>,
    /// Annotations of every route (external-dns, options of a controller).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Whether its routes are left alone by the probes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unprobed: bool,
}

impl Routing {
    /// What of it instances are made with. Who else may reach its pods and whether its URLs are asked is read where it is recorded:
    /// said anew, it makes no instance new.
    pub fn frozen(&self) -> Self {
        Self { allow_from: Vec::new(), unprobed: false, ..self.clone() }
    }

    /// Whether nothing is said that instances are made with, as in environments from before anybody asked.
    pub fn is_of_before(&self) -> bool {
        self.frozen() == Self::default()
    }

    /// Whether its routes answer on https: for HTTPRoutes their Gateway says so.
    pub fn has_https(&self) -> bool {
        match self.via.as_ref().filter(|via| via.kind == RouteKind::HttpRoute) {
            Some(via) => via.gateway.as_ref().is_some_and(|gateway| gateway.https),
            None => !self.tls.is_off(),
        }
    }

    /// Whether plain http is sent on to https, in words.
    pub fn redirect_text(&self) -> &'static str {
        match self.redirect {
            Some(true) => "on",
            Some(false) => "off",
            None if self.has_https() => "not said: as the controller does",
            None => "-",
        }
    }
}

/// Who answers for the routes of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The kind of object that they are written as.
    pub kind: RouteKind,
    /// The class's controller, such as `traefik.io/ingress-controller`; empty: nobody knows.
    #[serde(default)]
    pub controller: String,
    /// The ingress class; none: the cluster's default one, or none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The Gateway that HTTPRoutes attach to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayRef>,
    /// The namespace that the controller's pods run in; none: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Via {
    /// Nobody: it is to be found out.
    pub fn unknown() -> Self {
        Self {
            kind: RouteKind::Ingress,
            controller: String::new(),
            class: None,
            gateway: None,
            namespace: None,
        }
    }

    /// A Gateway that somebody named: the rest is to be found out.
    pub fn of_gateway(gateway: GatewayRef) -> Self {
        Self { kind: RouteKind::HttpRoute, gateway: Some(gateway), ..Self::unknown() }
    }
}

impl fmt::Display for Via {
    /// `Ingress of class public (traefik.io/ingress-controller)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        match (&self.gateway, &self.class) {
            (Some(gateway), _) => write!(f, " of the Gateway {}", gateway.whole())?,
            (None, Some(class)) => write!(f, " of class {class}")?,
            (None, None) if self.kind == RouteKind::Ingress => f.write_str(" without a class")?,
            (None, None) => {}
        }
        match self.controller.as_str() {
            "" => Ok(()),
            known => write!(f, " ({known})"),
        }
    }
}

/// Where the certificates of an environment's routes come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsSource {
    /// Nowhere: routes answer on http.
    #[default]
    Off,
    /// A Secret of type `kubernetes.io/tls` in the environment's namespace, for all hosts (a wildcard).
    Secret(String),
    /// cert-manager makes one per route.
    Issuer(IssuerRef),
    /// The controller, or the Gateway's listener, has one of its own.
    Controller,
}

impl TlsSource {
    /// Whether routes answer on http.
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// Names an issuer of cert-manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerRef {
    /// Its name.
    pub name: String,
    /// Whether it is a ClusterIssuer, as opposed to an Issuer of the namespace.
    #[serde(default)]
    pub cluster_wide: bool,
}

/// A host name that a deployment is to answer to beside its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExtraHost {
    /// The driver's service; none: its only external one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The host name, without scheme and port.
    pub host: String,
}

/// A listener of a Gateway that takes the routes of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteListener {
    /// Its name.
    pub name: String,
    /// The host name that it takes, perhaps a wildcard; empty: all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Whether it speaks https.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub https: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_away_where_nothing_is_said() {
        for (said, wanted) in [
            (None, None),
            (Some(Isolation::Off), None),
            (Some(Isolation::Inbound), Some(Isolation::Inbound)),
            (Some(Isolation::Both), Some(Isolation::Both)),
        ] {
            assert_eq!(Isolation::in_force(said), wanted);
        }
    }
}
