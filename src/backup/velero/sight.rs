//! What the records say of Velero on one cluster: where it is looked at, and which schedules it is to keep.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object::{Scope, schedule};
use crate::domain::backup::{LocationKind, Schedule};
use crate::domain::driver::ComponentSpec;
use crate::domain::{Environment, Problem};
use crate::store::Store;

/// What is to be seen to. When it is another one, everything begins anew.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sight {
    /// By namespace that Velero runs in.
    pub homes: BTreeMap<String, Home>,
    /// The environments of the cluster, by name.
    pub environments: Vec<Environment>,
}

/// One Velero.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Home {
    /// The locations that stand for it: their names, and which of its storage locations they are.
    pub locations: Vec<(String, Option<String>)>,
    /// The `Schedule` objects that it is to have.
    pub schedules: Vec<Value>,
}

impl Home {
    /// The location that stands for one of Velero's storage locations: the one that names it, or else the one for its default.
    pub fn location(&self, storage: &str) -> Option<&str> {
        let named = self.locations.iter().find(|(_, known)| known.as_deref() == Some(storage));
        let found = named.or_else(|| self.locations.iter().find(|(_, known)| known.is_none()));
        found.map(|(name, _)| name.as_str())
    }
}

impl Sight {
    /// What the records say now.
    pub async fn of(store: &Store, cluster: &str) -> Result<Self, Problem> {
        let mut sight = Self { environments: store.environments(cluster).await?, ..Self::default() };
        sight.environments.sort_by(|a, b| a.name.cmp(&b.name));
        let mut storages: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
        for view in store.locations().await? {
            if let LocationKind::Velero { namespace, storage_location } = view.location.kind {
                let home = sight.homes.entry(namespace.clone()).or_default();
                home.locations.push((view.location.name.clone(), storage_location.clone()));
                storages.insert(view.location.name, (namespace, storage_location));
            }
        }
        if storages.is_empty() {
            return Ok(Self::default());
        }
        for known in store.schedules(cluster).await? {
            let environment = sight.environments.iter().find(|one| one.name == known.environment);
            let Some(environment) = environment else { continue };
            let storage = environment.backup_location.as_ref().and_then(|name| storages.get(name));
            let Some((namespace, storage)) = storage else { continue };
            let Some(object) = wanted(store, environment, &known, (namespace, storage.as_deref())).await?
            else {
                continue;
            };
            sight.homes.entry(namespace.clone()).or_default().schedules.push(object);
        }
        Ok(sight)
    }
}

/// A schedule as Velero is to keep it; none while its application is not there.
async fn wanted(
    store: &Store,
    environment: &Environment,
    known: &Schedule,
    (home, storage_location): (&str, Option<&str>),
) -> Result<Option<Value>, Problem> {
    let components = match &known.application {
        None => None,
        Some(name) => match components(store, known, name).await? {
            None => return Ok(None),
            found => found,
        },
    };
    let application = known.application.as_deref().zip(components.as_ref());
    let (namespace, environment) = (&environment.namespace, &environment.name);
    let scope = Scope { namespace, environment, application, storage_location };
    Ok(Some(schedule(known, &scope, home)))
}

async fn components(
    store: &Store,
    known: &Schedule,
    application: &str,
) -> Result<Option<BTreeMap<String, ComponentSpec>>, Problem> {
    let found = store.find_deployment(&known.cluster, &known.environment, application).await?;
    let Some(deployment) = found else { return Ok(None) };
    let Some(instance) = store.latest_instance(deployment.id).await? else { return Ok(None) };
    let driver = store.driver(&instance.driver).await?;
    Ok(driver.map(|driver| driver.spec.components))
}
