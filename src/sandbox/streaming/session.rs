//! `exec` and `attach`: a process and a client, whatever the client speaks.

mod channels;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::socket::{ERROR, STDERR, STDOUT};
use super::{socket, upgrade};
use crate::sandbox::body::Body;
use crate::sandbox::runtime::{ExecOptions, Exit, Process, Reader, Resize, Runtime, Writer};
use crate::sandbox::status::Status;

/// Bytes read from a pipe at once: large enough for dumps, small enough to interleave the two streams.
const CHUNK: usize = 32 * 1024;
/// Messages that wait on their way; then those who send them wait.
const QUEUE: usize = 4;
/// How long output may stay away after the process has ended: something else still holds the pipe.
const REST_OF_OUTPUT: Duration = Duration::from_secs(2);

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
enum Input {
    /// Input of the process.
    Stdin(Bytes),
    /// There is no more of it.
    StdinEnd,
    /// The client's terminal has so many columns and rows.
    Resize(u16, u16),
}

/// A client, as the process's side sees it.
struct Client {
    /// Output by channel; closed when the client is gone.
    output: mpsc::Sender<(u8, Bytes)>,
    /// Ends when the client is gone.
    input: mpsc::Receiver<Input>,
}

/// How the end is told on the error channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// A `Status` (version 4 and later).
    Status,
    /// The message of a failure, and nothing of a success.
    Message,
}

/// Starts the process, answers 101, and pumps until it has ended or the client is gone.
pub(super) async fn handle<B>(
    request: Request<B>,
    pod: &Value,
    attach: bool,
    options: ExecOptions,
    runtime: Arc<dyn Runtime>,
) -> Result<Response<Body>, Status> {
    if !attach && options.command.is_empty() {
        return Err(Status::bad_request("you must specify at least 1 command for the container"));
    }
    let wanted = streams::Wanted::of(&options);
    let start =
        async { if attach { runtime.attach(pod, options).await } else { runtime.exec(pod, options).await } };
    let failure =
        if attach { "error attaching to container" } else { "error executing command in container" };
    if upgrade::is_websocket(request.headers()) {
        let accepted = socket::accept(request, &socket::EXEC)?;
        let process = start.await?;
        let response = accepted.response();
        tokio::spawn(async move {
            let (encoding, ending) = (accepted.encoding(), channels::ending(accepted.protocol));
            if let Some(socket) = accepted.open().await {
                let (client, wire) = client();
                let wire = channels::serve(socket, encoding, wire);
                tokio::join!(wire, pump(client, process, ending, failure));
            }
        });
        return Ok(response);
    }
    let accepted = upgrade::accept(request, &streams::PROTOCOLS)?;
    let process = start.await?;
    let response = accepted.response();
    tokio::spawn(async move {
        let protocol = accepted.protocol;
        if let Some(transport) = accepted.open().await {
            let (client, wire) = client();
            let wire = streams::serve(transport, wanted.with(protocol), wire);
            tokio::join!(wire, pump(client, process, streams::ending(protocol), failure));
        }
    });
    Ok(response)
}

/// The wire's side of a [`Client`].
struct Wire {
    output: mpsc::Receiver<(u8, Bytes)>,
    input: mpsc::Sender<Input>,
}

fn client() -> (Client, Wire) {
    let (output, outgoing) = mpsc::channel(QUEUE);
    let (incoming, input) = mpsc::channel(QUEUE);
    (Client { output, input }, Wire { output: outgoing, input: incoming })
}

/// Carries bytes both ways. Returns when the process has ended and its status is sent, or when the client is gone; the
/// process is killed in the latter case, because it is dropped.
async fn pump(client: Client, process: Process, ending: Ending, failure: &str) {
    let Client { output, input } = client;
    let Process { stdin, stdout, stderr, resize, exit } = process;
    let ended = CancellationToken::new();
    let running = async {
        let exit = async {
            let exit = exit.await;
            ended.cancel();
            exit
        };
        // Output ends when the process does; reading it to its end first loses nothing.
        let (exit, (), ()) = tokio::join!(
            exit,
            forward(stdout, STDOUT, &output, &ended),
            forward(stderr, STDERR, &output, &ended)
        );
        let last = told(&exit, ending, failure);
        if !last.is_empty() {
            output.send((ERROR, last)).await.ok();
        }
    };
    tokio::select! {
        () = running => {}
        () = receive(input, stdin, resize) => {}
        () = output.closed() => {}
    }
}

/// Sends what a pipe gives to `channel`, until its end, or until the process has ended and nothing more comes.
async fn forward(
    reader: Option<Reader>,
    channel: u8,
    output: &mpsc::Sender<(u8, Bytes)>,
    ended: &CancellationToken,
) {
    let Some(mut reader) = reader else { return };
    // Nothing yet, but the channel is open.
    if output.send((channel, Bytes::new())).await.is_err() {
        return;
    }
    let mut buffer = vec![0; CHUNK];
    loop {
        let silent = async {
            ended.cancelled().await;
            tokio::time::sleep(REST_OF_OUTPUT).await;
        };
        let count = tokio::select! {
            // what is there is read, however late it is looked at
            biased;
            read = reader.read(&mut buffer) => read.unwrap_or(0),
            () = silent => 0,
        };
        if count == 0 || output.send((channel, Bytes::copy_from_slice(&buffer[..count]))).await.is_err() {
            return;
        }
    }
}

/// Takes what the client sends; returns when it is gone.
async fn receive(mut input: mpsc::Receiver<Input>, mut stdin: Option<Writer>, resize: Option<Resize>) {
    while let Some(message) = input.recv().await {
        match message {
            Input::Stdin(bytes) => {
                if let Some(writer) = stdin.as_mut()
                    && (writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err())
                {
                    // The process reads no more; the rest of its input is discarded.
                    stdin = None;
                }
            }
            Input::StdinEnd => {
                if let Some(mut writer) = stdin.take() {
                    writer.shutdown().await.ok();
                }
            }
            Input::Resize(columns, rows) => {
                if let Some(resize) = &resize {
                    resize(columns, rows);
                }
            }
        }
    }
}

/// A message of the resize channel: `{"Width":80,"Height":24}`. None when it is anything else.
fn size(message: &[u8]) -> Option<Input> {
    let value: Value = serde_json::from_slice(message).ok()?;
    let number = |name: &str| u16::try_from(value[name].as_u64()?).ok();
    Some(Input::Resize(number("Width")?, number("Height")?))
}

/// What is written on the error channel at the end.
fn told(exit: &Exit, ending: Ending, failure: &str) -> Bytes {
    let status = end_status(exit, failure);
    match ending {
        Ending::Status => status.to_string().into(),
        Ending::Message => status["message"].as_str().unwrap_or_default().to_owned().into(),
    }
}

/// The `Status` of the error channel.
fn end_status(exit: &Exit, failure: &str) -> Value {
    match exit {
        Exit::Code(0) => json!({"metadata": {}, "status": "Success"}),
        Exit::Code(code) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
        Exit::Failed(why) => {
            let why = format!("{failure}: {why}");
            json!({
                "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
                "message": format!("Internal error occurred: {why}"),
                "details": {"causes": [{"message": why}]},
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_as_a_status() {
        assert_eq!(end_status(&Exit::Code(0), "")["status"], "Success");
        let failed = end_status(&Exit::Code(7), "");
        assert_eq!(failed["reason"], "NonZeroExitCode");
        assert_eq!(failed["details"]["causes"][0], json!({"reason": "ExitCode", "message": "7"}));
        let failed = end_status(&Exit::Failed("no".into()), "error x");
        assert_eq!(
            (&failed["reason"], &failed["message"]),
            (&json!("InternalError"), &json!("Internal error occurred: error x: no"))
        );
    }

    #[test]
    fn old_clients_get_the_message_of_a_failure_alone() {
        assert!(told(&Exit::Code(0), Ending::Message, "").is_empty());
        let message = told(&Exit::Code(7), Ending::Message, "");
        assert_eq!(message, "command terminated with non-zero exit code: exit status 7");
    }

    #[test]
    fn sizes_are_read_and_anything_else_is_not() {
        assert_eq!(size(br#"{"Width":120,"Height":40}"#), Some(Input::Resize(120, 40)));
        for bad in ["", "{", "{}", r#"{"Width":70000,"Height":1}"#, r#"{"Width":-1,"Height":1}"#] {
            assert_eq!(size(bad.as_bytes()), None, "{bad}");
        }
    }
}
