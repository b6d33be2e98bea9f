//! The shell lines in front of a command, and those that stop it. POSIX and the shell's own built-ins, except where said.
//!
//! What is secret goes through standard input: a command line can be read by everybody who shares the machine.
//!
//! ```text
//! standard input   NAME 2        a variable whose value has two lines
//!                  first line
//!                  second line
//!                  .             the end of the variables
//!                  …             the command's own input
//! standard error   styrmin-process 4711
//!                  …             the command's own
//! ```

use super::Command;

/// Begins the first line on standard error.
pub(super) const MARK: &str = "styrmin-process ";
/// The first line on standard error when there is no such directory.
pub(super) const NO_DIRECTORY: &str = "styrmin-no-directory";

/// Reads the variables, changes the directory (`$1`, unless empty), tells its process id. Its own variables must not be among those of
/// the container.
const HEAD: &str = r#"while IFS=' ' read -r _styrmin_n _styrmin_c && [ "$_styrmin_n" != . ]; do
  IFS= read -r _styrmin_v || exit 125
  while [ "$_styrmin_c" -gt 1 ]; do
    IFS= read -r _styrmin_l || exit 125
    _styrmin_v="$_styrmin_v
$_styrmin_l"
    _styrmin_c=$((_styrmin_c - 1))
  done
  export "$_styrmin_n=$_styrmin_v" || exit 125
done
[ "$_styrmin_n" = . ] || exit 125
unset _styrmin_n _styrmin_c _styrmin_v _styrmin_l
if [ -n "$1" ]; then
  CDPATH= cd -- "$1" >/dev/null 2>&1 || { echo styrmin-no-directory >&2; exit 126; }
fi
shift
"#;

/// The command has no input.
const WITHOUT_INPUT: &str = r#"echo "styrmin-process $$" >&2
exec "$@" </dev/null
"#;

/// The rest of standard input is the command's.
const WITH_INPUT: &str = r#"echo "styrmin-process $$" >&2
exec "$@"
"#;

/// So many bytes (`$1`) of standard input are the command's: the server cannot tell where it ends. Needs `head`.
const WITH_COUNTED_INPUT: &str = r#"_styrmin_n=$1
shift
head -c "$_styrmin_n" | sh -c 'unset _styrmin_n; echo "styrmin-process $$" >&2; exec "$@"' sh "$@"
"#;

/// Sends a signal (`$1`) to a process (`$2`) and its group. A container runtime makes it the leader of its group. Where its parent is
/// that, the parent passes signals on, and must not get this one as well.
const STOP: &str = r#"family() {
  IFS= read -r line <"/proc/$1/stat" || return 1
  line=${line##*) }; line=${line#* }; parent=${line%% *}; line=${line#* }; group=${line%% *}
}
signal=$1 process=$2
if { family "$process"; } 2>/dev/null && [ "$group" != "$process" ]; then
  if [ "$parent" = "$group" ]; then
    all=$group
    for entry in /proc/[0-9]*; do
      one=${entry#/proc/}
      if { family "$one"; } 2>/dev/null && [ "$group" = "$all" ] && [ "$one" != "$all" ]; then
        kill -s "$signal" "$one" 2>/dev/null
      fi
    done
    exit 0
  fi
  kill -s "$signal" "$process"
else
  kill -s "$signal" -- "-$process" 2>/dev/null || kill -s "$signal" "$process"
fi
"#;

/// How a command gets its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// It has none.
    None,
    /// Until standard input is closed.
    UntilClosed,
    /// So many bytes.
    Counted(u64),
}

/// The command that runs another one with its environment, in its directory.
pub(super) fn wrap(command: &Command, input: Input) -> Vec<String> {
    let tail = match input {
        Input::None => WITHOUT_INPUT,
        Input::UntilClosed => WITH_INPUT,
        Input::Counted(_) => WITH_COUNTED_INPUT,
    };
    let directory = command.cwd.clone().unwrap_or_default();
    let mut argv =
        vec!["sh".to_owned(), "-c".to_owned(), format!("{HEAD}{tail}"), "sh".to_owned(), directory];
    if let Input::Counted(count) = input {
        argv.push(count.to_string());
    }
    argv.extend(command.argv.iter().cloned());
    argv
}

/// The command that sends a signal to a process of [`wrap`].
pub(super) fn stop(signal: &str, process: u32) -> Vec<String> {
    ["sh", "-c", STOP, "sh", signal, &process.to_string()].map(str::to_owned).to_vec()
}

/// What the script reads before the command's own input.
pub(super) fn header(command: &Command) -> Vec<u8> {
    let mut header = Vec::new();
    for (name, value) in &command.env {
        let lines = value.split('\n').count();
        header.extend_from_slice(format!("{name} {lines}\n{value}\n").as_bytes());
    }
    header.extend_from_slice(b".\n");
    header
}

/// What cannot be given to a command.
pub(super) fn check(command: &Command) -> Result<(), String> {
    if command.argv.first().is_none_or(String::is_empty) {
        return Err("there is no program to run".to_owned());
    }
    let directory = command.cwd.as_slice();
    if command.argv.iter().chain(directory).any(|word| word.contains('\0')) {
        return Err("a zero byte cannot be part of a command".to_owned());
    }
    for (name, value) in &command.env {
        let good = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if name.is_empty() || !name.chars().all(good) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "'{name}' cannot name a variable: letters, digits and '_' can, not beginning with a digit"
            ));
        }
        if value.contains('\0') {
            return Err(format!("the value of {name} has a zero byte, which no variable can hold"));
        }
    }
    Ok(())
}

/// What the beginning of standard error says, line by line removed from it.
#[derive(Debug, Default)]
pub(super) struct Marker {
    begun: Vec<u8>,
    read: Option<Mark>,
}

/// What the script tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The command runs as this process.
    Process(u32),
    /// The directory does not exist, or cannot be entered.
    NoDirectory,
    /// It is not the script that speaks.
    Absent,
}

impl Marker {
    /// For a command without the script: nothing is removed.
    pub(super) fn absent() -> Self {
        Self { begun: Vec::new(), read: Some(Mark::Absent) }
    }

    /// The script's words, once they are known.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.read
    }

    /// Takes what comes on standard error, and gives what of it is the command's own.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Vec<u8> {
        if self.read.is_some() {
            return chunk.to_vec();
        }
        self.begun.extend_from_slice(chunk);
        let line = self.begun.iter().position(|byte| *byte == b'\n').map(|end| self.begun[..end].to_vec());
        let Some(line) = line else {
            // the longest mark has a process id of ten digits
            return if self.begun.len() > NO_DIRECTORY.len() + MARK.len() { self.end() } else { Vec::new() };
        };
        let text = String::from_utf8_lossy(&line);
        let process = text.strip_prefix(MARK).and_then(|id| id.parse().ok());
        self.read = Some(match process {
            Some(process) => Mark::Process(process),
            None if text == NO_DIRECTORY => Mark::NoDirectory,
            None => return self.end(),
        });
        std::mem::take(&mut self.begun).split_off(line.len() + 1)
    }

    /// Nothing more comes: what was held back is the command's own.
    pub(super) fn end(&mut self) -> Vec<u8> {
        self.read.get_or_insert(Mark::Absent);
        std::mem::take(&mut self.begun)
    }
}

#[cfg(test)]
mod tests;
