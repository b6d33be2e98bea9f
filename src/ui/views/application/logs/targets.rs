//! The containers of an application whose logs can be followed, the most telling ones first.

use crate::domain::driver::ServiceScope;
use crate::domain::object::{ContainerSummary, Detail};
use crate::domain::world::{Application, LogTarget};
use crate::domain::{Health, ObjectSummary, World};

/// How much a container has to tell: what is not well first, then what answers at a URL, then the rest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Unwell,
    Front,
    Rest,
}

/// The containers of an application, the most telling ones first.
pub fn targets(application: &Application, world: &World) -> Vec<LogTarget> {
    let front = front_components(application, world);
    let mut targets: Vec<(Rank, LogTarget)> = Vec::new();
    for component in &application.components {
        for pod in &component.pods {
            for container in containers(pod) {
                let well = pod.verdict.health == Health::Healthy && container.ready;
                let rank = match well {
                    false => Rank::Unwell,
                    true if front.contains(&component.name.as_str()) => Rank::Front,
                    true => Rank::Rest,
                };
                targets.push((rank, target(pod, container)));
            }
        }
    }
    targets.sort_by(|(left, _), (right, _)| left.cmp(right));
    targets.into_iter().map(|(_, target)| target).collect()
}

/// How many containers there are to choose from.
pub fn count(application: &Application) -> usize {
    let pods = application.components.iter().flat_map(|component| &component.pods);
    pods.map(|pod| containers(pod).len()).sum()
}

/// The container that a target names, while it exists.
pub fn container<'a>(application: &'a Application, target: &LogTarget) -> Option<&'a ContainerSummary> {
    let mut pods = application.components.iter().flat_map(|component| &component.pods);
    let pod = pods.find(|pod| pod.key.name == target.pod && pod.key.namespace == target.namespace)?;
    containers(pod).iter().find(|container| container.name == target.container)
}

fn containers(pod: &ObjectSummary) -> &[ContainerSummary] {
    match &pod.detail {
        Detail::Pod(detail) => &detail.containers,
        _ => &[],
    }
}

fn target(pod: &ObjectSummary, container: &ContainerSummary) -> LogTarget {
    LogTarget {
        namespace: pod.key.namespace.clone(),
        pod: pod.key.name.clone(),
        container: container.name.clone(),
    }
}

/// The components behind the external services, as the application's driver says.
fn front_components<'a>(application: &Application, world: &'a World) -> Vec<&'a str> {
    let wanted = &application.deployment.draft.driver;
    let drivers = || world.drivers.iter();
    let exact = drivers().find(|driver| driver.reference == *wanted);
    let driver = exact.or_else(|| drivers().find(|driver| driver.reference.name == wanted.name));
    let services = driver.into_iter().flat_map(|driver| &driver.spec.services);
    let external = services.filter(|service| service.scope == ServiceScope::External);
    external.map(|service| service.component.as_str()).collect()
}
