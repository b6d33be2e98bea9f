//! Servers, and how they are asked.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use styrmin::domain::route::{Phase, Probe, ProbeOutcome};
use styrmin::ingress::probe::{Ask, Roots, probe};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::task::AbortOnDropHandle;

/// Long enough for whatever answers.
pub const LIMIT: Duration = Duration::from_secs(10);
/// For what never answers.
pub const SHORT: Duration = Duration::from_millis(200);

pub fn now() -> Timestamp {
    "2031-06-15T12:00:00Z".parse().unwrap()
}

/// What a server does with a request, in order; then it closes the connection.
#[derive(Clone)]
pub enum Act {
    /// Sends this.
    Say(Vec<u8>),
    /// Sends this again and again, as fast as it goes, or with a pause.
    Repeat(&'static str, Duration),
    /// Waits.
    Pause(Duration),
    /// Does nothing more, and keeps the connection open.
    Hold,
}

pub fn say(text: impl Into<String>) -> Vec<Act> {
    vec![Act::Say(text.into().into_bytes())]
}

/// An answer without a body.
pub fn answer(code: u16) -> Vec<Act> {
    say(format!("HTTP/1.1 {code} Words\r\ncontent-length: 0\r\n\r\n"))
}

pub fn redirect(code: u16, location: &str) -> Vec<Act> {
    say(format!("HTTP/1.1 {code} Words\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

type Acts = Arc<dyn Fn(&str) -> Vec<Act> + Send + Sync>;

/// A server until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    /// The heads of the requests, in order.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// Tells of each connection that ended.
    pub ended: mpsc::UnboundedReceiver<()>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Does with each request, by its path, what `acts` says.
    pub async fn plain(acts: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1", None, acts).await
    }

    /// The same behind TLS.
    pub async fn encrypted(
        config: ServerConfig,
        acts: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1", Some(config), acts).await
    }

    pub async fn at(
        address: &str,
        config: Option<ServerConfig>,
        acts: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, acts): (Arc<Mutex<Vec<String>>>, Acts) = (Arc::default(), Arc::new(acts));
        let (end, ended) = mpsc::unbounded_channel();
        let heard = Arc::clone(&asked);
        let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acts, heard, end, acceptor) =
                    (Arc::clone(&acts), Arc::clone(&heard), end.clone(), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => serve(stream, &acts, &heard).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &acts, &heard).await,
                            Err(_) => Some(()),
                        },
                    };
                    end.send(()).ok();
                });
            }
        });
        Self { address, asked, ended, _task: AbortOnDropHandle::new(task) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    acts: &Acts,
    asked: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    asked.lock().unwrap().push(head);
    for act in acts(&path) {
        match act {
            Act::Say(bytes) => stream.write_all(&bytes).await.ok()?,
            Act::Repeat(bytes, pause) => loop {
                stream.write_all(bytes.as_bytes()).await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(pause).await;
            },
            Act::Pause(pause) => {
                stream.flush().await.ok()?;
                tokio::time::sleep(pause).await;
            }
            Act::Hold => {
                stream.flush().await.ok()?;
                // it ends when the other side does
                stream.read_u8().await.ok()?;
            }
        }
    }
    stream.shutdown().await.ok()
}

/// A port at which nobody listens, and what keeps it from everybody else.
pub fn closed_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// An address that takes no connection and refuses none: its queue is full.
pub struct Silent {
    _socket: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Silent {
    pub async fn at(address: SocketAddr) -> (Self, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(connected) = timeout(SHORT, TcpStream::connect(address)).await {
            queued.push(connected.unwrap());
            assert!(queued.len() < 100, "the queue has no end");
        }
        (Self { _socket: listener, _queued: queued }, address)
    }
}

pub async fn ask(url: &str) -> Probe {
    probe(&Ask::new(url, LIMIT), now()).await
}

pub async fn ask_within(url: &str, limit: Duration) -> Probe {
    probe(&Ask::new(url, limit), now()).await
}

pub async fn ask_trusting(url: &str, roots: &Roots) -> Probe {
    probe(&Ask { roots: Some(roots), ..Ask::new(url, LIMIT) }, now()).await
}

/// Asks where `a.example.org` and `b.example.org` are this machine.
pub async fn ask_example(url: &str, roots: &Roots) -> Probe {
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    let known = ["a.example.org", "b.example.org"].map(|host| (host.to_owned(), vec![here]));
    probe(&Ask { roots: Some(roots), known: &known, ..Ask::new(url, LIMIT) }, now()).await
}

/// Phase and reason of a probe that failed.
pub fn failure(probe: &Probe) -> (Phase, &str) {
    match &probe.outcome {
        ProbeOutcome::Failed { phase, message } => (*phase, message),
        ProbeOutcome::Answered(code) => panic!("it answered {code}"),
    }
}

/// Which phases have a time.
pub fn reached(probe: &Probe) -> Vec<&'static str> {
    let phases = probe.phases;
    let times =
        [("dns", phases.dns), ("connect", phases.connect), ("tls", phases.tls), ("http", phases.http)];
    times.into_iter().filter(|(_, time)| time.is_some()).map(|(name, _)| name).collect()
}
