//! How an environment is, in short: its applications by health, its routes, how it is kept, what is done to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ratatui::text::Span;

use crate::domain::environment::is_own_ingress;
use crate::domain::world::{Application, Place, Whose};
use crate::domain::{Environment, Health, OperationView, World};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::keeping::{self, Keeping};
use crate::ui::views::progress;
use crate::ui::views::routes::Standing;

/// How many applications there are in each health, worst first; what there is none of is left out.
pub type Healths = Vec<(Health, usize)>;

/// How many routes there are, by how they are, worst first.
pub type Routes = Vec<(Standing, usize)>;

/// How well all of its applications are kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// When the oldest of their last good backups was made: where none is missing, all that is kept can be restored from then on.
    pub since: Option<Timestamp>,
    /// When the next scheduled run is due.
    pub next: Option<Timestamp>,
    /// One of them is not kept as it should be.
    pub worry: bool,
    /// One of them should be kept, and there is no good backup of it.
    pub missing: bool,
}

/// What of itself an environment lacks, though it should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing<'a> {
    /// The namespace that its applications are in.
    Namespace,
    /// Its Gateway does not answer, and why.
    Gateway(&'a str),
    /// The ingress controller of its own.
    Ingress,
}

/// An environment in a picture, and how it is.
#[derive(Debug)]
pub struct Summary<'a> {
    /// What is said of it.
    pub environment: &'a Environment,
    /// Its surroundings.
    pub place: Option<&'a Place>,
    /// What is in it, by name.
    pub applications: Vec<&'a Application>,
    /// The newest operation about it as a whole.
    pub operation: Option<&'a OperationView>,
    /// How its applications are.
    pub healths: Healths,
    /// How their routes are.
    pub routes: Routes,
    /// How they are kept; none where nothing is known of backups.
    pub kept: Option<Kept>,
}

impl<'a> Summary<'a> {
    /// How an environment is in a picture, at a moment.
    pub fn of(environment: &'a Environment, world: &'a World, now: Option<Timestamp>) -> Self {
        let applications: Vec<&Application> = world.applications_in(&environment.name).collect();
        Self {
            environment,
            place: world.place(&environment.name),
            operation: world.operations_on(&environment.name).next(),
            healths: healths(&applications),
            routes: counted(&applications),
            kept: keeping::is_used(world).then(|| kept(&applications, world, now)),
            applications,
        }
    }

    /// The application that is its own ingress controller; none where it shares one, or where that is not there yet.
    pub fn ingress(&self) -> Option<&'a Application> {
        self.environment.dedicated_ingress.as_ref()?;
        self.applications.iter().copied().find(|it| is_own_ingress(&it.deployment.draft))
    }

    /// What of itself is not there. The namespace of one without applications is made by the first deployment.
    pub fn missing(&self) -> Vec<Missing<'a>> {
        let gone = self.place.is_some_and(|place| place.namespace == Whose::Missing);
        let bare = self.environment.dedicated_ingress.is_some() && self.ingress().is_none();
        let refused = self.place.and_then(|place| place.refused.as_deref());
        let namespace = (gone && !self.applications.is_empty()).then_some(Missing::Namespace);
        let ingress = bare.then_some(Missing::Ingress);
        namespace.into_iter().chain(refused.map(Missing::Gateway)).chain(ingress).collect()
    }

    /// Whether somebody should look at it.
    pub fn is_fault(&self) -> bool {
        let worst = self.healths.first().map_or(Health::Healthy, |(health, _)| *health);
        let stuck = self.applications.iter().any(|it| it.problem.is_some());
        let failed = self.operation.is_some_and(|view| progress::Standing::of(view).is_fault());
        worst > Health::Progressing
            || self.routes.iter().any(|(standing, _)| standing.is_fault())
            || self.kept.is_some_and(|kept| kept.worry)
            || stuck
            || failed
            || !self.missing().is_empty()
    }

    /// Its applications, the worst first, then by name.
    pub fn worst_first(&self) -> Vec<&'a Application> {
        let mut all = self.applications.clone();
        all.sort_by_key(|it| std::cmp::Reverse(it.health()));
        all
    }
}

fn healths(applications: &[&Application]) -> Healths {
    let mut counts: BTreeMap<Health, usize> = BTreeMap::new();
    for application in applications {
        *counts.entry(application.health()).or_default() += 1;
    }
    counts.into_iter().rev().collect()
}

fn counted(applications: &[&Application]) -> Routes {
    let mut counts: BTreeMap<Standing, usize> = BTreeMap::new();
    for application in applications {
        for route in &application.routes {
            *counts.entry(Standing::of(application, route)).or_default() += 1;
        }
    }
    counts.into_iter().collect()
}

fn kept(applications: &[&Application], world: &World, now: Option<Timestamp>) -> Kept {
    let each = applications.iter().map(|it| Keeping::of(it, world, world.backups_of(it), now));
    each.fold(Kept::default(), |sum, its| {
        let earlier = |a: Option<Timestamp>, b: Option<Timestamp>| a.into_iter().chain(b).min();
        Kept {
            since: earlier(sum.since, its.good.map(|good| good.created)),
            next: earlier(sum.next, its.next.map(|(at, _)| at)),
            worry: sum.worry || its.worry.is_some(),
            missing: sum.missing || (its.worry.is_some() && its.good.is_none()),
        }
    })
}

/// `✗1 ◐1 ✓5`: how its applications are, as the counts of the cockpit have it.
pub fn health_spans(healths: &Healths, look: &Look<'_>) -> Vec<Span<'static>> {
    counts(healths.iter().map(|(health, count)| (look.mark(*health), *count)), look)
}

/// `✗1 ▲1 ✓5`: how its routes are; those that nobody probes have their own signs.
pub fn route_spans(routes: &Routes, look: &Look<'_>) -> Vec<Span<'static>> {
    counts(routes.iter().map(|(standing, count)| (standing.glyph(look), *count)), look)
}

fn counts(parts: impl Iterator<Item = (Span<'static>, usize)>, look: &Look<'_>) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (glyph, count) in parts {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        spans.push(Span::styled(format!("{}{count}", glyph.content), glyph.style));
    }
    if spans.is_empty() {
        spans.push(look.span(Role::Muted, "–"));
    }
    spans
}

/// The age of the oldest of the last good backups, with a mark where one application is not kept as it should be. One without any counts
/// for more than the age of another's.
pub fn kept_span(kept: Kept, look: &Look<'_>, quiet: Role) -> Span<'static> {
    match (kept.worry, kept.since.filter(|_| !kept.missing).map(|since| look.age(since))) {
        (true, age) => look.span(Role::Warn, format!("▲ {}", age.as_deref().unwrap_or("none"))),
        (false, Some(age)) => look.span(quiet, age),
        (false, None) => look.span(quiet, "–"),
    }
}
