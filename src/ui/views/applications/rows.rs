//! What the table keeps of a picture, so that a keystroke needs no second look at it.

use std::cmp::Reverse;

use crate::domain::world::{Application, Probe};
use crate::domain::{Health, World};
use crate::ui::format;
use crate::ui::query::Haystack;
use crate::ui::screen::ApplicationKey;
use crate::ui::views::facts::{headline, version};

/// One row's fixed parts.
#[derive(Debug)]
struct Row {
    key: ApplicationKey,
    health: Health,
    /// Something is wrong with it: what is stopped on purpose is not.
    fault: bool,
    created: i64,
    haystack: Haystack,
}

/// The rows of a picture, in its order, and how wide their contents are.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    widths: Widths,
}

/// The widest content per column.
#[derive(Debug, Default, Clone, Copy)]
pub struct Widths {
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
}

impl Sort {
    /// The one after it.
    pub fn next(self) -> Self {
        match self {
            Self::Name => Self::Health,
            Self::Health => Self::Age,
            Self::Age => Self::Name,
        }
    }
}

impl Rows {
    /// Takes over a picture.
    pub fn take(&mut self, world: &World) {
        let mut widths = Widths::default();
        let rows = world.applications.iter().map(|application| {
            let row = Row::new(application);
            let width = |text: &str| u16::try_from(format::width(text)).unwrap_or(u16::MAX);
            widths.name = widths.name.max(width(&row.key.name));
            widths.environment = widths.environment.max(width(&row.key.environment));
            widths.version = widths.version.max(width(&version(application)));
            widths.url =
                widths.url.max(application.urls.first().map_or(0, |url| width(format::short_url(&url.url))));
            widths.cause = widths.cause.max(width(&headline(application)));
            row
        });
        self.rows = rows.collect();
        self.widths = widths;
    }

    /// What filters look at.
    pub fn haystacks(&self) -> impl Iterator<Item = &Haystack> {
        self.rows.iter().map(|row| &row.haystack)
    }

    /// The health of a row.
    pub fn health(&self, index: usize) -> Health {
        self.rows.get(index).map_or(Health::Unknown, |row| row.health)
    }

    /// Whether something is wrong with a row.
    pub fn is_fault(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.fault)
    }

    /// The application of a row.
    pub fn key(&self, index: usize) -> Option<&ApplicationKey> {
        self.rows.get(index).map(|row| &row.key)
    }

    /// How many applications there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The widest contents.
    pub fn widths(&self) -> Widths {
        self.widths
    }

    /// Sorts rows that are in the picture's order.
    pub fn sort(&self, shown: &mut [usize], sort: Sort) {
        match sort {
            Sort::Name => {}
            Sort::Health => shown.sort_by_key(|index| Reverse(self.health(*index))),
            Sort::Age => shown.sort_by_key(|index| self.rows.get(*index).map(|row| Reverse(row.created))),
        }
    }
}

impl Row {
    fn new(application: &Application) -> Self {
        let draft = &application.deployment.draft;
        let key = ApplicationKey::of(application);
        let health = application.health();
        let cause = headline(application);
        let url = application.urls.first().map_or("", |url| url.url.as_str());
        let version = version(application);
        let columns = [
            ("name", key.name.as_str()),
            ("environment", key.environment.as_str()),
            ("health", health.as_str()),
            ("version", version.as_str()),
            ("driver", draft.driver.name.as_str()),
            ("url", url),
            ("cause", cause.as_str()),
        ];
        let haystack = Haystack::new(&key.name, &columns);
        let works = application.urls.iter().filter_map(|url| url.probe.as_ref()).all(Probe::works);
        let stopped = matches!(health, Health::Stopped | Health::Suspended);
        let fault = application.problem.is_some() || !(health == Health::Healthy && works || stopped);
        Self { health, fault, created: application.deployment.created_at.as_second(), haystack, key }
    }
}
