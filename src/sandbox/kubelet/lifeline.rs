//! The sandbox's end of the lifeline: a socket that every process holds a connection to. When this process ends, in
//! whatever way, the kernel closes it, and every child ends itself and its group.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio::task::JoinSet;

/// The longest path of a unix socket that every system takes, in bytes.
const PATH_MAX: usize = 100;

/// The listening socket.
#[derive(Debug)]
pub(super) struct Lifeline {
    listener: UnixListener,
    path: PathBuf,
}

impl Lifeline {
    /// Listens in `directory`, or, when its path is too long for a socket, in the system's temporary directory.
    pub(super) fn bind(directory: &Path, unique: &str) -> io::Result<Self> {
        let mut path = directory.join("lifeline.sock");
        if path.as_os_str().len() > PATH_MAX {
            path = std::env::temp_dir().join(format!("styrmin-{}-{unique}.sock", std::process::id()));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }

    /// Where children connect.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Holds every connection until the child closes it. Never returns; dropping it cuts every line.
    pub(super) async fn hold(&self) {
        let mut lines = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((mut line, _)) => {
                        lines.spawn(async move { line.read_u8().await.ok() });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a process could not connect to the lifeline");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                },
                Some(_) = lines.join_next(), if !lines.is_empty() => {}
            }
        }
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
    }
}
