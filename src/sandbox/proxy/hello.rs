//! The first words of a TLS client: which host it means, before anybody has answered.

use std::io::Cursor;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::server::Acceptor;

/// A complete ClientHello fits in here; whoever sends more does not mean TLS.
const LONGEST: usize = 64 * 1024;
/// The first byte of a record with a handshake.
const HANDSHAKE: u8 = 22;

/// What a client has said.
#[derive(Debug)]
pub(super) struct Hello {
    /// The host that it means, if it says so.
    pub(super) host: Option<String>,
    /// Every byte that it has sent.
    pub(super) bytes: Vec<u8>,
}

/// Why there is no ClientHello.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoHello {
    /// The client went away.
    Gone,
    /// It speaks HTTP without TLS.
    Plain,
    /// It speaks something else; this alert is for it.
    Broken(Vec<u8>),
}

/// Reads until the ClientHello is complete.
pub(super) async fn read(stream: &mut TcpStream) -> Result<Hello, NoHello> {
    let mut acceptor = Acceptor::default();
    let mut bytes = Vec::with_capacity(2048);
    loop {
        let from = bytes.len();
        if from > LONGEST {
            return Err(NoHello::Broken(Vec::new()));
        }
        match stream.read_buf(&mut bytes).await {
            Ok(count) if count > 0 => {}
            _ => return Err(NoHello::Gone),
        }
        if bytes[0] != HANDSHAKE && bytes[0].is_ascii_alphabetic() {
            return Err(NoHello::Plain);
        }
        if let Some(host) = feed(&mut acceptor, &bytes[from..])? {
            return Ok(Hello { host, bytes });
        }
    }
}

/// Gives bytes to the parser: the host, if there is one, when the ClientHello is complete.
fn feed(acceptor: &mut Acceptor, mut new: &[u8]) -> Result<Option<Option<String>>, NoHello> {
    while !new.is_empty() {
        if acceptor.read_tls(&mut new).is_err() {
            return Err(NoHello::Broken(Vec::new()));
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                return Ok(Some(accepted.client_hello().server_name().map(str::to_owned)));
            }
            Ok(None) => {}
            Err((_, mut alert)) => {
                let mut words = Vec::new();
                // writing into memory does not fail
                let _ = alert.write_all(&mut words);
                return Err(NoHello::Broken(words));
            }
        }
    }
    Ok(None)
}

/// The connection as it was before `bytes` were read from it.
pub(super) fn replayed(stream: TcpStream, bytes: Vec<u8>) -> impl AsyncRead + AsyncWrite + Unpin + Send {
    let (reader, writer) = stream.into_split();
    tokio::io::join(Cursor::new(bytes).chain(reader), writer)
}
