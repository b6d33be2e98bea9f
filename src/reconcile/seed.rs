//! What a chart is rendered with and nobody else may know: the seed from which it draws passwords, keys and certificates, and
//! what it looked up in the cluster when an instance was made. Both lie in a Secret of the deployment and nowhere else. Who renders
//! an instance again needs them, or it would become another one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::names::digest;
use crate::domain::plan::Verb;
use crate::domain::secret::seed_name;
use crate::domain::{Environment, ObjectKey, OperationKind, Problem, Step};
use crate::driver::chart::{LookupKey, Lookups, Seed};

use super::engine::Engine;
use super::observe::Observed;
use super::own_secret::{self, check_owner};
use super::queue::Name;

const FIELD: &str = "seed";
const BORN: &str = "born";
const LOOKUPS: &str = "lookups";

/// What may be kept of lookups, in bytes: a Secret has room for 1 MiB.
const LOOKUPS_MAX: usize = 600_000;

/// What is kept of a deployment with a chart.
#[derive(Clone)]
pub(super) struct Keepsake {
    /// Where random values come from.
    pub seed: Seed,
    /// What the templates of an instance looked up, by its digest. Instances that looked nothing up are not in it.
    pub lookups: BTreeMap<String, Lookups>,
    /// Whether its Secret exists.
    pub is_kept: bool,
}

impl Keepsake {
    /// The same, when an instance of this digest is made that looked this up, after `newest`.
    pub fn with(&self, newest: Option<&str>, digest: &str, found: Lookups) -> Self {
        let mut lookups = self.lookups.clone();
        // that one is carried out until the new one is recorded
        lookups.retain(|known, _| Some(known.as_str()) == newest);
        if !found.is_empty() {
            lookups.insert(digest.to_owned(), found);
        }
        Self { seed: self.seed.clone(), lookups, is_kept: self.is_kept }
    }

    /// The step of the plan that shows it.
    pub fn step(&self, name: &Name) -> Step {
        let verb = if self.is_kept { Verb::Update } else { Verb::Create };
        let instances: Vec<&str> = self.lookups.keys().map(String::as_str).collect();
        Step {
            note: "keeps what the chart makes at random (masked)".to_owned(),
            digest: digest(instances.join("\n").as_bytes()),
            ..Step::on(verb, seed_key(name))
        }
    }

    fn data(&self) -> Value {
        let mut data = json!({
            FIELD: STANDARD.encode(self.seed.bytes),
            BORN: STANDARD.encode(self.seed.born.to_string()),
        });
        if !self.lookups.is_empty() {
            let instances: BTreeMap<&String, Vec<Value>> = self
                .lookups
                .iter()
                .map(|(digest, lookups)| (digest, lookups.iter().map(line).collect()))
                .collect();
            data[LOOKUPS] = STANDARD.encode(json!(instances).to_string()).into();
        }
        data
    }

    fn read(secret: &Value) -> Option<Self> {
        let decode = |field: &str| STANDARD.decode(secret["data"][field].as_str()?).ok();
        let born = String::from_utf8(decode(BORN)?).ok()?;
        let seed = Seed { bytes: decode(FIELD)?.try_into().ok()?, born: born.parse().ok()? };
        let lookups = match decode(LOOKUPS) {
            Some(text) => serde_json::from_slice::<BTreeMap<String, Vec<Line>>>(&text).ok()?,
            None => BTreeMap::new(),
        };
        let read = |lines: Vec<Line>| {
            let lines = lines.into_iter().map(|(api_version, kind, namespace, name, found)| {
                (LookupKey { api_version, kind, namespace, name }, found)
            });
            lines.collect()
        };
        let lookups = lookups.into_iter().map(|(digest, lines)| (digest, read(lines))).collect();
        Some(Self { seed, lookups, is_kept: true })
    }
}

/// A lookup as it is kept: what was asked for, and what was found.
type Line = (String, String, String, String, Value);

fn line((key, found): (&LookupKey, &Value)) -> Value {
    json!([key.api_version, key.kind, key.namespace, key.name, found])
}

impl Engine {
    /// What is kept of a deployment, with what the instance of this digest looked up; none when there is no such Secret.
    ///
    /// # Errors
    /// When the cluster does not say, or what it has is no seed.
    pub(super) async fn keepsake(
        &self,
        name: &Name,
        instance: Option<&str>,
    ) -> Result<Option<Keepsake>, Problem> {
        let key = seed_key(name);
        if let Some(mut known) = self.remembered_keepsake(name, instance) {
            let index = self.cluster().index();
            known.is_kept = index.object(&key).is_some() || !index.sees(&key.namespace, &key.kind);
            return Ok(Some(known));
        }
        let Some(secret) = self.cluster().get(&key).await.map_err(|error| error.problem())? else {
            return Ok(None);
        };
        let keepsake = Keepsake::read(&secret).ok_or_else(|| damaged(&key))?;
        self.remember_keepsake(name, instance, &keepsake);
        Ok(Some(keepsake))
    }

    /// Gives a plan of an application with a chart a seed to be drawn with, when none is kept: the same until the plan is
    /// confirmed. Says so where that changes something.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub(super) fn plan_seed(
        &self,
        name: &Name,
        observed: &mut Observed,
        kind: OperationKind,
    ) -> Result<Option<String>, Problem> {
        // these apply what runs once more, or nothing: they make nothing anew
        let applies = !matches!(
            kind,
            OperationKind::Delete
                | OperationKind::Restart
                | OperationKind::Correct
                | OperationKind::Action
                | OperationKind::Backup
                | OperationKind::Restore
        );
        if !observed.has_chart() || observed.keepsake.is_some() || !applies {
            return Ok(None);
        }
        let mut bytes = [0; 32];
        own_secret::fill(&mut bytes)?;
        // whole seconds, as the Secret has it
        let now = self.clock().now();
        let born = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let seed = self.remember_planned_seed(name, Seed { bytes, born });
        observed.keepsake = Some(Keepsake { seed, lookups: BTreeMap::new(), is_kept: false });
        let lost = observed.situation.newest.is_some();
        Ok(lost.then(|| {
            let key = seed_key(name);
            format!("{key} is gone: passwords, keys and certificates that the chart makes are made anew")
        }))
    }

    /// Writes what is to be kept into its Secret, with the namespace when that is missing.
    ///
    /// # Errors
    /// What the cluster says; and when it has another seed already.
    pub(super) async fn keep(
        &self,
        name: &Name,
        environment: &Environment,
        keepsake: &Keepsake,
    ) -> Result<(), Problem> {
        let key = seed_key(name);
        if let Some(found) = self.cluster().get(&key).await.map_err(|error| error.problem())? {
            check_owner(&found, &key, &name.name)?;
            if Keepsake::read(&found).is_none_or(|found| found.seed.bytes != keepsake.seed.bytes) {
                return Err(Problem::new(
                    format!("{key} has another seed than the plan was made with"),
                    "somebody else deployed this application meanwhile",
                    "look at the new plan and confirm it again",
                ));
            }
        }
        let data = keepsake.data();
        if data[LOOKUPS].as_str().is_some_and(|text| text.len() > LOOKUPS_MAX) {
            return Err(Problem::new(
                format!("the chart of {} looks up more than can be kept", name.name),
                "what it looks up is kept in a Secret, so that the same instance is rendered again",
                "correct the chart: look up single objects, not lists",
            ));
        }
        let secret = own_secret::object(&key, &environment.name, &name.name, &data);
        self.write_secret(&secret, environment).await?;
        self.remember_keepsake(name, None, keepsake);
        Ok(())
    }
}

/// The key of the Secret.
pub(super) fn seed_key(name: &Name) -> ObjectKey {
    own_secret::key(&name.namespace, seed_name(&name.name))
}

fn damaged(key: &ObjectKey) -> Problem {
    Problem::new(
        format!("{key} is damaged"),
        "it should have the seed of what the chart makes at random, and does not",
        "restore it from a backup; or delete it and change the application: it gets new random values then",
    )
}

/// The seed of a deployment that runs is not there any more.
pub(super) fn gone(name: &Name) -> Problem {
    Problem::new(
        format!("{} is gone", seed_key(name)),
        "what the chart makes at random (passwords, keys, certificates) comes from it",
        "restore it from a backup; or change the application from the cockpit: it gets new random values then",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_as_it_was_kept() {
        let born = Timestamp::from_second(1_700_000_000).unwrap();
        let key = LookupKey {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: "demo".to_owned(),
            name: "x".to_owned(),
        };
        let lookups = Lookups::from([(key, json!({"data": {"a": "b"}}))]);
        let seed = Seed { bytes: [7; 32], born };
        let first =
            Keepsake { seed, lookups: BTreeMap::new(), is_kept: true }.with(None, "one", lookups.clone());
        let read = Keepsake::read(&json!({"data": first.data()})).unwrap();
        assert_eq!((read.seed.bytes, read.seed.born), ([7; 32], born));
        assert_eq!(read.lookups.get("one"), Some(&lookups));
        let second = read.with(Some("one"), "two", lookups.clone());
        assert_eq!(second.lookups.len(), 2, "the one before is still carried out");
        let third = second.with(Some("two"), "three", Lookups::new());
        assert_eq!(third.lookups.keys().collect::<Vec<_>>(), ["two"], "what looks nothing up keeps nothing");
        assert!(Keepsake::read(&json!({"data": {"seed": "AAAA"}})).is_none());
    }
}
