//! Whether a URL answers: a GET, by phases (`dns`, `connect`, `tls`, `http`), each of which is timed and can fail on its own.
//! Redirects are followed, but for those into a network that only this machine sees. Bodies are not read.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use crate::domain::route::{Certificate, Hop, Phase, Phases, Probe, ProbeOutcome};

mod connect;
mod faults;
mod first_bytes;
mod head;
mod inward;
mod redirects;
mod roots;
mod tls;

pub use roots::Roots;

pub(crate) use connect::{connect, resolve};
use head::Head;
use redirects::Trail;

/// How long all redirects together may take, in times of the limit of a phase.
const REDIRECTS_TAKE: u32 = 4;
/// How many addresses are named in a sentence.
const NAMED: usize = 4;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Complete: `https://notes.example.org/app`.
    pub url: &'a str,
    /// How long each phase may take.
    pub limit: Duration,
    /// Who is trusted to sign certificates; none: whom this machine trusts.
    pub roots: Option<&'a Roots>,
    /// Addresses of hosts for which nobody is asked.
    pub known: &'a [(String, Vec<IpAddr>)],
}

impl<'a> Ask<'a> {
    /// Asks `url` as this machine sees it.
    pub fn new(url: &'a str, limit: Duration) -> Self {
        Self { url, limit, roots: None, known: &[] }
    }
}

/// A phase that failed, and why.
#[derive(Debug)]
struct Failure {
    phase: Phase,
    message: String,
}

impl Failure {
    fn new(phase: Phase, message: impl fmt::Display) -> Self {
        Self { phase, message: message.to_string() }
    }
}

/// What one request found on its way to an answer.
#[derive(Debug, Default)]
struct Found {
    phases: Phases,
    address: Option<IpAddr>,
    addresses: Vec<IpAddr>,
    certificate: Option<Certificate>,
}

/// Asks once, and follows where the answer leads. `now` is the moment that the result is stamped with, and at which certificates
/// must hold. Never fails: what goes wrong is the result.
///
/// Phases, addresses and certificate are those of the first URL; the code is the last one's. What goes wrong behind a redirect is told
/// with the URL where it did, as a failure of its phase.
pub async fn probe(ask: &Ask<'_>, now: Timestamp) -> Probe {
    let mut found = Found::default();
    let (outcome, hops) = match readable(ask.url) {
        Ok(url) => {
            let first = ask_first(ask, &url, now, &mut found).await;
            let mut trail = Trail::new(url);
            let outcome = match first {
                Ok(head) => follow(ask, &mut trail, head, (&found.addresses, now)).await,
                Err(failure) => Err(failure),
            };
            (outcome, trail.into_hops())
        }
        Err(failure) => (Err(failure), Vec::new()),
    };
    told(found, hops, outcome, now)
}

fn told(found: Found, hops: Vec<Hop>, outcome: Result<u16, Failure>, now: Timestamp) -> Probe {
    let outcome = match outcome {
        Ok(code) => ProbeOutcome::Answered(code),
        Err(Failure { phase, message }) => ProbeOutcome::Failed { phase, message },
    };
    let Found { phases, address, addresses, certificate } = found;
    Probe { at: now, outcome, phases, address, addresses, hops, certificate }
}

fn readable(text: &str) -> Result<Url, Failure> {
    let url =
        Url::parse(text).map_err(|error| Failure::new(Phase::Dns, format!("'{text}' is no URL: {error}")))?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(url),
        ("http" | "https", None) => Err(Failure::new(Phase::Dns, format!("'{text}' names no host"))),
        _ => Err(Failure::new(Phase::Dns, format!("'{text}' does not start with http:// or https://"))),
    }
}

async fn ask_first(ask: &Ask<'_>, url: &Url, now: Timestamp, found: &mut Found) -> Result<Head, Failure> {
    let addresses = locate(ask, url, found).await?;
    visit(ask, url, &addresses, now, found).await
}

/// Goes after the redirects, each of which is a request of its own; all of them together have their time, too. An application
/// decides where they lead: one that leads into a network which only this machine sees is told, and not followed. `first` are the
/// addresses of the first URL's host: whoever has its routes there means that network.
async fn follow(
    ask: &Ask<'_>,
    trail: &mut Trail,
    mut head: Head,
    (first, now): (&[IpAddr], Timestamp),
) -> Result<u16, Failure> {
    let limit = ask.limit.saturating_mul(REDIRECTS_TAKE);
    let end = async {
        while let Some(next) = trail.step(&head)? {
            let behind = |failure: Failure| {
                let place = redirects::shown(&next);
                Failure::new(failure.phase, format!("after a redirect to {place}: {}", failure.message))
            };
            let mut found = Found::default();
            // these very addresses are connected to: a name that is resolved again may lead elsewhere
            let addresses = locate(ask, &next, &mut found).await.map_err(behind)?;
            if inward::leads(&found.addresses, first) {
                break;
            }
            head = visit(ask, &next, &addresses, now, &mut found).await.map_err(behind)?;
        }
        Ok(head.code)
    };
    let late =
        || Failure::new(Phase::Http, format!("its redirects took longer than {} ms", limit.as_millis()));
    timeout(limit, end).await.unwrap_or_else(|_| Err(late()))
}

/// One request, until the head of its answer. `found` has what was learned also when it fails.
async fn visit(
    ask: &Ask<'_>,
    url: &Url,
    addresses: &[SocketAddr],
    now: Timestamp,
    found: &mut Found,
) -> Result<Head, Failure> {
    let stream = reach(ask, addresses, found).await?;
    if url.scheme() == "http" {
        let answer = head::ask(stream, url);
        return within(Phase::Http, ask.limit, &mut found.phases.http, answer).await;
    }
    let roots = match ask.roots {
        Some(roots) => roots.clone(),
        None => Roots::system().await,
    };
    let witness = tls::Witness::new(roots, url, now).map_err(|why| Failure::new(Phase::Tls, why))?;
    let shaken = within(Phase::Tls, ask.limit, &mut found.phases.tls, witness.shake(stream)).await;
    found.certificate = witness.certificate();
    let answer = head::ask(shaken?, url);
    within(Phase::Http, ask.limit, &mut found.phases.http, answer).await
}

/// Finds the host.
async fn locate(ask: &Ask<'_>, url: &Url, found: &mut Found) -> Result<Vec<SocketAddr>, Failure> {
    let port = url.port_or_known_default().unwrap_or(80);
    let resolved = addresses(ask, url, port);
    let addresses = within(Phase::Dns, ask.limit, &mut found.phases.dns, resolved).await?;
    found.addresses = addresses.iter().map(SocketAddr::ip).collect();
    Ok(addresses)
}

/// Connects to it.
async fn reach(ask: &Ask<'_>, addresses: &[SocketAddr], found: &mut Found) -> Result<TcpStream, Failure> {
    let mut refusals = Vec::new();
    let racing = async { Ok(connect::race(addresses, &mut refusals).await) };
    let reached = within(Phase::Connect, ask.limit, &mut found.phases.connect, racing).await;
    match reached {
        Ok(Some(stream)) => {
            found.address = stream.peer_addr().ok().map(|address| address.ip());
            Ok(stream)
        }
        Ok(None) => Err(Failure::new(Phase::Connect, connect::told(addresses, &refusals, None))),
        Err(_) => Err(Failure::new(Phase::Connect, connect::told(addresses, &refusals, Some(ask.limit)))),
    }
}

async fn addresses(ask: &Ask<'_>, url: &Url, port: u16) -> Result<Vec<SocketAddr>, String> {
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => return Ok(vec![SocketAddr::new(address.into(), port)]),
        Some(Host::Ipv6(address)) => return Ok(vec![SocketAddr::new(address.into(), port)]),
        None => return Err("it names no host".to_owned()),
    };
    match ask.known.iter().find(|(name, _)| *name == host) {
        Some((_, known)) if known.is_empty() => Err(format!("{host} has no address")),
        Some((_, known)) => Ok(known.iter().map(|address| SocketAddr::new(*address, port)).collect()),
        None => resolve(&host, port).await,
    }
}

/// Runs one phase within its time, and says how long it took, however it ended.
async fn within<T>(
    phase: Phase,
    limit: Duration,
    took: &mut Option<u32>,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, Failure> {
    let begun = Instant::now();
    let done = timeout(limit, work).await;
    *took = Some(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    match done {
        Ok(outcome) => outcome.map_err(|message| Failure::new(phase, message)),
        Err(_) => {
            let what = match phase {
                Phase::Dns => "the resolver did not answer",
                Phase::Connect => "no connection",
                Phase::Tls => "the handshake was not done",
                Phase::Http => "no answer",
            };
            Err(Failure::new(phase, format!("{what} within {} ms", limit.as_millis())))
        }
    }
}

/// Some things in a row, the last ones only counted.
fn some(things: &[String]) -> String {
    match things.len().checked_sub(NAMED) {
        None | Some(0) => things.join(", "),
        Some(more) => format!("{} and {more} more", things[..NAMED].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_time() {
        let limit = Duration::from_millis(300);
        for (phase, wanted) in [
            (Phase::Dns, "the resolver did not answer within 300 ms"),
            (Phase::Connect, "no connection within 300 ms"),
            (Phase::Tls, "the handshake was not done within 300 ms"),
            (Phase::Http, "no answer within 300 ms"),
        ] {
            let mut took = None;
            let never = std::future::pending::<Result<(), String>>();
            let failure = within(phase, limit, &mut took, never).await.unwrap_err();
            assert_eq!((failure.phase, failure.message.as_str()), (phase, wanted));
            assert!(took.is_some(), "the time until then is told");
        }
    }

    #[test]
    fn many_things_are_counted() {
        let things = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        assert_eq!(some(&things[..1]), "a");
        assert_eq!(some(&things[..4]), "a, b, c, d");
        assert_eq!(some(&things), "a, b, c, d and 2 more");
    }
}
