//! What the table keeps of a picture, so that a keystroke needs no second look at it.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::standing::{Standing, days};
use crate::domain::World;
use crate::domain::route::RouteView;
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::listing::Listed;
use crate::ui::query::Haystack;
use crate::ui::screen::RouteKey;

/// One row's fixed parts.
#[derive(Debug)]
struct Row {
    /// Where the application stands in the picture, and the route in it.
    place: (usize, usize),
    key: RouteKey,
    standing: Standing,
    /// How long the last probe took.
    micros: Option<u32>,
    days: Option<i64>,
    haystack: Haystack,
}

/// What the table is sorted by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The worst first.
    #[default]
    State,
    /// Environment, application, and what people open first: the picture's own order.
    Host,
    /// The slowest first.
    Time,
    /// What ends first.
    Certificate,
}

/// The widest content per column.
#[derive(Debug, Default, Clone, Copy)]
pub struct Widths {
    /// Of the hosts.
    pub host: u16,
    /// Of the applications.
    pub application: u16,
    /// Of the environments.
    pub environment: u16,
    /// Of the services.
    pub service: u16,
    /// Of what carries them: class and kind.
    pub carrier: u16,
    /// Of the addresses.
    pub address: u16,
}

/// The rows of a picture, in its order.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    widths: Widths,
    /// Any of them is on https.
    secure: bool,
}

impl Rows {
    /// Takes over a picture.
    pub fn take(&mut self, world: &World, now: Option<Timestamp>) {
        let (mut rows, mut widths) = (Vec::new(), Widths::default());
        for (at, application) in world.applications.iter().enumerate() {
            for (index, route) in application.routes.iter().enumerate() {
                let row = Row::new((at, index), application, route, now);
                widths.take(&row, route);
                rows.push(row);
            }
        }
        self.secure = rows.iter().any(|row| row.days.is_some() || row.key.url.starts_with("https://"));
        (self.rows, self.widths) = (rows, widths);
    }

    /// The route of a row, and its application.
    pub fn find<'a>(&self, index: usize, world: &'a World) -> Option<(&'a Application, &'a RouteView)> {
        let (at, route) = self.rows.get(index)?.place;
        let application = world.applications.get(at)?;
        Some((application, application.routes.get(route)?))
    }

    /// How a row's route is.
    pub fn standing(&self, index: usize) -> Standing {
        self.rows.get(index).map_or(Standing::Waits, |row| row.standing)
    }

    /// Whether any of them is on https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The widest contents.
    pub fn widths(&self) -> Widths {
        self.widths
    }
}

impl Listed for Rows {
    type Key = RouteKey;
    type Sort = Sort;

    fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack> {
        self.rows.iter().map(|row| &row.haystack)
    }

    fn key(&self, index: usize) -> Option<&RouteKey> {
        self.rows.get(index).map(|row| &row.key)
    }

    fn is_fault(&self, index: usize) -> bool {
        self.standing(index).is_fault()
    }

    /// By certificates only where there are some.
    fn next_sort(&self, by: Sort) -> Option<Sort> {
        Some(match by {
            Sort::State => Sort::Host,
            Sort::Host => Sort::Time,
            Sort::Time if self.secure => Sort::Certificate,
            Sort::Time | Sort::Certificate => Sort::State,
        })
    }

    fn sort(&self, shown: &mut [usize], by: Sort) {
        let row = |index: &usize| self.rows.get(*index);
        match by {
            Sort::Host => {}
            Sort::State => shown.sort_by_key(|index| self.standing(*index)),
            Sort::Time => shown.sort_by_key(|index| Reverse(row(index).and_then(|row| row.micros))),
            // what has no certificate comes last
            Sort::Certificate => shown.sort_by_key(|index| {
                let days = row(index).and_then(|row| row.days);
                (days.is_none(), days)
            }),
        }
    }

    fn environments(&self) -> Option<Vec<String>> {
        Some(self.rows.iter().map(|row| row.key.application.environment.clone()).collect())
    }

    fn is_in(&self, index: usize, environment: &str) -> bool {
        self.key(index).is_some_and(|key| key.application.environment == environment)
    }
}

impl Widths {
    fn take(&mut self, row: &Row, route: &RouteView) {
        let fields = [
            (&mut self.host, route.host.as_str()),
            (&mut self.application, &row.key.application.name),
            (&mut self.environment, &row.key.application.environment),
            (&mut self.service, &route.service),
            (&mut self.carrier, &carrier(route)),
            (&mut self.address, &address(route)),
        ];
        for (width, text) in fields {
            *width = (*width).max(u16::try_from(format::width(text)).unwrap_or(u16::MAX));
        }
    }
}

impl Row {
    fn new(
        place: (usize, usize),
        application: &Application,
        route: &RouteView,
        now: Option<Timestamp>,
    ) -> Self {
        let key = RouteKey::of(application, route);
        let standing = Standing::of(application, route);
        let code = route.probe.as_ref().map(format::probe_code).unwrap_or_default();
        let (carrier, why) = (carrier(route), route.trouble.join(" "));
        let columns = [
            ("host", route.host.as_str()),
            ("application", &key.application.name),
            ("environment", &key.application.environment),
            ("service", &route.service),
            ("state", standing.as_str()),
            ("code", &code),
            ("class", &carrier),
            ("kind", route.kind.as_str()),
            ("why", &why),
        ];
        let haystack = Haystack::new(&format!("{}/{}", key.application.environment, route.host), &columns);
        let micros = route.probe.as_ref().map(|probe| probe.micros());
        Self { place, key, standing, micros, days: days(route, now), haystack }
    }
}

/// What carries a route: `traefik · Ingress`; the kind alone where the class is the cluster's default.
pub fn carrier(route: &RouteView) -> String {
    match route.class.as_str() {
        "" => route.kind.as_str().to_owned(),
        class => format!("{class} · {}", route.kind.as_str()),
    }
}

/// Where the ingress answers: its first address, and how many more there are.
pub fn address(route: &RouteView) -> String {
    match route.addresses.as_slice() {
        [] => "–".to_owned(),
        [only] => only.clone(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    }
}
