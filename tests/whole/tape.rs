//! Runs `demo.tape` (VHS format) in a pseudo-terminal, so that the demo cannot rot. An unknown command fails.
//!
//! Pixels become cells by VHS's own proportions (a cell is 0.6 × 1.2 font sizes). Typing is not slowed down; `Sleep` is for
//! the viewer of the recording and takes no time here: what must have happened is waited for by `Wait`.
//! `Screenshot x.png` writes `x.svg` of the same screen; with `STYRMIN_TAPE_PICTURES` set to where it says, else beside the build.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;

use crate::pty::{PATIENCE, Pty};
use crate::svg;

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Set(String, String),
    Env(String, String),
    Require(String),
    Output,
    Show,
    Type(String),
    Key(Vec<u8>, usize),
    Wait { screen: bool, within: Duration, pattern: String },
    Sleep,
    Screenshot(PathBuf),
}

fn parse(tape: &str) -> Result<Vec<(usize, Step)>, String> {
    let mut steps = Vec::new();
    for (index, line) in tape.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let step = parse_line(line).map_err(|why| format!("line {}: {why}: {line}", index + 1))?;
        steps.push((index + 1, step));
    }
    Ok(steps)
}

fn parse_line(line: &str) -> Result<Step, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let (name, at) = word.split_once('@').map_or((word, None), |(name, at)| (name, Some(at)));
    match name {
        "Set" => pair(rest).map(|(key, value)| Step::Set(key, unquoted(&value))),
        "Env" => pair(rest).map(|(key, value)| Step::Env(key, unquoted(&value))),
        "Require" => Ok(Step::Require(rest.to_owned())),
        "Output" => Ok(Step::Output),
        "Hide" | "Show" => Ok(Step::Show),
        "Type" => Ok(Step::Type(unquoted(rest))),
        "Sleep" => duration(rest).map(|_| Step::Sleep),
        "Screenshot" if rest.ends_with(".png") => Ok(Step::Screenshot(PathBuf::from(rest))),
        "Wait" | "Wait+Screen" | "Wait+Line" => {
            let pattern = rest
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
                .ok_or("a /regex/ is expected")?;
            let within = at.map_or(Ok(Duration::from_secs(15)), duration)?;
            Ok(Step::Wait { screen: name == "Wait+Screen", within, pattern: pattern.to_owned() })
        }
        _ => {
            let bytes = key(name).ok_or("unknown command")?;
            let times = if rest.is_empty() { Ok(1) } else { rest.parse().map_err(|_| "a count is expected") };
            Ok(Step::Key(bytes, times?))
        }
    }
}

fn pair(rest: &str) -> Result<(String, String), String> {
    let (key, value) = rest.split_once(char::is_whitespace).ok_or("a name and a value are expected")?;
    Ok((key.to_owned(), value.trim().to_owned()))
}

fn unquoted(text: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.to_owned()
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..split].parse().map_err(|_| format!("'{text}' is not a duration"))?;
    match &text[split..] {
        "ms" => Ok(Duration::from_secs_f64(number / 1000.0)),
        "s" | "" => Ok(Duration::from_secs_f64(number)),
        "m" => Ok(Duration::from_secs_f64(number * 60.0)),
        unit => Err(format!("'{unit}' is not a unit of time")),
    }
}

fn key(name: &str) -> Option<Vec<u8>> {
    if let Some(letter) = name.strip_prefix("Ctrl+") {
        let byte = *letter.to_ascii_lowercase().as_bytes().first()?;
        return (letter.len() == 1).then(|| vec![byte & 0x1f]);
    }
    if let Some(letter) = name.strip_prefix("Alt+") {
        return Some([b"\x1b", letter.as_bytes()].concat());
    }
    let bytes: &[u8] = match name {
        "Enter" => b"\r",
        "Escape" => b"\x1b",
        "Tab" => b"\t",
        "Shift+Tab" => b"\x1b[Z",
        "Space" => b" ",
        "Backspace" => b"\x7f",
        "Delete" => b"\x1b[3~",
        "Up" => b"\x1b[A",
        "Down" => b"\x1b[B",
        "Right" => b"\x1b[C",
        "Left" => b"\x1b[D",
        "PageUp" => b"\x1b[5~",
        "PageDown" => b"\x1b[6~",
        "Home" => b"\x1b[H",
        "End" => b"\x1b[F",
        _ => return None,
    };
    Some(bytes.to_vec())
}

fn size(steps: &[(usize, Step)]) -> (u16, u16) {
    let setting = |name: &str, default: f64| {
        steps
            .iter()
            .find_map(|(_, step)| match step {
                Step::Set(key, value) if key == name => value.parse().ok(),
                _ => None,
            })
            .unwrap_or(default)
    };
    let (font, padding) = (setting("FontSize", 22.0), setting("Padding", 60.0));
    let cells = |pixels: f64, cell: f64| ((pixels - 2.0 * padding) / cell).floor() as u16;
    (cells(setting("Width", 1200.0), font * 0.6), cells(setting("Height", 600.0), font * 1.2))
}

fn picture(path: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.with_extension("svg");
    match std::env::var_os("STYRMIN_TAPE_PICTURES") {
        Some(_) => root.join(path),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).join(path.file_name().unwrap()),
    }
}

/// The last line that has text: where a prompt stands.
fn last_line(screen: &str) -> &str {
    screen.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("")
}

async fn play(steps: &[(usize, Step)]) {
    let program = Path::new(env!("CARGO_BIN_EXE_styrmin"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let home = tempfile::tempdir().unwrap();
    let mut environment = vec![
        ("PATH", path.as_str()),
        ("HOME", home.path().to_str().unwrap()),
        ("PS1", "> "),
        ("STYRMIN_INGRESS_PORT", "0"),
        ("COLORTERM", "truecolor"),
    ];
    for (_, step) in steps {
        match step {
            Step::Env(name, value) => environment.push((name, value)),
            Step::Require(name) => {
                let found = std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
                assert!(found, "the tape requires {name}");
            }
            _ => {}
        }
    }
    let mut pty = Pty::start("bash", &["--norc", "--noprofile"], &environment, size(steps));
    pty.wait_until("the shell's prompt", PATIENCE, |screen| screen.contains('>')).await;
    for (line, step) in steps {
        match step {
            Step::Type(text) => pty.send(text.as_bytes()).await,
            Step::Key(bytes, times) => pty.send(&bytes.repeat(*times)).await,
            Step::Wait { screen, within, pattern } => {
                let regex = Regex::new(pattern).unwrap_or_else(|error| panic!("line {line}: {error}"));
                let what = format!("line {line}: /{pattern}/");
                // the recording's machine is quick; a loaded test machine gets more time, never less certainty
                pty.wait_until(&what, (*within * 4).max(PATIENCE), |text| {
                    regex.is_match(if *screen { text } else { last_line(text) })
                })
                .await;
            }
            Step::Screenshot(path) => {
                let path = picture(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, svg::render(&pty.screen())).unwrap();
            }
            Step::Set(..) | Step::Env(..) | Step::Require(_) | Step::Output | Step::Show | Step::Sleep => {}
        }
    }
}

#[tokio::test]
async fn the_demo_tape_runs() {
    let tape = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("demo.tape")).unwrap();
    let steps = parse(&tape).unwrap_or_else(|why| panic!("demo.tape: {why}"));
    assert!(steps.iter().any(|(_, step)| matches!(step, Step::Wait { .. })), "the tape waits for nothing");
    play(&steps).await;
}

#[test]
fn an_unknown_command_fails_with_its_line() {
    let refused = parse("Type \"a\"\nDance 3\n").unwrap_err();
    assert!(refused.starts_with("line 2: unknown command"), "{refused}");
    assert!(parse("Wait+Screen Healthy").is_err());
    assert!(parse("Sleep soon").is_err());
}

#[test]
fn commands_are_read() {
    let steps = parse("Set Width 900\nType@50ms `it's`\nCtrl+C\nDown 3\nWait+Screen@5s /a b/\n").unwrap();
    let steps: Vec<Step> = steps.into_iter().map(|(_, step)| step).collect();
    assert_eq!(steps[1], Step::Type("it's".into()));
    assert_eq!(steps[2], Step::Key(vec![3], 1));
    assert_eq!(steps[3], Step::Key(b"\x1b[B".to_vec(), 3));
    assert_eq!(steps[4], Step::Wait { screen: true, within: Duration::from_secs(5), pattern: "a b".into() });
}
