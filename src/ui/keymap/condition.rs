//! When a binding holds: a conjunction of facts about what is on screen.

use std::fmt;

/// A fact about what is on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// Something is selected that can be opened.
    Row,
    /// The table of applications is shown, and there are some.
    Applications,
    /// The log is shown.
    Logs,
    /// A plan is shown and can be confirmed.
    Plan,
    /// A plan could not be made, or not be carried out.
    Failed,
    /// The deployment form is shown.
    Form,
    /// Styrmin is known not to be installed on the cluster.
    NotInstalled,
    /// The application that is shown or selected has a URL.
    Url,
    /// The table of operations is shown, and there are some.
    Operations,
    /// An operation of it is under way and can be cancelled.
    Busy,
    /// A step of the operation that is shown or selected waits for what a person says.
    Asking,
    /// The instances of an application are shown.
    History,
    /// An application is shown or selected.
    Subject,
    /// It is not as it was written.
    Drifted,
    /// It has an instance that it can be rolled back to.
    Earlier,
    /// That application is to be stopped.
    Stopped,
    /// Somebody else owns fields of it that we are to write.
    Contested,
    /// A plan is shown whose steps change something line by line.
    Differences,
    /// Driver versions are shown: their table, one of them, or how two differ.
    Drivers,
    /// What a step prints and calls is shown.
    Output,
    /// The driver of the application that is shown or selected has actions that a person starts.
    Actions,
    /// An action is selected that was run before.
    Ran,
    /// Backups are shown: their tables, or one of them.
    Backups,
    /// A backup is shown or selected.
    Backup,
    /// A schedule is selected.
    Schedule,
    /// A backup location is selected.
    Location,
    /// Routes are shown: their table, or one of them.
    Routes,
    /// Environments are shown: their table, or one of them.
    Environments,
}

/// Flags of which at most one holds at a time: what is shown is one table, page or tab, and what is selected is one thing.
const APART: [&[Flag]; 2] = [
    &[
        Flag::Applications,
        Flag::Drivers,
        Flag::Operations,
        Flag::Backups,
        Flag::Routes,
        Flag::Environments,
        Flag::Logs,
        Flag::History,
        Flag::Output,
    ],
    // backups are selected in their own view, and on a tab of their application
    &[
        Flag::Backup,
        Flag::Schedule,
        Flag::Location,
        Flag::Applications,
        Flag::Drivers,
        Flag::Operations,
        Flag::Routes,
        Flag::Environments,
        Flag::Logs,
        Flag::History,
        Flag::Output,
    ],
];

impl Flag {
    const ALL: [(Self, &str); 28] = [
        (Self::Row, "row"),
        (Self::Applications, "applications"),
        (Self::Logs, "logs"),
        (Self::Plan, "plan"),
        (Self::Failed, "failed"),
        (Self::Form, "form"),
        (Self::NotInstalled, "not-installed"),
        (Self::Url, "url"),
        (Self::Operations, "operations"),
        (Self::Busy, "busy"),
        (Self::Asking, "asking"),
        (Self::History, "history"),
        (Self::Subject, "subject"),
        (Self::Drifted, "drifted"),
        (Self::Earlier, "earlier"),
        (Self::Stopped, "stopped"),
        (Self::Contested, "contested"),
        (Self::Differences, "differences"),
        (Self::Drivers, "drivers"),
        (Self::Output, "output"),
        (Self::Actions, "actions"),
        (Self::Ran, "ran"),
        (Self::Backups, "backups"),
        (Self::Backup, "backup"),
        (Self::Schedule, "schedule"),
        (Self::Location, "location"),
        (Self::Routes, "routes"),
        (Self::Environments, "environments"),
    ];

    /// The word that keymap files use.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(flag, _)| *flag == self).map_or("", |(_, name)| name)
    }

    /// Every word that keymap files may use.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, name)| *name)
    }

    /// Those that never hold together with some others.
    #[cfg(test)]
    pub fn apart() -> impl Iterator<Item = Self> {
        APART.into_iter().flatten().copied()
    }

    /// Whether the two never hold together.
    fn excludes(self, other: Self) -> bool {
        self != other && APART.iter().any(|group| group.contains(&self) && group.contains(&other))
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(flag, _)| *flag)
    }
}

/// The facts that hold at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(Vec<Flag>);

impl Flags {
    /// Adds `flag` when `holds`.
    pub fn set(&mut self, flag: Flag, holds: bool) {
        if holds && !self.has(flag) {
            self.0.push(flag);
        }
    }

    /// Whether `flag` holds.
    pub fn has(&self, flag: Flag) -> bool {
        self.0.contains(&flag)
    }

    /// Two that are said never to hold together, and do.
    pub fn contradiction(&self) -> Option<(Flag, Flag)> {
        let pairs = self.0.iter().flat_map(|flag| self.0.iter().map(|other| (*flag, *other)));
        pairs.into_iter().find(|(flag, other)| flag.excludes(*other))
    }
}

/// `logs && !plan`: every term must hold. No terms: always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition(Vec<(Flag, bool)>);

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// With the word that is no flag.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = text.split("&&").map(|term| {
            let term = term.trim();
            let (name, wanted) = term.strip_prefix('!').map_or((term, true), |name| (name.trim(), false));
            Flag::parse(name).map(|flag| (flag, wanted)).ok_or_else(|| name.to_owned())
        });
        terms.collect::<Result<_, _>>().map(Self)
    }

    /// Whether it holds.
    pub fn holds(&self, flags: &Flags) -> bool {
        self.0.iter().all(|(flag, wanted)| flags.has(*flag) == *wanted)
    }

    /// Whether both can hold at once: neither asks for what the other rules out.
    pub fn overlaps(&self, other: &Self) -> bool {
        let clash = |(flag, wanted): &(Flag, bool), (others, theirs): &(Flag, bool)| {
            if flag == others { wanted != theirs } else { *wanted && *theirs && flag.excludes(*others) }
        };
        !self.0.iter().any(|term| other.0.iter().any(|others| clash(term, others)))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (flag, wanted)) in self.0.iter().enumerate() {
            let (and, not) = (if index > 0 { " && " } else { "" }, if *wanted { "" } else { "!" });
            write!(f, "{and}{not}{}", flag.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_and_overlap() {
        let mut flags = Flags::default();
        flags.set(Flag::Logs, true);
        let logs = Condition::parse("logs").unwrap();
        let no_logs = Condition::parse("!logs && row").unwrap();
        assert!(logs.holds(&flags) && !no_logs.holds(&flags));
        assert!(!logs.overlaps(&no_logs));
        assert!(logs.overlaps(&Condition::default()));
        assert_eq!(no_logs.to_string(), "!logs && row");
        assert_eq!(Condition::parse("lgos").unwrap_err(), "lgos");
    }

    #[test]
    fn what_is_never_shown_together_does_not_overlap() {
        let overlap = |one: &str, other: &str| {
            let (one, other) = (Condition::parse(one).unwrap(), Condition::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), other.overlaps(&one));
            one.overlaps(&other)
        };
        assert!(!overlap("row && applications", "row && routes"));
        assert!(!overlap("backup", "schedule") && !overlap("backup", "operations"));
        assert!(overlap("backup", "backups") && overlap("backup", "subject"));
        assert!(overlap("row && routes", "routes") && overlap("routes", "!applications"));
    }

    #[test]
    fn a_contradiction_is_found() {
        let mut flags = Flags::default();
        [Flag::Row, Flag::Backups, Flag::Backup].into_iter().for_each(|flag| flags.set(flag, true));
        assert_eq!(flags.contradiction(), None);
        flags.set(Flag::Location, true);
        assert_eq!(flags.contradiction(), Some((Flag::Backup, Flag::Location)));
    }
}
