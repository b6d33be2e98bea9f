//! A clone: an environment that equals another one. What it has of its own is rewritten: host names, namespaces, its ingress.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::key;
use crate::domain::backup::{BackupOf, BackupRequest, CloneRequest, CloneSource, Trigger};
use crate::domain::diff::ObjectDiff;
use crate::domain::environment::is_own_ingress;
use crate::domain::names::check_label;
use crate::domain::route::TlsSource;
use crate::domain::{DeploymentDraft, DesiredPhase, Environment, OperationKind, Problem};
use crate::driver::context::{ContextSources, resolve};
use crate::ingress;
use crate::reconcile::collisions::{claims, judge};
use crate::reconcile::engine::Engine;
use crate::reconcile::routing;

use super::configure::new_place;
use super::layout::{Layout, Place};
use super::propose::{CLUSTER_DOMAIN, Member, Proposal, check_location, why_not_kept};
use super::rewrite::{self, Replacement};

impl Engine {
    pub(super) async fn propose_clone(&self, request: &CloneRequest) -> Result<Proposal, Problem> {
        let source = self.recorded_environment(&request.from).await?;
        let (target, mut warnings) = self.clone_environment(&source, request).await?;
        let (members, without_ingress) = self.cloned(&source, request).await?;
        if request.source == CloneSource::Live && members.iter().any(|member| member.is_kept(false)) {
            check_location(&source)?;
            if self.is_by_velero(&source).await? {
                return Err(Problem::new(
                    format!("{} cannot be cloned with its data", source.name),
                    "it is backed up to Velero, which does not overwrite the data of volumes that exist",
                    "clone it empty, or assign it a location of another kind before",
                ));
            }
        }
        let (mut layout, mut diffs) = (Layout::default(), Vec::new());
        let made = layout.make(target.clone());
        let kept = self.kept_for(request, &members, &mut layout, &mut warnings).await?;
        let replacements = self.replacements(&members, &source, &target).await?;
        let mut before = vec![made];
        if without_ingress {
            before = vec![layout.deploy(self.ingress_draft(&target)?, None, &before)];
        }
        let mut answers = Vec::new();
        for member in &members {
            let draft = rewrite::clone_of(&member.record.draft, &target.name, &replacements);
            warnings.extend(pointing_back(&draft, &source));
            warnings.extend(staying(&member.record.draft));
            answers.extend(claims(&self.context_of(&draft, &target, member).await?, &draft));
            diffs.push(self.difference(&source, &target, member, &draft));
            let secrets_of = Some((source.name.clone(), member.name().to_owned()));
            let place = Place { environment: &target.name, application: member.name() };
            let mut last = layout.deploy(draft, secrets_of, &before);
            if let Some(backup) = kept.get(member.name()) {
                let mut after = vec![last];
                if let BackupOf::Step(step) = backup {
                    after.push(*step);
                }
                last = layout.restore(place, backup.clone(), false, &after);
            }
            if request.scale_down || member.record.phase == DesiredPhase::Stopped {
                last = layout.stop(place, &[last]);
            }
            before = vec![last];
        }
        let mut taken = self.taken(&BTreeSet::new()).await?;
        warnings.extend(judge(&answers, &taken.claims)?);
        warnings.append(&mut taken.unseen);
        let title = format!("Clone {} as {}", request.from, request.to);
        let mut proposal = self.proposal(OperationKind::Clone, &source, title, (layout, warnings)).await?;
        (proposal.plan.facts, proposal.diffs) = (routing::facts(&target), diffs);
        Ok(proposal)
    }

    /// What is cloned, the ingress controller first; and whether there is to be one that is not there to be cloned.
    async fn cloned(
        &self,
        source: &Environment,
        request: &CloneRequest,
    ) -> Result<(Vec<Member>, bool), Problem> {
        let mut members = self.members(&request.from, &request.applications).await?;
        if source.dedicated_ingress.is_none() {
            return Ok((members, false));
        }
        let is_own = |member: &Member| is_own_ingress(&member.record.draft);
        if !members.iter().any(is_own) {
            // nothing of a clone would be reached without it
            let all = self.members(&request.from, &[]).await?;
            members.extend(all.into_iter().filter(is_own));
        }
        members.sort_by_key(|member| !is_own(member));
        let without = !members.first().is_some_and(is_own);
        Ok((members, without))
    }

    /// What an application of the clone would be resolved to.
    async fn context_of(
        &self,
        draft: &DeploymentDraft,
        environment: &Environment,
        member: &Member,
    ) -> Result<Value, Problem> {
        let cluster = self.cluster_record().await?;
        let copy = self.planned(draft);
        let driver = &member.driver;
        resolve(&ContextSources {
            cluster: &cluster,
            environment,
            deployment: &copy,
            driver,
            instance_number: 1,
        })
    }

    /// Where the data of each application comes from.
    async fn kept_for(
        &self,
        request: &CloneRequest,
        members: &[Member],
        layout: &mut Layout,
        warnings: &mut Vec<String>,
    ) -> Result<BTreeMap<String, BackupOf>, Problem> {
        let mut kept = BTreeMap::new();
        let mut before = Vec::new();
        let made = BackupRequest { trigger: Trigger::Clone, ..BackupRequest::default() };
        for member in members {
            let name = member.name().to_owned();
            let backup = match &request.source {
                CloneSource::Live => match why_not_kept(member, false) {
                    None => {
                        let place = Place { environment: &request.from, application: &name };
                        let step = layout.back_up(place, &made, &before);
                        before = vec![step];
                        Some(BackupOf::Step(step))
                    }
                    Some(why) => {
                        warnings.push(format!("{why}: its clone begins empty"));
                        None
                    }
                },
                CloneSource::Backups { backups } => match backups.get(&name) {
                    Some(id) => {
                        self.kept_here(id).await?;
                        Some(BackupOf::Known(id.clone()))
                    }
                    None => {
                        warnings.push(format!("no backup of {name} is named: its clone begins empty"));
                        None
                    }
                },
                CloneSource::Empty => None,
            };
            kept.extend(backup.map(|backup| (name, backup)));
        }
        Ok(kept)
    }

    /// The environment that a clone is made in.
    async fn clone_environment(
        &self,
        source: &Environment,
        request: &CloneRequest,
    ) -> Result<(Environment, Vec<String>), Problem> {
        check_label("environment", &request.to)?;
        let others = self.store().environments(self.cluster().name()).await?;
        if others.iter().any(|other| other.name == request.to || other.namespace == request.to) {
            return Err(Problem::new(
                format!("'{}' exists already", request.to),
                "a clone is made in an environment and a namespace of its own",
                "choose another name",
            ));
        }
        let suffix = request.fqdn_suffix.clone().or_else(|| source.fqdn_suffix.clone());
        let mut target = Environment {
            name: request.to.clone(),
            namespace: request.to.clone(),
            fqdn_suffix: suffix,
            production: false,
            ..source.clone()
        };
        new_place(&target, &others)?;
        let spared = self.spare_others(&mut target).await?;
        if source.dedicated_ingress.is_some() {
            // the class of its own ingress controller has its name
            target.routing.via = None;
        }
        let mut said = self.settle_routing(&mut target, Some(source)).await?;
        said.extend(spared);
        said.extend(certificates_missing(&target));
        Ok((target, said))
    }

    /// Everything that names the copied environment, and what names the clone.
    async fn replacements(
        &self,
        members: &[Member],
        source: &Environment,
        target: &Environment,
    ) -> Result<Vec<Replacement>, Problem> {
        let mut all = rewrite::namespace(&source.namespace, &target.namespace, CLUSTER_DOMAIN);
        for member in members {
            // what runs knows itself by the names that were frozen
            let before = match self.store().latest_instance(member.record.id).await? {
                Some(newest) => newest.context,
                None => continue,
            };
            let copy = rewrite::clone_of(&member.record.draft, &target.name, &[]);
            let after = self.context_of(&copy, target, member).await?;
            for service in &member.driver.spec.services {
                let [old, new] =
                    [&before, &after].map(|context| ingress::hosts_of(&context["services"][&service.name]));
                let both = [old.primary.zip(new.primary), old.readable.zip(new.readable)];
                all.extend(both.into_iter().flatten().map(|(old, new)| Replacement::new(old, new)));
            }
        }
        Ok(all)
    }

    /// How the custom resource of a clone differs from that of what it equals.
    fn difference(
        &self,
        source: &Environment,
        target: &Environment,
        member: &Member,
        draft: &DeploymentDraft,
    ) -> ObjectDiff {
        let phase = member.record.phase;
        let old = self.cluster().desired_object(&source.namespace, &member.record.draft, phase);
        let new = self.cluster().desired_object(&target.namespace, draft, phase);
        ObjectDiff::between(key(&new), Some(&old), Some(&new))
    }
}

/// What certificates come from that is not in the namespace of a clone, which has nothing yet.
fn certificates_missing(target: &Environment) -> Option<String> {
    let (what, next) = match &target.routing.tls {
        TlsSource::Secret(name) => (format!("Secret {name}"), "put it there"),
        TlsSource::Issuer(issuer) if !issuer.cluster_wide => {
            (format!("Issuer {}", issuer.name), "make one there")
        }
        _ => return None,
    };
    Some(format!(
        "the {what} that the certificates come from is not copied to the namespace {}: {next}",
        target.namespace
    ))
}

/// The hosts that were given to the copied application: two cannot answer to them.
fn staying(draft: &DeploymentDraft) -> Option<String> {
    let hosts: Vec<&str> = draft.hosts.iter().map(|extra| extra.host.as_str()).collect();
    (!hosts.is_empty())
        .then(|| format!("{} stays with {} in {}", hosts.join(", "), draft.name, draft.environment))
}

/// What of a clone still points at what it was copied from.
fn pointing_back(draft: &DeploymentDraft, source: &Environment) -> Option<String> {
    let found = rewrite::still_naming(draft, &source.namespace);
    (!found.is_empty()).then(|| {
        format!(
            "{} of {} still name {}: the clone may reach it",
            found.join(", "),
            draft.name,
            source.namespace
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::IssuerRef;

    #[test]
    fn what_certificates_come_from_is_missed() {
        let told = |tls: TlsSource| {
            let mut target = Environment::new("copy", "c", "copy-space");
            target.routing.tls = tls;
            certificates_missing(&target).unwrap_or_default()
        };
        let issuer = |cluster_wide| TlsSource::Issuer(IssuerRef { name: "le".into(), cluster_wide });
        let secret = told(TlsSource::Secret("wild".into()));
        assert!(secret.contains("Secret wild") && secret.contains("copy-space"), "{secret}");
        assert!(told(issuer(false)).contains("Issuer le"));
        assert_eq!((told(issuer(true)), told(TlsSource::Controller)), (String::new(), String::new()));
    }
}
