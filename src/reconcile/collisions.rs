//! Host names that two would answer to: found in the plan, before anybody is cut off.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::ClusterError;
use crate::domain::operation::Subject;
use crate::domain::{Deployment, ObjectKey, Problem};

use super::engine::Engine;

mod answers;
mod claim;

pub(super) use answers::Answers;
pub(super) use claim::{Claim, claims, hosts, judge};

/// The kinds of objects that answer for hosts: API version, kind.
const KINDS: [(&str, &str); 3] = [
    ("networking.k8s.io/v1", "Ingress"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("traefik.io/v1alpha1", "IngressRoute"),
];

/// What is answered for already.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The hosts, and by whom.
    pub claims: Vec<Claim>,
    /// What the routes that are there of the applications that were left out answer to.
    pub own: Vec<Claim>,
    /// What could not be looked for.
    pub unseen: Vec<String>,
}

impl Engine {
    /// What is answered for on this cluster, by what is recorded and by whatever else is there, but for the applications `except`.
    ///
    /// # Errors
    /// The records cannot be read, or the cluster does not answer. What it denies is told.
    pub(super) async fn taken(&self, except: &BTreeSet<Subject>) -> Result<Taken, Problem> {
        let mut taken = Taken::default();
        for record in self.store().deployments(self.cluster().name()).await? {
            if except.contains(&self.subject_of(&record)) {
                continue;
            }
            if let Some(newest) = self.store().latest_instance(record.id).await? {
                taken.claims.extend(claims(&newest.context, &record.draft));
            }
        }
        let mut unseen = Vec::new();
        for (api_version, kind) in KINDS {
            match self.cluster().list(&ObjectKey::every(api_version, kind)).await {
                Ok(objects) => {
                    let (own, others): (Vec<&Value>, Vec<&Value>) = objects.iter().partition(|object| {
                        let owner = claim::owner(object);
                        owner.is_some_and(|(environment, name)| {
                            except.contains(&self.subject(environment, name))
                        })
                    });
                    taken.own.extend(own.into_iter().flat_map(claim::live));
                    // what is recorded is known already
                    for found in others.into_iter().flat_map(claim::live) {
                        if !taken.claims.iter().any(|it| it.is_same(&found)) {
                            let found = found.beside(&taken.claims);
                            taken.claims.push(found);
                        }
                    }
                }
                Err(ClusterError::Unserved { .. }) => {}
                Err(ClusterError::Forbidden { .. }) => unseen.push(kind),
                Err(error) => return Err(error.problem()),
            }
        }
        if !unseen.is_empty() {
            taken.unseen.push(format!(
                "whether something else answers to these hosts was not looked for: the list of every {} is denied",
                unseen.join(" and every ")
            ));
        }
        Ok(taken)
    }

    pub(super) fn subject_of(&self, record: &Deployment) -> Subject {
        self.subject(&record.draft.environment, &record.draft.name)
    }

    /// Whether a new instance, with the objects that are rendered from it, answers to hosts that it did not answer to before, and
    /// somebody else has one of them; gives what else there is to know.
    ///
    /// # Errors
    /// Somebody else has it.
    pub(super) async fn check_hosts(
        &self,
        record: &Deployment,
        before: Option<&Value>,
        context: &Value,
        objects: &[Value],
    ) -> Result<Vec<String>, Problem> {
        let answers = Answers::of(&record.draft, before, context, objects);
        if !answers.may_be_new() {
            return Ok(Vec::new());
        }
        let taken = self.taken(&BTreeSet::from([self.subject_of(record)])).await?;
        let mut said = answers.judge(&taken)?;
        said.extend(taken.unseen);
        Ok(said)
    }
}
