//! Secrets: from a terminal without an echo, from standard input, or from a file. Never from the command line.

use std::fs;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::{Refusal, usage};
use crate::domain::{Problem, SecretText, TypedSecrets};

/// The most bytes of one secret that are read.
const MOST: u64 = 1 << 20;

/// Reads the secrets that are named; none when the person pressed ctrl-c.
///
/// # Errors
/// A file cannot be read, or standard input has fewer lines than secrets.
pub fn read(names: &[String], files: &[(String, PathBuf)]) -> Result<Option<TypedSecrets>, Refusal> {
    let mut typed = TypedSecrets::new();
    for (name, path) in files {
        let text = read_file(path).map_err(|error| {
            let what = format!("The secret {name} cannot be read from {}", path.display());
            usage(what, error.to_string(), "name a text file that you can read")
        })?;
        typed.insert(name.clone(), SecretText::new(text));
    }
    let terminal = std::io::stdin().is_terminal();
    for name in names {
        let text = match terminal {
            true => ask(name)?,
            false => Some(next_line(name)?),
        };
        match text {
            Some(text) => drop(typed.insert(name.clone(), text)),
            None => return Ok(None),
        }
    }
    Ok(Some(typed))
}

/// The text of a file without the line break at its end, which editors put there.
fn read_file(path: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MOST).read_to_string(&mut text)?;
    Ok(without_break(text))
}

fn without_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// One line of standard input per secret, in the order of the command line.
fn next_line(name: &str) -> Result<SecretText, Refusal> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(MOST).read_line(&mut line);
    match read {
        Ok(0) => Err(usage(
            format!("The secret {name} is missing"),
            "standard input has ended",
            "give one line per --secret, in their order",
        )),
        Ok(_) => Ok(SecretText::new(without_break(line))),
        Err(error) => Err(cannot_read(name, &error).into()),
    }
}

fn cannot_read(name: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("The secret {name} cannot be read"), error.to_string(), "give it as --secret-file")
}

/// Asks on the terminal. None: ctrl-c, or the terminal is gone.
fn ask(name: &str) -> Result<Option<SecretText>, Refusal> {
    let silent = Silent::new().map_err(|error| cannot_read(name, &error))?;
    let mut told = std::io::stderr().lock();
    // a closed standard error leaves nobody to tell
    let _ = write!(told, "{name} (not shown): ").and_then(|()| told.flush());
    let text = typed_line(std::io::stdin().lock().bytes());
    drop(silent);
    let _ = writeln!(told);
    text.map_err(|error| cannot_read(name, &error).into())
}

/// What is typed until enter, with backspace as everybody expects it. None: ctrl-c or ctrl-d.
fn typed_line(
    bytes: impl Iterator<Item = std::io::Result<u8>>,
) -> Result<Option<SecretText>, std::io::Error> {
    let mut text: Vec<u8> = Vec::new();
    for byte in bytes {
        match byte? {
            b'\r' | b'\n' => {
                let text = String::from_utf8(text).map_err(|_| {
                    std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no text in UTF-8")
                })?;
                return Ok(Some(SecretText::new(text)));
            }
            0x03 | 0x04 => return Ok(None),
            0x08 | 0x7f => while text.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            0x15 => text.clear(),
            other => text.push(other),
        }
    }
    Ok(None)
}

/// A terminal that shows nothing of what is typed; as it was again when it is dropped. Ctrl-c comes as a byte: a signal would end
/// the program and leave the terminal silent.
struct Silent(Termios);

impl Silent {
    fn new() -> std::io::Result<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&stdin, OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // the terminal is gone: nobody types there any more
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Option<String> {
        let text = typed_line(bytes.iter().map(|byte| Ok(*byte))).unwrap();
        text.map(|text| text.reveal().to_owned())
    }

    #[test]
    fn a_line_is_typed_with_backspace_and_ended_by_enter() {
        assert_eq!(typed(b"hunter2\rrest").as_deref(), Some("hunter2"));
        assert_eq!(typed(b"ab\x7fc\n").as_deref(), Some("ac"));
        assert_eq!(
            typed("aé\u{7f}b\n".as_bytes()).as_deref(),
            Some("ab"),
            "a letter of two bytes goes at once"
        );
        assert_eq!(typed(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(typed(b"abc\x03\n"), None);
        assert_eq!(typed(b"abc"), None, "the terminal is gone");
        assert!(typed_line([Ok(0xff), Ok(b'\n')].into_iter()).is_err());
    }

    #[test]
    fn a_file_loses_one_line_break_at_its_end() {
        let of = |text: &str| without_break(text.to_owned());
        assert_eq!(
            (of("a\n"), of("a\r\n"), of("a\n\n"), of("a b")),
            ("a".into(), "a".into(), "a\n".into(), "a b".into())
        );
    }
}
