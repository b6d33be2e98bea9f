//! A driver is tried: deployed on a sandbox of its own, which is gone afterwards.
//!
//! It passes when its deployment has succeeded, every component is healthy, and every external service's URL answers as its
//! probe wants it. What stands behind a URL without a process (the sandbox runs few images) cannot answer: it is not asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::super::paths::Paths;
use super::super::session::{self, Opened, Session};
use super::super::{Options, Target, log, temporary_state, wire};
use crate::domain::driver::ParameterKind;
use crate::domain::object::Detail;
use crate::domain::route::{Probe, ProbeOutcome, RouteView};
use crate::domain::world::{Application, ComponentView};
use crate::domain::{
    Clock, DeploymentDraft, DriverSpec, DriverVersion, Health, Intent, ObjectSummary, OperationState,
    OperationView, Problem, SecretText, SystemClock, TypedSecrets, World,
};
use crate::reconcile::{SeededRandom, identifier};
use crate::store::Store;
use crate::ui::event::Event;

/// The environment of the sandbox.
const ENVIRONMENT: &str = "demo";
/// Who deploys.
const ACTOR: &str = "driver test";
/// How often it is planned.
const TRIES: u32 = 5;
/// How many characters a secret gets, where its parameter does not ask for more or for fewer; and how many at most.
const STAND_IN_LENGTH: f64 = 24.0;
const LONGEST: usize = 4096;
/// How many notices may wait.
const NOTICES: usize = 64;

/// How a driver is tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The driver.
    pub driver: DriverVersion,
    /// The application's version; the driver's default when none.
    pub version: Option<String>,
    /// Values of parameters, as text or of their own type.
    pub parameters: BTreeMap<String, Value>,
    /// How long it may take to become healthy.
    pub patience: Duration,
    /// Hears, in a line each, how its components change meanwhile.
    pub tell: fn(&str),
}

/// How a trial ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The application's version.
    pub version: String,
    /// How many objects there are.
    pub objects: usize,
    /// Its components, by name.
    pub components: Vec<Part>,
    /// Its URLs.
    pub urls: Vec<Answer>,
    /// Why it did not pass.
    pub problem: Option<Problem>,
}

/// A component at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// Why it is not better.
    pub why: Option<String>,
    /// Pods that are ready, and pods that should be.
    pub pods: (u32, u32),
    /// Whether no process stands behind it.
    pub simulated: bool,
}

/// What a URL answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The service.
    pub service: String,
    /// The URL, on this machine while the trial lasted.
    pub url: String,
    /// What the last probe found; none where nothing can answer.
    pub probe: Option<Probe>,
}

impl Trial {
    /// Tries the driver.
    ///
    /// # Errors
    /// The sandbox does not start, or the driver cannot be planned at all: a parameter is wrong, a template fails.
    pub async fn run(self) -> Result<Outcome, Problem> {
        let state = temporary_state()?;
        let options = Options {
            target: Target::Sandbox,
            ephemeral: true,
            state_dir: Some(state.0.clone()),
            config_dir: Some(state.0.join("config")),
            ..Options::default()
        };
        let paths = Paths::resolve(options.state_dir.as_deref(), options.config_dir.as_deref())?;
        log::start(&paths.state)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::open(&paths.state, Arc::clone(&clock))?;
        store.record_driver(&self.driver).await?;
        let Opened { session, leader, .. } =
            session::open(&options, &paths, store, Arc::clone(&clock)).await?;
        let stop = CancellationToken::new();
        let (notices, heard) = mpsc::channel(NOTICES);
        let leading = tokio::spawn(leader.telling(notices.clone()).run(stop.clone()));
        let pictures = wire(&session, &notices, &stop);
        let ending = End(stop);
        let outcome = self.watch(&session, pictures, heard).await;
        drop(ending);
        // a panic in it was told by the hook
        let _ = leading.await;
        outcome
    }

    async fn watch(
        &self,
        session: &Session,
        mut pictures: watch::Receiver<Arc<World>>,
        mut notices: mpsc::Receiver<Event>,
    ) -> Result<Outcome, Problem> {
        let draft = self.draft();
        let name = draft.name.clone();
        let version = draft.application_version.clone();
        deploy(session, &Intent::Deploy(draft)).await?;
        let limit = tokio::time::sleep(self.patience);
        tokio::pin!(limit);
        let mut told = None;
        let mut progress = BTreeMap::new();
        loop {
            let world = Arc::clone(&pictures.borrow_and_update());
            let application = world.applications.iter().find(|found| found.deployment.draft.name == name);
            let sight =
                application.map(|application| Sight { world: &world, application, spec: &self.driver.spec });
            if let Some(sight) = &sight {
                sight.tell_changes(&mut progress, self.tell);
            }
            if let Some((sight, verdict)) = sight.as_ref().and_then(|sight| Some((sight, sight.judge()?))) {
                return Ok(sight.outcome(version, verdict.err()));
            }
            tokio::select! {
                changed = pictures.changed() => if changed.is_err() {
                    return Err(Problem::new("The trial has ended", "the sandbox has stopped", "start it again"));
                },
                Some(Event::Notice(problem)) = notices.recv() => told = Some(problem),
                () = &mut limit => {
                    let reason = sight.as_ref().map_or_else(|| "nothing was deployed".to_owned(), Sight::reason);
                    let told = told.map(|problem: Problem| format!("\n{}: {}", problem.what, problem.why));
                    let problem = Problem::new(
                        format!("It is not healthy after {} s", self.patience.as_secs()),
                        reason + &told.unwrap_or_default(),
                        "correct the driver, or wait longer with --timeout",
                    );
                    return Ok(match sight {
                        Some(sight) => sight.outcome(version, Some(problem)),
                        None => Outcome { version, objects: 0, components: Vec::new(), urls: Vec::new(), problem: Some(problem) },
                    });
                }
            }
        }
    }

    fn draft(&self) -> DeploymentDraft {
        let version = self.version.clone().unwrap_or_else(|| self.driver.spec.default_version.clone());
        DeploymentDraft {
            name: self.driver.reference.name.clone(),
            environment: ENVIRONMENT.to_owned(),
            driver: self.driver.reference.clone(),
            application_version: version,
            parameters: self.parameters.clone(),
            typed: stand_ins(&self.driver.spec),
            ..DeploymentDraft::default()
        }
    }
}

/// Values for the secret parameters that must be given one: nobody writes a secret on a command line, and any will do here.
fn stand_ins(spec: &DriverSpec) -> TypedSecrets {
    let secrets = spec.parameters.iter().filter(|parameter| parameter.kind == ParameterKind::Secret);
    let wanted = secrets.filter(|parameter| parameter.default.is_none());
    let random = SeededRandom::from_entropy();
    wanted
        .map(|parameter| {
            let length = parameter.min.map_or(STAND_IN_LENGTH, |least| STAND_IN_LENGTH.max(least));
            let length = parameter.max.map_or(length, |most| length.min(most));
            let text: String = std::iter::repeat_with(|| identifier(&random)).take(LONGEST / 16).collect();
            let text: String = text
                .chars()
                .zip(1..)
                .take_while(|(_, count)| f64::from(*count) <= length)
                .map(|(letter, _)| letter)
                .collect();
            (parameter.name.clone(), SecretText::new(text))
        })
        .collect()
}

/// Plans and confirms; again when the plan is out of date by then: the sandbox has just begun, and what it serves still grows.
async fn deploy(session: &Session, intent: &Intent) -> Result<(), Problem> {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let preview = session.engine.preview(intent).await?;
        match session.engine.confirm(intent, &preview.plan.hash(), ACTOR).await {
            Ok(_) => return Ok(()),
            Err(problem) if tries == 0 => return Err(problem),
            Err(problem) => tracing::debug!(%problem, "it is planned again"),
        }
    }
}

/// Ends what runs beside, also when nobody waits for the trial any longer.
struct End(CancellationToken);

impl Drop for End {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What is seen of the deployment at one moment.
struct Sight<'a> {
    world: &'a World,
    application: &'a Application,
    spec: &'a DriverSpec,
}

impl Sight<'_> {
    /// Tells of every component that is not what it was.
    fn tell_changes(&self, known: &mut BTreeMap<String, String>, tell: fn(&str)) {
        for component in &self.application.components {
            let ComponentView { name, verdict, ready, desired, .. } = component;
            let why = verdict.headline().map(|why| format!(": {why}")).unwrap_or_default();
            let line = format!("{name} is {}, {ready}/{desired} ready{why}", verdict.health.as_str());
            if known.get(name) != Some(&line) {
                tell(&line);
                known.insert(name.clone(), line);
            }
        }
    }

    /// Whether it has passed or failed; none: it is too early to say.
    fn judge(&self) -> Option<Result<(), Problem>> {
        let operation = self.operation()?;
        let state = operation.operation.state;
        if state.is_final() && state != OperationState::Succeeded {
            let plain = || {
                let what = format!("The deployment ended as {}", state.as_str());
                Problem::new(what, self.reason(), "correct the driver")
            };
            return Some(Err(operation.first_problem().map_or_else(plain, |(_, problem)| problem.clone())));
        }
        let deployed = state == OperationState::Succeeded && self.application.active.is_some();
        let healthy = self.application.health() == Health::Healthy;
        (deployed && healthy && self.silent().next().is_none()).then_some(Ok(()))
    }

    fn operation(&self) -> Option<&OperationView> {
        self.world.operations_of(self.application).next()
    }

    /// The URLs that should answer and do not.
    fn silent(&self) -> impl Iterator<Item = &RouteView> {
        let answers = |url: &RouteView| url.probe.as_ref().is_some_and(Probe::works);
        self.application.routes.iter().filter(move |url| !answers(url) && !self.cannot_answer(&url.service))
    }

    /// Whether no process stands behind a service.
    fn cannot_answer(&self, service: &str) -> bool {
        let spec = self.spec.services.iter().find(|spec| spec.name == service);
        let components = &self.application.components;
        let behind = spec.and_then(|spec| components.iter().find(|found| found.name == spec.component));
        behind.is_some_and(is_simulated)
    }

    /// What is in the way, in one line per thing.
    fn reason(&self) -> String {
        let ill = self.application.components.iter().filter(|found| found.verdict.health != Health::Healthy);
        let mut lines: Vec<String> = ill
            .map(|component| {
                let why = component.verdict.headline().map(|why| format!(": {why}")).unwrap_or_default();
                format!("{} is {}{why}", component.name, component.verdict.health.as_str())
            })
            .collect();
        let stuck = self.application.problem.as_ref();
        lines.extend(stuck.map(|problem| format!("{}: {}", problem.what, problem.why)));
        lines.extend(self.silent().map(|url| format!("{} {}", url.url, describe(url.probe.as_ref()))));
        if let Some((done, all)) = self.operation().map(OperationView::progress)
            && done < all
        {
            lines.push(format!("{done} of {all} steps of the deployment are done"));
        }
        lines.join("\n")
    }

    fn outcome(&self, version: String, problem: Option<Problem>) -> Outcome {
        let components = self.application.components.iter().map(|component| Part {
            name: component.name.clone(),
            health: component.verdict.health,
            why: component.verdict.headline(),
            pods: (component.ready, component.desired),
            simulated: is_simulated(component),
        });
        let urls = self.application.routes.iter().map(|url| Answer {
            service: url.service.clone(),
            url: url.url.clone(),
            probe: url.probe.clone().filter(|_| !self.cannot_answer(&url.service)),
        });
        Outcome {
            version,
            objects: self.application.objects.len(),
            components: components.collect(),
            urls: urls.collect(),
            problem,
        }
    }
}

/// Whether a component has pods, and none of them has a process.
fn is_simulated(component: &ComponentView) -> bool {
    let simulated = |pod: &ObjectSummary| matches!(&pod.detail, Detail::Pod(detail) if detail.simulated);
    !component.pods.is_empty() && component.pods.iter().all(simulated)
}

/// What a probe found, in words.
pub fn describe(probe: Option<&Probe>) -> String {
    match probe.map(|probe| (&probe.outcome, probe.millis())) {
        None => "was not asked".to_owned(),
        Some((ProbeOutcome::Answered(status), millis)) => format!("answers {status} in {millis} ms"),
        Some((ProbeOutcome::Failed { phase, message }, _)) => {
            format!("does not answer ({}: {message})", phase.as_str())
        }
    }
}
