//! Routes: how an environment's applications are reached from outside, and whether that works.

mod address;
mod certificate;
mod controllers;
mod matches;
mod offer;
mod probe;
mod read;
mod routing;
mod view;

pub use address::{Block, check_host, covers};
pub use certificate::{Certificate, ManagerReport};
pub use controllers::{
    Controller, ENVOY_GATEWAY, INGRESS_NGINX, Proxies, SANDBOX, TRAEFIK, TRAEFIK_GATEWAY, controller,
};
pub use offer::{ClassOffer, GatewayOffer, Offer};
pub use probe::{Beat, Hop, Phase, Phases, Probe, ProbeOutcome, Reach};
pub use read::{CLASS_ANNOTATION, class, read};
pub use routing::{ExtraHost, GatewayRef, Isolation, IssuerRef, Peer, RouteKind, Routing, TlsSource, Via};
pub use view::{CertificateView, Endpoints, RouteView};
