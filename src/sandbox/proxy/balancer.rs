//! The load balancers of other controllers: what DNS and the load balancer of a real cluster do for their hosts. A request is
//! carried to the Service of type LoadBalancer that the controller has published, or that is in its namespace, straight to a
//! ready endpoint and from the client's own address, as `externalTrafficPolicy: Local` would.

use std::net::{IpAddr, SocketAddr, SocketAddrV4};

use http::StatusCode;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use super::claims::Claim;
use super::explain::Refusal;
use super::policies;
use crate::sandbox::api::Api;
use crate::sandbox::network::allow::AllowList;
use crate::sandbox::network::services::Services;
use crate::sandbox::object;

/// Finds the endpoint to which the load balancer of whoever claims a host would carry a client. `turn` says whose turn it is.
///
/// Load balancers drop whom their source ranges do not name. Over http the page is kinder, and over https the connection is
/// closed, because the certificate is the other controller's.
pub(super) fn lead(
    api: &Api,
    services: &Services,
    claim: &Claim,
    (client, port, turn): (IpAddr, u16, usize),
) -> Result<SocketAddrV4, Refusal> {
    let Some(balancer) = balancer(api, claim, port) else {
        let Claim { what, namespace, .. } = claim;
        let hint = format!(
            "Nobody answers for it: the namespace {namespace} has no Service of type LoadBalancer with port {port}. Deploy \
             the controller of this class, or use the class of the sandbox."
        );
        return Err(Refusal::new(StatusCode::NOT_FOUND, format!("{what} names this host."), hint));
    };
    let (namespace, name) = (object::namespace(&balancer), object::name(&balancer));
    if let Some(why) = AllowList::of_service(&balancer).refusal(client) {
        let what = format!("The load balancer {namespace}/{name} does not let you in.");
        return Err(Refusal::new(StatusCode::FORBIDDEN, what, format!("loadBalancerSourceRanges: {why}")));
    }
    let service = services.get(namespace, name);
    let ready =
        service.as_deref().and_then(|service| service.port(port)).map(|port| port.backends.as_slice());
    let Some(ready) = ready.filter(|ready| !ready.is_empty()) else {
        let what = format!("The load balancer {namespace}/{name} has no ready endpoint.");
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            what,
            format!("{} is served by it.", claim.what),
        ));
    };
    let address = ready[turn % ready.len()];
    policies::permit_outside(api, namespace, address, client)?;
    Ok(address)
}

/// The load balancer with an address that was published, else the first of the namespace; it must have the port.
fn balancer(api: &Api, claim: &Claim, port: u16) -> Option<std::sync::Arc<Value>> {
    let serves = |service: &Value| {
        let mut ports = object::list(service, "/spec/ports").iter();
        object::text(service, "/spec/type") == "LoadBalancer" && ports.any(|known| known["port"] == port)
    };
    if !claim.addresses.is_empty() {
        let published = api.list("services", None).into_iter().find(|service| {
            let mut own = object::list(service, "/status/loadBalancer/ingress").iter();
            serves(service) && own.any(|own| claim.addresses.iter().any(|address| own["ip"] == **address))
        });
        if published.is_some() {
            return published;
        }
    }
    api.list("services", Some(&claim.namespace)).into_iter().find(|service| serves(service))
}

/// Connects from an address of the client's: what is behind the balancer sees who asks.
pub(super) async fn connect_from(client: IpAddr, to: SocketAddrV4) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // 127.0.0.1 is what the system takes by itself
    if let IpAddr::V4(own) = client.to_canonical()
        && own.is_loopback()
        && own != std::net::Ipv4Addr::LOCALHOST
    {
        socket.bind(SocketAddr::from((own, 0)))?;
    }
    socket.connect(to.into()).await
}
