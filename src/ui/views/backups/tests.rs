use super::*;
use crate::ui::backup_samples as samples;
use crate::ui::model::SPIN;
use crate::ui::sample;

/// A view that works on a picture of its own.
struct Table {
    view: BackupsView,
    world: World,
    requests: u64,
}

impl Table {
    fn new(world: World) -> Self {
        let mut table = Self { view: BackupsView::default(), world, requests: 0 };
        table.with(|view, context| view.refresh(context));
        table
    }

    fn with(&mut self, work: impl FnOnce(&mut BackupsView, &mut Context<'_>)) -> Vec<Step> {
        let size = Size::new(80, 22);
        let mut context = Context::new(&self.world, Some(sample::now()), size, &mut self.requests);
        work(&mut self.view, &mut context);
        context.steps
    }

    fn run(&mut self, command: Command) -> Vec<Step> {
        self.with(|view, context| {
            view.command(command, context);
        })
    }

    fn filter(&mut self, text: &str) {
        self.run(Command::Filter);
        self.with(|view, context| view.paste(text, context));
        self.run(Command::Accept);
    }

    /// The applications and the states of the rows.
    fn shown(&self) -> Vec<String> {
        let line = |index: &usize| match self.view.list.rows().entry(*index)? {
            Entry::Backup(at) => {
                let backup = self.world.backups.get(at)?;
                Some(format!("{} {}", backup.source.application, keeping::word(backup)))
            }
            Entry::Schedule(at) | Entry::Resting(at) => {
                Some(self.world.schedules.get(at)?.schedule.name.clone())
            }
            Entry::Location(at) => Some(self.world.locations.get(at)?.location.name.clone()),
            Entry::Past(at, run) => {
                let view = self.world.schedules.get(at)?;
                Some(format!("{} {}", view.schedule.name, view.runs.get(run)?.outcome.as_str()))
            }
            Entry::Due(at, _) => Some(format!("{} due", self.world.schedules.get(at)?.schedule.name)),
        };
        self.view.list.shown().iter().filter_map(line).collect()
    }
}

#[test]
fn filters_take_words_and_columns() {
    let mut table = Table::new(samples::world());
    for (filter, found) in [
        ("state:partly", &["shop Partly failed"][..]),
        ("by:velero", &["wiki Completed"]),
        ("verified:drill", &["notes Verified"]),
        ("pinned:pinned", &["notes Completed"]),
        ("components:uploads env:staging", &["team-handbook Damaged", "team-handbook Completed"]),
        ("cause:dump", &["shop Partly failed"]),
    ] {
        table.filter(filter);
        assert_eq!(table.shown(), found, "{filter}");
        table.run(Command::Back);
    }
    table.run(Command::FaultsOnly);
    assert_eq!(table.shown(), ["shop Partly failed", "team-handbook Damaged"]);
}

#[test]
fn the_scope_goes_through_the_environments_and_back_to_all() {
    let mut table = Table::new(samples::world());
    let all = table.shown().len();
    table.run(Command::Scope);
    assert!(table.shown().iter().all(|line| !line.starts_with("wiki")) && table.shown().len() == 7);
    table.run(Command::Next);
    assert_eq!(table.shown(), ["nightly", "odd"], "it holds for schedules too");
    table.run(Command::Next);
    assert_eq!(table.shown().len(), 3, "a location is of no environment");
    table.run(Command::Previous);
    table.run(Command::Previous);
    table.run(Command::Scope);
    assert_eq!(table.shown(), ["wiki Completed", "team-handbook Damaged", "team-handbook Completed"]);
    table.run(Command::Scope);
    assert_eq!(table.shown().len(), all);
}

#[test]
fn sorting_goes_round() {
    let mut table = Table::new(samples::world());
    table.run(Command::Sort);
    assert_eq!(table.shown()[0], "notes Verified", "by environment and application");
    table.run(Command::Sort);
    assert_eq!(table.shown()[..2], ["shop Partly failed", "team-handbook Damaged"]);
    table.run(Command::Sort);
    assert_eq!(table.shown().last().map(String::as_str), Some("notes Cancelled"), "nothing was read of it");
    table.run(Command::Sort);
    assert_eq!(table.shown()[0], "shop Running");
}

#[test]
fn the_cursor_stays_on_its_backup() {
    let mut table = Table::new(samples::world());
    table.run(Command::Down);
    let newer = samples::backup("notes", "demo", 5, "00000000");
    table.world.backups.insert(0, std::sync::Arc::new(newer));
    table.with(|view, context| view.refresh(context));
    assert_eq!(table.view.backup(&table.world).map(|it| &it.id), Some(&samples::backups()[1].id));
    table.world.backups.clear();
    table.with(|view, context| view.refresh(context));
    assert!(table.view.backup(&table.world).is_none());
}

#[test]
fn the_calendar_shows_what_was_not_done_what_is_due_and_what_rests() {
    let mut table = Table::new(samples::world());
    table.run(Command::Previous);
    let shown = table.shown();
    assert_eq!(shown[..3], ["hourly-handbook Overlapped", "hourly-handbook Missed", "hourly-handbook due"]);
    assert_eq!(shown[3], "nightly due", "in the order of time");
    assert_eq!(shown[7..], ["odd", "weekly"]);
    assert!(!shown.iter().any(|line| line.contains("Begun")), "what went well is in the backups");
}

#[test]
fn schedules_and_locations_open_into_their_backups() {
    let mut table = Table::new(samples::world());
    table.run(Command::Next);
    table.run(Command::Open);
    assert_eq!(
        (table.view.section(), table.shown()),
        (Section::Backups, vec!["team-handbook Damaged".to_owned()])
    );
    table.run(Command::Back);
    table.run(Command::Next);
    table.run(Command::Next);
    table.run(Command::Down);
    table.run(Command::Open);
    assert_eq!(table.shown(), ["team-handbook Damaged", "team-handbook Completed"], "those in offsite");
}

#[test]
fn what_is_in_a_location_with_a_longer_name_is_not_in_this_one() {
    let mut table = Table::new(samples::world());
    let mut other = samples::backup("wiki", "staging", 5, "00000000");
    other.location = "offsite-2".into();
    table.world.backups.insert(0, std::sync::Arc::new(other));
    table.with(|view, context| view.refresh(context));
    table.filter("location:offsite");
    assert_eq!(table.shown().len(), 3);
    table.run(Command::Back);
    for command in [Command::Next, Command::Next, Command::Down, Command::Open] {
        table.run(command);
    }
    assert_eq!(table.shown(), ["team-handbook Damaged", "team-handbook Completed"]);
}

#[test]
fn a_backup_opens_and_leads_to_its_application() {
    let mut table = Table::new(samples::world());
    assert_eq!(table.run(Command::Open), [Step::ShowBackup(samples::backups()[0].id.clone())]);
    let key = ApplicationKey { environment: "demo".into(), name: "shop".into() };
    assert_eq!(table.run(Command::ShowItsBackups), [Step::ShowApplication(key, Tab::Backups)]);
    table.world.applications.clear();
    assert!(matches!(&table.run(Command::ShowOverview)[..], [Step::Say(_)]), "it is gone");
}

#[test]
fn ticks_come_only_while_something_on_screen_changes() {
    let table = Table::new(samples::world());
    let lasts = |world: &World| table.view.lasts(world, sample::now(), Size::new(80, 22));
    assert_eq!(lasts(&table.world), Some(SPIN), "one is being made");
    let mut calm = Table::new(samples::world());
    calm.world.backups.remove(0);
    calm.with(|view, context| view.refresh(context));
    let lasts = calm.view.lasts(&calm.world, sample::now(), Size::new(80, 22));
    assert!(lasts.is_some_and(|lasts| lasts.as_secs() > 60), "{lasts:?}");
}
