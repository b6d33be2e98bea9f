//! The secrets of a clone: copied from Secret to Secret, never recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::domain::secret::{references, secret_name};
use crate::domain::{DeploymentDraft, Environment, ObjectKey, Problem, SecretText};
use crate::reconcile::engine::Engine;
use crate::reconcile::own_secret;
use crate::reconcile::queue::Name;
use crate::reconcile::seed::Keepsake;

impl Engine {
    /// Puts the values of secret parameters into the draft as if they had been typed, and brings along the Secrets of others that
    /// it refers to, and the seed of its chart: what the chart made at random is the same, so that restored data fits.
    ///
    /// # Errors
    /// A value is not there any more, or the cluster refuses to read or write it.
    pub(super) async fn carry_secrets(
        &self,
        draft: &mut DeploymentDraft,
        from: (&Environment, &str),
        to: &Environment,
    ) -> Result<(), Problem> {
        let own = secret_name(from.1);
        for (parameter, reference) in references(&draft.parameters) {
            let key = own_secret::key(&from.0.namespace, reference.secret.clone());
            let found = self.cluster().get(&key).await.map_err(|error| error.problem())?;
            let Some(found) = found.filter(|found| !found["data"][&reference.key].is_null()) else {
                return Err(lost(&key, &parameter));
            };
            match reference.secret == own {
                true => {
                    let value = text(&found["data"][&reference.key]).ok_or_else(|| lost(&key, &parameter))?;
                    draft.parameters.remove(&parameter);
                    draft.typed.insert(parameter, value);
                }
                false => self.bring_along(&found, &reference.secret, to).await?,
            }
        }
        self.carry_seed(from, draft, to).await
    }

    /// A Secret that is not ours is made in the new namespace, unless one of that name is there.
    async fn bring_along(&self, found: &Value, name: &str, to: &Environment) -> Result<(), Problem> {
        let key = own_secret::key(&to.namespace, name.to_owned());
        if self.cluster().get(&key).await.map_err(|error| error.problem())?.is_some() {
            return Ok(());
        }
        let copy = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": to.namespace },
            "type": found["type"],
            "data": found["data"],
        });
        self.write_secret(&copy, to).await
    }

    async fn carry_seed(
        &self,
        from: (&Environment, &str),
        draft: &DeploymentDraft,
        to: &Environment,
    ) -> Result<(), Problem> {
        let source = Name { namespace: from.0.namespace.clone(), name: from.1.to_owned() };
        let Some(known) = self.keepsake(&source, None).await? else { return Ok(()) };
        let name = Name { namespace: to.namespace.clone(), name: draft.name.clone() };
        if self.keepsake(&name, None).await?.is_some() {
            return Ok(());
        }
        let keepsake = Keepsake { lookups: Default::default(), is_kept: false, ..known };
        self.keep(&name, to, &keepsake).await
    }
}

fn text(value: &Value) -> Option<SecretText> {
    let bytes = Zeroizing::new(STANDARD.decode(value.as_str()?).ok()?);
    Some(SecretText::new(std::str::from_utf8(&bytes).ok()?))
}

fn lost(key: &ObjectKey, parameter: &str) -> Problem {
    Problem::new(
        format!("the value of {parameter} cannot be copied"),
        format!("{key} does not hold it"),
        "deploy the application by hand and type it, then restore the backup into it",
    )
}
