//! Turns "something moved" into pictures: waits for the records, the watches and the probes, and publishes at most one
//! [`World`] per frame's time.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::frames::CALM_GAP;
use super::last_words::{self, Ends, Words};
use super::probes::{Results, Target, Targets};
use super::route_facts::{self, Facts, Wants};
use super::session::Session;
use super::world::{self, Observed, Records, Sources};
use crate::domain::{Problem, World};
use crate::ui::event::Event;

/// The projector's ends.
pub struct Projector {
    /// Where the facts come from.
    pub session: Session,
    /// Where pictures go.
    pub world: watch::Sender<Arc<World>>,
    /// Which URLs are to be probed.
    pub targets: watch::Sender<Targets>,
    /// What the probes found.
    pub probes: watch::Receiver<Results>,
    /// Of which containers the last words are wanted.
    pub ends: watch::Sender<Ends>,
    /// What they said.
    pub words: watch::Receiver<Words>,
    /// Which certificates and Gateways are to be read.
    pub wants: watch::Sender<Wants>,
    /// What was read.
    pub facts: watch::Receiver<Facts>,
    /// Where trouble with the records is told.
    pub notices: mpsc::Sender<Event>,
}

impl Projector {
    /// Publishes pictures until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut records_changed = self.session.store.changes();
        let mut cluster_changed = self.session.cluster.generation();
        let mut records = Records::default();
        let mut generation = 0;
        let mut stale = true;
        loop {
            if stale {
                match self.session.records().await {
                    Ok(read) => {
                        if read.engine != records.engine {
                            // who runs the engine runs the sandbox as well
                            self.session.cluster.retry_now();
                        }
                        records = read;
                    }
                    Err(problem) => self.tell(problem).await,
                }
                self.watch_namespaces(&records);
            }
            generation += 1;
            self.publish(&records, generation);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = records_changed.changed() => match changed {
                    Ok(()) => stale = true,
                    Err(_) => return,
                },
                changed = cluster_changed.changed() => { stale = false; if changed.is_err() { return } }
                changed = self.probes.changed() => { stale = false; if changed.is_err() { return } }
                changed = self.facts.changed() => { stale = false; if changed.is_err() { return } }
                changed = self.words.changed() => { stale = false; if changed.is_err() { return } }
            }
            // let a burst gather: one picture per frame's time
            tokio::time::sleep(CALM_GAP).await;
            stale |= records_changed.has_changed().unwrap_or(false);
            records_changed.mark_unchanged();
            cluster_changed.mark_unchanged();
        }
    }

    async fn tell(&self, problem: Problem) {
        let _ = self.notices.send(Event::Notice(problem)).await;
    }

    /// Namespaces of environments are watched from the moment that they are recorded.
    fn watch_namespaces(&self, records: &Records) {
        for environment in &records.environments {
            self.session.cluster.watch_namespace(&environment.namespace);
        }
    }

    fn publish(&mut self, records: &Records, generation: u64) {
        let mut deployments: HashMap<String, Vec<&str>> = HashMap::new();
        for record in &records.deployments {
            let draft = &record.deployment.draft;
            let namespace = world::namespace_of(&records.environments, &draft.environment);
            deployments.entry(namespace).or_default().push(&draft.name);
        }
        let observed: HashMap<String, Observed> = deployments
            .into_iter()
            .map(|(namespace, names)| {
                let observed = self.session.observed(&namespace, names.into_iter());
                (namespace, observed)
            })
            .collect();
        let probes = self.probes.borrow_and_update().clone();
        let words = self.words.borrow_and_update().clone();
        let facts = self.facts.borrow_and_update().clone();
        let world = world::assemble(&Sources {
            generation,
            cluster: self.session.cluster_view(records),
            engine: self.session.engine_view(records),
            records,
            observed: &observed,
            probes: &probes,
            words: &words,
            facts: &facts,
            now: self.session.clock.now(),
        });
        let targets: Targets = world
            .applications
            .iter()
            .flat_map(|application| {
                let health = application.health();
                application.routes.iter().map(move |route| {
                    let target = Target { health, endpoints: route.endpoints, unprobed: route.unprobed };
                    (route.url.clone(), target)
                })
            })
            .collect();
        publish_if_new(&self.targets, targets);
        let components = world.applications.iter().flat_map(|application| &application.components);
        publish_if_new(&self.ends, components.flat_map(last_words::ends).collect());
        let mut wants = world::place_wants(&world);
        wants.extend(world.applications.iter().flat_map(|application| route_facts::wants(application)));
        publish_if_new(&self.wants, wants);
        self.world.send_if_modified(|held| {
            let changed = !same(held, &world);
            if changed {
                *held = Arc::new(world);
            }
            changed
        });
    }
}

fn publish_if_new<T: PartialEq>(held: &watch::Sender<T>, new: T) {
    held.send_if_modified(|held| {
        let changed = *held != new;
        *held = new;
        changed
    });
}

/// Whether two pictures show the same: their numbers aside. Taken apart, so that what a picture gains cannot be forgotten here.
fn same(old: &World, new: &World) -> bool {
    let World {
        generation: _,
        cluster,
        engine,
        environments,
        places,
        applications,
        drivers,
        operations,
        backups,
        locations,
        schedules,
    } = old;
    *cluster == new.cluster
        && *engine == new.engine
        && *environments == new.environments
        && *places == new.places
        && *operations == new.operations
        && *applications == new.applications
        && *locations == new.locations
        && *schedules == new.schedules
        && same_entries(backups, &new.backups)
        && same_entries(drivers, &new.drivers)
}

/// Whether both hold the same; what is shared need not be looked into.
fn same_entries<T: PartialEq>(old: &[Arc<T>], new: &[Arc<T>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::backup::{Location, LocationKind, LocationView, SecretSource};

    #[test]
    fn a_change_of_anything_but_the_number_makes_another_picture() {
        let old = World::default();
        assert!(same(&old, &World { generation: 7, ..World::default() }));
        let location = Location {
            name: "safe".into(),
            kind: LocationKind::Directory { path: "/safe".into() },
            key: SecretSource::Unneeded,
            repository: None,
            created: Timestamp::UNIX_EPOCH,
        };
        let view = LocationView { location, checked: None, size: None, backups: 0 };
        let with =
            |size| World { locations: vec![LocationView { size, ..view.clone() }], ..World::default() };
        assert!(!same(&old, &with(None)) && !same(&with(None), &with(Some(1))));
        assert!(same(&with(None), &with(None)));
    }
}
