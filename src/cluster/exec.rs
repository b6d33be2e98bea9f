//! Running a command in a container: argv (never a shell line), with its output captured, or as streams.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use kube::core::Status;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::domain::world::LogTarget;

use super::Cluster;
use super::error::ClusterError;

/// kube's pipes hold 1 KiB unless told otherwise: a dump would crawl.
const BUFFER: usize = 256 * 1024;

/// How a command is run.
#[derive(Debug, Clone)]
pub struct ExecOptions {
    /// What it reads.
    pub stdin: Option<Vec<u8>>,
    /// How much of each output is kept, in bytes; the rest is read and dropped.
    pub limit: usize,
    /// How long it may run.
    pub timeout: Duration,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self { stdin: None, limit: 1024 * 1024, timeout: Duration::from_secs(60) }
    }
}

/// A command that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code.
    pub code: i32,
    /// What it wrote, up to the limit.
    pub stdout: Vec<u8>,
    /// What it complained, up to the limit.
    pub stderr: Vec<u8>,
    /// Whether something was dropped.
    pub truncated: bool,
}

/// A running command. Dropping it ends the connection; what the command does then is up to the container.
pub struct Process {
    /// Closing it is the end of its input.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Must be read, or the command stops.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Must be read, or the command stops.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    attached: AttachedProcess,
    object: String,
}

impl Process {
    /// Waits for the end, after all output has been read, and says the exit code.
    ///
    /// # Errors
    /// When the connection broke: then nobody knows how the command ended.
    pub async fn wait(mut self) -> Result<i32, ClusterError> {
        drop((self.stdin, self.stdout, self.stderr));
        let status = match self.attached.take_status() {
            Some(status) => status.await,
            None => None,
        };
        match status {
            Some(status) => {
                // k8s-openapi's Status and kube's are the same JSON.
                let status = serde_json::to_value(status).and_then(serde_json::from_value);
                exit_code(&self.object, &status.unwrap_or_default())
            }
            None => Err(ClusterError::Unreachable {
                message: format!("{}: the connection ended before the command did", self.object),
            }),
        }
    }
}

impl Cluster {
    /// Starts a command in a container.
    ///
    /// # Errors
    /// When the pod does not exist, or the server does not let us.
    pub async fn exec_stream(&self, target: &LogTarget, argv: &[String]) -> Result<Process, ClusterError> {
        let object = format!(
            "{} in {}/{}",
            argv.first().map_or("a command", String::as_str),
            target.pod,
            target.container
        );
        let pods: Api<Pod> = Api::namespaced(self.0.client.clone(), &target.namespace);
        let params = AttachParams::default()
            .container(&target.container)
            .stdin(true)
            .max_stdin_buf_size(BUFFER)
            .max_stdout_buf_size(BUFFER)
            .max_stderr_buf_size(BUFFER);
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let mut attached = self.unary(&object, pods.exec(&target.pod, argv, &params)).await?;
        let (stdin, stdout, stderr) = (attached.stdin(), attached.stdout(), attached.stderr());
        match (stdin, stdout, stderr) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Process {
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                stderr: Box::new(stderr),
                attached,
                object,
            }),
            _ => Err(ClusterError::Other { object, message: "the server gave no streams".to_owned() }),
        }
    }

    /// Runs a command in a container and waits for its end.
    ///
    /// # Errors
    /// When it cannot be started, outlives its time limit, or the connection breaks. A non-zero exit code is no error here.
    pub async fn exec(
        &self,
        target: &LogTarget,
        argv: &[String],
        options: ExecOptions,
    ) -> Result<Executed, ClusterError> {
        let limit = options.timeout;
        match tokio::time::timeout(limit, self.run(target, argv, options)).await {
            Ok(result) => result,
            Err(_) => Err(ClusterError::Other {
                object: format!("{} in {}", argv.join(" "), target.pod),
                message: format!("it did not end within {} s", limit.as_secs()),
            }),
        }
    }

    async fn run(
        &self,
        target: &LogTarget,
        argv: &[String],
        options: ExecOptions,
    ) -> Result<Executed, ClusterError> {
        let mut process = self.exec_stream(target, argv).await?;
        let mut stdin = std::mem::replace(&mut process.stdin, Box::new(tokio::io::sink()));
        let input = options.stdin.unwrap_or_default();
        let feed = async move {
            // A command may end before it has read everything: that is its own affair.
            let _ = stdin.write_all(&input).await;
            let _ = stdin.shutdown().await;
        };
        let ((), stdout, stderr) = tokio::join!(
            feed,
            capture(&mut process.stdout, options.limit),
            capture(&mut process.stderr, options.limit)
        );
        let code = process.wait().await?;
        Ok(Executed { code, truncated: stdout.1 || stderr.1, stdout: stdout.0, stderr: stderr.0 })
    }
}

/// Reads to the end, keeps the first `limit` bytes, and says whether there were more.
async fn capture(reader: &mut (impl AsyncRead + Unpin), limit: usize) -> (Vec<u8>, bool) {
    let mut kept = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    let mut truncated = false;
    while let Ok(count @ 1..) = reader.read(&mut chunk).await {
        let room = limit.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&chunk[..room]);
        truncated |= room < count;
    }
    (kept, truncated)
}

fn exit_code(object: &str, status: &Status) -> Result<i32, ClusterError> {
    if status.is_success() {
        return Ok(0);
    }
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let code = causes.into_iter().find(|cause| cause.reason == "ExitCode").map(|cause| cause.message.parse());
    match code {
        Some(Ok(code)) => Ok(code),
        _ => Err(ClusterError::from_status(object, status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(value: serde_json::Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_exit_code_is_read_from_the_causes() {
        assert_eq!(exit_code("x", &status(json!({"status": "Success"}))), Ok(0));
        let failed = status(json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "m",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}}));
        assert_eq!(exit_code("x", &failed), Ok(7));
        let broken = status(
            json!({"status": "Failure", "reason": "InternalError", "message": "no such file", "code": 500}),
        );
        assert!(exit_code("x", &broken).is_err());
    }

    #[tokio::test]
    async fn output_beyond_the_limit_is_dropped_and_said() {
        let long = vec![b'x'; 40_000];
        assert_eq!(capture(&mut long.as_slice(), 10).await, (vec![b'x'; 10], true));
        assert_eq!(capture(&mut b"short".as_slice(), 10).await, (b"short".to_vec(), false));
    }
}
