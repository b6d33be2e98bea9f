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
        // who may not read it, or does not reach the cluster, learns nothing about it
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

/// What environments want to have read.
pub fn wants(world: &World) -> Wants {
    let mut wants = Wants::new();
    for environment in &world.environments {
        wants.insert(Want::Namespace(environment.namespace.clone()), version(environment, world));
        let Some(gateway) = gateway(environment) else { continue };
        wants.insert(Want::Gateway(gateway.namespace.clone(), gateway.name.clone()), String::new());
    }
    wants
}

/// Changes when a namespace is to be read anew: something was done to its environment, or the first of its objects came or the last
/// one went (the first deployment makes the namespace, and is no operation on the environment).
fn version(environment: &Environment, world: &World) -> String {
    let is_used = world.applications_in(&environment.name).any(|it| !it.objects.is_empty());
    let newest = world.operations_on(&environment.name).next();
    let newest = newest.map(|view| format!("{} {}", view.operation.id, view.operation.state.as_str()));
    format!("{is_used} {}", newest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::cluster::summary;
    use crate::domain::object::GatewayDetail;
    use crate::domain::route::Via;
    use crate::domain::world::Application;
    use crate::domain::{Deployment, DeploymentDraft, DeploymentId, DesiredPhase, ObjectSummary, Verdict};

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
        let denied = place_with(vec![(want(), Fact::Bad("cannot be read: forbidden".into()))]);
        assert_eq!(denied.refused, None, "what may not be read is not broken");
        assert!(denied.addresses.is_empty());
    }

    #[test]
    fn namespaces_and_gateways_are_wanted_once_each() {
        let world = World { environments: vec![public()], ..World::default() };
        let wanted: Vec<Want> = wants(&world).into_keys().collect();
        assert_eq!(wanted.len(), 2);
        assert!(wanted.contains(&Want::Namespace("ns".into())), "{wanted:?}");
    }

    /// An application of the environment `public`, with these objects.
    fn application(objects: Vec<ObjectSummary>) -> Arc<Application> {
        let draft = DeploymentDraft {
            name: "notes".into(),
            environment: "public".into(),
            ..DeploymentDraft::default()
        };
        let deployment = Deployment {
            id: DeploymentId(1),
            uid: "u".into(),
            draft,
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: Timestamp::UNIX_EPOCH,
        };
        Arc::new(Application {
            deployment,
            namespace: "ns".into(),
            instance: None,
            active: None,
            verdict: Verdict::healthy(),
            components: Vec::new(),
            routes: Vec::new(),
            conditions: Vec::new(),
            events: Vec::new(),
            objects,
            problem: None,
            history: Vec::new(),
            drift: Vec::new(),
        })
    }

    #[test]
    fn a_namespace_is_read_anew_when_something_is_in_it() {
        let version = |objects: Vec<ObjectSummary>| {
            let applications = vec![application(objects)];
            let world = World { environments: vec![public()], applications, ..World::default() };
            wants(&world).remove(&Want::Namespace("ns".into())).unwrap()
        };
        let service =
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "notes", "namespace": "ns"}});
        let (before, after) = (version(Vec::new()), version(vec![summary(&service)]));
        assert_ne!(before, after, "its first deployment made it");
        let two = vec![summary(&service), summary(&service)];
        assert_eq!(after, version(two), "nothing is read for what came later");
    }
}
