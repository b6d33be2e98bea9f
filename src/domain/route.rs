//! Routes: how an environment's applications are reached from outside, and whether that works.

mod address;
mod certificate;
mod matches;
mod offer;
mod probe;
mod read;
mod routing;
mod view;

pub use address::{Block, check_host, covers};
pub use certificate::{Certificate, ManagerReport};
pub use matches::{Alternative, alternatives};
pub use offer::{ClassOffer, GatewayOffer, INGRESS_NGINX, Offer, SANDBOX, TRAEFIK};
pub use probe::{Beat, Hop, Phase, Phases, Probe, ProbeOutcome, Reach};
pub use read::{CLASS_ANNOTATION, class, read};
pub use routing::{ExtraHost, GatewayRef, Isolation, IssuerRef, Peer, RouteKind, Routing, TlsSource, Via};
pub use view::{CertificateView, Endpoints, RouteView};

pub use routing::RouteListener;
