//! What the table keeps of a picture, so that a keystroke needs no second look at it.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::summary::{Healths, Kept, Routes, Summary};
use crate::domain::environment::About;
use crate::domain::route::TlsSource;
use crate::domain::{ClusterRecord, Environment, Health, World};
use crate::ui::format;
use crate::ui::listing::Listed;
use crate::ui::query::Haystack;
use crate::ui::theme::Role;
use crate::ui::views::routes::{self, OPEN_TO, Standing};

/// Something short, and how loud it is: what nobody said is quiet.
pub type Short = (Role, String);

/// One row.
#[derive(Debug)]
pub struct Row {
    /// The environment's name.
    pub name: String,
    /// A production environment.
    pub production: bool,
    /// Its applications, the worst first.
    pub healths: Healths,
    /// Their routes.
    pub routes: Routes,
    /// How they are kept; none where nothing is known of backups.
    pub kept: Option<Kept>,
    /// Who answers for its routes.
    pub answers: Short,
    /// Where certificates come from.
    pub tls: Short,
    /// Which connections are kept away.
    pub isolation: Short,
    /// From where it may be reached.
    pub open_to: Short,
    /// The domain of its host names.
    pub hosts: Short,
    /// What is done about drift.
    pub drift: Short,
    /// Its namespace.
    pub namespace: String,
    fault: bool,
    haystack: Haystack,
}

/// What the table is sorted by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The picture's own order.
    #[default]
    Name,
    /// The worst first.
    Health,
    /// Those with most failing routes first.
    Routes,
    /// Those that are kept worst first.
    Backup,
}

/// The rows of a picture, in its order.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
}

impl Rows {
    /// Takes over a picture.
    pub fn take(&mut self, world: &World, now: Option<Timestamp>) {
        let cluster = world.cluster.record.as_ref();
        let row = |environment| Row::new(&Summary::of(environment, world, now), cluster);
        self.rows = world.environments.iter().map(row).collect();
    }

    /// A row.
    pub fn get(&self, index: usize) -> Option<&Row> {
        self.rows.get(index)
    }

    /// The widest content of a column.
    pub fn widest(&self, text: impl Fn(&Row) -> usize) -> u16 {
        u16::try_from(self.rows.iter().map(text).max().unwrap_or(0)).unwrap_or(u16::MAX)
    }

    /// Whether any row has something.
    pub fn any(&self, has: impl Fn(&Row) -> bool) -> bool {
        self.rows.iter().any(has)
    }
}

impl Listed for Rows {
    type Key = String;
    type Sort = Sort;

    fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack> {
        self.rows.iter().map(|row| &row.haystack)
    }

    fn key(&self, index: usize) -> Option<&String> {
        self.rows.get(index).map(|row| &row.name)
    }

    fn is_fault(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.fault)
    }

    fn next_sort(&self, by: Sort) -> Option<Sort> {
        let keeps = self.any(|row| row.kept.is_some());
        Some(match by {
            Sort::Name => Sort::Health,
            Sort::Health => Sort::Routes,
            Sort::Routes if keeps => Sort::Backup,
            Sort::Routes | Sort::Backup => Sort::Name,
        })
    }

    fn sort(&self, shown: &mut [usize], by: Sort) {
        let row = |index: &usize| self.rows.get(*index);
        match by {
            Sort::Name => {}
            // as bad as the worst of it, and the more of that the worse
            Sort::Health => {
                shown.sort_by_key(|index| Reverse(row(index).and_then(|row| row.healths.first().copied())));
            }
            Sort::Routes => shown.sort_by_key(|index| {
                let of = |wanted: Standing| {
                    let all = row(index).into_iter().flat_map(|row| &row.routes);
                    all.filter(|(standing, _)| *standing == wanted).map(|(_, count)| *count).sum::<usize>()
                };
                Reverse((of(Standing::Fails), of(Standing::Warns)))
            }),
            // what has no good backup comes first; what is not kept, and is no worry, last
            Sort::Backup => shown.sort_by_key(|index| {
                let kept = row(index).and_then(|row| row.kept).unwrap_or_default();
                (!kept.worry, !kept.missing, kept.since.is_none() && !kept.worry, kept.since)
            }),
        }
    }
}

impl Row {
    /// When the next scheduled backup is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.kept?.next
    }

    fn new(summary: &Summary<'_>, cluster: Option<&ClusterRecord>) -> Self {
        let environment = summary.environment;
        let facts = routes::place_facts(environment, cluster);
        let short = |label: &str| {
            let found = facts.iter().find(|(known, ..)| *known == label);
            found.map_or((Role::Muted, String::new()), |(_, role, said)| (*role, said.clone()))
        };
        let mut hosts = match short("hosts") {
            (Role::Warn, _) => (Role::Muted, "none".to_owned()),
            (role, said) => (role, said.trim_start_matches("*.").to_owned()),
        };
        if environment.fqdn_suffix.is_none() {
            hosts.0 = Role::Muted;
        }
        let mut answers = short("routes");
        if environment.dedicated_ingress.is_some() {
            let health = summary.ingress().map_or(Health::Missing, |it| it.health());
            if health > Health::Progressing {
                answers = (Role::Fail, format!("✗ {}", answers.1));
            }
        }
        let row = Self {
            name: environment.name.clone(),
            production: environment.production,
            healths: summary.healths.clone(),
            routes: summary.routes.clone(),
            kept: summary.kept,
            answers,
            tls: tls(&environment.routing.tls),
            isolation: short("isolation"),
            open_to: short(OPEN_TO),
            hosts,
            drift: drift(environment),
            namespace: environment.namespace.clone(),
            fault: summary.is_fault(),
            haystack: Haystack::default(),
        };
        Self { haystack: haystack(&row, environment, cluster), ..row }
    }
}

/// What filters look at: what is shown, and everything that is said of it.
fn haystack(row: &Row, environment: &Environment, cluster: Option<&ClusterRecord>) -> Haystack {
    let told = crate::domain::environment::told(environment, cluster);
    let all = |about: About| {
        let facts = told.iter().filter(|fact| fact.about == about);
        facts.map(|fact| fact.value.as_str()).collect::<Vec<_>>().join(" ")
    };
    let (routes, healths) = (all(About::Routes), row.healths.iter().map(|(health, _)| health.as_str()));
    let healths = healths.collect::<Vec<_>>().join(" ");
    let tls = crate::domain::environment::tls(&environment.routing.tls);
    let columns = [
        ("name", row.name.as_str()),
        ("namespace", &row.namespace),
        ("health", &healths),
        ("class", &row.answers.1),
        ("routes", &routes),
        ("tls", &tls),
        ("isolation", &row.isolation.1),
        ("open", &environment.ip_whitelist.join(" ")),
        ("hosts", &row.hosts.1),
        ("drift", &row.drift.1),
        ("production", if row.production { "production" } else { "" }),
    ];
    Haystack::new(&row.name, &columns)
}

fn tls(source: &TlsSource) -> Short {
    match source {
        TlsSource::Off => (Role::Muted, "off".to_owned()),
        TlsSource::Secret(name) => (Role::Text, format!("Secret {name}")),
        TlsSource::Issuer(issuer) => (Role::Text, issuer.name.clone()),
        TlsSource::Controller => (Role::Text, "controller".to_owned()),
    }
}

fn drift(environment: &Environment) -> Short {
    let role = if environment.drift == Default::default() { Role::Muted } else { Role::Text };
    (role, environment.drift.as_str().to_owned())
}

/// The columns that counts take: `✗1 ✓5`.
pub fn counted(counts: impl Iterator<Item = usize>) -> usize {
    let parts: Vec<usize> = counts.filter(|count| *count > 0).map(|it| 1 + it.to_string().len()).collect();
    parts.iter().sum::<usize>() + parts.len().saturating_sub(1)
}

/// The columns of something short.
pub fn width(short: &Short) -> usize {
    format::width(&short.1)
}
