//! Addresses that mean another host from each machine: an answer from outside must not choose one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether one of a host's addresses is such a one, and none of `first`: those that the first host itself has.
pub(super) fn leads(addresses: &[IpAddr], first: &[IpAddr]) -> bool {
    addresses.iter().any(|address| is_inner(*address) && !first.contains(address))
}

/// This machine, its link, or a network of its own (RFC 6890), also where IPv6 wraps such an IPv4 address.
fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_inner_v4(address),
        IpAddr::V6(address) => wrapped(address).map_or_else(|| is_inner_v6(address), is_inner_v4),
    }
}

fn is_inner_v4(address: Ipv4Addr) -> bool {
    let shared = matches!(address.octets(), [100, 64..=127, ..]);
    // the whole of 0.0.0.0/8 means this machine
    let this = address.octets()[0] == 0;
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || shared
        || this
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
}

/// The IPv4 address in a mapped (`::ffff:0:0/96`) or translated one (`64:ff9b::/96`).
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let translated = || match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    };
    address.to_ipv4_mapped().or_else(translated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_what_everybody_can_reach_is_outside() {
        for inner in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(leads(&all(&[inner]), &[]), "{inner}");
        }
        for outer in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.169.0.1",
            "2606:4700::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(!leads(&all(&[outer]), &[]), "{outer}");
        }
    }

    #[test]
    fn the_first_host_may_lead_to_where_it_is_itself() {
        let first = all(&["127.0.0.1", "10.0.0.1"]);
        assert!(!leads(&all(&["10.0.0.1"]), &first));
        assert!(!leads(&all(&["127.0.0.1", "1.1.1.1"]), &first));
        assert!(leads(&all(&["10.0.0.2"]), &first), "its neighbour is another host");
        assert!(leads(&all(&["1.1.1.1", "127.0.0.2"]), &first), "any of them may be the one that accepts");
    }
}
