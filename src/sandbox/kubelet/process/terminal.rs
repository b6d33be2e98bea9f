//! A pseudo terminal: what a process with `tty` has instead of three pipes.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use pty_process::{OwnedReadPty, OwnedWritePty};
use rustix::io::Errno;
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{Child, Command};

use crate::sandbox::runtime::{Reader, Resize, Writer};

/// What a terminal calls itself when the container's environment does not say: what container runtimes set.
const TERM: &str = "xterm";

/// The sandbox's side of a terminal. When all three parts are dropped, the process is hung up on.
pub(in crate::sandbox::kubelet) struct Terminal {
    /// What the process writes, standard error included.
    pub(in crate::sandbox::kubelet) output: Reader,
    /// What is typed. Its end means nothing: a terminal's end of file is a character.
    pub(in crate::sandbox::kubelet) input: Writer,
    /// Changes its size.
    pub(in crate::sandbox::kubelet) resize: Resize,
}

/// Starts a command as the leader of a session of its own, with the terminal as the session's.
pub(super) fn spawn(mut command: Command) -> io::Result<(Child, Terminal)> {
    if !command.as_std().get_envs().any(|(name, _)| name == "TERM") {
        command.env("TERM", TERM);
    }
    let (pty, pts) = pty_process::open().map_err(plain)?;
    let master: OwnedFd = pty.as_fd().try_clone_to_owned()?;
    let child = pty_process::Command::from(command).spawn(pts).map_err(plain)?;
    let (output, input): (OwnedReadPty, OwnedWritePty) = pty.into_split();
    let resize: Resize = Box::new(move |columns, rows| {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        if let Err(error) = tcsetwinsize(&master, size) {
            tracing::debug!(%error, "a terminal cannot be resized");
        }
    });
    Ok((child, Terminal { output: Box::new(Output(output)), input: Box::new(input), resize }))
}

fn plain(error: pty_process::Error) -> io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
        other => io::Error::other(other),
    }
}

/// A terminal that nobody holds open any more gives an error on Linux: it is the end.
struct Output(OwnedReadPty);

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(context, buffer) {
            Poll::Ready(Err(error)) if Errno::from_io_error(&error) == Some(Errno::IO) => Poll::Ready(Ok(())),
            other => other,
        }
    }
}
