//! Everything that a key can do, by name. Help, footer hints, the palette and keymap files all read this table.

/// Where a command is listed in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Views, help, leaving.
    General,
    /// Moving about.
    Movement,
    /// What is done with applications.
    Applications,
    /// What is being done, and was done.
    Operations,
    /// What is kept of applications.
    Backups,
    /// How applications are reached.
    Routes,
    /// The log of a container.
    Logs,
    /// Dialogs and forms.
    Dialogs,
}

impl Group {
    /// Every group, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Applications,
        Self::Backups,
        Self::Routes,
        Self::Operations,
        Self::Logs,
        Self::Movement,
        Self::Dialogs,
        Self::General,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Movement => "Moving",
            Self::Applications => "Applications",
            Self::Operations => "Operations and instances",
            Self::Backups => "Backups",
            Self::Routes => "Routes and environments",
            Self::Logs => "Logs",
            Self::Dialogs => "Dialogs and forms",
        }
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident => $name:literal, $hint:literal, $about:literal, $group:ident;)*) => {
        /// Something that a person can tell the cockpit to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Command { $(#[doc = $about] $variant,)* }

        impl Command {
            /// Every command.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that keymap files and the palette use.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One or two words for the footer.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }

            /// One line for the help.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// Where the help lists it.
            pub fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group,)* }
            }
        }
    };
}

commands! {
    Open => "open", "open", "Open what is selected", Applications;
    NewDeployment => "new-deployment", "deploy", "Deploy an application", Applications;
    Filter => "filter", "filter", "Filter the rows by words and column:value terms", Applications;
    FaultsOnly => "faults-only", "faults", "Show only what has something wrong", Applications;
    Sort => "sort", "sort", "Sort the rows by the next column", Applications;
    CopyUrl => "copy-url", "copy URL", "Copy the URL", Routes;
    ShowQr => "show-qr", "QR code", "Show the URL as a QR code, for a phone", Routes;
    TestRoute => "test-route", "test now", "Test the URL now: its name, connection, certificate, answer", Routes;
    ConfigureEnvironment => "set-environment", "environment", "Change how its environment is reached, and by whom", Routes;
    NewEnvironment => "new-environment", "new environment", "Make an environment, and say how it is reached", Routes;
    RemoveEnvironment => "remove-environment", "remove", "Remove an environment that has no applications any more", Routes;
    ShowItsApplications => "show-its-applications", "applications", "Show the applications of the environment", Routes;
    CopyName => "copy-name", "copy name", "Copy the name of what is selected", Applications;
    ShowOverview => "show-overview", "overview", "Show components, routes and conditions", Applications;
    ShowEvents => "show-events", "events", "Show the events of its objects", Applications;
    ShowLogs => "show-logs", "logs", "Follow the log of a container", Applications;
    ShowObjects => "show-objects", "objects", "Show the objects of its inventory", Applications;
    ShowHistory => "show-history", "history", "Show its instances, and how they differ", Applications;
    ShowDrift => "show-drift", "drift", "Show what somebody else changed about it", Applications;
    ShowActions => "show-actions", "actions", "Show the actions of its driver, and how each went", Applications;
    Act => "act", "run action", "Run an action of its driver", Applications;
    RunAgain => "run-again", "run again", "Run the action again with the answers of its last run", Operations;
    CompareVersions => "compare-versions", "compare", "Compare a driver version with the one before it, or those that are marked", Applications;
    Install => "install", "install", "Plan the installation of Styrmin on this cluster", Applications;
    Change => "change", "change", "Change it: another version, other parameters", Applications;
    RollBack => "roll-back", "roll back", "Roll it back to the instance before", Applications;
    Restart => "restart", "restart", "Restart it: replace the pods of one component, or of all", Applications;
    Scale => "scale", "scale", "Scale it: another number of pods for a component", Applications;
    Stop => "stop", "stop", "Stop it: no pods, the volumes stay", Applications;
    Start => "start", "start", "Start it again", Applications;
    Correct => "correct", "set right", "Set right what somebody else changed about it", Applications;
    Settle => "settle", "settle", "Settle who has the fields that somebody else owns", Applications;
    CancelOperation => "cancel-operation", "cancel it", "Cancel the operation that is under way", Applications;
    Delete => "delete", "delete", "Delete it, with or without its volumes", Applications;
    ShowItsBackups => "show-its-backups", "backups", "Show its backups, and when the next one is made", Backups;
    BackUp => "back-up", "back up", "Back it up now", Backups;
    Restore => "restore", "restore", "Restore it from a backup, in its place or elsewhere", Backups;
    VerifyBackup => "verify-backup", "verify", "Verify the backup quickly: everything that it names is there", Backups;
    VerifyFully => "verify-fully", "verify fully", "Verify the backup fully: read all of it back and compare it", Backups;
    Drill => "drill", "drill", "Prove that the backup can be restored: restore it somewhere and look whether it works", Backups;
    PinBackup => "pin-backup", "pin", "Pin the backup, so that no retention deletes it; or take the pin away", Backups;
    DeleteBackup => "delete-backup", "delete", "Delete the backup, or those that are marked", Backups;
    BackUpEnvironment => "back-up-environment", "back up all", "Back up all applications of its environment", Backups;
    CloneEnvironment => "clone-environment", "clone", "Make a new environment that equals this one", Backups;
    PauseSchedule => "pause-schedule", "pause", "Pause the schedule, with a reason; or resume it", Backups;
    PreviewRetention => "preview-retention", "what would go", "Show what the schedule's retention would delete, and why", Backups;
    PruneLocation => "prune-location", "prune", "Give back the room in the location that no backup needs", Backups;
    Scope => "scope", "environment", "Show what belongs to one environment after the other, or to all", General;
    Mark => "mark", "mark", "Mark an instance, a driver version or a backup, or take the mark away", Operations;
    AnswerStep => "answer-step", "answer", "Say what became of a step of which nobody else can tell", Operations;
    LogPause => "log-pause", "pause", "Stop following the log or the output, or follow it again", Logs;
    LogWrap => "log-wrap", "wrap", "Wrap long lines, or cut them", Logs;
    LogContainer => "log-container", "container", "Pick the container whose log is shown", Logs;
    Search => "search", "search", "Search the log", Logs;
    NextMatch => "next-match", "next match", "Go to the next match", Logs;
    PreviousMatch => "previous-match", "previous match", "Go to the previous match", Logs;
    Up => "up", "up", "One row up", Movement;
    Down => "down", "down", "One row down", Movement;
    Left => "left", "left", "To the left: scroll, the value before, the button before", Movement;
    Right => "right", "right", "To the right: scroll, the next value, the next button", Movement;
    HalfPageUp => "half-page-up", "half page up", "Half a page up", Movement;
    HalfPageDown => "half-page-down", "half page down", "Half a page down", Movement;
    PageUp => "page-up", "page up", "A page up", Movement;
    PageDown => "page-down", "page down", "A page down", Movement;
    Top => "top", "top", "To the first row", Movement;
    Bottom => "bottom", "bottom", "To the last row; in a log, follow it", Movement;
    Next => "next", "next", "The next tab, field or button", Movement;
    Previous => "previous", "previous", "The tab, field or button before", Movement;
    Accept => "accept", "accept", "Take the value, or press the button that has the focus", Dialogs;
    Confirm => "confirm", "confirm", "Carry out the plan that is shown", Dialogs;
    PlanAgain => "plan-again", "plan again", "Make the plan anew", Dialogs;
    ShowDifferences => "show-differences", "differences", "Show the steps of the plan, or what they change line by line", Dialogs;
    Toggle => "toggle", "toggle", "Switch between yes and no", Dialogs;
    Cancel => "cancel", "cancel", "Close the dialog; nothing is written", Dialogs;
    ShowApplications => "show-applications", "applications", "Show the applications", General;
    ShowDrivers => "show-drivers", "drivers", "Show the drivers that can be deployed", General;
    ShowOperations => "show-operations", "operations", "Show what is being done, and what was done", General;
    ShowBackups => "show-backups", "backups", "Show backups, schedules, locations and the next 24 hours", General;
    ShowRoutes => "show-routes", "routes", "Show every URL: whether it works, how fast, and why not", General;
    ShowEnvironments => "show-environments", "environments", "Show the environments: how each is, how it is reached, and by whom", General;
    TakeOver => "take-over", "take over", "Run the engine in this cockpit: ask the one that runs it to hand it over", General;
    Palette => "palette", "commands", "Find a command, an application or a theme", General;
    ChooseTheme => "choose-theme", "theme", "Choose a theme, with a preview", General;
    Help => "help", "help", "Show the keys that work here", General;
    Redraw => "redraw", "redraw", "Draw the screen anew", General;
    Back => "back", "back", "Close what is on top: message, filter, view", General;
    Quit => "quit", "quit", "Leave the cockpit", General;
}

impl Command {
    /// The command of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|command| command.name() == name)
    }

    /// Whether the palette offers it: moving and answering dialogs make no sense there.
    pub fn in_palette(self) -> bool {
        !matches!(self.group(), Group::Movement | Group::Dialogs)
            && !matches!(self, Self::Palette | Self::Back)
    }

    /// Whether it leads to something being written, directly.
    pub fn writes(self) -> bool {
        matches!(self, Self::Confirm | Self::Accept)
    }
}
