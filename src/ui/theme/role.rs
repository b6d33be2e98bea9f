//! What a colour is for.

/// A meaning on the screen. Themes give styles to roles; widgets ask for roles and never for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The screen itself: its background, and text that says nothing else.
    Base,
    /// Ordinary text.
    Text,
    /// What matters less.
    Muted,
    /// The product's colour: what is current.
    Accent,
    /// Names and headings.
    Title,
    /// Section headings inside a page.
    Section,
    /// Lines and frames.
    Border,
    /// The frame of what has the focus.
    BorderFocus,
    /// The bar at the top.
    Bar,
    /// The chip that names the cluster.
    Cluster,
    /// The line of key hints at the bottom.
    Footer,
    /// A key that can be pressed.
    Key,
    /// What a key does.
    KeyHint,
    /// The heads of columns.
    TableHead,
    /// The selected row.
    Selection,
    /// The mark before the selected row.
    SelectionMark,
    /// Text that matched a filter or a search.
    Match,
    /// A tab that is not shown.
    Tab,
    /// The tab that is shown.
    TabActive,
    /// As desired, and working.
    Ok,
    /// Worth a look.
    Warn,
    /// Failed.
    Fail,
    /// On its way.
    Progress,
    /// Stopped or paused on purpose.
    Idle,
    /// Cannot be told.
    Unknown,
    /// An address that can be opened or copied.
    Url,
    /// The background of dialogs and overlays.
    Dialog,
    /// The heading of a dialog.
    DialogTitle,
    /// A button.
    Button,
    /// The button that Enter presses.
    ButtonFocus,
    /// A text field.
    Input,
    /// The text field that is being edited.
    InputFocus,
    /// The text cursor.
    Cursor,
    /// What stands in an empty field.
    Placeholder,
    /// A log line.
    Log,
    /// Time stamps and other fringe of a log line.
    LogFringe,
    /// A message that came up.
    Toast,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 37] = [
        Self::Base,
        Self::Text,
        Self::Muted,
        Self::Accent,
        Self::Title,
        Self::Section,
        Self::Border,
        Self::BorderFocus,
        Self::Bar,
        Self::Cluster,
        Self::Footer,
        Self::Key,
        Self::KeyHint,
        Self::TableHead,
        Self::Selection,
        Self::SelectionMark,
        Self::Match,
        Self::Tab,
        Self::TabActive,
        Self::Ok,
        Self::Warn,
        Self::Fail,
        Self::Progress,
        Self::Idle,
        Self::Unknown,
        Self::Url,
        Self::Dialog,
        Self::DialogTitle,
        Self::Button,
        Self::ButtonFocus,
        Self::Input,
        Self::InputFocus,
        Self::Cursor,
        Self::Placeholder,
        Self::Log,
        Self::LogFringe,
        Self::Toast,
    ];

    /// The name that theme files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Accent => "accent",
            Self::Title => "title",
            Self::Section => "section",
            Self::Border => "border",
            Self::BorderFocus => "border-focus",
            Self::Bar => "bar",
            Self::Cluster => "cluster",
            Self::Footer => "footer",
            Self::Key => "key",
            Self::KeyHint => "key-hint",
            Self::TableHead => "table-head",
            Self::Selection => "selection",
            Self::SelectionMark => "selection-mark",
            Self::Match => "match",
            Self::Tab => "tab",
            Self::TabActive => "tab-active",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Progress => "progress",
            Self::Idle => "idle",
            Self::Unknown => "unknown",
            Self::Url => "url",
            Self::Dialog => "dialog",
            Self::DialogTitle => "dialog-title",
            Self::Button => "button",
            Self::ButtonFocus => "button-focus",
            Self::Input => "input",
            Self::InputFocus => "input-focus",
            Self::Cursor => "cursor",
            Self::Placeholder => "placeholder",
            Self::Log => "log",
            Self::LogFringe => "log-fringe",
            Self::Toast => "toast",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role whose style is taken when a theme says nothing about this one. The chains end at [`Role::Text`].
    pub fn fallback(self) -> Option<Self> {
        Some(match self {
            Self::Base | Self::Text => return None,
            Self::Section | Self::DialogTitle => Self::Title,
            Self::BorderFocus | Self::SelectionMark | Self::TabActive | Self::Key => Self::Accent,
            Self::Footer | Self::Toast => Self::Bar,
            Self::Cluster => Self::TabActive,
            Self::KeyHint
            | Self::TableHead
            | Self::Tab
            | Self::Idle
            | Self::LogFringe
            | Self::Placeholder => Self::Muted,
            Self::Border => Self::Muted,
            Self::Url => Self::Accent,
            Self::ButtonFocus | Self::Match => Self::Selection,
            Self::InputFocus => Self::Input,
            _ => Self::Text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_of_its_own_and_a_chain_that_ends() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
            let mut steps = 0;
            let mut at = role;
            while let Some(next) = at.fallback() {
                at = next;
                steps += 1;
                assert!(steps < 6, "{role:?}");
            }
            assert!(matches!(at, Role::Text | Role::Base));
        }
    }
}
