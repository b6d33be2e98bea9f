//! What is said of environments and of the cluster, and what follows from it for the applications.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::diff::ObjectDiff;
use crate::domain::environment::{DEDICATED as INGRESS, DEDICATED_DRIVER as DRIVER, is_own_ingress};
use crate::domain::operation::Subject;
use crate::domain::route::RouteKind;
use crate::domain::{
    ClusterRecord, Deployment, DeploymentDraft, DesiredPhase, DriverVersion, Environment, OperationKind,
    Plan, Problem, version,
};
use crate::ingress;
use crate::reconcile::collisions::Taken;
use crate::reconcile::draw::Order;
use crate::reconcile::engine::Engine;
use crate::reconcile::observe::Setting;
use crate::reconcile::routing;
use crate::reconcile::wish::Wish;

use super::layout::{Layout, Place};
use super::propose::Proposal;

mod check;
mod effect;
mod home;
mod turn;

pub(in crate::reconcile) use check::new_place;

/// The first version of its driver that answers for a class.
const WITH_CLASS: &str = "1.1.0";
/// The parameter of that driver that has it read IngressRoutes.
const CUSTOM_RESOURCES: &str = "custom_resources";
/// The parameter of that driver that has it serve https.
const HTTPS: &str = "https";

/// A plan as it is put together.
#[derive(Default)]
struct Draft {
    layout: Layout,
    facts: Vec<String>,
    warnings: Vec<String>,
    diffs: Vec<ObjectDiff>,
}

impl Engine {
    pub(super) async fn propose_environment(&self, wanted: &Environment) -> Result<Proposal, Problem> {
        let before = self.store().environment(self.cluster().name(), &wanted.name).await?;
        let others = self.store().environments(self.cluster().name()).await?;
        let mut wanted = Environment { cluster: self.cluster().name().to_owned(), ..wanted.clone() };
        check::environment(&wanted, before.as_ref(), &others)?;
        let warnings = self.settle_routing(&mut wanted, before.as_ref()).await?;
        let mut draft = Draft { facts: routing::facts(&wanted), warnings, ..Draft::default() };
        let setting = Setting { cluster: self.cluster_record().await?, environment: wanted.clone() };
        let home = self.home(&wanted).await?;
        draft.diffs.extend(home.diffs);
        draft.warnings.extend(home.warnings);
        let mut base = Vec::new();
        if before.as_ref() != Some(&wanted) {
            base = vec![draft.layout.set(before.as_ref(), &wanted)];
        }
        for step in home.early {
            base = vec![draft.layout.write(step, &base)];
        }
        let members = self.living(&wanted.name).await?;
        let had = before.as_ref().is_some_and(|before| before.dedicated_ingress.is_some());
        let had = had || self.is_ingress_left(&wanted.name).await?;
        let own = own_ingress(&members, &wanted, had)?;
        if let Own::Missing = own {
            base = vec![self.deploy_ingress(&setting, before.is_some(), &base, &mut draft).await?];
        }
        let followers: Vec<_> =
            members.iter().filter(|it| !(matches!(own, Own::Leaves) && it.draft.name == INGRESS)).collect();
        let moved = self.follow(&followers, &setting, &base, &mut draft).await?;
        let mut last = if moved.is_empty() { base } else { moved };
        for step in home.late {
            last = vec![draft.layout.write(step, &last)];
        }
        if let Own::Leaves = own {
            draft.layout.take_away(Place { environment: &wanted.name, application: INGRESS }, &last);
        }
        if before.as_ref().is_some_and(|it| it.production) || wanted.production {
            draft.warnings.push(format!("{} is a production environment", wanted.name));
        }
        let title = match before {
            Some(_) => format!("Configure {}", wanted.name),
            None => format!("Make the environment {}", wanted.name),
        };
        let subject = match before {
            Some(_) => self.subject(&wanted.name, ""),
            None => self.unrecorded(&wanted.name),
        };
        self.configuration(title, (subject, wanted.name), draft).await
    }

    pub(super) async fn propose_cluster(&self, wanted: &ClusterRecord) -> Result<Proposal, Problem> {
        let before = self.cluster_record().await?;
        check::cluster(wanted, &before)?;
        let mut draft = Draft::default();
        let mut base = Vec::new();
        if before != *wanted {
            base = vec![draft.layout.set_cluster(before.clone(), wanted.clone())];
        }
        for environment in self.store().environments(self.cluster().name()).await? {
            if before.fqdn_suffix != wanted.fqdn_suffix {
                draft.warnings.extend(self.not_taken(&environment, wanted).await?);
            }
            let members = self.living(&environment.name).await?;
            let setting = Setting { cluster: wanted.clone(), environment };
            let moved = self.follow(&members.iter().collect::<Vec<_>>(), &setting, &base, &mut draft).await?;
            if setting.environment.production && moved != base && !moved.is_empty() {
                draft.warnings.push(format!("{} is a production environment", setting.environment.name));
            }
        }
        let subject = self.subject("", Subject::CLUSTER);
        self.configuration(format!("Configure {}", wanted.name), (subject, String::new()), draft).await
    }

    /// That the Gateway of an environment, which has the suffix of the cluster, does not take the hosts that it gets.
    async fn not_taken(
        &self,
        environment: &Environment,
        wanted: &ClusterRecord,
    ) -> Result<Option<String>, Problem> {
        let by_gateway = environment.routing.via.as_ref().is_some_and(|via| via.gateway.is_some());
        if environment.fqdn_suffix.is_some() || !by_gateway {
            return Ok(None);
        }
        let offer = self.cluster().offer(&environment.namespace).await.map_err(|error| error.problem())?;
        let said = ingress::not_taken(environment, &offer, environment.suffix(Some(wanted)));
        Ok(said.map(|said| format!("{}: {said}", environment.name)))
    }

    pub(super) async fn propose_removal(&self, name: &str) -> Result<Proposal, Problem> {
        let environment = self.recorded_environment(name).await?;
        let mut members = self.store().deployments(self.cluster().name()).await?;
        members.retain(|record| record.draft.environment == name);
        let had = environment.dedicated_ingress.is_some() || self.is_ingress_left(name).await?;
        let others: Vec<&str> = members
            .iter()
            .filter(|it| !(is_own_ingress(&it.draft) && had))
            .map(|it| it.draft.name.as_str())
            .collect();
        if !others.is_empty() {
            return Err(Problem::new(
                format!("{name} cannot be removed"),
                format!("there are applications in it: {}", others.join(", ")),
                "delete them first",
            ));
        }
        let mut draft = Draft::default();
        let mut after = Vec::new();
        if let Some(own) = members.first() {
            let place = Place { environment: name, application: &own.draft.name };
            after = vec![draft.layout.take_away(place, &after)];
        }
        let end = self.end_of_home(&environment).await?;
        for step in end.steps {
            after = vec![draft.layout.write(step, &after)];
        }
        draft.layout.remove_recorded(&environment, end.note, &after);
        draft.warnings = end.warnings;
        if environment.production {
            draft.warnings.push(format!("{name} is a production environment"));
        }
        // its record is gone before the operation ends: nobody looks after it there any more
        let subject = self.unrecorded(name);
        self.configuration(format!("Remove the environment {name}"), (subject, name.to_owned()), draft).await
    }

    /// Puts the updates of what changes for these applications into the plan, one after the other; gives their steps.
    async fn follow(
        &self,
        members: &[&Deployment],
        setting: &Setting,
        base: &[usize],
        draft: &mut Draft,
    ) -> Result<Vec<usize>, Problem> {
        let environment = &setting.environment.name;
        let mut effects = Vec::new();
        for member in members {
            effects.extend(self.effect(setting, member).await?);
        }
        let except: BTreeSet<Subject> = effects
            .iter()
            .filter(|effect| effect.step.is_some())
            .map(|effect| self.subject(environment, &effect.name))
            .collect();
        let new_hosts = effects.iter().any(|effect| effect.answers.may_be_new());
        let mut taken = if new_hosts { self.taken(&except).await? } else { Taken::default() };
        draft.warnings.append(&mut taken.unseen);
        let (mut steps, mut before) = (Vec::new(), Vec::new());
        for effect in effects {
            if new_hosts {
                draft.warnings.extend(effect.answers.judge(&taken)?);
                taken.claims.extend(effect.answers.all());
            }
            draft.warnings.extend(effect.warnings);
            draft.diffs.extend(effect.diffs);
            let Some(step) = effect.step else { continue };
            let place = Place { environment, application: &effect.name };
            before = vec![draft.layout.update(place, step, base, &before)];
            steps.extend(before.clone());
        }
        Ok(steps)
    }

    /// Puts the deployment of the environment's own ingress controller into the plan.
    async fn deploy_ingress(
        &self,
        setting: &Setting,
        environment_known: bool,
        base: &[usize],
        draft: &mut Draft,
    ) -> Result<usize, Problem> {
        let asked = self.ingress_draft(&setting.environment)?;
        let wish = Wish {
            order: Order::of(OperationKind::Deploy, self.planned(&asked)),
            setting: setting.clone(),
            environment_known,
            based_on: None,
            vault: None,
            said: Vec::new(),
        };
        let proposed = self.propose_unchecked(&wish).await?;
        let digest = proposed.drawn.instance.map(|instance| instance.digest).unwrap_or_default();
        draft.diffs.extend(proposed.preview.diffs);
        let said = proposed.preview.plan.warnings.into_iter().map(|warning| format!("{INGRESS}: {warning}"));
        draft.warnings.extend(said);
        let position = draft.layout.deploy(asked, None, base);
        draft.layout.steps[position].digest = digest;
        Ok(position)
    }

    /// What the ingress controller of an environment is asked for: the newest driver, with its defaults.
    pub(super) fn ingress_draft(&self, environment: &Environment) -> Result<DeploymentDraft, Problem> {
        let Some(driver) = self.newest_driver(DRIVER) else {
            return Err(Problem::new(
                format!("{} cannot have an ingress controller of its own", environment.name),
                format!("the driver {DRIVER} is not there"),
                "load it, or share the ingress of the cluster",
            ));
        };
        let mut draft = DeploymentDraft {
            name: INGRESS.to_owned(),
            environment: environment.name.clone(),
            driver: driver.reference.clone(),
            application_version: driver.spec.default_version.clone(),
            ..DeploymentDraft::default()
        };
        let by_custom_resources =
            environment.routing.via.as_ref().is_some_and(|via| via.kind == RouteKind::IngressRoute);
        let knows = driver.spec.parameters.iter().any(|parameter| parameter.name == CUSTOM_RESOURCES);
        if by_custom_resources && knows {
            draft.parameters.insert(CUSTOM_RESOURCES.to_owned(), true.into());
        }
        Ok(draft)
    }

    fn newest_driver(&self, name: &str) -> Option<Arc<DriverVersion>> {
        let all = self.drivers().all().into_iter().filter(|driver| driver.reference.name == name);
        all.max_by(|a, b| version::compare(&a.reference.version, &b.reference.version))
    }

    /// The applications of an environment that are not being taken away: its ingress controller first, then in the order in which
    /// they were created.
    async fn living(&self, environment: &str) -> Result<Vec<Deployment>, Problem> {
        let mut records = self.store().deployments(self.cluster().name()).await?;
        records.retain(|record| {
            record.phase != DesiredPhase::Deleting && record.draft.environment == environment
        });
        let rank = |record: &Deployment| (record.draft.name != INGRESS, record.created_at);
        records.sort_by(|a, b| (rank(a), &a.draft.name).cmp(&(rank(b), &b.draft.name)));
        Ok(records)
    }

    pub(super) async fn cluster_record(&self) -> Result<ClusterRecord, Problem> {
        let name = self.cluster().name();
        self.store().cluster(name).await?.ok_or_else(|| {
            Problem::new(
                format!("the cluster {name} is not recorded"),
                "its record was removed while it was looked at",
                "start the cockpit again",
            )
        })
    }

    fn unrecorded(&self, name: &str) -> Subject {
        self.subject("", &format!("{}{name}", Subject::ENVIRONMENT))
    }

    async fn configuration(
        &self,
        title: String,
        (subject, target): (Subject, String),
        draft: Draft,
    ) -> Result<Proposal, Problem> {
        let mut subjects = vec![subject.clone()];
        if !target.is_empty() {
            subjects.extend([self.subject(&target, ""), self.unrecorded(&target)]);
        }
        for subject in &subjects {
            if let Some(open) = self.store().current_operation(subject).await?
                && !open.operation.state.is_final()
            {
                return Err(Problem::new(
                    format!(
                        "something else is done to {}",
                        if target.is_empty() { "the cluster" } else { &target }
                    ),
                    format!("operation {} has not ended: {}", open.operation.id, open.operation.plan.title),
                    "wait for its end, or cancel it",
                ));
            }
        }
        let Draft { mut layout, facts, mut warnings, diffs: objects } = draft;
        let mut diffs = std::mem::take(&mut layout.diffs);
        diffs.extend(objects);
        let mut seen = BTreeSet::new();
        warnings.retain(|warning| seen.insert(warning.clone()));
        let plan = Plan {
            title,
            cluster: self.cluster().name().to_owned(),
            target,
            steps: layout.steps.clone(),
            facts,
            warnings,
            timeout: 0,
        };
        Ok(Proposal { kind: OperationKind::Configure, subject, plan, diffs, layout, vault: None })
    }

    /// Whether an operation changes what an environment consists of, and has not ended.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(in crate::reconcile) async fn is_being_configured(&self, environment: &str) -> Result<bool, Problem> {
        for subject in [self.subject(environment, ""), self.unrecorded(environment)] {
            let latest = self.store().current_operation(&subject).await?.map(|view| view.operation);
            if latest.is_some_and(|it| it.kind == OperationKind::Configure && !it.state.is_final()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What becomes of the ingress controller of an environment.
enum Own {
    /// It is to be deployed.
    Missing,
    /// It goes, after the others have moved.
    Leaves,
    /// Nothing, or it is one of the applications that follow.
    Stays,
}

/// What becomes of the ingress controller of an environment. `had`: it was given one.
fn own_ingress(members: &[Deployment], wanted: &Environment, had: bool) -> Result<Own, Problem> {
    let there = members.iter().find(|record| record.draft.name == INGRESS);
    match (wanted.dedicated_ingress.is_some(), there) {
        (true, None) => Ok(Own::Missing),
        (true, Some(record)) if record.draft.driver.name != DRIVER => Err(Problem::new(
            format!("{} cannot have an ingress controller of its own", wanted.name),
            format!("its application {INGRESS} is another one, of the driver {}", record.draft.driver.name),
            "delete that application, or share the ingress of the cluster",
        )),
        (true, Some(record)) => check_serves(record, wanted).map(|()| Own::Stays),
        (false, Some(record)) if had && is_own_ingress(&record.draft) => Ok(Own::Leaves),
        _ => Ok(Own::Stays),
    }
}

/// Whether the ingress controller of an environment serves https, where plain http is sent on to it.
///
/// # Errors
/// It does not.
pub(in crate::reconcile) fn check_https(record: &Deployment, wanted: &Environment) -> Result<(), Problem> {
    let said = record.draft.parameters.get(HTTPS).and_then(serde_json::Value::as_bool);
    if wanted.routing.redirect != Some(true) || !wanted.routing.has_https() || said != Some(false) {
        return Ok(());
    }
    Err(Problem::new(
        format!("{INGRESS} would not answer for the routes of {}", wanted.name),
        "it does not serve https, and plain http would be sent on to it",
        "change its parameter https to true first, or say --redirect off",
    ))
}

/// Whether the ingress controller that is there would answer for the routes of its environment as they are wanted.
fn check_serves(record: &Deployment, wanted: &Environment) -> Result<(), Problem> {
    let draft = &record.draft;
    let refused = |why: String, next: &str| {
        Err(Problem::new(format!("{INGRESS} would not answer for the routes of {}", wanted.name), why, next))
    };
    // routes of before name no class, and are taken as they were
    if wanted.routing.via.is_some() && version::compare(&draft.driver.version, WITH_CLASS).is_lt() {
        return refused(
            format!("the driver {} takes Ingresses without a class only, and routes name one", draft.driver),
            "change it to a newer version of its driver first",
        );
    }
    check_https(record, wanted)?;
    let kind = wanted.routing.via.as_ref().map(|via| via.kind);
    let reads = draft.parameters.get(CUSTOM_RESOURCES).and_then(serde_json::Value::as_bool).unwrap_or(false);
    match kind {
        Some(RouteKind::IngressRoute) if !reads => refused(
            "it does not read custom resources, and routes become IngressRoutes".to_owned(),
            "change its parameter custom_resources to true first",
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::{TlsSource, Via};
    use crate::domain::{DedicatedIngress, DeploymentId, DriverRef};
    use jiff::Timestamp;

    fn ingress(version: &str) -> Deployment {
        Deployment {
            id: DeploymentId(1),
            uid: "u".into(),
            draft: DeploymentDraft {
                name: INGRESS.into(),
                environment: "demo".into(),
                driver: DriverRef { name: DRIVER.into(), version: version.into() },
                ..DeploymentDraft::default()
            },
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_controller_of_before_goes_on_for_routes_of_before() {
        let mut wanted = Environment::new("demo", "c", "demo");
        assert!(check_serves(&ingress("1.0.0"), &wanted).is_ok());
        wanted.routing.via = Some(Via::unknown());
        assert!(check_serves(&ingress("1.0.0"), &wanted).unwrap_err().next.contains("newer version"));
        assert!(check_serves(&ingress("1.1.0"), &wanted).is_ok());
    }

    #[test]
    fn http_is_sent_on_only_to_a_controller_that_serves_https() {
        let mut wanted = Environment::new("demo", "c", "demo");
        (wanted.routing.redirect, wanted.routing.tls) = (Some(true), TlsSource::Controller);
        let mut own = ingress("1.1.0");
        assert!(check_serves(&own, &wanted).is_ok());
        own.draft.parameters.insert(HTTPS.into(), false.into());
        assert!(check_serves(&own, &wanted).unwrap_err().next.contains("--redirect off"));
        wanted.routing.redirect = Some(false);
        assert!(check_serves(&own, &wanted).is_ok());
    }

    #[test]
    fn the_controller_that_an_environment_was_given_leaves() {
        let there = [ingress("1.1.0")];
        let mut wanted = Environment::new("demo", "c", "demo");
        assert!(matches!(own_ingress(&there, &wanted, true), Ok(Own::Leaves)));
        assert!(matches!(own_ingress(&there, &wanted, false), Ok(Own::Stays)), "a person deployed it");
        wanted.dedicated_ingress = Some(DedicatedIngress::default());
        assert!(matches!(own_ingress(&there, &wanted, true), Ok(Own::Stays)));
        assert!(matches!(own_ingress(&[], &wanted, false), Ok(Own::Missing)));
    }
}
