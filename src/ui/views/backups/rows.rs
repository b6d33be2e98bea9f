//! What the tables keep of a picture, so that a keystroke needs no second look at it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::section::{Section, what};
use super::{locations, schedules};
use crate::domain::backup::{Backup, BackupId, LocationView, RunOutcome, ScheduleView};
use crate::domain::{Environment, World};
use crate::ui::format;
use crate::ui::listing::Listed;
use crate::ui::query::Haystack;
use crate::ui::views::keeping;

/// How far back the calendar looks for what was not done.
const BACK: SignedDuration = SignedDuration::from_hours(24);

/// What a row stands for: places in the lists of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A backup.
    Backup(usize),
    /// A schedule.
    Schedule(usize),
    /// A location.
    Location(usize),
    /// A run of a schedule that made no backup.
    Past(usize, usize),
    /// A run of a schedule to come, by its place among those.
    Due(usize, usize),
    /// A schedule that is paused, or whose expression means nothing.
    Resting(usize),
}

/// One row's fixed parts.
#[derive(Debug)]
struct Row {
    entry: Entry,
    /// Somebody should look at it.
    fault: bool,
    environment: Option<String>,
    /// Of a backup.
    kept: Option<Kept>,
    haystack: Haystack,
}

/// What backups are told apart and sorted by.
#[derive(Debug)]
struct Kept {
    id: BackupId,
    application: String,
    bytes: u64,
}

/// What the backups are sorted by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The newest first.
    #[default]
    Age,
    /// Environment and application.
    Application,
    /// What somebody should look at first.
    State,
    /// The largest first.
    Size,
}

/// The rows of a section, and how wide the texts of its first columns are.
#[derive(Debug, Default)]
pub struct Rows {
    section: Section,
    rows: Vec<Row>,
    widths: [u16; 4],
    /// The environments that there is anything of, in any section.
    environments: Vec<String>,
}

impl Rows {
    /// Takes over a section of a picture.
    pub fn take(&mut self, section: Section, world: &World, now: Option<Timestamp>) {
        self.section = section;
        self.rows = match section {
            Section::Backups => {
                let rows = world.backups.iter().enumerate();
                rows.map(|(index, backup)| backup_row(index, backup)).collect()
            }
            Section::Schedules => {
                let rows = world.schedules.iter().enumerate();
                rows.map(|(index, view)| schedule_row(Entry::Schedule(index), view, is_faulty(view), ""))
                    .collect()
            }
            Section::Locations => {
                let rows = world.locations.iter().enumerate();
                rows.map(|(index, view)| location_row(index, view, &world.environments)).collect()
            }
            Section::Calendar => calendar(world, now),
        };
        let kept = world.backups.iter().map(|backup| &backup.source.environment);
        let scheduled = world.schedules.iter().map(|view| &view.schedule.environment);
        self.environments = kept.chain(scheduled).collect::<BTreeSet<_>>().into_iter().cloned().collect();
        self.widths = [0; 4];
        for row in &self.rows {
            for (width, text) in self.widths.iter_mut().zip(texts(row.entry, world)) {
                *width = (*width).max(u16::try_from(format::width(&text)).unwrap_or(u16::MAX));
            }
        }
    }

    /// The section that they are of.
    pub fn section(&self) -> Section {
        self.section
    }

    /// What a row stands for.
    pub fn entry(&self, index: usize) -> Option<Entry> {
        self.rows.get(index).map(|row| row.entry)
    }

    /// The widest texts of the columns whose width hangs on them.
    pub fn widths(&self) -> [u16; 4] {
        self.widths
    }
}

impl Listed for Rows {
    type Key = BackupId;
    type Sort = Sort;

    fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack> {
        self.rows.iter().map(|row| &row.haystack)
    }

    fn key(&self, index: usize) -> Option<&BackupId> {
        Some(&self.rows.get(index)?.kept.as_ref()?.id)
    }

    fn is_fault(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.fault)
    }

    fn next_sort(&self, by: Sort) -> Option<Sort> {
        (self.section == Section::Backups).then_some(match by {
            Sort::Age => Sort::Application,
            Sort::Application => Sort::State,
            Sort::State => Sort::Size,
            Sort::Size => Sort::Age,
        })
    }

    fn sort(&self, shown: &mut [usize], by: Sort) {
        if self.section != Section::Backups {
            return;
        }
        let row = |index: &usize| self.rows.get(*index);
        let kept = |index: &usize| row(index).and_then(|row| row.kept.as_ref());
        match by {
            Sort::Age => {}
            Sort::Application => shown.sort_by_key(|index| {
                (row(index).map(|row| &row.environment), kept(index).map(|kept| &kept.application))
            }),
            Sort::State => shown.sort_by_key(|index| !self.is_fault(*index)),
            Sort::Size => shown.sort_by_key(|index| Reverse(kept(index).map(|kept| kept.bytes))),
        }
    }

    fn environments(&self) -> Option<Vec<String>> {
        Some(self.environments.clone())
    }

    /// What is about no environment in particular is about all.
    fn is_in(&self, index: usize, environment: &str) -> bool {
        let its = self.rows.get(index).and_then(|row| row.environment.as_deref());
        its.is_none_or(|its| its == environment)
    }
}

fn backup_row(index: usize, backup: &Backup) -> Row {
    let parts: Vec<String> = backup.parts.iter().map(keeping::part_name).collect();
    let (parts, trigger) = (parts.join(" "), keeping::trigger(backup));
    let verified = keeping::telling(backup).map_or("never", |last| last.depth.as_str());
    let problem = backup.problem.as_ref().map_or("", |problem| problem.what.as_str());
    let columns = [
        ("name", backup.source.application.as_str()),
        ("application", backup.source.application.as_str()),
        ("environment", backup.source.environment.as_str()),
        ("id", backup.id.0.as_str()),
        ("state", keeping::word(backup)),
        ("location", backup.location.as_str()),
        ("schedule", trigger.as_str()),
        ("by", trigger.as_str()),
        ("verified", verified),
        ("components", parts.as_str()),
        ("version", backup.source.application_version.as_str()),
        ("group", backup.group.as_deref().unwrap_or_default()),
        ("pinned", if backup.pinned { "pinned" } else { "" }),
        ("cause", problem),
    ];
    Row {
        entry: Entry::Backup(index),
        fault: keeping::is_fault(backup),
        environment: Some(backup.source.environment.clone()),
        kept: Some(Kept {
            id: backup.id.clone(),
            application: backup.source.application.clone(),
            bytes: backup.bytes(),
        }),
        haystack: Haystack::new(&backup.source.application, &columns),
    }
}

/// Whether a schedule does not do what it should.
pub fn is_faulty(view: &ScheduleView) -> bool {
    let newest = view.runs.first().map(|run| run.outcome);
    view.problem.is_some() || matches!(newest, Some(RunOutcome::Missed | RunOutcome::Refused))
}

fn schedule_row(entry: Entry, view: &ScheduleView, fault: bool, outcome: &str) -> Row {
    let (schedule, what) = (&view.schedule, what(&view.schedule));
    let paused = if schedule.paused.is_some() { "paused" } else { "" };
    let columns = [
        ("name", schedule.name.as_str()),
        ("schedule", schedule.name.as_str()),
        ("environment", schedule.environment.as_str()),
        ("application", schedule.application.as_deref().unwrap_or_default()),
        ("what", what.as_str()),
        ("state", paused),
        ("state", outcome),
    ];
    Row {
        entry,
        fault,
        environment: Some(schedule.environment.clone()),
        kept: None,
        haystack: Haystack::new(&schedule.name, &columns),
    }
}

fn location_row(index: usize, view: &LocationView, environments: &[Environment]) -> Row {
    let location = &view.location;
    let (address, of) = (location.address(), locations::environments(&location.name, environments));
    let problem = view.checked.as_ref().and_then(|(_, problem)| problem.as_ref());
    let columns = [
        ("name", location.name.as_str()),
        ("location", location.name.as_str()),
        ("where", address.as_str()),
        ("environment", of.as_str()),
        ("cause", problem.map_or("", |problem| problem.what.as_str())),
    ];
    let fault = problem.is_some();
    Row {
        entry: Entry::Location(index),
        fault,
        environment: None,
        kept: None,
        haystack: Haystack::new(&location.name, &columns),
    }
}

/// What was not done within the last day, what is due within the next one, and what rests.
fn calendar(world: &World, now: Option<Timestamp>) -> Vec<Row> {
    let (mut timed, mut resting) = (Vec::new(), Vec::new());
    for (at, view) in world.schedules.iter().enumerate() {
        let recent = |due: Timestamp| now.is_none_or(|now| now.duration_since(due) <= BACK);
        for (index, run) in view.runs.iter().enumerate() {
            if run.outcome != RunOutcome::Begun && recent(run.due) {
                let row = schedule_row(Entry::Past(at, index), view, true, run.outcome.as_str());
                timed.push((run.due, row));
            }
        }
        for (index, due) in view.next.iter().enumerate() {
            timed.push((*due, schedule_row(Entry::Due(at, index), view, false, "due")));
        }
        if view.schedule.paused.is_some() || view.problem.is_some() {
            resting.push(schedule_row(Entry::Resting(at), view, view.problem.is_some(), ""));
        }
    }
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().map(|(_, row)| row).chain(resting).collect()
}

/// The texts of an entry that decide how wide columns are.
fn texts(entry: Entry, world: &World) -> [String; 4] {
    let schedule = |at: usize| world.schedules.get(at).map(|view| &view.schedule);
    match entry {
        Entry::Backup(at) => world.backups.get(at).map_or_else(Default::default, |backup| {
            let place = backup.source.environment.clone();
            // the marks that may stand behind the name
            let name = format!("{} ● ◆", backup.source.application);
            [name, place, keeping::trigger(backup), backup.location.clone()]
        }),
        Entry::Location(at) => world.locations.get(at).map_or_else(Default::default, |view| {
            let of = locations::environments(&view.location.name, &world.environments);
            [view.location.name.clone(), view.location.address(), of, String::new()]
        }),
        Entry::Schedule(at) | Entry::Past(at, _) | Entry::Due(at, _) | Entry::Resting(at) => schedule(at)
            .map_or_else(Default::default, |it| {
                [it.name.clone(), what(it), it.cron.clone(), schedules::keeps(it.retention.as_ref())]
            }),
    }
}
