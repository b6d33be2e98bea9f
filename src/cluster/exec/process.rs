//! A running command as streams, as the API server's exec gives it.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use kube::core::Status;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::domain::world::LogTarget;

/// kube's pipes hold 1 KiB unless told otherwise: a dump would crawl.
const BUFFER: usize = 256 * 1024;

/// What container runtimes say about a program that they cannot start.
const NO_PROGRAM: [&str; 4] =
    ["executable file not found", "no such file or directory", "permission denied", "exec format error"];

/// A running command. Dropping it ends the connection; what the command does then is up to the container.
pub struct Process {
    /// Closing it is the end of its input. Servers before Kubernetes 1.30 close the whole connection then.
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
        let end = self.take_end();
        drop((self.stdin, self.stdout, self.stderr));
        end.await
    }

    /// How it ends, once: to be awaited while its output is read. After a broken connection the streams do not end by themselves.
    pub(super) fn take_end(&mut self) -> impl Future<Output = Result<i32, ClusterError>> + use<> {
        let (status, object) = (self.attached.take_status(), self.object.clone());
        async move {
            let status = match status {
                Some(status) => status.await,
                None => None,
            };
            match status {
                Some(status) => {
                    // k8s-openapi's Status and kube's are the same JSON.
                    let status = serde_json::to_value(status).and_then(serde_json::from_value);
                    exit_code(&object, &status.unwrap_or_default())
                }
                None => Err(ClusterError::Unreachable {
                    message: format!("{object}: the connection ended before the command did"),
                }),
            }
        }
    }
}

/// How a command is named in errors: its program and where it runs.
pub(super) fn describe(target: &LogTarget, argv: &[String]) -> String {
    let program = argv.first().map_or("a command", String::as_str);
    format!("{program} in {}/{}", target.pod, target.container)
}

impl Cluster {
    /// Starts a command in a container.
    ///
    /// # Errors
    /// When the pod does not exist, or the server does not let us.
    pub async fn exec_stream(&self, target: &LogTarget, argv: &[String]) -> Result<Process, ClusterError> {
        self.start(target, argv, true).await
    }

    /// Starts a command in a container, with or without input.
    pub(super) async fn start(
        &self,
        target: &LogTarget,
        argv: &[String],
        with_input: bool,
    ) -> Result<Process, ClusterError> {
        let object = describe(target, argv);
        let pods: Api<Pod> = Api::namespaced(self.0.client.clone(), &target.namespace);
        let params = AttachParams::default()
            .container(&target.container)
            .stdin(with_input)
            .max_stdin_buf_size(BUFFER)
            .max_stdout_buf_size(BUFFER)
            .max_stderr_buf_size(BUFFER);
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let started = self.unary(&object, pods.exec(&target.pod, argv, &params)).await;
        let mut attached =
            started.map_err(|error| error.asked("get and create", "pods/exec", &target.namespace))?;
        let stdin: Option<Box<dyn AsyncWrite + Send + Unpin>> = match with_input {
            true => attached.stdin().map(|stdin| Box::new(stdin) as _),
            false => Some(Box::new(tokio::io::sink())),
        };
        match (stdin, attached.stdout(), attached.stderr()) {
            (Some(stdin), Some(stdout), Some(stderr)) => {
                Ok(Process { stdin, stdout: Box::new(stdout), stderr: Box::new(stderr), attached, object })
            }
            _ => Err(ClusterError::Other { object, message: "the server gave no streams".to_owned() }),
        }
    }
}

fn exit_code(object: &str, status: &Status) -> Result<i32, ClusterError> {
    if status.is_success() {
        return Ok(0);
    }
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let code = causes.into_iter().find(|cause| cause.reason == "ExitCode").map(|cause| cause.message.parse());
    match code {
        Some(Ok(code)) => Ok(code),
        // the server calls it an internal error; repeating it is useless
        _ if NO_PROGRAM.iter().any(|words| status.message.contains(words)) => {
            Err(ClusterError::Invalid { object: object.to_owned(), message: status.message.clone() })
        }
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
    }

    #[test]
    fn a_program_that_does_not_exist_is_not_tried_again_and_other_troubles_are() {
        let broken = |message: &str| {
            let broken =
                json!({"status": "Failure", "reason": "InternalError", "message": message, "code": 500});
            exit_code("x", &status(broken)).unwrap_err()
        };
        let missing = broken("exec: \"x\": executable file not found in $PATH");
        assert!(matches!(missing, ClusterError::Invalid { .. }), "{missing:?}");
        assert!(broken("error dialing backend").is_transient());
    }
}
