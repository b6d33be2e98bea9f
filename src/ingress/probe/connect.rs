//! A host's addresses, and a connection to one of them: by Happy Eyeballs (RFC 8305), so that an address that does not answer
//! holds up nobody.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};

use super::some;

/// How long one address is tried alone before the next one is tried beside it (RFC 8305, §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses that did not accept, and why.
pub(super) type Refusals = Vec<(SocketAddr, io::Error)>;

/// The addresses of a host, in the order in which they are to be tried. `localhost` and everything below it is this machine
/// (RFC 6761), whatever the resolver says.
///
/// # Errors
/// It has none, or the resolver does not answer: why.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)]);
    }
    let found = lookup_host((bare, port)).await.map_err(|error| format!("{bare}: {error}"))?;
    let found = interleaved(found);
    if found.is_empty() { Err(format!("{bare} has no address")) } else { Ok(found) }
}

/// Connects to the first address that accepts.
///
/// # Errors
/// None does: each with its reason.
pub(crate) async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut refusals = Refusals::new();
    let connected = race(addresses, &mut refusals).await;
    connected.ok_or_else(|| told(addresses, &refusals, None))
}

/// Connects to whichever address accepts first, each with a head start before the next. None: all refused.
pub(super) async fn race(addresses: &[SocketAddr], refusals: &mut Refusals) -> Option<TcpStream> {
    let mut waiting: VecDeque<_> = addresses.iter().copied().collect();
    let mut trying = FuturesUnordered::new();
    loop {
        match waiting.pop_front() {
            Some(address) => trying.push(async move { (address, TcpStream::connect(address).await) }),
            None if trying.is_empty() => return None,
            None => {}
        }
        let head_start = async {
            match waiting.is_empty() {
                true => std::future::pending().await,
                false => tokio::time::sleep(HEAD_START).await,
            }
        };
        tokio::select! {
            Some((address, tried)) = trying.next() => match tried {
                Ok(stream) => return Some(stream),
                Err(error) => refusals.push((address, error)),
            },
            () = head_start => {}
        }
    }
}

/// Each address with what became of it. Those that said nothing had `limit` for it. In the order of the addresses themselves:
/// resolvers give them in another one each time, and the same trouble is to have the same words.
pub(super) fn told(addresses: &[SocketAddr], refusals: &Refusals, limit: Option<Duration>) -> String {
    let mut sorted = addresses.to_vec();
    sorted.sort_unstable();
    let each: Vec<String> = sorted
        .iter()
        .map(|address| match refusals.iter().find(|(refused, _)| refused == address) {
            Some((_, error)) => format!("{address} {}", reason(error)),
            None => match limit {
                Some(limit) => format!("{address} did not answer within {} ms", limit.as_millis()),
                None => format!("{address} did not answer"),
            },
        })
        .collect();
    some(&each)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused the connection".to_owned(),
        io::ErrorKind::ConnectionReset => "reset the connection".to_owned(),
        io::ErrorKind::HostUnreachable => "cannot be reached: there is no way to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "cannot be reached: there is no way to its network".to_owned(),
        io::ErrorKind::TimedOut => "did not answer".to_owned(),
        _ => format!("cannot be connected to: {error}"),
    }
}

/// Each address once, IPv6 and IPv4 by turns, beginning with the family that the resolver prefers (RFC 8305, §4).
fn interleaved(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut each = Vec::new();
    for address in addresses {
        if !each.contains(&address) {
            each.push(address);
        }
    }
    let preferred = each.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (VecDeque<_>, VecDeque<_>) =
        each.into_iter().partition(|address| address.is_ipv6() == preferred);
    let (mut queues, mut order) = ([first, second], Vec::new());
    while queues.iter().any(|queue| !queue.is_empty()) {
        order.extend(queues.iter_mut().filter_map(VecDeque::pop_front));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let found = addresses(&["[::1]:80", "[::1]:80", "[::2]:80", "[::3]:80", "10.0.0.1:80"]);
        let wanted = addresses(&["[::1]:80", "10.0.0.1:80", "[::2]:80", "[::3]:80"]);
        assert_eq!(interleaved(found.into_iter()), wanted);
        let found = addresses(&["10.0.0.1:80", "10.0.0.2:80", "[::1]:80"]);
        let wanted = addresses(&["10.0.0.1:80", "[::1]:80", "10.0.0.2:80"]);
        assert_eq!(interleaved(found.into_iter()), wanted);
    }

    #[test]
    fn each_address_is_told_with_its_reason_in_order() {
        let asked = addresses(&["10.0.0.1:80", "10.0.0.2:80"]);
        let refused = vec![(asked[1], io::Error::from(io::ErrorKind::ConnectionRefused))];
        assert_eq!(
            told(&asked, &refused, Some(Duration::from_millis(300))),
            "10.0.0.1:80 did not answer within 300 ms, 10.0.0.2:80 refused the connection"
        );
        let turned = addresses(&["10.0.0.2:80", "10.0.0.1:80"]);
        assert_eq!(
            told(&turned, &refused, None),
            told(&asked, &refused, None),
            "whatever the resolver's order"
        );
        let many = addresses(&["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80"]);
        assert!(told(&many, &Vec::new(), None).ends_with("10.0.0.4:80 did not answer and 1 more"));
    }

    #[tokio::test]
    async fn localhost_is_this_machine() {
        for name in ["localhost", "notes-demo.LOCALHOST", "a.localhost."] {
            assert_eq!(resolve(name, 80).await.unwrap(), addresses(&["127.0.0.1:80"]), "{name}");
        }
        assert_eq!(resolve("[::1]", 80).await.unwrap(), addresses(&["[::1]:80"]));
    }
}
