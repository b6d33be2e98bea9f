//! The child's end of the lifeline: when the sandbox is gone, however it went, so is this process and its group.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_current_process_group};

use super::session;

/// The variable that names the sandbox's socket.
pub(crate) const VARIABLE: &str = "STYRMIN_LIFELINE";

/// Connects to the sandbox and stands by. Without the variable (run by hand) it does nothing.
///
/// # Errors
/// When the sandbox is already gone: then this process must not start.
pub(super) fn hold() -> Result<(), String> {
    let Some(path) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let mut line = UnixStream::connect(&path)
        .map_err(|error| format!("the sandbox is gone ({}: {error})", path.to_string_lossy()))?;
    std::thread::Builder::new()
        .name("lifeline".into())
        .spawn(move || {
            let mut byte = [0];
            loop {
                match line.read(&mut byte) {
                    Ok(0) => break,
                    Err(error) if error.kind() != std::io::ErrorKind::Interrupted => break,
                    _ => {}
                }
            }
            if session::is_led_by_this_process() {
                session::kill(getpid());
            }
            kill_current_process_group(Signal::KILL).ok();
            // The group includes this process; should the kill be refused, leave at least.
            std::thread::sleep(Duration::from_millis(100));
            std::process::exit(137);
        })
        .map(drop)
        .map_err(|error| format!("cannot watch the sandbox: {error}"))
}
