//! What the table keeps of a picture, so that a keystroke needs no second look at it.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::backup::Backup;
use crate::domain::world::Application;
use crate::domain::{DeploymentDraft, Health, OperationView, World};
use crate::ui::format;
use crate::ui::listing::Listed;
use crate::ui::query::Haystack;
use crate::ui::screen::ApplicationKey;
use crate::ui::views::facts::{headline, version};
use crate::ui::views::keeping::{self, Keeping};
use crate::ui::views::progress::{self, Standing};
use crate::ui::views::routes;

/// One row's fixed parts.
#[derive(Debug)]
struct Row {
    key: ApplicationKey,
    health: Health,
    /// Something is wrong with it: what is stopped on purpose is not.
    fault: bool,
    /// What is being done to it, and how far that is; empty when nothing is.
    doing: String,
    /// That does not go on as it should.
    held: bool,
    /// Somebody else changed it.
    drifted: bool,
    created: i64,
    /// When its last good backup was made.
    kept: Option<Timestamp>,
    haystack: Haystack,
}

/// The rows of a picture, in its order, and how wide their contents are.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    widths: Widths,
    /// Anything is known of backups.
    keeps: bool,
}

/// The widest content per column.
#[derive(Debug, Default, Clone, Copy)]
pub struct Widths {
    /// Of what stands under HEALTH: the health, what is being done, the mark of drift.
    pub health: u16,
    /// The same, where what is being done takes the place of the health's word.
    pub status: u16,
    /// Of the names.
    pub name: u16,
    /// Of the environments.
    pub environment: u16,
    /// Of the versions.
    pub version: u16,
    /// Of the URLs, without their schemes.
    pub url: u16,
    /// Of the causes; 0 when nothing needs one.
    pub cause: u16,
}

/// What the table is sorted by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Environment and name: the picture's own order.
    #[default]
    Name,
    /// The worst first.
    Health,
    /// The youngest first.
    Age,
    /// Those that are kept worst first: without a good backup, then by its age.
    Backup,
}

impl Rows {
    /// Takes over a picture.
    pub fn take(&mut self, world: &World, now: Option<Timestamp>) {
        let mut widths = Widths::default();
        self.keeps = keeping::is_used(world);
        let backups = if self.keeps { by_application(world) } else { HashMap::new() };
        // There are few: looked through once per row, and not the ended ones with them.
        let open: Vec<&OperationView> = progress::all_open(world).collect();
        let rows = world.applications.iter().map(|application| {
            let draft = &application.deployment.draft;
            let its = backups.get(&(draft.environment.as_str(), draft.name.as_str()));
            let its = its.into_iter().flatten().copied();
            let kept = self.keeps.then(|| Keeping::of(application, world, its, now));
            let row = Row::new(application, &open, kept);
            let width = |text: &str| u16::try_from(format::width(text)).unwrap_or(u16::MAX);
            widths.health = widths.health.max(row.status(true));
            widths.status = widths.status.max(row.status(false));
            widths.name = widths.name.max(width(&row.key.name));
            widths.environment = widths.environment.max(width(&row.key.environment));
            widths.version = widths.version.max(width(&version(application)));
            widths.url = widths
                .url
                .max(application.routes.first().map_or(0, |url| width(format::short_url(&url.url))));
            widths.cause = widths.cause.max(width(&headline(application)));
            row
        });
        self.rows = rows.collect();
        self.widths = widths;
    }

    /// What is being done to a row's application (`Upgrade 3/7`; empty when nothing is), and whether that is held up.
    pub fn doing(&self, index: usize) -> (&str, bool) {
        self.rows.get(index).map_or(("", false), |row| (row.doing.as_str(), row.held))
    }

    /// When the last good backup of a row's application was made.
    pub fn kept(&self, index: usize) -> Option<Timestamp> {
        self.rows.get(index)?.kept
    }

    /// Whether anything is known of backups.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// The widest contents.
    pub fn widths(&self) -> Widths {
        self.widths
    }
}

impl Listed for Rows {
    type Key = ApplicationKey;
    type Sort = Sort;

    fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack> {
        self.rows.iter().map(|row| &row.haystack)
    }

    fn key(&self, index: usize) -> Option<&ApplicationKey> {
        self.rows.get(index).map(|row| &row.key)
    }

    fn is_fault(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.fault)
    }

    /// By backups only where there are some.
    fn next_sort(&self, by: Sort) -> Option<Sort> {
        Some(match by {
            Sort::Name => Sort::Health,
            Sort::Health => Sort::Age,
            Sort::Age if self.keeps => Sort::Backup,
            Sort::Age | Sort::Backup => Sort::Name,
        })
    }

    fn sort(&self, shown: &mut [usize], by: Sort) {
        let row = |index: &usize| self.rows.get(*index);
        match by {
            Sort::Name => {}
            Sort::Health => shown.sort_by_key(|index| Reverse(row(index).map(|row| row.health))),
            Sort::Backup => shown.sort_by_key(|index| row(index).map(|row| row.kept)),
            Sort::Age => shown.sort_by_key(|index| row(index).map(|row| Reverse(row.created))),
        }
    }
}

impl Row {
    fn new(application: &Application, open: &[&OperationView], kept: Option<Keeping<'_>>) -> Self {
        let draft = &application.deployment.draft;
        let key = ApplicationKey::of(application);
        let health = application.health();
        let cause = headline(application);
        let url = application.routes.first().map_or("", |url| url.url.as_str());
        let version = version(application);
        let operation = open.iter().find(|view| is_about(view, draft));
        let doing = operation.map_or_else(String::new, |view| progress::short(view));
        let held = operation.is_some_and(|view| Standing::of(view).is_held());
        let drifted = !application.drift.is_empty();
        let columns = [
            ("name", key.name.as_str()),
            ("environment", key.environment.as_str()),
            ("health", health.as_str()),
            ("version", version.as_str()),
            ("driver", draft.driver.name.as_str()),
            ("url", url),
            ("cause", cause.as_str()),
            ("operation", doing.as_str()),
            ("drift", if drifted { "drifted" } else { "" }),
            ("backup", kept.map_or("", |kept| kept.word())),
            ("proven", kept.map_or("", |kept| if kept.proven.is_some() { "yes" } else { "never" })),
        ];
        let haystack = Haystack::new(&key.name, &columns);
        let astray =
            application.routes.iter().any(|route| routes::Standing::of(application, route).is_fault());
        let stopped = matches!(health, Health::Stopped | Health::Suspended);
        let well = health == Health::Healthy && !astray || stopped;
        let unkept = kept.is_some_and(|kept| kept.worry.is_some());
        let fault = held || drifted || unkept || application.problem.is_some() || !well;
        let kept = kept.and_then(|kept| kept.good).map(|good| good.created);
        let created = application.deployment.created_at.as_second();
        Self { key, health, fault, doing, held, drifted, created, kept, haystack }
    }

    /// The columns of its status, with both the health's word and what is being done, or with one of them.
    fn status(&self, both: bool) -> u16 {
        let (word, doing) = (self.health.as_str().len(), format::width(&self.doing));
        let text = match (doing, both) {
            (0, _) => word,
            (_, true) => word + 2 + doing,
            (_, false) => doing,
        };
        let drift = if self.drifted { 2 } else { 0 };
        u16::try_from(2 + text + drift).unwrap_or(u16::MAX)
    }
}

/// The backups of each application, newest first: looked through once, not once per row.
fn by_application(world: &World) -> HashMap<(&str, &str), Vec<&Backup>> {
    let mut found: HashMap<(&str, &str), Vec<&Backup>> = HashMap::new();
    for backup in &world.backups {
        found.entry((&backup.source.environment, &backup.source.application)).or_default().push(backup);
    }
    found
}

fn is_about(view: &OperationView, draft: &DeploymentDraft) -> bool {
    let subject = &view.operation.subject;
    subject.environment == draft.environment && subject.name == draft.name
}
