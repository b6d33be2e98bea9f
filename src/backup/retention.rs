//! Which backups stay, which go, and why: a pure rule over the catalogue.
//!
//! Only complete backups without a fault fill the places that a retention gives. Whatever it says, these stay: pinned ones, those
//! that are being made, and of every component (every volume) of an application the newest good copy. What failed goes as soon
//! as newer good copies of all that it holds exist, not before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::domain::Problem;
use crate::domain::backup::{Backup, BackupId, BackupState, Engine, Retention};

/// Why a backup stays or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Somebody pinned it.
    Pinned,
    /// It is being made.
    Unfinished,
    /// Velero keeps its own backups for as long as they say.
    NotOurs,
    /// It has the newest good copy of a component.
    NewestGood,
    /// It is one of the last ones.
    Last,
    /// It is the newest of its hour.
    Hourly,
    /// It is the newest of its day.
    Daily,
    /// It is the newest of its week.
    Weekly,
    /// It is the newest of its month.
    Monthly,
    /// It is not good, and nothing newer is better.
    NothingBetter,
    /// It has no place in the retention.
    NoPlace,
    /// It is not complete, and newer ones are.
    Incomplete,
    /// A verification found fault with it, and newer ones are good.
    Damaged,
}

impl Why {
    /// In words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Unfinished => "being made",
            Self::NotOurs => "kept by Velero",
            Self::NewestGood => "newest good copy",
            Self::Last => "one of the last",
            Self::Hourly => "newest of its hour",
            Self::Daily => "newest of its day",
            Self::Weekly => "newest of its week",
            Self::Monthly => "newest of its month",
            Self::NothingBetter => "nothing newer is good",
            Self::NoPlace => "no place left",
            Self::Incomplete => "not complete, and newer ones are",
            Self::Damaged => "damaged, and newer ones are good",
        }
    }

    /// Whether a backup stays for this.
    fn keeps(self) -> bool {
        !matches!(self, Self::NoPlace | Self::Incomplete | Self::Damaged)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is said of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The backup.
    pub backup: BackupId,
    /// Why it stays, or the one reason why it goes.
    pub whys: Vec<Why>,
}

impl Verdict {
    /// Whether it stays.
    pub fn stays(&self) -> bool {
        self.whys.iter().any(|why| why.keeps())
    }
}

/// What becomes of these backups: one verdict for each, newest first. Backups of several applications are weighed each among
/// those of its own. Hours, days, weeks and months are those of `zone`.
pub fn weigh(backups: &[Backup], retention: &Retention, zone: &TimeZone) -> Vec<Verdict> {
    let mut applications: BTreeMap<_, Vec<&Backup>> = BTreeMap::new();
    for backup in backups {
        let key = (&backup.source.cluster, &backup.source.environment, &backup.source.application);
        applications.entry(key).or_default().push(backup);
    }
    let mut verdicts: Vec<(Timestamp, Verdict)> = Vec::with_capacity(backups.len());
    for mut members in applications.into_values() {
        members.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        verdicts.extend(weigh_one(&members, retention, zone));
    }
    verdicts.sort_by(|a, b| (b.0, &b.1.backup).cmp(&(a.0, &a.1.backup)));
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

/// Those that go.
pub fn doomed(backups: &[Backup], retention: &Retention, zone: &TimeZone) -> Vec<BackupId> {
    let verdicts = weigh(backups, retention, zone).into_iter();
    verdicts.filter(|verdict| !verdict.stays()).map(|verdict| verdict.backup).collect()
}

/// A component, and a volume of it.
type Part<'a> = (&'a str, Option<&'a str>);

/// The backups of one application, newest first.
fn weigh_one(backups: &[&Backup], retention: &Retention, zone: &TimeZone) -> Vec<(Timestamp, Verdict)> {
    let places = places(backups, retention, zone);
    // of what good copies were seen, going from the newest to the oldest
    let mut copied: BTreeSet<Part> = BTreeSet::new();
    let mut good_seen = false;
    let mut verdicts = Vec::with_capacity(backups.len());
    for backup in backups {
        let mut whys = Vec::new();
        if backup.pinned {
            whys.push(Why::Pinned);
        }
        if is_ours(backup) && backup.is_good() {
            let news = backup.whole_parts().filter(|part| copied.insert(*part)).count();
            if news > 0 || !good_seen {
                whys.push(Why::NewestGood);
            }
            good_seen = true;
            whys.extend(places.get(&backup.id).into_iter().flatten());
            if whys.is_empty() {
                whys.push(Why::NoPlace);
            }
        } else if !is_ours(backup) {
            whys.push(Why::NotOurs);
        } else if !backup.state.is_final() {
            whys.push(Why::Unfinished);
        } else if !(good_seen && backup.whole_parts().all(|part| copied.contains(&part))) {
            whys.push(Why::NothingBetter);
        } else if whys.is_empty() {
            let damaged = backup.state == BackupState::Completed;
            whys.push(if damaged { Why::Damaged } else { Why::Incomplete });
        }
        verdicts.push((backup.created, Verdict { backup: backup.id.clone(), whys }));
    }
    verdicts
}

/// The places that good backups fill, newest first.
fn places<'a>(
    backups: &[&'a Backup],
    retention: &Retention,
    zone: &TimeZone,
) -> BTreeMap<&'a BackupId, Vec<Why>> {
    type Span = fn(&Zoned) -> (i16, i16, i8);
    let rules: [(Why, u32, Span); 4] = [
        (Why::Hourly, retention.hourly, |at| (at.year(), at.day_of_year(), at.hour())),
        (Why::Daily, retention.daily, |at| (at.year(), at.day_of_year(), 0)),
        (Why::Weekly, retention.weekly, |at| {
            let week = at.date().iso_week_date();
            (week.year(), i16::from(week.week()), 0)
        }),
        (Why::Monthly, retention.monthly, |at| (at.year(), i16::from(at.month()), 0)),
    ];
    let mut places: BTreeMap<&BackupId, Vec<Why>> = BTreeMap::new();
    let good = || backups.iter().filter(|backup| is_ours(backup) && backup.is_good());
    for backup in good().take(retention.last as usize) {
        places.entry(&backup.id).or_default().push(Why::Last);
    }
    for (why, count, span) in rules {
        let mut seen = BTreeSet::new();
        for backup in good() {
            let key = span(&backup.created.to_zoned(zone.clone()));
            if seen.len() < count as usize && seen.insert(key) {
                places.entry(&backup.id).or_default().push(why);
            }
        }
    }
    places
}

fn is_ours(backup: &Backup) -> bool {
    backup.engine == Engine::Styrmin
}

/// A retention as people write it: `last=3,daily=7,weekly=4`.
///
/// # Errors
/// What it says means nothing, or keeps nothing.
pub fn parse(text: &str) -> Result<Retention, Problem> {
    let mut retention = Retention::default();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let wrong = |why: String| {
            let next = "give what is to be kept: last=3,hourly=24,daily=7,weekly=4,monthly=12";
            Problem::new(format!("'{text}' does not say what is kept"), why, next)
        };
        let Some((name, count)) = item.split_once('=') else {
            return Err(wrong(format!("'{item}' is not NAME=NUMBER")));
        };
        let count: u32 = count.trim().parse().map_err(|_| wrong(format!("'{count}' is no number")))?;
        let place = match name.trim() {
            "last" => &mut retention.last,
            "hourly" => &mut retention.hourly,
            "daily" => &mut retention.daily,
            "weekly" => &mut retention.weekly,
            "monthly" => &mut retention.monthly,
            other => return Err(wrong(format!("'{other}' is none of last, hourly, daily, weekly, monthly"))),
        };
        *place = count;
    }
    if retention == Retention::default() {
        return Err(Problem::new(
            "Nothing would be kept but the newest good copy",
            format!("'{text}' gives no place to any backup"),
            "give at least one: last=3",
        ));
    }
    Ok(retention)
}

/// A retention, as [`parse`] reads it.
pub fn written(retention: &Retention) -> String {
    let Retention { last, hourly, daily, weekly, monthly } = *retention;
    let all =
        [("last", last), ("hourly", hourly), ("daily", daily), ("weekly", weekly), ("monthly", monthly)];
    let said = all.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}={count}"));
    said.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
