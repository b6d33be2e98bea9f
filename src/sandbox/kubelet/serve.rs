//! The node's side of logs, exec, attach and port-forward.

use std::io;
use std::net::SocketAddrV4;
use std::process::Stdio;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;

use super::pod::{Live, PodRecord};
use super::process::{Running, Terminal};
use super::state::{ContainerState, Current};
use super::{Kubelet, logs};
use crate::sandbox::object;
use crate::sandbox::runtime::{
    ByteStream, Connection, ContainerUsage, ExecOptions, Exit, LogOptions, Process, Reader, Runtime, Usage,
    Writer,
};
use crate::sandbox::status::Status;

impl Runtime for Kubelet {
    fn logs<'a>(&'a self, pod: &'a Value, options: LogOptions) -> BoxFuture<'a, Result<ByteStream, Status>> {
        async move { self.read_log(pod, &options) }.boxed()
    }

    fn exec<'a>(&'a self, pod: &'a Value, options: ExecOptions) -> BoxFuture<'a, Result<Process, Status>> {
        async move {
            let (_, live) = self.live_container(pod, options.container.as_deref(), "exec")?;
            Ok(self.start(&live, &options))
        }
        .boxed()
    }

    fn attach<'a>(&'a self, pod: &'a Value, options: ExecOptions) -> BoxFuture<'a, Result<Process, Status>> {
        async move {
            let (_, live) = self.live_container(pod, options.container.as_deref(), "attach")?;
            Ok(attached(&live, &options))
        }
        .boxed()
    }

    fn usage(&self) -> (Usage, Vec<ContainerUsage>) {
        self.node.meter.usage()
    }

    fn check_forward(&self, pod: &Value) -> Result<(), Status> {
        let record = self.find(pod)?;
        if record.address().is_none() || object::text(pod, "/status/phase") != "Running" {
            return Err(Status::bad_request(format!(
                "unable to forward port because pod {} is not running. Current status={}",
                record.name,
                object::text(pod, "/status/phase")
            )));
        }
        Ok(())
    }

    fn connect<'a>(&'a self, pod: &'a Value, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Connection>>> {
        async move {
            let address = self.find(pod).ok().and_then(|record| record.address());
            let address = address.ok_or_else(|| io::Error::other("the pod is not running"))?;
            let stream = TcpStream::connect(SocketAddrV4::new(address, port)).await?;
            stream.set_nodelay(true).ok();
            Ok(Box::new(stream) as Box<dyn Connection>)
        }
        .boxed()
    }
}

impl Kubelet {
    fn find(&self, pod: &Value) -> Result<Arc<PodRecord>, Status> {
        let name = object::name(pod);
        if object::text(pod, "/spec/nodeName").is_empty() {
            return Err(Status::bad_request(format!("pod {name} does not have a host assigned")));
        }
        self.record(object::uid(pod)).ok_or_else(|| Status::not_found("pods", name))
    }

    fn read_log(&self, pod: &Value, options: &LogOptions) -> Result<ByteStream, Status> {
        let name = container_name(pod, options.container.as_deref())?;
        let pod_name = object::name(pod);
        let waiting = |reason: &str| {
            Status::bad_request(format!(
                "container \"{name}\" in pod \"{pod_name}\" is waiting to start: {reason}"
            ))
        };
        if object::text(pod, "/spec/nodeName").is_empty() {
            return Err(waiting("the pod is not scheduled"));
        }
        let record = self.find(pod)?;
        let state = record.container(&name).ok_or_else(|| not_valid(pod, &name))?;
        if is_simulated(&state) {
            let line = format!(
                "sandbox: container {name} is simulated: nothing is known about the image {}, so there is no process and no log\n",
                state.image
            );
            return Ok(futures::stream::iter([Ok(line.into())]).boxed());
        }
        if !state.has_run() {
            let reason = match &state.current {
                Current::Waiting { reason, .. } => reason,
                _ => "ContainerCreating",
            };
            return Err(waiting(reason));
        }
        let life = life(&state, options.previous).ok_or_else(|| {
            Status::bad_request(format!(
                "previous terminated container \"{name}\" in pod \"{pod_name}\" not found"
            ))
        })?;
        let live = record.live(&name).filter(|_| !options.previous).map(|live| live.log);
        Ok(logs::read(logs::path(&record.logs(&name), life), options, self.node.api.now(), live))
    }

    /// A container with a process.
    fn live_container(
        &self,
        pod: &Value,
        wanted: Option<&str>,
        what: &str,
    ) -> Result<(String, Live), Status> {
        let name = container_name(pod, wanted)?;
        let record = self.find(pod)?;
        let state = record.container(&name).ok_or_else(|| not_valid(pod, &name))?;
        if is_simulated(&state) {
            return Err(Status::not_implemented(&format!(
                "{what} in container {name}: it is simulated, because nothing is known about the image {}",
                state.image
            )));
        }
        let live = record.live(&name).ok_or_else(|| {
            Status::bad_request(format!("container {name} of pod {} is not running", object::name(pod)))
        })?;
        Ok((name, live))
    }

    fn start(&self, live: &Live, options: &ExecOptions) -> Process {
        let mut command = match live.inside.command(&self.node.options.executable, &options.command) {
            Ok(command) => command,
            Err(why) => return failed(why),
        };
        if options.tty {
            return match Running::spawn_in_terminal(command) {
                Ok((running, terminal)) => at_terminal(running, terminal, options),
                Err(error) => failed(error.to_string()),
            };
        }
        if options.stdin {
            command.stdin(Stdio::piped());
        }
        let mut running = match Running::spawn(command) {
            Ok(running) => running,
            Err(error) => return failed(error.to_string()),
        };
        let (stdin, stdout, stderr) = running.pipes();
        Process {
            stdin: stdin.map(|pipe| Box::new(pipe) as Writer),
            stdout: wanted(stdout.map(|pipe| Box::new(pipe) as Reader), options.stdout),
            stderr: wanted(stderr.map(|pipe| Box::new(pipe) as Reader), options.stderr),
            resize: None,
            exit: async move { Exit::Code(running.wait().await) }.boxed(),
        }
    }
}

fn at_terminal(mut running: Running, terminal: Terminal, options: &ExecOptions) -> Process {
    Process {
        stdin: options.stdin.then_some(terminal.input),
        stdout: wanted(Some(terminal.output), options.stdout),
        stderr: None,
        resize: Some(terminal.resize),
        exit: async move { Exit::Code(running.wait().await) }.boxed(),
    }
}

/// The streams of the main process from now on. Its end is a success, however it ended: that is told by the pod.
fn attached(live: &Live, options: &ExecOptions) -> Process {
    let attached = live.console.attach(options.stdin);
    let mut log = live.log.clone();
    let exit = async move {
        log.wait_for(|progress| progress.closed).await.ok();
        Exit::Code(0)
    };
    Process {
        stdin: attached.stdin,
        stdout: options.stdout.then_some(attached.stdout),
        // A client at a terminal has one output.
        stderr: (options.stderr && !options.tty).then_some(attached.stderr),
        resize: attached.resize.filter(|_| options.tty),
        exit: exit.boxed(),
    }
}

fn failed(why: String) -> Process {
    Process {
        stdin: None,
        stdout: None,
        stderr: None,
        resize: None,
        exit: async move { Exit::Failed(why) }.boxed(),
    }
}

/// The pipe, or, when the client does not want it, one that is read to its end by nobody but us.
fn wanted(pipe: Option<Reader>, wanted: bool) -> Option<Reader> {
    let pipe = pipe?;
    if wanted {
        return Some(pipe);
    }
    tokio::spawn(async move {
        let mut pipe = pipe;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await.ok();
    });
    None
}

fn is_simulated(state: &ContainerState) -> bool {
    state.simulated
}

/// The log of which life is wanted.
fn life(state: &ContainerState, previous: bool) -> Option<u32> {
    if !previous {
        return Some(state.restarts);
    }
    match (&state.current, &state.last) {
        (_, None) => None,
        // It waits: what ended last is the previous one.
        (Current::Waiting { .. }, Some(_)) => Some(state.restarts),
        _ => state.restarts.checked_sub(1),
    }
}

fn not_valid(pod: &Value, name: &str) -> Status {
    Status::bad_request(format!("container {name} is not valid for pod {}", object::name(pod)))
}

/// The container that is meant: the one named, or the only one, or the one that the pod's annotation names.
fn container_name(pod: &Value, wanted: Option<&str>) -> Result<String, Status> {
    let names = |pointer: &str| -> Vec<&str> {
        object::list(pod, pointer).iter().filter_map(|container| container["name"].as_str()).collect()
    };
    let (mains, inits) = (names("/spec/containers"), names("/spec/initContainers"));
    if let Some(wanted) = wanted {
        let known = mains.contains(&wanted) || inits.contains(&wanted);
        return if known { Ok(wanted.to_owned()) } else { Err(not_valid(pod, wanted)) };
    }
    match mains.as_slice() {
        [only] => Ok((*only).to_owned()),
        _ => Err(Status::bad_request(format!(
            "a container name must be specified for pod {}, choose one of: [{}]",
            object::name(pod),
            inits.into_iter().chain(mains).collect::<Vec<_>>().join(" ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::kubelet::state::Role;

    #[test]
    fn the_container_is_named_or_the_only_one() {
        let one = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]}});
        assert_eq!(container_name(&one, None).unwrap(), "a");
        assert_eq!(container_name(&one, Some("i")).unwrap(), "i");
        assert_eq!(container_name(&one, Some("x")).unwrap_err().code, 400);
        let two = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        assert!(container_name(&two, None).unwrap_err().message.contains("[a b]"));
    }

    #[test]
    fn previous_is_the_life_that_ended_last() {
        let mut state = ContainerState::new(Role::Main, "a:1", "ContainerCreating");
        state.begin();
        assert_eq!((life(&state, false), life(&state, true)), (Some(0), None));
        let ended = crate::sandbox::kubelet::state::Terminated {
            exit_code: 1,
            reason: String::new(),
            message: String::new(),
            started: None,
            finished: None,
            id: String::new(),
        };
        state.current = Current::Terminated(ended);
        state.settle("CrashLoopBackOff", String::new());
        assert_eq!((life(&state, false), life(&state, true)), (Some(0), Some(0)));
        state.begin();
        state.current = Current::Running { since: jiff::Timestamp::UNIX_EPOCH, id: String::new() };
        assert_eq!((life(&state, false), life(&state, true)), (Some(1), Some(0)));
    }
}
