//! What several views say of backups, and of how well an application is kept, in the same words.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::text::Span;

use crate::domain::World;
use crate::domain::backup::{
    Backup, BackupPart, BackupState, Depth, Engine, PartState, RunOutcome, ScheduleView, Trigger,
    Verification,
};
use crate::domain::driver::ComponentSpec;
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::model::SPIN;
use crate::ui::theme::Role;

/// The age from which the last good backup counts as too old, where no schedule says better.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long after its time a scheduled backup may still be on its way.
const LATE: SignedDuration = SignedDuration::from_hours(6);

/// Why an application is not kept as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worry {
    /// It has a location, and there is no good backup of it.
    Never,
    /// Its last good backup is older than it should be.
    Old,
    /// A later backup failed, or was found damaged.
    FailedSince,
}

/// How well an application is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping<'a> {
    /// The last backup from which all can be restored, as far as is known.
    pub good: Option<&'a Backup>,
    /// When one was last proven restorable.
    pub proven: Option<Timestamp>,
    /// When the next one is due, and its schedule.
    pub next: Option<(Timestamp, &'a ScheduleView)>,
    /// What is wrong.
    pub worry: Option<Worry>,
}

impl<'a> Keeping<'a> {
    /// How well an application is kept at a moment; of its backups, newest first.
    pub fn of(
        application: &Application,
        world: &'a World,
        backups: impl Iterator<Item = &'a Backup>,
        now: Option<Timestamp>,
    ) -> Self {
        // a backup of some components says nothing of the others
        let names = || components(application, world).filter(|(_, spec)| spec.backup.is_some());
        let is_whole = |backup: &&Backup| {
            let has = |name: &str| backup.parts.iter().any(|part| part.component == name);
            backup.engine == Engine::Velero || names().all(|(name, _)| has(name))
        };
        let backups: Vec<&Backup> = backups.filter(is_whole).collect();
        let good = backups.iter().copied().find(|backup| backup.is_good());
        let proven = backups.iter().filter_map(|backup| backup.proven()).max();
        let due = |view: &'a ScheduleView| Some((*view.next.first()?, view));
        let next = schedules(application, world).filter_map(due).min_by_key(|(at, _)| *at);
        let failed = backups.iter().find(|backup| counts(backup)).is_some_and(|newest| !newest.is_good());
        let assigned = location(application, world).is_some();
        let worry = match good {
            None if failed => Some(Worry::FailedSince),
            None => (assigned && keeps(application, world)).then_some(Worry::Never),
            Some(_) if failed => Some(Worry::FailedSince),
            Some(good) => is_old(good, application, world, now).then_some(Worry::Old),
        };
        Self { good, proven, next, worry }
    }

    /// The age of the last good backup, with a mark when there is something to worry about: what a table shows.
    pub fn age(&self, look: &Look<'_>, quiet: Role) -> Span<'static> {
        let age = self.good.map(|good| look.age(good.created));
        match (self.worry, age) {
            (None, None) => look.span(quiet, "–"),
            (None, Some(age)) => look.span(quiet, age),
            (Some(_), age) => look.span(Role::Warn, format!("▲ {}", age.as_deref().unwrap_or("none"))),
        }
    }

    /// What a filter finds it by.
    pub fn word(&self) -> &'static str {
        match (self.worry, self.good) {
            (Some(Worry::Never), _) => "none",
            (Some(Worry::Old), _) => "old",
            (Some(Worry::FailedSince), _) => "failed",
            (None, Some(_)) => "good",
            (None, None) => "",
        }
    }
}

/// Whether a backup says something about how well its application is kept: it ended, and nobody ended it.
fn counts(backup: &Backup) -> bool {
    backup.state.is_final() && backup.state != BackupState::Cancelled
}

fn is_old(good: &Backup, application: &Application, world: &World, now: Option<Timestamp>) -> bool {
    let Some(now) = now else { return false };
    let scheduled = schedules(application, world).filter(|view| view.schedule.paused.is_none());
    // a run that begot nothing: its backup should be here by now
    let missing = |view: &ScheduleView| {
        let newest = view.runs.iter().find(|run| run.outcome != RunOutcome::Overlapped);
        newest.is_some_and(|run| run.due > good.created && now.duration_since(run.due) > LATE)
    };
    now.duration_since(good.created) > TOO_OLD || scheduled.into_iter().any(missing)
}

/// The schedules that back an application up.
pub fn schedules<'a>(
    application: &Application,
    world: &'a World,
) -> impl Iterator<Item = &'a ScheduleView> + use<'a> {
    let draft = &application.deployment.draft;
    let (environment, name) = (draft.environment.clone(), draft.name.clone());
    world.schedules.iter().filter(move |view| {
        let schedule = &view.schedule;
        let its = schedule.application.as_ref().is_none_or(|application| *application == name);
        schedule.environment == environment && its
    })
}

/// The backup location of an application's environment.
pub fn location<'a>(application: &Application, world: &'a World) -> Option<&'a str> {
    world.environment(&application.deployment.draft.environment)?.backup_location.as_deref()
}

/// The components of an application, as its driver has them; none when that is not loaded.
pub fn components<'a>(
    application: &Application,
    world: &'a World,
) -> impl Iterator<Item = (&'a str, &'a ComponentSpec)> + use<'a> {
    let wanted = application.deployment.draft.driver.clone();
    let driver = world.drivers.iter().find(move |driver| driver.reference == wanted);
    let components = driver.map(|driver| &driver.spec.components);
    components.into_iter().flatten().map(|(name, spec)| (name.as_str(), spec))
}

/// Whether its driver says how to back anything of it up.
pub fn keeps(application: &Application, world: &World) -> bool {
    components(application, world).any(|(_, spec)| spec.backup.is_some())
}

/// Whether its driver is known, and says of nothing how to back it up.
pub fn is_never_kept(application: &Application, world: &World) -> bool {
    components(application, world).next().is_some() && !keeps(application, world)
}

/// Whether anything of backups is known: where none of it is, tables need no columns for it.
pub fn is_used(world: &World) -> bool {
    !world.backups.is_empty() || !world.locations.is_empty() || !world.schedules.is_empty()
}

/// The word that is shown for a backup's state.
pub fn word(backup: &Backup) -> &'static str {
    match backup.word() {
        "PartiallyFailed" => "Partly failed",
        word => word,
    }
}

/// Whether somebody should look at a backup.
pub fn is_fault(backup: &Backup) -> bool {
    matches!(word(backup), "Partly failed" | "Failed" | "Damaged")
}

/// Sign and role of a backup's state.
pub fn mark(backup: &Backup, look: &Look<'_>) -> (&'static str, Role) {
    match backup.state {
        BackupState::Queued => ("○", Role::Muted),
        BackupState::Running => (look.spinner(), Role::Progress),
        BackupState::Completed if backup.is_good() => ("✓", Role::Ok),
        BackupState::Completed | BackupState::Failed => ("✗", Role::Fail),
        BackupState::PartiallyFailed => ("▲", Role::Warn),
        BackupState::Cancelled => ("■", Role::Idle),
    }
}

/// Sign and word of a backup's state.
pub fn standing(backup: &Backup, look: &Look<'_>) -> Span<'static> {
    let (sign, role) = mark(backup, look);
    look.span(role, format!("{sign} {}", word(backup)))
}

/// Sign and role of a part's state.
pub fn part_mark(part: &BackupPart, look: &Look<'_>) -> (&'static str, Role) {
    match part.state {
        PartState::Pending => ("○", Role::Muted),
        PartState::Running => (look.spinner(), Role::Progress),
        PartState::Completed => ("✓", Role::Ok),
        PartState::Failed => ("✗", Role::Fail),
    }
}

/// A part's name: its component, and the volume where it is one of several.
pub fn part_name(part: &BackupPart) -> String {
    match &part.volume {
        Some(volume) => format!("{}/{volume}", part.component),
        None => part.component.clone(),
    }
}

/// The verification that says most: a fault that was found last, else the last drill, full or quick one.
pub fn telling(backup: &Backup) -> Option<&Verification> {
    let fault = backup.newest_verification().filter(|last| last.problem.is_some());
    let of = |depth: Depth| {
        let good = backup.verified.iter().filter(move |it| it.depth == depth && it.problem.is_none());
        good.max_by_key(|it| it.at)
    };
    fault.or_else(|| of(Depth::Drill)).or_else(|| of(Depth::Full)).or_else(|| of(Depth::Quick))
}

/// `drill 3d`: how thoroughly a backup was verified, and how long ago; with a mark where fault was found.
pub fn verified(backup: &Backup, look: &Look<'_>, quiet: Role) -> Span<'static> {
    match telling(backup) {
        None => look.span(quiet, "–"),
        Some(last) => {
            let text = format!("{} {}", last.depth.as_str(), look.age(last.at));
            match (&last.problem, last.depth) {
                (Some(_), _) => look.span(Role::Fail, format!("✗ {text}")),
                (None, Depth::Drill) => look.span(Role::Ok, text),
                (None, _) => look.span(quiet, text),
            }
        }
    }
}

/// How long the line of a backup stays true by itself: its age, and that of its verification.
pub fn lasts(backup: &Backup, now: Timestamp) -> Duration {
    if !backup.state.is_final() {
        return SPIN;
    }
    let made = format::age_lasts(now, backup.created);
    telling(backup).map_or(made, |last| made.min(format::age_lasts(now, last.at)))
}

/// Why a backup was made, in a word or two.
pub fn trigger(backup: &Backup) -> String {
    let why = match &backup.trigger {
        Trigger::Person => "by hand",
        Trigger::Schedule { name } => name,
        Trigger::Restore => "before restore",
        Trigger::Delete => "before delete",
        Trigger::Action => "by an action",
        Trigger::Clone => "for a clone",
    };
    match backup.engine {
        Engine::Styrmin => why.to_owned(),
        Engine::Velero => format!("velero · {why}"),
    }
}

/// What was read, and what was new to the repository; dashes before anything is known.
pub fn sizes(backup: &Backup) -> (String, String) {
    let known = backup.parts.iter().any(|part| part.state == PartState::Completed);
    let dash = || "–".to_owned();
    if !known {
        return (dash(), dash());
    }
    (format::bytes(backup.bytes()), format::bytes(backup.stored()))
}

/// `2/3`: the parts that were kept, of how many.
pub fn kept(backup: &Backup) -> String {
    let done = backup.parts.iter().filter(|part| part.state == PartState::Completed).count();
    format!("{done}/{}", backup.parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::backup_samples as samples;
    use crate::ui::sample;

    /// How `notes` in demo is kept, when the picture is changed so.
    fn kept(change: impl FnOnce(&mut World)) -> (Option<Worry>, &'static str) {
        let mut world = samples::world();
        change(&mut world);
        let application = world.applications[0].clone();
        let keeping = Keeping::of(&application, &world, world.backups_of(&application), Some(sample::now()));
        (keeping.worry, keeping.word())
    }

    fn only(world: &mut World, backups: Vec<Backup>) {
        world.backups = backups.into_iter().map(std::sync::Arc::new).collect();
    }

    #[test]
    fn there_is_something_to_worry_about_when_nothing_good_and_young_is_there() {
        let made = |age| samples::backup("notes", "demo", age, "00000000");
        let failed = |age| Backup { state: BackupState::Failed, ..made(age) };
        let cancelled = |age| Backup { state: BackupState::Cancelled, ..made(age) };
        assert_eq!(kept(|_| {}), (None, "good"));
        assert_eq!(kept(|world| only(world, Vec::new())), (Some(Worry::Never), "none"));
        assert_eq!(kept(|world| only(world, vec![failed(60)])), (Some(Worry::FailedSince), "failed"));
        let since = kept(|world| only(world, vec![failed(60), made(600)]));
        assert_eq!(since, (Some(Worry::FailedSince), "failed"));
        let ended = kept(|world| only(world, vec![cancelled(60), made(600)]));
        assert_eq!(ended, (None, "good"), "who ends one knows why");
        let old = kept(|world| {
            world.schedules.clear();
            only(world, vec![made(8 * 86_400)]);
        });
        assert_eq!(old, (Some(Worry::Old), "old"));
        let missing = kept(|world| only(world, vec![made(90_000)]));
        assert_eq!(missing, (Some(Worry::Old), "old"), "the run of the night begot nothing");
    }

    #[test]
    fn what_is_not_to_be_kept_is_no_worry() {
        assert_eq!(
            kept(|world| {
                only(world, Vec::new());
                world.environments[0].backup_location = None;
            }),
            (None, ""),
            "no location is assigned"
        );
        assert_eq!(
            kept(|world| {
                only(world, Vec::new());
                for driver in &mut world.drivers {
                    std::sync::Arc::make_mut(driver).spec.components.clear();
                }
            }),
            (None, ""),
            "its driver cannot"
        );
    }

    #[test]
    fn a_drill_says_more_than_a_later_quick_look_and_a_fault_more_than_both() {
        let backups = samples::backups();
        assert_eq!(telling(&backups[3]).map(|last| last.depth), Some(Depth::Drill));
        let mut damaged = backups[3].clone();
        let problem = Some(crate::domain::Problem::new("A pack is damaged", "", ""));
        damaged.verified.push(Verification { depth: Depth::Quick, at: sample::now(), problem });
        assert!(telling(&damaged).is_some_and(|last| last.problem.is_some()));
        assert!(is_fault(&damaged) && word(&damaged) == "Damaged" && damaged.proven().is_none());
    }
}
