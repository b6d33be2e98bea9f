//! A person's home, with drivers in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_styrmin");

/// A home of its own, in which the program is run.
pub struct Home(tempfile::TempDir);

/// What the program answered.
pub struct Answer(Output);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.path("tmp")).unwrap();
        home
    }

    /// A home with a new driver in the directory `wiki`.
    pub fn with_driver() -> Self {
        let home = Self::new();
        home.run(&["new", "wiki"]).good();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What temporary directories there are.
    pub fn temporary(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("driver").args(arguments).current_dir(self.0.path());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.0.path()).env("TMPDIR", self.path("tmp"));
        command
    }

    /// Runs `styrmin driver …` in the home.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        Answer(self.command(arguments).output().unwrap())
    }

    /// Replaces `old`, which must be there, in a file of the driver.
    #[track_caller]
    pub fn edit(&self, file: &str, old: &str, new: &str) {
        edit(&self.path("wiki").join(file), old, new);
    }
}

/// Replaces `old`, which must be there, in a file.
#[track_caller]
pub fn edit(path: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "'{old}' is not in {}:\n{text}", path.display());
    fs::write(path, text.replace(old, new)).unwrap();
}

impl Answer {
    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// The exit code, standard output and standard error.
    pub fn parts(self) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.0;
        (status.code().unwrap_or(-1), Self::text(&stdout), Self::text(&stderr))
    }

    /// Standard output of a success.
    #[track_caller]
    pub fn good(self) -> String {
        let (code, stdout, stderr) = self.parts();
        assert_eq!(code, 0, "{stdout}{stderr}");
        stdout
    }

    /// Standard output of a success, as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    /// Standard output, as JSON, of an answer that something is wrong.
    #[track_caller]
    pub fn bad_json(self) -> Value {
        let (code, stdout, stderr) = self.parts();
        assert_eq!(code, 1, "{stdout}{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// Standard error of a refusal, which has every one of these parts.
    #[track_caller]
    pub fn refused(self, parts: &[&str]) {
        let (code, stdout, stderr) = self.parts();
        assert_eq!(code, 1, "{stdout}{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "'{part}' is not in:\n{stderr}");
        }
    }
}
