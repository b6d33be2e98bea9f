//! The scripts in the shells of this machine.

use std::io::Write;
use std::process::{Command as Program, Output, Stdio};

use super::*;

fn command(argv: &[&str]) -> Command {
    Command::new(argv.iter().copied())
}

/// Runs a wrapped command here, in each shell that there is, and checks that all answer the same.
fn run(command: &Command, input: Input, own: &[u8]) -> (Output, String) {
    let shells: [&[&str]; 4] = [&["sh"], &["bash", "--posix"], &["dash"], &["busybox", "sh"]];
    let mut answers = Vec::new();
    for shell in shells {
        let argv = wrap(command, input);
        let mut program = Program::new(shell[0]);
        program.args(&shell[1..]).args(&argv[1..]).env("_styrmin_v", "from the container");
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = program.spawn() else { continue };
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&[&header(command)[..], own].concat()).ok();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let mut marker = Marker::default();
        let rest = marker.take(&output.stderr);
        let rest = String::from_utf8([rest, marker.end()].concat()).unwrap();
        answers.push((shell, output, rest, marker.mark().unwrap()));
    }
    let (_, first, rest, _) = answers[0].clone();
    for (shell, output, ..) in &answers {
        assert_eq!((&output.stdout, output.status), (&first.stdout, first.status), "{shell:?}");
    }
    (first, rest)
}

#[test]
fn values_reach_the_command_whatever_they_hold() {
    let values =
        ["", " two words ", "a'b\"c`d$e\\f", "two\nlines", "\n\nends with lines\n\n", "ü=;&|*", "x y\t"];
    for value in values {
        let mut printing = command(&["sh", "-c", "printf '%s.' \"$VALUE\""]);
        printing.env = vec![("VALUE".into(), value.into()), ("LAST".into(), "1".into())];
        for input in [Input::None, Input::UntilClosed, Input::Counted(0)] {
            let (output, _) = run(&printing, input, b"");
            assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{value}."), "{input:?}");
        }
    }
}

#[test]
fn the_script_leaves_no_variable_and_no_word_of_its_own() {
    // a shell that got one of these from the container could not tell its own from it: it is gone
    let (output, rest) = run(&command(&["sh", "-c", "env | grep _styrmin; echo own >&2"]), Input::None, b"");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    assert_eq!(rest, "own\n");
}

#[test]
fn what_follows_the_variables_is_the_input() {
    let mut reading = command(&["cat"]);
    reading.env = vec![("A".into(), "1\n2".into())];
    let own = b". \nB 1\nbytes \x00\xff\n";
    for input in [Input::UntilClosed, Input::Counted(own.len() as u64)] {
        assert_eq!(run(&reading, input, own).0.stdout, own, "{input:?}");
    }
    assert_eq!(run(&reading, Input::Counted(5), own).0.stdout, own[..5]);
    assert_eq!(run(&reading, Input::None, own).0.stdout, b"");
}

#[test]
fn exit_codes_and_the_directory_are_the_commands() {
    let mut away = command(&["sh", "-c", "pwd -P; exit 7"]);
    away.cwd = Some("/usr".into());
    for input in [Input::None, Input::UntilClosed, Input::Counted(0)] {
        let (output, _) = run(&away, input, b"");
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"/usr\n"[..], Some(7)), "{input:?}");
    }
    let missing = run(&command(&["no-such-program"]), Input::None, b"").0;
    assert_eq!(missing.status.code(), Some(127));
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let mut lost = command(&["true"]);
    lost.cwd = Some("/no/such".into());
    let output = run(&lost, Input::None, b"").0;
    let mut marker = Marker::default();
    assert_eq!(marker.take(&output.stderr), b"");
    assert_eq!(marker.mark(), Some(Mark::NoDirectory));
}

#[test]
fn half_a_header_runs_nothing() {
    let mut program = Program::new("sh");
    program.args(&wrap(&command(&["echo", "ran"]), Input::None)[1..]);
    for begun in ["", "A 1\n", "A 2\nx\n", "A 1\nx\n"] {
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        child.stdin.take().unwrap().write_all(begun.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b""[..], Some(125)), "{begun:?}");
    }
}

#[test]
fn a_mark_is_found_however_it_is_cut() {
    let text = b"styrmin-process 4711\nstyrmin-process 1\nrest";
    for cut in 0..text.len() {
        let mut marker = Marker::default();
        let own = [marker.take(&text[..cut]), marker.take(&text[cut..]), marker.end()].concat();
        assert_eq!(own, b"styrmin-process 1\nrest", "{cut}");
        assert_eq!(marker.mark(), Some(Mark::Process(4711)));
    }
    for other in ["sh: not found\n", "styrmin-process x\n", "styrmin", &"x".repeat(500)] {
        let mut marker = Marker::default();
        let own = [marker.take(other.as_bytes()), marker.end()].concat();
        assert_eq!((own.as_slice(), marker.mark()), (other.as_bytes(), Some(Mark::Absent)));
    }
}

#[test]
fn what_no_command_can_have_is_refused() {
    assert!(check(&command(&[])).is_err() && check(&command(&["a\0"])).is_err());
    for (name, value) in [("", "x"), ("A.B", "x"), ("1A", "x"), ("A=B", "x"), ("A", "\0")] {
        let mut bad = command(&["true"]);
        bad.env = vec![(name.into(), value.into())];
        assert!(check(&bad).is_err(), "{name:?}");
    }
    assert!(check(&command(&["true"])).is_ok());
}

#[test]
fn secrets_are_on_no_command_line_and_in_no_debug_text() {
    let mut secret = command(&["true"]);
    secret.env = vec![("PASSWORD".into(), "hunter2".into())];
    secret.stdin = Some(b"hunter2".to_vec());
    for input in [Input::None, Input::UntilClosed, Input::Counted(7)] {
        assert!(!wrap(&secret, input).concat().contains("hunter2"));
    }
    assert!(!format!("{secret:?}").contains("hunter2"));
}
