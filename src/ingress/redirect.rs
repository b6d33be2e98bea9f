//! Plain http of hosts that have https, sent on to it. Each controller has a way of its own to be told, and some have none. Pure.

use std::collections::BTreeMap;

use crate::domain::route::{
    AWS, GatewayRef, HAPROXY, HAPROXY_INGRESS, INGRESS_NGINX, Offer, RouteKind, RouteListener, SANDBOX,
    TRAEFIK, TlsSource, Via, controller,
};
use crate::domain::{Environment, Problem};

/// Stands for the port of https in a value.
pub(super) const PORT: &str = "{port}";

/// What a controller is told by annotations of an Ingress.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    controller: &'static str,
    /// So that http is sent on.
    pub(super) on: &'static [(&'static str, &'static str)],
    /// So that it is not, where the controller does it by itself.
    pub(super) off: &'static [(&'static str, &'static str)],
}

impl Words {
    /// Whether a certificate of this source is none that the controller shows: a load balancer of AWS has those of ACM only.
    pub(super) fn is_unfit(&self, tls: &TlsSource) -> bool {
        self.controller == AWS && matches!(tls, TlsSource::Secret(_) | TlsSource::Issuer(_))
    }

    /// Whether a person said it by annotations, and ours would not fit beside them: AWS refuses the whole load balancer where the port
    /// that http is sent on to is none at which it listens. With the others each annotation stands by itself.
    pub(super) fn is_said(&self, annotations: &BTreeMap<String, String>) -> bool {
        self.controller == AWS && self.on.iter().any(|(key, _)| annotations.contains_key(*key))
    }
}

/// By the controller of the class.
///
/// - ingress-nginx: does it by itself, with 308
///   (<https://kubernetes.github.io/ingress-nginx/user-guide/tls/#server-side-https-enforcement-through-redirect>)
/// - HAProxy Ingress: does it by itself; the code (302) is for all of its Ingresses
///   (<https://haproxy-ingress.github.io/docs/configuration/keys/#ssl-redirect>)
/// - HAProxy Technologies: does it by itself where there is TLS, with 302, and to the port of its pod
///   (<https://github.com/haproxytech/kubernetes-ingress/blob/master/documentation/annotations.md>); it knows no 308
/// - AWS: for the whole load balancer, with 301, and only to a port at which it listens
///   (<https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/tasks/ssl_redirect/>)
const ANNOTATIONS: [Words; 5] = [
    Words { controller: SANDBOX, on: &[("sandbox.styrmin.io/ssl-redirect", "true")], off: &[] },
    Words {
        controller: INGRESS_NGINX,
        on: &[("nginx.ingress.kubernetes.io/ssl-redirect", "true")],
        off: &[("nginx.ingress.kubernetes.io/ssl-redirect", "false")],
    },
    Words {
        controller: HAPROXY_INGRESS,
        on: &[("haproxy-ingress.github.io/ssl-redirect", "true")],
        off: &[("haproxy-ingress.github.io/ssl-redirect", "false")],
    },
    Words {
        controller: HAPROXY,
        on: &[
            ("haproxy.org/ssl-redirect", "true"),
            ("haproxy.org/ssl-redirect-code", "301"),
            ("haproxy.org/ssl-redirect-port", PORT),
        ],
        off: &[("haproxy.org/ssl-redirect", "false")],
    },
    Words {
        controller: AWS,
        on: &[
            ("alb.ingress.kubernetes.io/listen-ports", r#"[{"HTTP": 80}, {"HTTPS": 443}]"#),
            ("alb.ingress.kubernetes.io/ssl-redirect", "443"),
        ],
        off: &[],
    },
];

/// How it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By annotations of the Ingress.
    Annotations(&'static Words),
    /// By a Middleware of Traefik's
    /// (<https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/redirectscheme/>). An Ingress names it for
    /// all entry points, where it lets https pass; an IngressRoute has TLS or has none, so another one on `web` names it.
    Middleware,
    /// By the middleware that the environment's own Traefik has in its file: it need not know the kinds of traefik.io.
    OwnIngress,
    /// By another HTTPRoute on the http listeners, with a filter RequestRedirect
    /// (<https://gateway-api.sigs.k8s.io/guides/user-guides/http-redirect-rewrite/#http-to-https-redirects>); the route itself keeps to
    /// the https listeners.
    Listeners,
}

/// How the routes of `via` say it; none: nobody knows how.
pub(super) fn way(via: &Via, dedicated: bool) -> Option<Way> {
    match via.kind {
        RouteKind::HttpRoute => Some(Way::Listeners),
        RouteKind::IngressRoute => Some(Way::Middleware),
        RouteKind::Ingress if dedicated => Some(Way::OwnIngress),
        RouteKind::Ingress if via.controller == TRAEFIK => Some(Way::Middleware),
        RouteKind::Ingress => {
            let known = controller(&via.controller).filter(|known| known.is(&via.controller))?;
            ANNOTATIONS.iter().find(|words| words.controller == known.name).map(Way::Annotations)
        }
    }
}

/// Decides what nobody said: an environment that gains https sends http on to it, where that can be had. Finds the listeners that
/// routes are told apart by. Gives what there is to know.
pub fn settle_redirect(
    wanted: &mut Environment,
    before: Option<&Environment>,
    offer: &Offer,
) -> Option<String> {
    let had = before.is_some_and(|before| before.routing.has_https());
    let decides = wanted.routing.redirect.is_none() && wanted.routing.has_https() && !had;
    // who named a listener left the others out
    if decides && gateway(wanted).is_some_and(|gateway| gateway.section.is_some()) {
        wanted.routing.listeners.clear();
        return Some(
            "plain http is not sent on to https: one listener of the Gateway is named (--redirect on sends on from its http listeners)"
                .to_owned(),
        );
    }
    if decides {
        wanted.routing.redirect = Some(true);
    }
    wanted.routing.listeners = listeners(wanted, before, offer);
    let why = obstacle(wanted, offer).filter(|_| decides)?;
    wanted.routing.redirect = None;
    wanted.routing.listeners.clear();
    Some(format!("plain http is not sent on to https: {why}"))
}

/// Whether http can be sent on, where that is said. What comes back is worth knowing.
///
/// # Errors
/// It cannot be said to whoever answers.
pub(super) fn check(environment: &Environment, offer: &Offer) -> Result<Option<String>, Problem> {
    let routing = &environment.routing;
    if routing.redirect != Some(true) {
        return Ok(None);
    }
    // a Gateway without https has no listeners to tell apart. Elsewhere a driver may have TLS of its own
    let is_told_apart = routing.via.as_ref().is_none_or(|via| via.kind == RouteKind::HttpRoute);
    let looked_at = routing.has_https() || !is_told_apart;
    if let Some(why) = obstacle(environment, offer).filter(|_| looked_at) {
        return Err(Problem::new(
            "Plain http cannot be sent on to https",
            why,
            "leave it (--redirect off), give the environment an ingress of its own (--dedicated-ingress), or choose another class or kind of route",
        ));
    }
    if !routing.has_https() {
        let none = "the environment itself has no https that plain http could be sent on to (--tls)";
        return Ok(Some(none.to_owned()));
    }
    if let Some(gone) = gone(environment, offer) {
        return Ok(Some(gone));
    }
    let nothing = gateway(environment).filter(|_| routing.listeners.iter().all(|listener| listener.https));
    Ok(nothing.map(|gateway| {
        format!("the Gateway {gateway} has no http listener for the routes: there is nothing to send on")
    }))
}

/// What keeps http from being sent on, with https there.
fn obstacle(environment: &Environment, offer: &Offer) -> Option<String> {
    let Some(via) = &environment.routing.via else {
        return Some("nobody found out who answers for the routes".to_owned());
    };
    match way(via, environment.dedicated_ingress.is_some()) {
        Some(Way::Annotations(words)) => words.is_unfit(&environment.routing.tls).then(|| {
            "a load balancer of AWS shows certificates of ACM only, and none of a Secret (--tls controller)".to_owned()
        }),
        Some(Way::OwnIngress) => None,
        Some(Way::Middleware) => (!offer.traefik).then(|| {
            "Traefik does it by a Middleware of traefik.io, a kind that the cluster does not serve".to_owned()
        }),
        Some(Way::Listeners) => {
            let known = environment.routing.listeners.iter().any(|listener| listener.https);
            let name = via.gateway.as_ref().map(GatewayRef::to_string).unwrap_or_default();
            (!known).then(|| format!("the listeners of the Gateway {name} are not known"))
        }
        None => {
            let who = match via.controller.as_str() {
                "" => "a controller that nobody knows",
                known => known,
            };
            Some(format!("the routes are an Ingress for {who}, and Styrmin knows no way to say it there"))
        }
    }
}

/// What is told of a listener that routes are attached to by name, and that its Gateway has no more.
fn gone(environment: &Environment, offer: &Offer) -> Option<String> {
    let gateway = gateway(environment)?;
    let there = of_it(gateway, offer);
    if there.is_empty() {
        return None;
    }
    let mut kept = environment.routing.listeners.iter();
    let gone = kept.find(|kept| !there.iter().any(|listener| listener.name == kept.name))?;
    Some(format!(
        "the listener {} of the Gateway {} is gone: --redirect off, then on, finds those there are",
        gone.name,
        gateway.whole()
    ))
}

/// The Gateway that routes with https attach to.
fn gateway(environment: &Environment) -> Option<&GatewayRef> {
    let via = environment.routing.via.as_ref().filter(|via| via.kind == RouteKind::HttpRoute)?;
    via.gateway.as_ref().filter(|gateway| gateway.https)
}

/// The listeners of the environment's Gateway: those that were found before, as long as nobody else answers.
fn listeners(wanted: &Environment, before: Option<&Environment>, offer: &Offer) -> Vec<RouteListener> {
    let Some(gateway) = gateway(wanted).filter(|_| wanted.routing.redirect == Some(true)) else {
        return Vec::new();
    };
    let known = before.filter(|before| before.routing.via == wanted.routing.via);
    if let Some(before) = known.filter(|before| !before.routing.listeners.is_empty()) {
        return before.routing.listeners.clone();
    }
    of_it(gateway, offer)
}

/// The listeners of a Gateway that take the environment's routes.
fn of_it(gateway: &GatewayRef, offer: &Offer) -> Vec<RouteListener> {
    let all = offer.gateways.iter().filter(|offer| offer.gateway.whole() == gateway.whole());
    all.filter_map(|offer| {
        Some(RouteListener {
            name: offer.gateway.section.clone()?,
            host: offer.hostnames.first().cloned().unwrap_or_default(),
            https: offer.gateway.https,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests;
