//! Whether what is said about the routes of an environment can be expressed: asked when it is planned, so that nobody finds out from
//! an application that cannot be deployed. Pure.

use super::allow::{self, Adapter};
use super::detect::takes;
use crate::domain::names::{check_key, check_label, check_subdomain};
use crate::domain::route::{Block, Isolation, Offer, Peer, RouteKind, TlsSource, Via, check_host};
use crate::domain::{Environment, Problem};

/// Checks an environment against what its cluster has; `suffix` is the domain of its host names ([`Environment::suffix`]). What
/// comes back is worth knowing, a sentence each.
///
/// # Errors
/// A block of addresses, a name or an annotation is malformed; or the kind of route, or the cluster, has no way to do what is said:
/// an allow-list, a certificate.
pub fn check(environment: &Environment, offer: &Offer, suffix: Option<&str>) -> Result<Vec<String>, Problem> {
    let mut warnings = Vec::new();
    if let Some(suffix) = environment.suffix(None) {
        check_host(suffix.trim_matches('.')).map_err(|why| {
            Problem::new(
                format!("'{suffix}' is no suffix of host names"),
                why,
                "give a DNS name, such as apps.example.org",
            )
        })?;
    }
    for block in &environment.ip_whitelist {
        check_block("the allow-list", block)?;
    }
    for peer in &environment.routing.allow_from {
        check_peer(peer)?;
    }
    for key in environment.routing.annotations.keys() {
        check_key(key).map_err(|why| {
            Problem::new(
                format!("'{key}' cannot name an annotation of routes"),
                why,
                "correct the annotation",
            )
        })?;
    }
    check_certificates(environment, offer, &mut warnings)?;
    let Some(via) = &environment.routing.via else {
        if !environment.ip_whitelist.is_empty() && environment.dedicated_ingress.is_none() {
            return Err(Problem::new(
                "The allow-list of the environment cannot be enforced",
                "nobody found out who answers for its routes",
                "have it found out (--route-kind detect), or take the list away (--allow-all)",
            ));
        }
        return Ok(warnings);
    };
    check_allow_list(environment, via, offer)?;
    warnings.extend(super::redirect::check(environment, offer)?);
    if via.kind == RouteKind::IngressRoute && environment.dedicated_ingress.is_some() {
        warnings.push(own_ingress_routes(offer)?);
    }
    warnings.extend(not_taken(environment, offer, suffix));
    let own_list = environment.dedicated_ingress.is_some() && !environment.ip_whitelist.is_empty();
    if own_list && matches!(environment.routing.tls, TlsSource::Issuer(_)) {
        warnings.push(UNPROVEN.to_owned());
    }
    if environment.routing.isolation == Some(Isolation::Both) && environment.routing.allow_from.is_empty() {
        warnings.push(
            "pods reach nothing but names and each other: not the API server, no database elsewhere, no mail; --allow-from says what else"
                .to_owned(),
        );
    }
    Ok(warnings)
}

/// An environment's own ingress controller reads Traefik's kinds only when it is told to, and where they are defined.
fn own_ingress_routes(offer: &Offer) -> Result<String, Problem> {
    if !offer.traefik {
        return Err(Problem::new(
            "The cluster does not know IngressRoutes",
            "it does not serve the kinds of traefik.io, which the environment's own ingress would read",
            "install Traefik's custom resources, or choose the kind ingress",
        ));
    }
    Ok(format!(
        "the environment's own ingress reads IngressRoutes only with the parameter custom_resources of its application {}",
        super::DEDICATED
    ))
}

/// What is told where an allow-list is said, and nobody knows to whom.
pub const UNENFORCED: &str = "the allow-list of the environment is not enforced: nobody found out who answers for its routes; setting the environment does";

/// What is told where an allow-list at the door keeps a certificate authority out.
const UNPROVEN: &str = "the environment's own ingress keeps its allow-list for every request: an issuer that proves host names by requests to them (HTTP-01) makes no certificates there, one that does by DNS (DNS-01) does";

fn check_block(what: &str, block: &str) -> Result<(), Problem> {
    Block::read(block).map(drop).map_err(|why| {
        Problem::new(
            format!("'{block}' cannot stand in {what}"),
            why,
            "write a block of addresses, such as 192.0.2.0/24 or 2001:db8::/32",
        )
    })
}

fn check_peer(peer: &Peer) -> Result<(), Problem> {
    match peer {
        Peer::Cidr(block) => check_block("what may connect", block),
        Peer::Namespace { name, .. } if name == "*" => Ok(()),
        Peer::Namespace { name, .. } => check_label("namespace that may connect", name),
    }
}

fn check_allow_list(environment: &Environment, via: &Via, offer: &Offer) -> Result<(), Problem> {
    if environment.ip_whitelist.is_empty() {
        return Ok(());
    }
    let missing = match allow::adapter(via, environment.dedicated_ingress.is_some())? {
        Adapter::OwnIngress | Adapter::Annotation(_) => return Ok(()),
        Adapter::Middleware if offer.traefik => return Ok(()),
        Adapter::SecurityPolicy if offer.security_policies => return Ok(()),
        Adapter::Middleware => "a Middleware of traefik.io",
        Adapter::SecurityPolicy => "a SecurityPolicy of gateway.envoyproxy.io",
    };
    Err(Problem::new(
        "The allow-list of the environment cannot be expressed",
        format!("{} expresses it as {missing}, a kind that the cluster does not serve", via.controller),
        "install the controller's custom resources, give the environment an ingress of its own (--dedicated-ingress), or take the list away (--allow-all)",
    ))
}

fn check_certificates(
    environment: &Environment,
    offer: &Offer,
    warnings: &mut Vec<String>,
) -> Result<(), Problem> {
    let tls = &environment.routing.tls;
    match tls {
        TlsSource::Secret(name) => check_subdomain(name).map_err(|why| {
            Problem::new(
                format!("'{name}' cannot name a Secret"),
                why,
                "name the Secret that holds the certificate",
            )
        })?,
        TlsSource::Issuer(issuer) => {
            check_subdomain(&issuer.name).map_err(|why| {
                Problem::new(
                    format!("'{}' cannot name an issuer", issuer.name),
                    why,
                    "name an issuer of cert-manager",
                )
            })?;
            if !offer.cert_manager {
                return Err(Problem::new(
                    format!("The issuer {} cannot make certificates", issuer.name),
                    "the cluster does not serve cert-manager's Certificates",
                    "install cert-manager, or name a Secret (--tls secret:NAME)",
                ));
            }
        }
        TlsSource::Off | TlsSource::Controller => {}
    }
    let Some(gateway) = environment.routing.via.as_ref().and_then(|via| via.gateway.as_ref()) else {
        return Ok(());
    };
    match tls {
        TlsSource::Secret(_) | TlsSource::Issuer(_) => Err(Problem::new(
            "The environment cannot say which certificate its HTTPRoutes show",
            format!("the certificate belongs to the listener of the Gateway {gateway}"),
            "set the certificate there, and --tls controller here; or choose another kind of route",
        )),
        TlsSource::Controller if !gateway.https => Err(Problem::new(
            "The routes cannot answer on https",
            format!("the Gateway {gateway} has no https listener that takes them"),
            "give it one, or take https away (--tls off)",
        )),
        TlsSource::Off if gateway.https => {
            warnings.push(format!("the Gateway {gateway} speaks https, so the URLs begin with it"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What the Gateway that answers for an environment does not take of it: a listener takes only routes with hosts of its own, and of
/// namespaces that it lets in. `suffix` is the domain of the host names ([`Environment::suffix`]).
pub fn not_taken(environment: &Environment, offer: &Offer, suffix: Option<&str>) -> Option<String> {
    let gateway = environment.routing.via.as_ref()?.gateway.as_ref()?;
    let Some(offer) = offer.gateways.iter().find(|known| known.gateway.is_same(gateway)) else {
        let namespace = &environment.namespace;
        return offer.gateway_api.then(|| {
            format!("the Gateway {gateway} is not known to take routes of the namespace {namespace}")
        });
    };
    let suffix = suffix?;
    (!takes(&offer.hostnames, suffix)).then(|| {
        format!(
            "the Gateway {} takes {}, which no host under {suffix} is",
            offer.gateway,
            offer.hostnames.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
