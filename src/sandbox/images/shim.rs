//! Runs a program of the host as a container's process: passes its signals and its exit code on, and dies with the sandbox.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use super::session;

/// Runs `argv` and returns its exit code: 128 + n after signal n, 127 when there is no such program, 126 when it cannot run.
pub(super) async fn run(argv: &[&str]) -> u8 {
    let Some((program, arguments)) = argv.split_first() else {
        super::complain("styrmin image shim: no command");
        return 64;
    };
    let mut command = Command::new(program);
    command.args(arguments);
    run_command(command, program, Signal::TERM).await
}

/// Runs a command as [`run`] does; `stop` is what it gets instead of TERM.
pub(super) async fn run_command(mut command: Command, program: &str, stop: Signal) -> u8 {
    // With a terminal this process leads its session, and the kernel sends what is typed to the program as well.
    let at_terminal = session::is_led_by_this_process();
    let Ok(mut signals) = Signals::new() else { return 70 };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            super::complain(&format!("{program}: {error}"));
            return if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
        }
    };
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    loop {
        tokio::select! {
            status = child.wait() => return status.map_or(70, exit_code),
            _ = signals.terminate.recv() => pass_on(pid, stop),
            _ = signals.interrupt.recv() => if !at_terminal { pass_on(pid, Signal::INT) },
            _ = signals.quit.recv() => if !at_terminal { pass_on(pid, Signal::QUIT) },
            _ = signals.hangup.recv() => {
                if at_terminal {
                    // The first process of a container takes all others with it.
                    session::kill(getpid());
                    return 129;
                }
                pass_on(pid, Signal::HUP);
            }
        }
    }
}

/// The signals that are passed on.
struct Signals {
    terminate: Listener,
    interrupt: Listener,
    quit: Listener,
    hangup: Listener,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

fn pass_on(pid: Option<Pid>, signal: Signal) {
    if let Some(pid) = pid {
        kill_process(pid, signal).ok();
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(255)
}
