//! What a chart is rendered with and nobody else may know: the seed from which it draws passwords, keys and certificates, and
//! what it looked up in the cluster when its newest instance was made. Both lie in a Secret of the deployment and nowhere else.
//! Who renders the instance again needs them, or it would become another one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::ApplyOptions;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::{ObjectKey, Problem, labels};
use crate::driver::chart::{LookupKey, Lookups, Seed};

use super::engine::Engine;
use super::observe::Setting;
use super::place;
use super::queue::Name;

const FIELD: &str = "seed";
const BORN: &str = "born";
const INSTANCE: &str = "instance";
const LOOKUPS: &str = "lookups";

/// What may be kept of lookups, in bytes: a Secret has room for 1 MiB.
const LOOKUPS_MAX: usize = 600_000;

/// What is kept of a deployment with a chart.
#[derive(Clone)]
pub(super) struct Keepsake {
    /// Where random values come from.
    pub seed: Seed,
    /// The digest of an instance, and what its templates looked up when it was made.
    pub lookups: Option<(String, Lookups)>,
}

impl Keepsake {
    /// What the templates of an instance looked up when it was made.
    pub fn lookups_of(&self, digest: &str) -> Option<&Lookups> {
        self.lookups.as_ref().filter(|(known, _)| known == digest).map(|(_, lookups)| lookups)
    }
}

impl Engine {
    /// What is kept of a deployment; none when there is no such Secret.
    ///
    /// # Errors
    /// When the cluster does not say, or what it has is no seed.
    pub(super) async fn keepsake(&self, name: &Name) -> Result<Option<Keepsake>, Problem> {
        if let Some(known) = self.remembered_keepsake(name) {
            return Ok(Some(known));
        }
        let key = key(name);
        let Some(secret) = self.cluster().get(&key).await.map_err(|error| error.problem())? else {
            return Ok(None);
        };
        let keepsake = read(&secret).ok_or_else(|| {
            Problem::new(
                format!("{key} is damaged"),
                "it should have the seed of what the chart makes at random, and does not",
                "restore it from a backup; or delete it and change the application: it gets new random values then",
            )
        })?;
        self.remember_keepsake(name, &keepsake);
        Ok(Some(keepsake))
    }

    /// The seed that a deployment without one gets when its plan is confirmed: the same until then. It counts once it is kept:
    /// see [`Self::keep`].
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub(super) fn planned_seed(&self, name: &Name) -> Result<Keepsake, Problem> {
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
        let seed = self.remember_planned_seed(name, Seed { bytes, born });
        Ok(Keepsake { seed, lookups: None })
    }

    /// Writes what is to be kept into its Secret, with the namespace when that is missing.
    ///
    /// # Errors
    /// What the cluster says; and when it has another seed already.
    pub(super) async fn keep(
        &self,
        name: &Name,
        setting: &Setting,
        keepsake: &Keepsake,
    ) -> Result<(), Problem> {
        let told = |error: crate::cluster::ClusterError| error.problem();
        let space = place::namespace(&setting.environment);
        if self.cluster().get(&crate::cluster::key(&space)).await.map_err(told)?.is_none() {
            self.cluster().apply(&space, ApplyOptions::default()).await.map_err(told)?;
        }
        let key = key(name);
        if let Some(found) = self.cluster().get(&key).await.map_err(told)?
            && read(&found).is_none_or(|found| found.seed.bytes != keepsake.seed.bytes)
        {
            return Err(Problem::new(
                format!("{key} has another seed than the plan was made with"),
                "somebody else deployed this application meanwhile",
                "look at the new plan and confirm it again",
            ));
        }
        let secret = secret(name, &setting.environment.name, keepsake);
        if secret["data"][LOOKUPS].as_str().is_some_and(|text| text.len() > LOOKUPS_MAX) {
            return Err(Problem::new(
                format!("the chart of {} looks up more than can be kept", name.name),
                "what it looks up is kept in a Secret, so that the same instance is rendered again",
                "correct the chart: look up single objects, not lists",
            ));
        }
        self.cluster()
            .apply(&secret, ApplyOptions { force: true, ..Default::default() })
            .await
            .map_err(told)?;
        self.remember_keepsake(name, keepsake);
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

/// The Secret.
pub(super) fn secret(name: &Name, environment: &str, keepsake: &Keepsake) -> Value {
    let key = key(name);
    let mut data = json!({
        FIELD: STANDARD.encode(keepsake.seed.bytes),
        BORN: STANDARD.encode(keepsake.seed.born.to_string()),
    });
    if let Some((instance, lookups)) = keepsake.lookups.as_ref().filter(|(_, lookups)| !lookups.is_empty()) {
        let lines: Vec<(&LookupKey, &Value)> = lookups.iter().collect();
        data[INSTANCE] = STANDARD.encode(instance).into();
        data[LOOKUPS] = STANDARD.encode(json!(lines.iter().map(line).collect::<Vec<_>>()).to_string()).into();
    }
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
        "data": data,
    })
}

/// A lookup as it is kept: what was asked for, and what was found.
fn line((key, found): &(&LookupKey, &Value)) -> Value {
    json!([key.api_version, key.kind, key.namespace, key.name, found])
}

fn read(secret: &Value) -> Option<Keepsake> {
    let decode = |field: &str| STANDARD.decode(secret["data"][field].as_str()?).ok();
    let born = String::from_utf8(decode(BORN)?).ok()?;
    let seed = Seed { bytes: decode(FIELD)?.try_into().ok()?, born: born.parse().ok()? };
    let lookups = decode(INSTANCE).zip(decode(LOOKUPS)).and_then(|(instance, lookups)| {
        let lines: Vec<(String, String, String, String, Value)> = serde_json::from_slice(&lookups).ok()?;
        let lookups = lines.into_iter().map(|(api_version, kind, namespace, name, found)| {
            (LookupKey { api_version, kind, namespace, name }, found)
        });
        Some((String::from_utf8(instance).ok()?, lookups.collect()))
    });
    Some(Keepsake { seed, lookups })
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
        let key = LookupKey {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: "demo".to_owned(),
            name: "x".to_owned(),
        };
        let lookups = Lookups::from([(key, json!({"data": {"a": "b"}}))]);
        let keepsake = Keepsake {
            seed: Seed { bytes: [7; 32], born },
            lookups: Some(("d".to_owned(), lookups.clone())),
        };
        let secret = secret(&name, "demo", &keepsake);
        let read = read(&secret).unwrap();
        assert_eq!((read.seed.bytes, read.seed.born), ([7; 32], born));
        assert_eq!(read.lookups_of("d"), Some(&lookups));
        assert_eq!(read.lookups_of("e"), None, "another instance looks anew");
        assert_eq!(secret["metadata"]["name"], "shop-seed");
        assert!(super::read(&json!({"data": {"seed": "AAAA"}})).is_none());
    }
}
