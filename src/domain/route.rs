//! Routes: how an environment's applications are reached from outside, and whether that works.

mod address;
mod attachment;
mod certificate;
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
pub use gateway::GatewayRef;
pub use matches::{Alternative, alternatives};
pub use offer::{ClassOffer, GatewayOffer, INGRESS_NGINX, Offer, SANDBOX, TRAEFIK};
pub use peer::Peer;
pub use probe::{Beat, Hop, Phase, Phases, Probe, ProbeOutcome, Reach};
pub use read::{CLASS_ANNOTATION, class, read};
pub use routing::{ExtraHost, Isolation, IssuerRef, RouteKind, Routing, TlsSource, Via};
pub use view::{CertificateView, Endpoints, RouteView};
