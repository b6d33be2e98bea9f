//! Exec and port-forward over SPDY, with a client that speaks frames.

use std::collections::{HashMap, HashSet};

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use http::Request;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use styrmin::sandbox::streaming::spdy::{Decoder, Deflater, Frame, Inflater, encode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::ready;
use super::rig::{self, Rig, alive, host_container, pod, within};

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// The client's end of a connection, and what has come over it.
struct Client {
    wire: Box<dyn Wire>,
    decoder: Decoder,
    buffer: BytesMut,
    inflater: Inflater,
    deflater: Deflater,
    next: u32,
    replied: HashSet<u32>,
    data: HashMap<u32, Vec<u8>>,
    ended: HashSet<u32>,
    reset: HashMap<u32, u32>,
    pings: Vec<u32>,
    gone: bool,
    closed: bool,
}

impl Client {
    fn new(wire: impl Wire + 'static) -> Self {
        Self {
            wire: Box::new(wire),
            decoder: Decoder::default(),
            buffer: BytesMut::new(),
            inflater: Inflater::default(),
            deflater: Deflater::new().unwrap(),
            next: 1,
            replied: HashSet::new(),
            data: HashMap::new(),
            ended: HashSet::new(),
            reset: HashMap::new(),
            pings: Vec::new(),
            gone: false,
            closed: false,
        }
    }

    async fn send(&mut self, frame: Frame) {
        let mut bytes = BytesMut::new();
        encode(&frame, &mut bytes);
        self.wire.write_all(&bytes).await.unwrap();
    }

    async fn open(&mut self, headers: &[(&str, &str)]) -> u32 {
        let id = self.next;
        self.next += 2;
        let headers = self.deflater.write(headers).unwrap().into();
        self.send(Frame::SynStream { id, fin: false, headers }).await;
        id
    }

    async fn write(&mut self, id: u32, data: &[u8], fin: bool) {
        self.send(Frame::Data { id, fin, data: Bytes::copy_from_slice(data) }).await;
    }

    fn text(&self, id: u32) -> String {
        String::from_utf8_lossy(self.data.get(&id).map_or(&[], Vec::as_slice)).into_owned()
    }

    fn status(&self, id: u32) -> Value {
        serde_json::from_str(&self.text(id)).unwrap_or_else(|error| panic!("{error}: {}", self.text(id)))
    }

    /// Reads until what has come is as wanted, or nothing more will come.
    async fn until(&mut self, wanted: impl Fn(&Self) -> bool) {
        within(async {
            while !wanted(self) && !self.closed {
                while let Some(frame) = self.decoder.decode(&mut self.buffer).unwrap() {
                    self.take(frame);
                }
                if wanted(self) {
                    return;
                }
                self.closed = !matches!(self.wire.read_buf(&mut self.buffer).await, Ok(1..));
            }
        })
        .await;
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::SynReply { id, headers, .. } => {
                assert!(self.inflater.read(&headers).unwrap().is_empty());
                self.replied.insert(id);
            }
            Frame::Data { id, fin, data } => {
                assert!(self.replied.contains(&id), "data before the reply");
                self.data.entry(id).or_default().extend_from_slice(&data);
                if fin {
                    self.ended.insert(id);
                }
            }
            Frame::Reset { id, status } => drop(self.reset.insert(id, status)),
            Frame::Ping(id) => self.pings.push(id),
            Frame::GoAway { .. } => self.gone = true,
            Frame::WindowUpdate { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

pub fn request(path: &str, headers: &[(&str, &str)]) -> Request<kube::client::Body> {
    let mut request = Request::post(format!("/api/v1/namespaces/default/pods/{path}"));
    for (name, value) in headers.iter().chain(&[("connection", "Upgrade")]) {
        request = request.header(*name, *value);
    }
    request.body(kube::client::Body::empty()).unwrap()
}

pub async fn upgrade(
    rig: &Rig,
    request: Request<kube::client::Body>,
) -> Result<(String, TokioIo<Upgraded>), (u16, Value)> {
    let response = within(rig.client.send(request)).await.unwrap();
    if response.status() != 101 {
        let code = response.status().as_u16();
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        return Err((code, serde_json::from_slice(&body).unwrap()));
    }
    let headers = response.headers();
    let chosen = headers.get("x-stream-protocol-version").or(headers.get("sec-websocket-protocol"));
    let chosen = chosen.map_or("", |value| value.to_str().unwrap()).to_owned();
    Ok((chosen, TokioIo::new(within(hyper::upgrade::on(response)).await.unwrap())))
}

async fn connect(rig: &Rig, path: &str, versions: &[&str]) -> Result<(String, Client), (u16, Value)> {
    let mut headers = vec![("upgrade", "SPDY/3.1")];
    headers.extend(versions.iter().map(|version| ("x-stream-protocol-version", *version)));
    let (chosen, wire) = upgrade(rig, request(path, &headers)).await?;
    Ok((chosen, Client::new(wire)))
}

const VERSIONS: [&str; 4] = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

pub async fn rig_with_a_pod() -> Rig {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    within(rig.until("pods", "a", ready)).await;
    rig
}

pub fn encoded(words: &[&str]) -> String {
    let encode = |word: &&str| -> String {
        word.bytes().fold("command=".to_owned(), |text, byte| format!("{text}%{byte:02x}"))
    };
    words.iter().map(encode).collect::<Vec<_>>().join("&")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exec_carries_every_stream_and_the_exit_code() {
    let rig = rig_with_a_pod().await;
    let command = encoded(&["sh", "-c", "wc -c; printf '\\377\\n'; echo err >&2; exit 7"]);
    let path = format!("a/exec?{command}&stdin=true&stdout=true&stderr=true");
    let (chosen, mut client) = connect(&rig, &path, &VERSIONS).await.unwrap();
    assert_eq!(chosen, "v4.channel.k8s.io");
    let error = client.open(&[("streamtype", "error")]).await;
    let stdin = client.open(&[("streamtype", "stdin")]).await;
    let stdout = client.open(&[("streamtype", "stdout")]).await;
    let stderr = client.open(&[("streamtype", "stderr")]).await;
    client.until(|client| client.replied.len() == 4).await;
    client.send(Frame::Ping(1)).await;
    // One frame, larger than anything that is held in memory.
    client.write(stdin, &vec![b'x'; 3 << 20], true).await;
    client.until(|client| client.gone).await;
    assert_eq!(client.pings, [1]);
    assert_eq!(client.data[&stdout], b"3145728\n\xff\n");
    assert_eq!(client.text(stderr), "err\n");
    let status = client.status(error);
    assert_eq!((&status["status"], &status["reason"]), (&json!("Failure"), &json!("NonZeroExitCode")));
    assert_eq!(status["details"]["causes"][0], json!({"reason": "ExitCode", "message": "7"}));
    assert!([error, stdout, stderr].iter().all(|id| client.ended.contains(id)), "{:?}", client.ended);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_versions_get_plain_errors_and_unknown_ones_are_refused() {
    let rig = rig_with_a_pod().await;
    let path = format!("a/exec?{}&stdout=true", encoded(&["sh", "-c", "exit 3"]));
    for version in ["v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"] {
        let (chosen, mut client) = connect(&rig, &path, &["v99.channel.k8s.io", version]).await.unwrap();
        assert_eq!(chosen, version);
        let error = client.open(&[("streamtype", "error")]).await;
        client.open(&[("streamtype", "stdout")]).await;
        client.until(|client| client.gone).await;
        assert_eq!(client.text(error), "command terminated with non-zero exit code: exit status 3");
    }
    let (code, status) = connect(&rig, &path, &["v99.channel.k8s.io"]).await.err().unwrap();
    assert_eq!((code, &status["reason"]), (403, &json!("Forbidden")));
    let (code, _) = connect(&rig, &format!("{path}&container=x"), &VERSIONS).await.err().unwrap();
    assert_eq!(code, 400);
    let missing = format!("a/exec?{}&stdout=true", encoded(&["no-such-program"]));
    let (_, mut client) = connect(&rig, &missing, &VERSIONS).await.unwrap();
    let error = client.open(&[("streamtype", "error")]).await;
    client.open(&[("streamtype", "stdout")]).await;
    client.until(|client| client.gone).await;
    let status = client.status(error);
    let message = status["message"].as_str().unwrap();
    assert!(
        message.starts_with("Internal error occurred: error executing command in container: "),
        "{status}"
    );
    assert!(message.contains("executable file not found in $PATH"), "{status}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_resized_and_interrupted() {
    let rig = rig_with_a_pod().await;
    let script = "trap 'echo caught; exit 5' INT; echo $TERM; while [ \"$(stty size)\" != '40 120' ]; do sleep 0.01; done; echo sized; while :; do sleep 0.01; done";
    let path =
        format!("a/exec?{}&stdin=true&stdout=true&stderr=true&tty=true", encoded(&["sh", "-c", script]));
    let (_, mut client) = connect(&rig, &path, &VERSIONS).await.unwrap();
    let error = client.open(&[("streamtype", "error")]).await;
    let stdin = client.open(&[("streamtype", "stdin")]).await;
    let stdout = client.open(&[("streamtype", "stdout")]).await;
    let resize = client.open(&[("streamtype", "resize")]).await;
    client.until(|client| client.text(stdout).contains("xterm\r\n")).await;
    client.write(resize, b"{\"Width\":120,\"Height\":40}\n", false).await;
    client.until(|client| client.text(stdout).contains("sized\r\n")).await;
    client.write(stdin, b"\x03", false).await;
    client.until(|client| client.gone).await;
    assert!(client.text(stdout).contains("caught\r\n"), "{}", client.text(stdout));
    assert_eq!(client.status(error)["details"]["causes"][0]["message"], "5");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_loses_nothing_and_one_that_leaves_ends_the_process() {
    let rig = rig_with_a_pod().await;
    let path = format!("a/exec?{}&stdout=true", encoded(&["head", "-c", "5000000", "/dev/zero"]));
    let (_, mut client) = connect(&rig, &path, &VERSIONS).await.unwrap();
    client.open(&[("streamtype", "error")]).await;
    let stdout = client.open(&[("streamtype", "stdout")]).await;
    // Small bites: the process is always ahead and has to wait.
    let mut bite = [0; 777];
    while !client.gone && !client.closed {
        let count = within(client.wire.read(&mut bite)).await.unwrap();
        client.closed = count == 0;
        client.buffer.extend_from_slice(&bite[..count]);
        while let Some(frame) = client.decoder.decode(&mut client.buffer).unwrap() {
            client.take(frame);
        }
    }
    assert_eq!(client.data[&stdout].len(), 5_000_000);

    let path = format!("a/exec?{}&stdout=true", encoded(&["sh", "-c", "echo $$; sleep 1000"]));
    let (_, mut client) = connect(&rig, &path, &VERSIONS).await.unwrap();
    client.open(&[("streamtype", "error")]).await;
    let stdout = client.open(&[("streamtype", "stdout")]).await;
    client.until(|client| client.text(stdout).ends_with('\n')).await;
    let inner: i32 = client.text(stdout).trim().parse().unwrap();
    assert!(alive(inner));
    drop(client);
    within(rig::gone(inner)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_malformed_ends_the_connection_and_what_is_not_allowed_the_stream() {
    let rig = rig_with_a_pod().await;
    let path = format!("a/exec?{}&stdout=true", encoded(&["sleep", "1000"]));
    for bytes in [&b"\x80\x02\0\x01\0\0\0\0"[..], b"\x80\x03\0\x01\0\0\0\x0c\0\0\0\x01\0\0\0\0\0\0xx"] {
        let (_, mut client) = connect(&rig, &path, &VERSIONS).await.unwrap();
        client.wire.write_all(bytes).await.unwrap();
        client.until(|_| false).await;
        assert!(client.closed);
    }
    let (_, mut client) = connect(&rig, "a/portforward", &["portforward.k8s.io"]).await.unwrap();
    let bad = client.open(&[("streamtype", "data"), ("port", "0")]).await;
    client.next = 100;
    let even = client.open(&[("streamtype", "data"), ("port", "1")]).await;
    client.until(|client| client.reset.len() == 2).await;
    assert_eq!((client.reset[&bad], client.reset[&even]), (5, 1));
    client.next = 1001;
    let ids: Vec<String> = (0..1001).map(|id| format!("{id}")).collect();
    for id in &ids {
        client.open(&[("streamtype", "error"), ("port", "1"), ("requestid", id)]).await;
        client
            .until(|client| client.replied.len() + client.reset.len() > id.parse::<usize>().unwrap() + 2)
            .await;
    }
    assert_eq!((client.replied.len(), client.reset.get(&3001)), (1000, Some(&3)));
    rig.stop().await;
}

/// Two connections over one, and one to a port where nobody listens.
async fn forwards(mut client: Client) {
    let mut datas = Vec::new();
    for request in ["0", "1"] {
        let headers = [("port", "8080"), ("requestid", request)];
        let error = client.open(&[headers[0], headers[1], ("streamtype", "error")]).await;
        client.write(error, b"", true).await;
        datas.push((client.open(&[headers[0], headers[1], ("streamtype", "data")]).await, error));
    }
    for (data, _) in &datas {
        client.write(*data, b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false).await;
    }
    client
        .until(|client| {
            datas.iter().all(|(data, error)| client.ended.contains(data) && client.ended.contains(error))
        })
        .await;
    for (data, error) in datas {
        assert!(client.text(data).contains("\"1.0.0\""), "{}", client.text(data));
        assert_eq!(client.text(error), "");
    }
    let error = client.open(&[("port", "9"), ("requestid", "2"), ("streamtype", "error")]).await;
    client.open(&[("port", "9"), ("requestid", "2"), ("streamtype", "data")]).await;
    client.until(|client| client.ended.contains(&error)).await;
    let text = client.text(error);
    assert!(
        text.starts_with("error forwarding port 9 to pod notes-web") && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ports_are_forwarded_over_streams_and_through_a_websocket() {
    let rig = Rig::start().await;
    rig.create_notes("1.0.0");
    within(rig.until("deployments.apps", "notes-web", |d| d["status"]["availableReplicas"] == 1)).await;
    let path = format!("{}/portforward", rig.pod_of("notes-web"));
    let (chosen, client) = connect(&rig, &path, &["portforward.k8s.io"]).await.unwrap();
    assert_eq!(chosen, "portforward.k8s.io");
    forwards(client).await;

    let headers = [
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "SPDY/3.1+portforward.k8s.io"),
    ];
    let mut get = request(&path, &headers);
    *get.method_mut() = http::Method::GET;
    let (chosen, wire) = upgrade(&rig, get).await.unwrap();
    assert_eq!(chosen, "SPDY/3.1+portforward.k8s.io");
    let socket = WebSocketStream::from_raw_socket(wire, Role::Client, None).await;
    let (inner, outer) = tokio::io::duplex(1 << 16);
    let pump = tokio::spawn(async move {
        let (mut sink, mut source) = socket.split();
        let (mut reader, mut writer) = tokio::io::split(inner);
        let up = async {
            // Odd pieces: frames may begin and end anywhere.
            let mut buffer = [0; 13];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                sink.send(Message::binary(buffer[..count].to_vec())).await.unwrap();
            }
        };
        let down = async {
            while let Some(Ok(Message::Binary(data))) = source.next().await {
                writer.write_all(&data).await.unwrap();
            }
        };
        tokio::select! { () = up => {}, () = down => {} }
    });
    forwards(Client::new(outer)).await;
    within(pump).await.unwrap();
    rig.stop().await;
}
