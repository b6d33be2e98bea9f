//! `spec.actions[]`: code of the driver that runs at hooks, or when a person asks for it.

use serde::{Deserialize, Serialize};

use super::ParameterSpec;
use crate::domain::plan::Policy;

/// `actions[]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionSpec {
    /// Its name.
    pub name: String,
    /// The hook that it runs at; none for a manual action.
    pub hook: Option<Hook>,
    /// When at the hook; none: [`Mode::Core`].
    pub mode: Option<Mode>,
    /// `file::function`.
    pub location: String,
    /// For people.
    pub description: String,
    /// What is asked before it runs: typed as parameters are.
    pub prompts: Vec<ParameterSpec>,
    /// Actions of the same hook and mode that must have ended before.
    pub after: Vec<String>,
    /// How long it may take with all its tries, in seconds; none: what the step's kind takes.
    pub timeout: Option<u32>,
    /// How often it is tried again when it fails.
    pub retries: u32,
    /// What its failure means.
    pub on_failure: OnFailure,
    /// What is done when a crash leaves open whether it ran; none: it is replayed from its journal.
    pub policy: Option<Policy>,
}

impl ActionSpec {
    /// The file of its function, by its path in the driver.
    pub fn file(&self) -> &str {
        self.location.split_once("::").map_or(self.location.as_str(), |(file, _)| file)
    }

    /// The name of its function.
    pub fn function(&self) -> &str {
        self.location.split_once("::").map_or("main", |(_, function)| function)
    }
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$doc])* $variant),+
        }

        impl $name {
            /// The words of the driver file, in the order of the variants.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word of the driver file.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The one of that word.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(
    /// The moment in a deployment's life at which an action runs.
    Hook {
        /// The first creation.
        Setup = "setup",
        /// A new version of the application or of the driver.
        Upgrade = "upgrade",
        /// Everything is scaled to zero.
        Stop = "stop",
        /// It runs again.
        Start = "start",
        /// A backup is made.
        Backup = "backup",
        /// A backup is restored.
        Restore = "restore",
        /// It is taken away.
        Delete = "delete",
    }
);

words!(
    /// Where in its hook an action runs. The order is strict: `post` only after the core succeeded.
    Mode {
        /// Before the main event.
        Pre = "pre",
        /// Beside the main event.
        Core = "core",
        /// After it succeeded.
        Post = "post",
        /// After it failed.
        Failed = "failed",
        /// At the end, however it ended.
        Finally = "finally",
    }
);

words!(
    /// What the failure of an action means for the operation.
    #[derive(Default)]
    OnFailure {
        /// The operation fails.
        #[default]
        Stop = "stop",
        /// It is told, and the operation goes on.
        Warn = "warn",
    }
);
