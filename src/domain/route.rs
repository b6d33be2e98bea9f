//! Routes: how an environment's applications are reached from outside, and whether that works.

mod certificate;
mod hosts;
mod offer;
mod probe;
mod routing;
mod view;

pub use certificate::{Certificate, ManagerReport};
pub use hosts::host_fits;
pub use offer::{ClassOffer, GatewayOffer, INGRESS_NGINX, Offer, TRAEFIK};
pub use probe::{Beat, Hop, Phase, Phases, Probe, ProbeOutcome, Reach};
pub use routing::{ExtraHost, GatewayRef, Isolation, IssuerRef, Peer, RouteKind, Routing, TlsSource, Via};
pub use view::{CertificateView, Endpoints, RouteView};
