//! Routes: how an environment's applications are reached from outside, and whether that works.

mod address;
mod attachment;
mod certificate;
mod controllers;
mod gateway;
mod matches;
mod offer;
mod peer;
mod probe;
mod read;
mod routing;
mod view;

pub use address::{Block, check_host, covers};
pub use attachment::{Attachment, GATEWAY_GROUP, Parent, Word, programmed};
pub use certificate::{Certificate, ManagerReport};
pub use controllers::{
    AWS, Controller, ENVOY_GATEWAY, HAPROXY, HAPROXY_INGRESS, INGRESS_NGINX, Proxies, SANDBOX, TRAEFIK,
    TRAEFIK_GATEWAY, controller,
};
pub use gateway::GatewayRef;
pub use offer::{ClassOffer, GatewayOffer, Offer};
pub use peer::Peer;
pub use probe::{Beat, Hop, Phase, Phases, Probe, ProbeOutcome, Reach};
pub use read::{CLASS_ANNOTATION, class, read};
pub use routing::{ExtraHost, Isolation, IssuerRef, RouteKind, RouteListener, Routing, TlsSource, Via};
pub use view::{CertificateView, Endpoints, RouteView};
