//! Who answers for the routes of an environment: found out once, when it is made or set, and recorded.

use std::collections::BTreeSet;

use crate::domain::route::{GatewayRef, Isolation, Offer, RouteKind};
use crate::domain::{Environment, Problem};
use crate::ingress::{self, Detected};

use super::engine::Engine;
use super::group::new_place;

impl Engine {
    /// An environment that is made by the way: its routes as the cluster has them, connections from elsewhere kept away where its
    /// namespace is ours. Gives what there is to know of it too.
    ///
    /// # Errors
    /// The cluster does not answer, or no environment can be in that namespace.
    pub(super) async fn new_environment(&self, name: &str) -> Result<(Environment, Vec<String>), Problem> {
        let mut environment = Environment::new(name, self.cluster().name(), name);
        new_place(&environment, &self.store().environments(self.cluster().name()).await?)?;
        environment.routing.isolation = Some(Isolation::Inbound);
        let spared = self.spare_others(&mut environment).await?;
        let said = self.settle_routing(&mut environment, None).await?;
        Ok((environment, [said, spared].concat()))
    }

    /// Finds out who answers for the routes of an environment, where that is not known or was said anew, and whether everything
    /// that is said can be had there. Gives what there is to know.
    ///
    /// # Errors
    /// The cluster does not answer, or what is said cannot be had.
    pub(super) async fn settle_routing(
        &self,
        wanted: &mut Environment,
        before: Option<&Environment>,
    ) -> Result<Vec<String>, Problem> {
        if before.is_none() {
            wanted.routing.isolation.get_or_insert(Isolation::Inbound);
        }
        let offer = self.cluster().offer(&wanted.namespace).await.map_err(|error| error.problem())?;
        let cluster = self.store().cluster(self.cluster().name()).await?;
        let suffix = wanted.suffix(cluster.as_ref()).map(str::to_owned);
        let mut said = settle(wanted, before, &offer, suffix.as_deref())?;
        said.extend(ingress::settle_redirect(wanted, before, &offer));
        said.extend(ingress::check(wanted, &offer, suffix.as_deref())?);
        let mut seen = BTreeSet::new();
        said.retain(|line| seen.insert(line.clone()));
        Ok(said)
    }
}

/// Finds out who answers, where that has to be.
fn settle(
    wanted: &mut Environment,
    before: Option<&Environment>,
    offer: &Offer,
    suffix: Option<&str>,
) -> Result<Vec<String>, Problem> {
    if let Some(before) = before.filter(|before| !is_said_anew(wanted, before)) {
        wanted.routing.via.clone_from(&before.routing.via);
        return Ok(Vec::new());
    }
    match gateway(wanted, before) {
        Some(_) => drop(wanted.routing.kind.get_or_insert(RouteKind::HttpRoute)),
        // what was found before is not what a person says
        None if wanted.routing.kind != Some(RouteKind::HttpRoute) => wanted.routing.via = None,
        None => {}
    }
    let Detected { via, warnings } = ingress::detect(offer, wanted, suffix)?;
    wanted.routing.via = Some(via);
    Ok(warnings)
}

/// What a plan rests on that makes or sets this environment: who answers for its routes.
pub(super) fn facts(environment: &Environment) -> Vec<String> {
    environment.routing.via.iter().map(|via| format!("routes: {via}")).collect()
}

/// Whether who answers has to be found out anew.
fn is_said_anew(wanted: &Environment, before: &Environment) -> bool {
    let (new, old) = (&wanted.routing, &before.routing);
    let forgotten = new.via.is_none() && old.via.is_some();
    let classes = wanted.ingress_class != before.ingress_class
        || wanted.dedicated_ingress.is_some() != before.dedicated_ingress.is_some();
    let unknown = old.via.is_none() && needs_to_be_known(wanted, before);
    forgotten || unknown || new.kind != old.kind || classes || gateway(wanted, Some(before)).is_some()
}

/// Whether something is said of an environment of before that is for whoever answers: an allow-list that nobody enforces, what its
/// routes have; or that it be found out.
fn needs_to_be_known(wanted: &Environment, before: &Environment) -> bool {
    // its own ingress has the list at its door
    let enforced = wanted.dedicated_ingress.is_some() || wanted.ip_whitelist.is_empty();
    !enforced || wanted.routing.frozen() != before.routing.frozen()
}

/// The Gateway that a person names, as opposed to one that was found before.
fn gateway<'a>(wanted: &'a Environment, before: Option<&Environment>) -> Option<&'a GatewayRef> {
    let of = |it: &'a Environment| it.routing.via.as_ref().and_then(|via| via.gateway.as_ref());
    let found = of(wanted)?;
    let known = before.and_then(|it| it.routing.via.as_ref()).and_then(|via| via.gateway.as_ref());
    let may = matches!(wanted.routing.kind, None | Some(RouteKind::HttpRoute));
    Some(found).filter(|found| may && !known.is_some_and(|known| known.is_same(found)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DedicatedIngress;
    use crate::domain::route::{ClassOffer, GatewayOffer, Peer, SANDBOX, Via};

    fn offer() -> Offer {
        let gateway = |section: Option<&str>| GatewayOffer {
            gateway: GatewayRef {
                namespace: "infra".into(),
                name: "public".into(),
                section: section.map(str::to_owned),
                https: true,
            },
            controller: "example.org/gateway".into(),
            hostnames: Vec::new(),
        };
        Offer {
            classes: vec![ClassOffer {
                name: "sandbox".into(),
                controller: SANDBOX.into(),
                is_default: true,
            }],
            gateways: vec![gateway(None), gateway(Some("web"))],
            gateway_api: true,
            ..Offer::default()
        }
    }

    fn named(namespace: &str) -> Via {
        Via {
            kind: RouteKind::HttpRoute,
            controller: String::new(),
            class: None,
            gateway: Some(GatewayRef {
                namespace: namespace.into(),
                name: "public".into(),
                section: Some("web".into()),
                https: false,
            }),
            namespace: None,
        }
    }

    #[test]
    fn who_answers_is_found_once_and_kept() {
        let mut made = Environment::new("demo", "c", "demo");
        assert_eq!(settle(&mut made, None, &offer(), None).unwrap(), [] as [String; 0]);
        assert_eq!(facts(&made), ["routes: Ingress of class sandbox (sandbox.styrmin.io/ingress)"]);
        let mut set = Environment { fqdn_suffix: Some("x.org".into()), ..made.clone() };
        let other = Offer { classes: Vec::new(), ..offer() };
        assert_eq!(settle(&mut set, Some(&made), &other, None).unwrap(), Vec::<String>::new());
        assert_eq!(set.routing.via, made.routing.via);
        // one of before is left as it is
        let old = Environment::new("demo", "c", "demo");
        let mut set = Environment { fqdn_suffix: Some("x.org".into()), ..old.clone() };
        settle(&mut set, Some(&old), &offer(), None).unwrap();
        assert_eq!(set.routing.via, None);
        // unless somebody has to hear what is said of it
        type Say = fn(&mut Environment);
        let said: [(Say, bool); 6] = [
            (|it| it.ip_whitelist = vec!["10.0.0.0/8".into()], true),
            (|it| it.routing.annotations = [("a".to_owned(), "b".to_owned())].into(), true),
            (|it| it.routing.via = Some(Via::unknown()), true),
            (|it| it.routing.unprobed = true, false),
            (|it| it.routing.allow_from = vec![Peer::Cidr("10.0.0.0/8".into())], false),
            (|it| drop(it.labels.insert("team".into(), "blue".into())), false),
        ];
        for (at, (say, heard)) in said.into_iter().enumerate() {
            let mut set = old.clone();
            say(&mut set);
            settle(&mut set, Some(&old), &offer(), None).unwrap();
            let class = set.routing.via.and_then(|via| via.class);
            assert_eq!(class.as_deref(), heard.then_some("sandbox"), "{at}");
        }
        // its own ingress keeps the list without being known
        let served = Environment { dedicated_ingress: Some(DedicatedIngress::default()), ..old.clone() };
        let mut set = Environment { ip_whitelist: vec!["10.0.0.0/8".into()], ..served.clone() };
        settle(&mut set, Some(&served), &offer(), None).unwrap();
        assert_eq!(set.routing.via, None);
        let mut own = Environment { dedicated_ingress: Some(DedicatedIngress::default()), ..made.clone() };
        settle(&mut own, Some(&made), &offer(), None).unwrap();
        assert_eq!(own.routing.via.unwrap().class.as_deref(), Some("styrmin-demo"));
    }

    #[test]
    fn a_gateway_that_is_named_is_taken_or_refused() {
        let mut wanted = Environment::new("demo", "c", "demo");
        wanted.routing.via = Some(named("infra"));
        settle(&mut wanted, None, &offer(), None).unwrap();
        assert_eq!(facts(&wanted)[0], "routes: HTTPRoute of the Gateway infra/public (example.org/gateway)");
        let gateway = wanted.routing.via.clone().unwrap().gateway.unwrap();
        assert_eq!((gateway.section.as_deref(), gateway.https), (Some("web"), true));
        let before = wanted.clone();
        assert_eq!(
            settle(&mut wanted, Some(&before), &Offer::default(), None).unwrap(),
            Vec::<String>::new()
        );
        wanted.routing.via = Some(named("elsewhere"));
        let told = settle(&mut wanted, Some(&before), &offer(), None).unwrap_err().to_string();
        assert!(told.contains("elsewhere/public") && told.contains("infra/public"), "{told}");
    }
}
