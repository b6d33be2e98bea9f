//! `styrmin driver …`: the tools for those who write drivers, and the drivers that can be deployed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::app::drivers::{Source, Toolbox};
use crate::domain::Problem;
use crate::domain::diff::yaml;
use crate::domain::text::plain;

mod findings;
mod lint;
mod list;
mod load;
mod new;
mod render;
mod test;

/// Arguments of `driver`.
#[derive(Debug, Args)]
pub struct DriverArguments {
    /// What to do.
    #[command(subcommand)]
    verb: DriverVerb,
}

/// What can be done with drivers.
#[derive(Debug, Subcommand)]
enum DriverVerb {
    /// Write the files of a new driver: small, whole, and sound
    New(new::NewArguments),
    /// Find everything that is wrong with a driver
    ///
    /// Its files are checked, and it is rendered with the defaults of its parameters in every version of the application
    /// that it knows. The exit code is 1 when something is wrong; warnings do not count.
    Lint(lint::LintArguments),
    /// Show what a driver renders: context in, objects out; or how that differs from another version
    Render(Box<render::RenderArguments>),
    /// Deploy a driver to a sandbox of its own, and look whether it works
    ///
    /// It passes when its deployment succeeds, every component is healthy, and the URL of every external service answers. A
    /// URL without a process behind it is not asked: the sandbox runs few images, and simulates the others. The sandbox is
    /// gone afterwards. The exit code is 1 when the driver does not pass.
    Test(test::TestArguments),
    /// Record a driver: the cockpits of the state directory offer it from then on
    ///
    /// A version that is recorded never changes: the same content again is a no-op, another content is refused. A git
    /// source is pinned to the commit.
    Load(load::LoadArguments),
    /// List the drivers that can be deployed
    List(list::ListArguments),
}

/// Where a driver is.
#[derive(Debug, Args)]
struct Place {
    /// A directory, or a git repository: https://host/team/drivers.git//wiki@v1.2, git@host:wiki.git, git+/srv/wiki.git
    ///
    /// What stands after // is the driver's directory in the repository, what stands after @ a branch, a tag or a commit.
    /// Private repositories are reached as git reaches them: with your credential helper or your ssh agent.
    #[arg(value_name = "DIR|GIT")]
    source: String,
    /// The branch, tag or commit of a git repository
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
}

impl Place {
    fn source(&self) -> Result<Source, Problem> {
        Source::parse(&self.source, self.reference.as_deref())
    }
}

/// Where the records are.
#[derive(Debug, Args)]
struct State {
    /// Where records are kept [default: $XDG_STATE_HOME/styrmin]
    #[arg(long, value_name = "DIR", env = "STYRMIN_STATE_DIR")]
    state_dir: Option<PathBuf>,
}

/// Which driver, and where what is known of it is.
#[derive(Debug, Args)]
struct Subject {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    state: State,
}

impl Subject {
    fn open(&self) -> Result<(Source, Toolbox), Problem> {
        Ok((self.place.source()?, Toolbox::new(self.state.state_dir.as_deref())?))
    }
}

/// What a driver is tried with.
#[derive(Debug, Args)]
struct Choices {
    /// The value of a parameter (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    /// The application's version [default: the driver's default]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

impl Choices {
    fn parameters(&self) -> BTreeMap<String, Value> {
        self.parameters.iter().cloned().collect()
    }
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs and people
    Yaml,
}

/// The form of an answer.
#[derive(Debug, Args)]
struct Output {
    /// The form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    form: Form,
}

impl Output {
    /// Prints an answer in the form that was asked for.
    fn print(&self, value: &Value, text: impl FnOnce() -> String) -> Result<(), Problem> {
        match self.form {
            Form::Text => say(&text()),
            Form::Json => say(&format!("{value:#}\n")),
            Form::Yaml => say(&document(value)),
        }
    }
}

/// Does what was asked for. Whether all is well: what is not was told.
///
/// # Errors
/// When it cannot be done.
pub fn run(arguments: DriverArguments) -> Result<bool, Problem> {
    match arguments.verb {
        DriverVerb::New(arguments) => new::run(&arguments),
        DriverVerb::Lint(arguments) => lint::run(&arguments),
        DriverVerb::Render(arguments) => render::run(&arguments),
        DriverVerb::Test(arguments) => test::run(&arguments),
        DriverVerb::Load(arguments) => load::run(&arguments),
        DriverVerb::List(arguments) => list::run(&arguments),
    }
}

/// A value as YAML, with a line break at its end.
pub(super) fn document(value: &Value) -> String {
    format!("{}\n", yaml(value).trim_end())
}

/// Writes to standard output.
pub(super) fn say(text: &str) -> Result<(), Problem> {
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(|error| {
        Problem::new("The answer cannot be printed", error.to_string(), "give it an open standard output")
    })
}

/// Writes a line to standard error, for people: what is not the answer itself.
pub(super) fn remark(line: &str) {
    // a closed standard error leaves nobody to tell
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(line));
}

/// The text without what a terminal would take for orders: drivers are written by others.
pub(super) fn printable(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// Columns as wide as their widest entry, two blanks between them, no blanks at the end of a line.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        printable(cells.collect::<Vec<_>>().join("  ").trim_end()) + "\n"
    };
    rows.iter().map(line).collect()
}

/// `NAME=VALUE`, for a parameter.
pub(super) fn parameter(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), Value::from(value))),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
