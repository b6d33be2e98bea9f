// Environments of every kind, to draw and to test with. Included by `tests/frames.rs`, `tests/random_keys.rs` and the unit tests of
// `ui`, where `sample`, `route_samples` and `backup_samples` are its siblings.

use std::sync::Arc;

use styrmin::domain::operation::Subject;
use styrmin::domain::world::{Place, Whose};
use styrmin::domain::{ClusterKind, Environment, OperationKind, OperationState, OperationView, World};

use super::{backup_samples, route_samples, sample};

/// Five environments: one of which is well, one empty, one with an ingress of its own.
pub fn world() -> World {
    let mut world = route_samples::world();
    world.environments.push(Environment::new("training", "kind-local", "course-2026"));
    let prod = &mut world.environments[2];
    prod.labels = [("team".to_owned(), "billing".to_owned())].into();
    prod.quota =
        [("requests.memory".to_owned(), "16Gi".to_owned()), ("pods".to_owned(), "40".to_owned())].into();
    prod.backup_location = Some("offsite".into());
    let mut ingress = sample::healthy("ingress", "prod", 12);
    ingress.deployment.draft.driver.name = "traefik".into();
    // as the notes are, so that there is something of it to keep
    let mut traefik = (*world.drivers[0]).clone();
    traefik.reference = ingress.deployment.draft.driver.clone();
    world.drivers.insert(2, Arc::new(traefik));
    ingress.routes.clear();
    world.applications.push(Arc::new(ingress));
    world.operations.insert(0, Arc::new(configured()));
    world.locations = backup_samples::locations();
    world.schedules = backup_samples::schedules();
    world.schedules[1].schedule.environment = "prod".into();
    world.backups = vec![
        Arc::new(backup_samples::backup("billing", "prod", 7_200, "00000001")),
        Arc::new(backup_samples::backup("team-handbook", "staging", 864_000, "00000002")),
    ];
    world.places = places();
    world
}

/// The same cluster before anybody made an environment.
pub fn none() -> World {
    let mut world = sample::empty_world(
        ClusterKind::Kubeconfig,
        styrmin::domain::world::Link::Live,
        styrmin::domain::world::Installed::Yes,
    );
    world.environments.clear();
    world
}

/// An environment was changed, and one of its applications did not take it.
fn configured() -> OperationView {
    let mut view = sample::failed_operation();
    let operation = &mut view.operation;
    operation.subject =
        Subject { environment: "staging".into(), name: String::new(), ..operation.subject.clone() };
    (operation.kind, operation.state) = (OperationKind::Configure, OperationState::PartiallyFailed);
    operation.plan.title = "Set how staging is reached".into();
    operation.id.0 = 40;
    view
}

fn places() -> Vec<Place> {
    let named = |name: &str, namespace| Place { environment: name.into(), namespace, ..Place::default() };
    let staging = Place {
        controller: Some("envoy-gateway-system".into()),
        addresses: vec!["203.0.113.10".into()],
        ..named("staging", Whose::Others)
    };
    vec![
        named("demo", Whose::Ours),
        named("lab", Whose::Unknown),
        named("prod", Whose::Ours),
        staging,
        named("training", Whose::Ours),
    ]
}
