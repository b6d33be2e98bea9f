//! The Secret of a deployment that holds the values of its secret parameters.
//!
//! Whoever confirms a wish writes the values that were typed, before the wish is recorded: the records, the plan, and the engine,
//! which may be another process, know only the reference. Each value has a key named after its keyed digest, so that values lie
//! side by side and a rollback finds the one that it knew. The key of the digests lies in the same Secret.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cluster::ClusterError;
use crate::domain::driver::{ParameterKind, ParameterSpec};
use crate::domain::names::digest;
use crate::domain::operation::Subject;
use crate::domain::parameters::check_secret;
use crate::domain::plan::Verb;
use crate::domain::secret::{keyed_digest, references, secret_name};
use crate::domain::{
    DeploymentDraft, DeploymentId, Environment, Instance, ObjectKey, Operation, OperationId, Problem,
    SecretReference, SecretText, Step, TypedSecrets, labels,
};

use crate::store::StoreError;

use super::engine::Engine;
use super::own_secret::{self, check_owner};
use super::queue::Name;
use super::situation::Situation;

/// Where the key of the digests lies. The name of a parameter has no `-`.
const DIGEST_KEY: &str = "digest-key";
/// The length of that key, in bytes.
const DIGEST_KEY_LENGTH: usize = 32;
/// A value that nobody refers to stays this long: whoever wrote it may be about to record the wish.
const UNUSED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// What is to be written into the Secret before a wish is recorded.
#[derive(Debug)]
pub(super) struct Vault {
    key: ObjectKey,
    /// The Secret itself, when it is to be made or lacks the key of its digests.
    base: Option<Hidden>,
    /// Whether it exists.
    exists: bool,
    /// The values, by the key that each gets.
    values: BTreeMap<String, SecretText>,
    /// The parameters that they are of.
    parameters: Vec<String>,
}

/// What was typed, and what it is of.
pub(super) struct Sealing<'a> {
    pub environment: &'a Environment,
    pub deployment: &'a str,
    /// The parameters, or the prompts, that values may be of.
    pub specs: &'a [ParameterSpec],
    /// What stands before their names in the keys of the Secret.
    pub prefix: &'static str,
}

/// How many operations back answers are looked for that nobody took away.
const RECENT: u32 = 20;
/// What stands before the names of prompts in the keys of the Secret; no parameter has a `-`.
pub(super) const PROMPT: &str = "prompt-";

/// An object with secrets in it, which `Debug` does not show.
struct Hidden(Value);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Vault {
    /// The step of the plan that shows it.
    pub fn step(&self) -> Step {
        let verb = if self.exists { Verb::Update } else { Verb::Create };
        let keys: Vec<&str> = self.values.keys().map(String::as_str).collect();
        Step {
            note: format!("keeps {} (masked)", self.parameters.join(", ")),
            digest: digest(keys.join("\n").as_bytes()),
            ..Step::on(verb, self.key.clone())
        }
    }
}

/// The key of the Secret that holds the secret parameters of a deployment.
fn vault_key(namespace: &str, deployment: &str) -> ObjectKey {
    own_secret::key(namespace, secret_name(deployment))
}

impl Engine {
    /// Puts references to what was typed among `values`, and says what is to be written for them. `known` are the values as
    /// they are recorded: what a wish takes over from there is not looked for.
    ///
    /// # Errors
    /// A value does not fit its parameter, the Secret cannot be read or is somebody else's, or a reference leads nowhere.
    pub(super) async fn seal(
        &self,
        sealing: &Sealing<'_>,
        typed: TypedSecrets,
        values: &mut BTreeMap<String, Value>,
        known: Option<&BTreeMap<String, Value>>,
    ) -> Result<Option<Vault>, Problem> {
        let (environment, deployment) = (sealing.environment, sealing.deployment);
        let fresh = own_references(deployment, values, known);
        if typed.is_empty() && fresh.is_empty() {
            return Ok(None);
        }
        check_typed(sealing, &typed)?;
        let key = vault_key(&environment.namespace, deployment);
        let live = self.cluster().get(&key).await.map_err(|error| error.problem())?;
        if let Some(live) = &live {
            check_owner(live, &key, deployment)?;
        }
        let held = keys_of(live.as_ref());
        if let Some((parameter, _)) = fresh.iter().find(|(_, reference)| !held.contains(&reference.key)) {
            return Err(lost(&key, parameter));
        }
        let known_key = live.as_ref().and_then(digest_key_of);
        let has_key = known_key.is_some();
        let digest_key = match known_key {
            Some(key) => key,
            None => self.planned_digest_key(&environment.name, deployment)?,
        };
        let mut vault = Vault {
            exists: live.is_some(),
            base: None,
            values: BTreeMap::new(),
            parameters: Vec::new(),
            key,
        };
        for (parameter, value) in typed {
            let name = format!("{}{parameter}", sealing.prefix);
            let digest = keyed_digest(&digest_key, &name, &value);
            let reference = SecretReference::new(deployment, &name, digest);
            values.insert(parameter.clone(), reference.to_value());
            // The same value as before is there already.
            if !held.contains(&reference.key) {
                vault.values.insert(reference.key, value);
                vault.parameters.push(parameter);
            }
        }
        if !has_key {
            let data = json!({ DIGEST_KEY: STANDARD.encode(&digest_key) });
            vault.base = Some(Hidden(own_secret::object(&vault.key, &environment.name, deployment, &data)));
        }
        Ok((!vault.values.is_empty()).then_some(vault))
    }

    /// Writes what was sealed. What lies beside it stays.
    ///
    /// # Errors
    /// The cluster refuses it.
    pub(super) async fn write_vault(&self, vault: &Vault, environment: &Environment) -> Result<(), Problem> {
        if let Some(Hidden(base)) = &vault.base {
            self.write_secret(base, environment).await?;
        }
        let data =
            vault.values.iter().map(|(key, value)| (key.clone(), json!(STANDARD.encode(value.reveal()))));
        let written = json!({ labels::WRITTEN: self.clock().now().to_string() });
        let patch = json!({
            "metadata": { "annotations": written },
            "data": data.collect::<serde_json::Map<_, _>>(),
        });
        self.cluster().merge(&vault.key, &patch).await.map_err(|error| error.problem())
    }

    /// Takes back what was written for a wish that could not be recorded. The Secret itself stays: it may be somebody else's by
    /// now, who deployed under the same name.
    pub(super) async fn withdraw_vault(&self, vault: &Vault) {
        let data: serde_json::Map<_, _> = vault.values.keys().map(|key| (key.clone(), Value::Null)).collect();
        if let Err(error) = self.cluster().merge(&vault.key, &json!({ "data": data })).await {
            tracing::debug!(%error, "a value that nobody refers to stays in its Secret");
        }
    }

    /// Whether the Secret has every value that `parameters` refer to.
    ///
    /// # Errors
    /// It has not, or cannot be asked.
    pub(super) async fn check_vault(
        &self,
        key: &ObjectKey,
        deployment: &str,
        parameters: &BTreeMap<String, Value>,
    ) -> Result<Result<(), Problem>, ClusterError> {
        let live = self.cluster().get(key).await?;
        if let Some(live) = &live
            && let Err(problem) = check_owner(live, key, deployment)
        {
            return Ok(Err(problem));
        }
        let held = keys_of(live.as_ref());
        let own = references(parameters).into_iter().filter(|(_, reference)| reference.secret == key.name);
        let missing = own.into_iter().find(|(_, reference)| !held.contains(&reference.key));
        Ok(missing.map_or(Ok(()), |(parameter, _)| Err(lost(key, &parameter))))
    }

    /// Removes values that neither the deployment nor one of its instances refers to, once they have lain there for a while.
    /// What the cluster refuses is done another time.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(super) async fn tidy_vault(&self, name: &Name, id: DeploymentId) -> Result<(), StoreError> {
        let key = vault_key(&name.namespace, &name.name);
        if self.cluster().index().object(&key).is_none() {
            return Ok(());
        }
        if let Some(record) = self.store().deployment(id).await? {
            let instances = self.store().instances(id).await?;
            let subject = self.subject(&record.draft.environment, &record.draft.name);
            let answers = self.open_answers(&subject, None).await?;
            self.prune_vault(&key, &record.draft, &instances, &answers).await;
        }
        Ok(())
    }

    /// The answers to prompts that operations about `subject` still need, but for the one that has just ended.
    async fn open_answers(
        &self,
        subject: &Subject,
        ended: Option<OperationId>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let open = self.store().open_operations(&subject.cluster).await?;
        let needed = open.into_iter().map(|view| view.operation);
        let needed = needed.filter(|operation| operation.subject == *subject && Some(operation.id) != ended);
        let answers = needed.filter_map(|operation| Some(operation.action?.answers));
        Ok(answers.flat_map(|answers| references(&answers).into_values()).map(|found| found.key).collect())
    }

    /// Removes the secret answers of an action that has ended, unless another one still needs the same.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(super) async fn drop_answers(&self, name: &Name, ended: &Operation) -> Result<(), StoreError> {
        let needed = self.open_answers(&ended.subject, Some(ended.id)).await?;
        self.remove_answers(name, secret_answers(ended).difference(&needed).cloned().collect()).await;
        Ok(())
    }

    /// The same for actions that ended while no engine carried them out: overtaken or cancelled before they began, or cut off by a
    /// crash behind their end. Asks the cluster only when there is another operation than the last time.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(super) async fn drop_old_answers(&self, name: &Name, known: &Situation) -> Result<(), StoreError> {
        let Some(latest) = &known.work.latest else { return Ok(()) };
        if !self.is_news(name, latest.id) {
            return Ok(());
        }
        let recent = self.store().operations_of(&latest.subject, RECENT).await?;
        let ended = recent.iter().map(|view| &view.operation).filter(|operation| operation.state.is_final());
        let mut left: BTreeSet<String> = ended.flat_map(secret_answers).collect();
        if left.is_empty() {
            return Ok(());
        }
        let Ok(live) = self.cluster().get(&vault_key(&name.namespace, &name.name)).await else {
            return Ok(());
        };
        let held = keys_of(live.as_ref());
        let needed = self.open_answers(&latest.subject, None).await?;
        left.retain(|key| held.contains(key) && !needed.contains(key));
        self.remove_answers(name, left).await;
        Ok(())
    }

    async fn remove_answers(&self, name: &Name, keys: BTreeSet<String>) {
        if keys.is_empty() {
            return;
        }
        let data: serde_json::Map<String, Value> = keys.into_iter().map(|key| (key, Value::Null)).collect();
        let key = vault_key(&name.namespace, &name.name);
        if let Err(error) = self.cluster().merge(&key, &json!({ "data": data })).await {
            tracing::debug!(%error, "answers that nobody needs stay in their Secret for now");
        }
    }

    async fn prune_vault(
        &self,
        key: &ObjectKey,
        draft: &DeploymentDraft,
        instances: &[Instance],
        answers: &BTreeSet<String>,
    ) {
        let Ok(Some(live)) = self.cluster().get(key).await else { return };
        let written = live["metadata"]["annotations"][labels::WRITTEN].as_str();
        let written: Option<Timestamp> = written.and_then(|text| text.parse().ok());
        if written.is_none_or(|at| self.clock().now() < at.saturating_add(UNUSED_FOR).unwrap_or(at)) {
            return;
        }
        let unused: serde_json::Map<String, Value> = (keys_of(Some(&live)).into_iter())
            .filter(|key| key.contains('.') && !answers.contains(key) && !is_used(key, draft, instances))
            .map(|key| (key, Value::Null))
            .collect();
        if unused.is_empty() {
            return;
        }
        // What was written meanwhile changes the version: then nothing is removed this time.
        let version = &live["metadata"]["resourceVersion"];
        let patch = json!({ "metadata": { "resourceVersion": version }, "data": unused });
        if let Err(error) = self.cluster().merge(key, &patch).await {
            tracing::debug!(%error, "values that nobody refers to stay in their Secret");
        }
    }
}

/// The keys of the secret answers of an action.
fn secret_answers(operation: &Operation) -> BTreeSet<String> {
    let answers = operation.action.iter().flat_map(|action| references(&action.answers).into_values());
    answers.map(|reference| reference.key).filter(|key| key.starts_with(PROMPT)).collect()
}

fn is_used(key: &str, draft: &DeploymentDraft, instances: &[Instance]) -> bool {
    let refers = |parameters: &BTreeMap<String, Value>| {
        references(parameters).values().any(|reference| reference.key == key)
    };
    let frozen = |instance: &Instance| {
        let resolved = instance.context["parameters"].as_object();
        let resolved = resolved.into_iter().flat_map(|parameters| parameters.values());
        resolved.filter_map(SecretReference::read).any(|reference| reference.key == key)
            || instance.draft.as_ref().is_some_and(|draft| refers(&draft.parameters))
    };
    refers(&draft.parameters) || instances.iter().any(frozen)
}

/// The references into the deployment's own Secret that are not recorded yet.
fn own_references(
    deployment: &str,
    values: &BTreeMap<String, Value>,
    known: Option<&BTreeMap<String, Value>>,
) -> BTreeMap<String, SecretReference> {
    let own = secret_name(deployment);
    let mut found = references(values);
    found.retain(|name, reference| {
        let recorded = known.and_then(|known| known.get(name)) == values.get(name);
        reference.secret == own && !recorded
    });
    found
}

/// What was typed is of a secret parameter or prompt, and fits it.
fn check_typed(sealing: &Sealing<'_>, typed: &TypedSecrets) -> Result<(), Problem> {
    let mut wrong = Vec::new();
    for (name, value) in typed {
        let spec = sealing.specs.iter().find(|spec| spec.name == *name && spec.kind == ParameterKind::Secret);
        match spec {
            None => wrong.push(format!("{name}: the driver has no secret of that name")),
            Some(spec) => wrong.extend(check_secret(spec, value).err().map(|why| format!("{name}: {why}"))),
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Problem::new(
            format!("what was typed for {} is not valid", sealing.deployment),
            wrong.join("\n"),
            "correct them",
        )),
    }
}

fn lost(key: &ObjectKey, parameter: &str) -> Problem {
    Problem::new(
        format!("the value of {parameter} is lost"),
        format!("{key} does not hold it any more"),
        format!("change the application and type {parameter} again"),
    )
}

fn keys_of(live: Option<&Value>) -> BTreeSet<String> {
    let data = live.and_then(|live| live["data"].as_object());
    data.into_iter().flat_map(|data| data.keys().cloned()).collect()
}

fn digest_key_of(live: &Value) -> Option<Zeroizing<Vec<u8>>> {
    let text = live["data"][DIGEST_KEY].as_str()?;
    let key = STANDARD.decode(text).ok().filter(|key| key.len() == DIGEST_KEY_LENGTH)?;
    Some(Zeroizing::new(key))
}

/// A new random key from the operating system.
///
/// # Errors
/// It gives none.
pub(super) fn new_digest_key() -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut key = Zeroizing::new(vec![0; DIGEST_KEY_LENGTH]);
    own_secret::fill(&mut key)?;
    Ok(key)
}
