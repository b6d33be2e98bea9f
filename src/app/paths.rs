//! Where files lie: the state directory and the configuration directory, by XDG's rules or by the command line.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::domain::Problem;

/// The directories of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Records, the sandbox's objects and volumes, crash recordings: `$XDG_STATE_HOME/styrmin`.
    pub state: PathBuf,
    /// `themes/`, `keymaps/`, `drivers/`: `$XDG_CONFIG_HOME/styrmin`.
    pub config: PathBuf,
}

impl Paths {
    /// The person's directories; `state` and `config` override them.
    ///
    /// # Errors
    /// When the home directory cannot be found and nothing overrides it.
    pub fn resolve(state: Option<&Path>, config: Option<&Path>) -> Result<Self, Problem> {
        if let (Some(state), Some(config)) = (state, config) {
            return Ok(Self { state: state.to_owned(), config: config.to_owned() });
        }
        let base = etcetera::choose_base_strategy().map_err(|error| {
            Problem::new(
                "The home directory cannot be found",
                error.to_string(),
                "set HOME, or name the directories with --state-dir and --config-dir",
            )
        })?;
        let default_state = base.state_dir().unwrap_or_else(|| base.data_dir()).join("styrmin");
        Ok(Self {
            state: state.map_or(default_state, Path::to_owned),
            config: config.map_or_else(|| base.config_dir().join("styrmin"), Path::to_owned),
        })
    }

    /// Makes the state directory, for its owner only.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_state(&self) -> Result<(), Problem> {
        use std::os::unix::fs::DirBuilderExt;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.state);
        made.map_err(|error| {
            Problem::new(
                format!("The state directory {} cannot be used", self.state.display()),
                error.to_string(),
                "make it writable for you, or name another one with --state-dir",
            )
        })
    }

    /// The embedded cluster's directory.
    pub fn sandbox(&self) -> PathBuf {
        self.state.join("sandbox")
    }

    /// Charts that were fetched, and repositories while they are read: all of it can be fetched again.
    pub fn cache(&self) -> PathBuf {
        self.state.join("cache")
    }

    /// Where a crash leaves the last events.
    pub fn recordings(&self) -> PathBuf {
        self.state.join("recordings")
    }
}
