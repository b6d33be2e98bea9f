//! The seed from which a chart draws passwords, keys and certificates. It lies in a Secret of the deployment and nowhere else:
//! who has it can make all of them again, and who renders the chart again must.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::ApplyOptions;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::{ObjectKey, Problem, labels};
use crate::driver::chart::Seed;

use super::engine::Engine;
use super::observe::{Observed, Setting};
use super::place;
use super::queue::Name;

const FIELD: &str = "seed";
const BORN: &str = "born";

impl Engine {
    /// The seed of a deployment, as it is kept; none when there is no such Secret.
    ///
    /// # Errors
    /// When the cluster does not say, or what it has is no seed.
    pub(super) async fn seed(&self, name: &Name) -> Result<Option<Seed>, Problem> {
        if let Some(known) = self.remembered_seed(name) {
            return Ok(Some(known));
        }
        let key = key(name);
        let Some(secret) = self.cluster().get(&key).await.map_err(|error| error.problem())? else {
            return Ok(None);
        };
        let seed = read(&secret).ok_or_else(|| {
            Problem::new(
                format!("{key} is damaged"),
                "it should have the seed of what the chart makes at random, and does not",
                "restore it from a backup; or delete it and change the application: it gets new random values then",
            )
        })?;
        self.remember_seed(name, &seed);
        Ok(Some(seed))
    }

    /// The seed that a deployment without one gets when its plan is confirmed: the same until then. It counts once it is kept:
    /// see [`Self::keep_seed`].
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub(super) fn planned_seed(&self, name: &Name) -> Result<Seed, Problem> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            Problem::new(
                "there are no random numbers",
                error.to_string(),
                "see what is wrong with this machine",
            )
        })?;
        // whole seconds, as the Secret has it
        let now = self.clock().now();
        let born = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Ok(self.remember_planned_seed(name, Seed { bytes, born }))
    }

    /// Gives an application that was never deployed its seed, when nobody confirmed a plan with one.
    ///
    /// # Errors
    /// What the cluster says.
    pub(super) async fn ensure_seed(&self, name: &Name, observed: &mut Observed) -> Result<(), Problem> {
        let has_chart = observed.driver.as_ref().is_some_and(|driver| driver.spec.helm.is_some());
        let is_new = observed.situation.newest.is_none();
        if let Some(setting) = observed.setting.as_ref().filter(|_| has_chart && is_new)
            && observed.seed.is_none()
        {
            let seed = self.planned_seed(name)?;
            self.keep_seed(name, setting, &seed).await?;
            observed.seed = Some(seed);
        }
        Ok(())
    }

    /// Writes a seed into its Secret, with the namespace when that is missing. A seed that is there already stays.
    ///
    /// # Errors
    /// What the cluster says.
    pub(super) async fn keep_seed(&self, name: &Name, setting: &Setting, seed: &Seed) -> Result<(), Problem> {
        let told = |error: crate::cluster::ClusterError| error.problem();
        let space = place::namespace(&setting.environment);
        if self.cluster().get(&crate::cluster::key(&space)).await.map_err(told)?.is_none() {
            self.cluster().apply(&space, ApplyOptions::default()).await.map_err(told)?;
        }
        if self.cluster().get(&key(name)).await.map_err(told)?.is_none() {
            let secret = secret(name, &setting.environment.name, seed);
            self.cluster().apply(&secret, ApplyOptions::default()).await.map_err(told)?;
        }
        self.remember_seed(name, seed);
        Ok(())
    }
}

/// The name of the Secret.
pub(super) fn key(name: &Name) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: name.namespace.clone(),
        name: bounded(&[&name.name, "seed"], LABEL_MAX),
    }
}

/// The Secret with the seed.
pub(super) fn secret(name: &Name, environment: &str, seed: &Seed) -> Value {
    let key = key(name);
    json!({
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {
                labels::MANAGED_BY: labels::MANAGER,
                labels::ENVIRONMENT: environment,
                labels::DEPLOYMENT: name.name,
            },
        },
        "type": "Opaque",
        "data": {
            FIELD: STANDARD.encode(seed.bytes),
            BORN: STANDARD.encode(seed.born.to_string()),
        },
    })
}

fn read(secret: &Value) -> Option<Seed> {
    let decode = |field: &str| STANDARD.decode(secret["data"][field].as_str()?).ok();
    let born = String::from_utf8(decode(BORN)?).ok()?;
    Some(Seed { bytes: decode(FIELD)?.try_into().ok()?, born: born.parse().ok()? })
}

/// The seed of a deployment that runs is not there any more.
pub(super) fn gone(name: &Name) -> Problem {
    Problem::new(
        format!("{} is gone", key(name)),
        "what the chart makes at random (passwords, keys, certificates) comes from it",
        "restore it from a backup; or change the application from the cockpit: it gets new random values then",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_as_it_was_kept() {
        let name = Name { namespace: "demo".to_owned(), name: "shop".to_owned() };
        let born = Timestamp::from_second(1_700_000_000).unwrap();
        let secret = secret(&name, "demo", &Seed { bytes: [7; 32], born });
        let read = read(&secret).unwrap();
        assert_eq!((read.bytes, read.born), ([7; 32], born));
        assert_eq!(secret["metadata"]["name"], "shop-seed");
        assert!(super::read(&json!({"data": {"seed": "AAAA"}})).is_none());
    }
}
