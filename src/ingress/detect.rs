//! Who is to answer for the routes of an environment: found out from what its cluster has, once, and then recorded. Pure.

use super::dedicated_class;
use crate::domain::route::{
    ClassOffer, GatewayOffer, GatewayRef, INGRESS_NGINX, Isolation, Offer, RouteKind, TRAEFIK, Via, covers,
};
use crate::domain::{Environment, Problem, suggest};

/// The class whose IngressRoutes Traefik takes beside those without any.
const DEFAULT_TRAEFIK: &str = "traefik";

/// Who was found, and what is worth knowing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// Who answers.
    pub via: Via,
    /// What people should know, a sentence each.
    pub warnings: Vec<String>,
}

/// Who is to answer for the routes of `environment` on a cluster that has `offer`; `suffix` is the domain of its host names
/// ([`Environment::suffix`]), by which the hosts and listeners of Gateways are judged.
///
/// What a person said comes first: the kind, a class, a Gateway (`routing.via.gateway`, with the kind HTTPRoute), an ingress of its
/// own. Else the default class, but a Gateway instead of ingress-nginx; without one a Gateway, Traefik's own kind, the only class
/// there is; and at last an Ingress of no class, which nobody answers for, with a warning.
///
/// # Errors
/// What a person said is not there.
pub fn detect(offer: &Offer, environment: &Environment, suffix: Option<&str>) -> Result<Detected, Problem> {
    let mut search = Search { offer, environment, suffix, warnings: Vec::new() };
    let via = match environment.routing.kind {
        Some(RouteKind::HttpRoute) => search.named_gateway()?,
        Some(RouteKind::IngressRoute) => search.ingress_route()?,
        Some(RouteKind::Ingress) => match search.dedicated(RouteKind::Ingress) {
            Some(via) => via,
            None => search.ingress(false)?,
        },
        None => match search.dedicated(RouteKind::Ingress) {
            Some(via) => via,
            None => search.ingress(true)?,
        },
    };
    search.warn_of_unknown_place(&via);
    Ok(Detected { via, warnings: search.warnings })
}

struct Search<'a> {
    offer: &'a Offer,
    environment: &'a Environment,
    suffix: Option<&'a str>,
    warnings: Vec<String>,
}

impl Search<'_> {
    /// The environment's own controller answers, wherever it has one. It is there before it runs: no class of the cluster tells of it.
    fn dedicated(&self, kind: RouteKind) -> Option<Via> {
        self.environment.dedicated_ingress.as_ref()?;
        Some(Via {
            kind,
            controller: TRAEFIK.to_owned(),
            class: Some(dedicated_class(&self.environment.name)),
            gateway: None,
            namespace: Some(self.environment.namespace.clone()),
        })
    }

    /// An Ingress of the named class, or the default one. `free`: another kind may be better.
    fn ingress(&mut self, free: bool) -> Result<Via, Problem> {
        let classes = &self.offer.classes;
        let named = self.environment.ingress_class.as_deref().filter(|class| !class.is_empty());
        if let Some(name) = named {
            let found = classes.iter().find(|class| class.name == name).cloned();
            let class = match found {
                Some(class) => class,
                None if classes.is_empty() => {
                    self.warnings.push(format!("nobody is known to answer for the ingress class {name}"));
                    ClassOffer { name: name.to_owned(), ..ClassOffer::default() }
                }
                None => return Err(self.no_class(name)),
            };
            return Ok(self.of_class(&class));
        }
        let default = classes.iter().find(|class| class.is_default);
        match default {
            Some(class) if free && class.controller == INGRESS_NGINX && self.gateways().next().is_some() => {
                self.warnings.push(format!(
                    "the default ingress class {} is ingress-nginx, which was retired in March 2026: a Gateway is taken instead",
                    class.name
                ));
                Ok(self.gateway())
            }
            Some(class) => Ok(self.of_class(class)),
            None if free && self.gateways().next().is_some() => Ok(self.gateway()),
            None if free && self.offer.traefik => self.ingress_route(),
            None => Ok(self.without_default()),
        }
    }

    /// No class is the default one: the only one there is, and else nobody.
    fn without_default(&mut self) -> Via {
        let classes = &self.offer.classes;
        if let [only] = classes.as_slice() {
            return self.of_class(only);
        }
        self.warnings.push(match classes.as_slice() {
            [] => "the cluster has no ingress class, no Gateway and no Traefik: nobody answers for the routes".to_owned(),
            several => {
                let names: Vec<&str> = several.iter().map(|class| class.name.as_str()).collect();
                let names = names.join(", ");
                format!("none of the ingress classes {names} is the default one, and the environment names none: nobody answers for the routes")
            }
        });
        Via {
            kind: RouteKind::Ingress,
            controller: String::new(),
            class: None,
            gateway: None,
            namespace: None,
        }
    }

    fn of_class(&mut self, class: &ClassOffer) -> Via {
        if class.controller == INGRESS_NGINX {
            let instead = if self.gateways().next().is_some() {
                ": the cluster has a Gateway that would take its routes (--route-kind http-route)"
            } else {
                ": plan for a Gateway, or an ingress of its own (--dedicated-ingress)"
            };
            self.warnings.push(format!(
                "the ingress class {} is ingress-nginx, which was retired in March 2026 and gets no security fixes any more{instead}",
                class.name
            ));
        }
        Via {
            kind: RouteKind::Ingress,
            controller: class.controller.clone(),
            class: Some(class.name.clone()),
            gateway: None,
            namespace: self.offer.namespaces.get(&class.controller).cloned(),
        }
    }

    fn no_class(&self, name: &str) -> Problem {
        let known: Vec<&str> = self.offer.classes.iter().map(|class| class.name.as_str()).collect();
        Problem::new(
            format!("There is no ingress class '{name}'"),
            format!("the cluster has {}", known.join(", ")),
            match suggest::nearest(name, known.iter().copied()) {
                Some(near) => format!(
                    "did you mean '{near}'? Name it with --ingress-class, or none with --no-ingress-class"
                ),
                None => "name one of them with --ingress-class, or none with --no-ingress-class".to_owned(),
            },
        )
    }

    /// Traefik's own kind. Without a class: Traefik takes those that have none, unless it was given one.
    fn ingress_route(&mut self) -> Result<Via, Problem> {
        if let Some(via) = self.dedicated(RouteKind::IngressRoute) {
            return Ok(via);
        }
        if !self.offer.traefik {
            return Err(Problem::new(
                "The cluster does not know IngressRoutes",
                "it does not serve the kinds of traefik.io",
                "install Traefik with its custom resources, or choose another kind of route",
            ));
        }
        let class = self.environment.ingress_class.clone().filter(|class| !class.is_empty());
        if let Some(name) = &class {
            self.check_traefik_class(name)?;
        }
        Ok(Via {
            kind: RouteKind::IngressRoute,
            controller: TRAEFIK.to_owned(),
            class,
            gateway: None,
            namespace: self.offer.namespaces.get(TRAEFIK).cloned(),
        })
    }

    /// Traefik takes the IngressRoutes of the class that it was given for them; without one those of no class, and of `traefik`
    /// (<https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-crd/>, `ingressClass`).
    fn check_traefik_class(&mut self, name: &str) -> Result<(), Problem> {
        let found = self.offer.classes.iter().find(|class| class.name == name);
        if let Some(other) = found.filter(|class| class.controller != TRAEFIK) {
            return Err(Problem::new(
                format!("The ingress class {name} takes no IngressRoutes"),
                format!("its controller is {}, and only Traefik reads them", other.controller),
                "name a class of Traefik's, or none (--no-ingress-class), or choose the kind ingress",
            ));
        }
        if name != DEFAULT_TRAEFIK {
            self.warnings.push(format!(
                "Traefik takes IngressRoutes of the class {name} only where its option providers.kubernetesCRD.ingressClass says so; else nobody answers for them (--no-ingress-class names none)"
            ));
        }
        Ok(())
    }

    /// The Gateways, those first that fit best: they take the environment's hosts, they speak https.
    fn gateways(&self) -> impl Iterator<Item = &GatewayOffer> {
        let mut whole: Vec<&GatewayOffer> =
            self.offer.gateways.iter().filter(|offer| offer.gateway.section.is_none()).collect();
        whole.sort_by_key(|offer| (!self.takes_hosts(offer), !self.speaks_https(offer), &offer.gateway));
        whole.into_iter()
    }

    fn takes_hosts(&self, offer: &GatewayOffer) -> bool {
        match self.suffix {
            Some(suffix) => takes(&offer.hostnames, suffix),
            None => offer.hostnames.is_empty(),
        }
    }

    /// Whether a listener of a Gateway speaks https that takes the environment's hosts; any, where it has no suffix.
    fn speaks_https(&self, offer: &GatewayOffer) -> bool {
        let takes_hosts = |one: &GatewayOffer| self.suffix.is_none_or(|suffix| takes(&one.hostnames, suffix));
        let whole = |one: &GatewayOffer| one.gateway.whole();
        let all = self.offer.gateways.iter();
        let mut listeners =
            all.filter(|one| one.gateway.section.is_some() && whole(one) == whole(offer)).peekable();
        if offer.gateway.section.is_some() || listeners.peek().is_none() {
            return offer.gateway.https && takes_hosts(offer);
        }
        listeners.any(|one| one.gateway.https && takes_hosts(one))
    }

    /// The best Gateway, of which there is one.
    fn gateway(&mut self) -> Via {
        let all: Vec<GatewayOffer> = self.gateways().cloned().collect();
        if let [first, others @ ..] = all.as_slice()
            && !others.is_empty()
        {
            let others: Vec<String> = others.iter().map(|offer| offer.gateway.to_string()).collect();
            self.warnings.push(format!(
                "several Gateways would take the routes: {} is taken, not {} (--gateway names another)",
                first.gateway,
                others.join(", ")
            ));
        }
        match all.first() {
            Some(first) => self.of_gateway(first),
            None => self.without_default(),
        }
    }

    fn of_gateway(&self, offer: &GatewayOffer) -> Via {
        let gateway = GatewayRef { https: self.speaks_https(offer), ..offer.gateway.clone() };
        Via {
            kind: RouteKind::HttpRoute,
            controller: offer.controller.clone(),
            class: None,
            gateway: Some(gateway),
            namespace: self.offer.namespaces.get(&offer.controller).cloned(),
        }
    }

    /// The Gateway that a person named, or the best one.
    fn named_gateway(&mut self) -> Result<Via, Problem> {
        if self.environment.dedicated_ingress.is_some() {
            return Err(Problem::new(
                "An environment with an ingress of its own cannot have HTTPRoutes",
                "its own Traefik reads Ingresses and IngressRoutes of its namespace, and no Gateways",
                "choose the kind ingress, or share the cluster's Gateway (--shared-ingress)",
            ));
        }
        let said = self.environment.routing.via.as_ref().and_then(|via| via.gateway.clone());
        let Some(wanted) = said else {
            let any = self.gateways().next().is_some();
            return if any { Ok(self.gateway()) } else { Err(self.no_gateway(None)) };
        };
        match self.offer.gateways.iter().find(|offer| offer.gateway.is_same(&wanted)) {
            Some(offer) => Ok(self.of_gateway(offer)),
            None => Err(self.no_gateway(Some(&wanted))),
        }
    }

    fn no_gateway(&self, wanted: Option<&GatewayRef>) -> Problem {
        let namespace = &self.environment.namespace;
        let what = match wanted {
            Some(wanted) => {
                format!("The Gateway {wanted} takes no routes of the namespace {namespace}")
            }
            None => format!("No Gateway takes routes of the namespace {namespace}"),
        };
        let known: Vec<String> = self.offer.gateways.iter().map(|offer| offer.gateway.to_string()).collect();
        let why = match known.as_slice() {
            [] if !self.offer.gateway_api => "the cluster does not serve the Gateway API".to_owned(),
            [] => "none that is programmed has a listener whose allowedRoutes let them in".to_owned(),
            known => format!("those that do are {}", known.join(", ")),
        };
        Problem::new(
            what,
            why,
            "name another Gateway, let its listener take them, or choose another kind of route",
        )
    }

    fn warn_of_unknown_place(&mut self, via: &Via) {
        let apart = Isolation::in_force(self.environment.routing.isolation).is_some();
        if apart && super::policies::place(Some(via)).is_none() {
            self.warnings.push(
                "where the ingress controller's connections come from is not known, or not from pods: everybody may reach the ports of the external services"
                    .to_owned(),
            );
        }
    }
}

/// Whether listeners with these host names take hosts directly below a suffix.
pub(super) fn takes(hostnames: &[String], suffix: &str) -> bool {
    let host = format!("x.{}", suffix.trim_matches('.'));
    hostnames.is_empty() || hostnames.iter().any(|known| covers(known, &host))
}

#[cfg(test)]
mod tests;
