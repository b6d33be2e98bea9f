//! What is known of the surroundings of environments: whose their namespaces are, where their Gateways answer. Pure.

use super::Records;
use crate::app::route_facts::{Fact, Facts, Want, Wants};
use crate::domain::route::{GatewayRef, RouteKind};
use crate::domain::world::{Place, Whose};
use crate::domain::{Environment, World};
use crate::ingress;

/// What is known of each environment.
pub(super) fn places(records: &Records, facts: &Facts) -> Vec<Place> {
    records.environments.iter().map(|environment| place(environment, facts)).collect()
}

fn place(environment: &Environment, facts: &Facts) -> Place {
    let namespace = match facts.get(&Want::Namespace(environment.namespace.clone())) {
        Some(Fact::Namespace { owner }) if *owner == Some(environment.name.clone()) => Whose::Ours,
        Some(Fact::Namespace { .. }) => Whose::Others,
        Some(Fact::Missing) => Whose::Missing,
        _ => Whose::Unknown,
    };
    let gateway =
        gateway(environment).and_then(|it| facts.get(&Want::Gateway(it.namespace.clone(), it.name.clone())));
    let (addresses, refused) = match gateway {
        Some(Fact::Gateway(found)) => (found.addresses.clone(), found.refused.clone()),
        Some(Fact::Missing) => (Vec::new(), Some("there is no such Gateway".to_owned())),
        Some(Fact::Bad(why)) => (Vec::new(), Some(why.clone())),
        _ => (Vec::new(), None),
    };
    let controller = ingress::proxies(environment.routing.via.as_ref()).map(str::to_owned);
    Place { environment: environment.name.clone(), namespace, controller, addresses, refused }
}

/// The Gateway that its routes attach to.
fn gateway(environment: &Environment) -> Option<&GatewayRef> {
    let via = environment.routing.via.as_ref()?;
    via.gateway.as_ref().filter(|_| via.kind == RouteKind::HttpRoute)
}

/// What environments want to have read. A namespace is read anew when something was done to its environment; a Gateway only where no
/// route tells of it.
pub fn wants(world: &World) -> Wants {
    let mut wants = Wants::new();
    for environment in &world.environments {
        let newest = world.operations_on(&environment.name).next();
        let version = newest.map(|view| format!("{} {}", view.operation.id, view.operation.state.as_str()));
        wants.insert(Want::Namespace(environment.namespace.clone()), version.unwrap_or_default());
        let Some(gateway) = gateway(environment) else { continue };
        wants.insert(Want::Gateway(gateway.namespace.clone(), gateway.name.clone()), String::new());
    }
    wants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::GatewayDetail;
    use crate::domain::route::Via;
    use std::sync::Arc;

    fn public() -> Environment {
        let mut environment = Environment::new("public", "c", "ns");
        let gateway =
            GatewayRef { namespace: "infra".into(), name: "edge".into(), section: None, https: false };
        environment.routing.via = Some(Via::of_gateway(gateway));
        environment
    }

    fn place_with(facts: Vec<(Want, Fact)>) -> Place {
        place(&public(), &Arc::new(facts.into_iter().collect()))
    }

    #[test]
    fn a_namespace_is_ours_when_it_has_the_mark_of_this_environment() {
        let of = |owner: Option<&str>| {
            let fact = Fact::Namespace { owner: owner.map(str::to_owned) };
            place_with(vec![(Want::Namespace("ns".into()), fact)]).namespace
        };
        assert_eq!(
            (of(Some("public")), of(Some("other")), of(None)),
            (Whose::Ours, Whose::Others, Whose::Others)
        );
        assert_eq!(place_with(Vec::new()).namespace, Whose::Unknown);
        assert_eq!(place_with(vec![(Want::Namespace("ns".into()), Fact::Missing)]).namespace, Whose::Missing);
        let denied = Fact::Bad("cannot be read: forbidden".into());
        assert_eq!(place_with(vec![(Want::Namespace("ns".into()), denied)]).namespace, Whose::Unknown);
    }

    #[test]
    fn a_gateway_says_where_it_answers_or_why_not() {
        let want = || Want::Gateway("infra".into(), "edge".into());
        let detail = GatewayDetail { addresses: vec!["192.0.2.1".into()], ..GatewayDetail::default() };
        let found = place_with(vec![(want(), Fact::Gateway(Box::new(detail)))]);
        assert_eq!((found.addresses.as_slice(), found.refused), (&["192.0.2.1".to_owned()][..], None));
        let missing = place_with(vec![(want(), Fact::Missing)]);
        assert_eq!(missing.refused.as_deref(), Some("there is no such Gateway"));
    }

    #[test]
    fn namespaces_and_gateways_are_wanted_once_each() {
        let world = World { environments: vec![public()], ..World::default() };
        let wanted: Vec<Want> = wants(&world).into_keys().collect();
        assert_eq!(wanted.len(), 2);
        assert!(wanted.contains(&Want::Namespace("ns".into())), "{wanted:?}");
    }
}
