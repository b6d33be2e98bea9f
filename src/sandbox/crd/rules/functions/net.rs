//! IP addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault};

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    if let Some(Cel::Text(text)) = arguments.first() {
        if !matches!(name, "ip" | "isIP" | "ip.isCanonical" | "cidr" | "isCIDR") {
            return Ok(None);
        }
        meter.charge_text(text.len())?;
    }
    let found = match (name, arguments) {
        ("ip", [Cel::Text(text)]) => Cel::Address(parse_ip(text)?),
        ("isIP", [Cel::Text(text)]) => Cel::Bool(parse_ip(text).is_ok()),
        ("ip.isCanonical", [Cel::Text(text)]) => Cel::Bool(parse_ip(text)?.to_string() == **text),
        ("cidr", [Cel::Text(text)]) => parse_cidr(text)?,
        ("isCIDR", [Cel::Text(text)]) => Cel::Bool(parse_cidr(text).is_ok()),
        (_, [Cel::Address(address)]) => return Ok(of_address(name, *address)),
        ("ip", [Cel::Network(address, _)]) => Cel::Address(*address),
        ("prefixLength", [Cel::Network(_, bits)]) => Cel::Int(i64::from(*bits)),
        ("masked", [Cel::Network(address, bits)]) => Cel::Network(masked(*address, *bits), *bits),
        ("containsIP", [network, Cel::Text(text)]) => return contains(network, parse_ip(text)?, None),
        ("containsIP", [network, Cel::Address(address)]) => return contains(network, *address, None),
        ("containsCIDR", [network, Cel::Network(address, bits)]) => {
            return contains(network, *address, Some(*bits));
        }
        ("containsCIDR", [network, Cel::Text(text)]) => {
            let Cel::Network(address, bits) = parse_cidr(text)? else { return Ok(None) };
            return contains(network, address, Some(bits));
        }
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// A network as a text.
pub fn written(address: IpAddr, bits: u8) -> String {
    format!("{address}/{bits}")
}

fn parse_ip(text: &str) -> Result<IpAddr, Fault> {
    let wrong = || Fault::error(format!("IP Address {text:?} parse error during conversion from string"));
    // an IPv4 address inside an IPv6 one is no address for a real server
    let plain = |address: &IpAddr| !matches!(address, IpAddr::V6(six) if six.to_ipv4_mapped().is_some());
    text.parse().ok().filter(plain).ok_or_else(wrong)
}

fn parse_cidr(text: &str) -> Result<Cel, Fault> {
    let wrong =
        || Fault::error(format!("network address {text:?} parse error during conversion from string"));
    let (address, digits) = text.split_once('/').ok_or_else(wrong)?;
    let address = parse_ip(address).map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let plain = digits.chars().all(|c| c.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let bits = digits.parse().ok().filter(|bits| plain && *bits <= most).ok_or_else(wrong)?;
    Ok(Cel::Network(address, bits))
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            Ipv4Addr::from_bits(four.to_bits() & mask).into()
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            Ipv6Addr::from_bits(six.to_bits() & mask).into()
        }
    }
}

fn contains(network: &Cel, address: IpAddr, inner: Option<u8>) -> Answer {
    let Cel::Network(base, bits) = network else { return Ok(None) };
    let narrower = inner.is_none_or(|inner| inner >= *bits);
    let same = base.is_ipv4() == address.is_ipv4();
    Ok(Some(Cel::Bool(same && narrower && masked(*base, *bits) == masked(address, *bits))))
}

fn of_address(name: &str, address: IpAddr) -> Option<Cel> {
    let link_local = match address {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.is_unicast_link_local(),
    };
    let link_local_multicast = match address {
        IpAddr::V4(four) => four.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(six) => six.is_multicast() && six.segments()[0] & 0xf == 2,
    };
    let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    Some(match name {
        "family" => Cel::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Cel::Bool(address.is_unspecified()),
        "isLoopback" => Cel::Bool(address.is_loopback()),
        "isLinkLocalUnicast" => Cel::Bool(link_local),
        "isLinkLocalMulticast" => Cel::Bool(link_local_multicast),
        "isGlobalUnicast" => Cel::Bool(!special && !link_local && !broadcast),
        _ => return None,
    })
}
