//! Blocks of addresses and host names, as they stand in settings.

use std::net::IpAddr;

use crate::domain::names::{LABEL_MAX, SUBDOMAIN_MAX};

/// A block of addresses: `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    prefix: u8,
}

impl Block {
    /// Reads a block.
    ///
    /// # Errors
    /// Why it is none, in words that continue "'x': ".
    pub fn read(text: &str) -> Result<Self, String> {
        let Some((address, prefix)) = text.split_once('/') else {
            return Err(match text.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => format!("it is one address; its block is {text}/32"),
                Ok(IpAddr::V6(_)) => format!("it is one address; its block is {text}/128"),
                Err(_) => "it is no block of addresses".to_owned(),
            });
        };
        let address: IpAddr = address.parse().map_err(|_| format!("'{address}' is no address"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let plain = !prefix.is_empty() && prefix.chars().all(|c| c.is_ascii_digit());
        let length = prefix.parse().ok().filter(|length| plain && *length <= most);
        let prefix = length.ok_or_else(|| format!("'{prefix}' is no length of a prefix from 0 to {most}"))?;
        Ok(Self { address, prefix })
    }

    /// Whether an address lies in it. An IPv4 address that is written as an IPv6 one is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(block), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                block.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(block), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                block.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// Checks that a text is a DNS name of lower-case letters: a host name without wildcard, port or scheme.
///
/// # Errors
/// Why it is none, in words that continue "'x': ".
pub fn check_host(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains("://") {
        return Err("it has a scheme; a host name has none".to_owned());
    }
    if text.contains('*') {
        return Err("it is a wildcard; every host is named".to_owned());
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err("it is an address; a route needs a name".to_owned());
    }
    if let Some((_, port)) = text.rsplit_once(':')
        && port.chars().all(|c| c.is_ascii_digit())
    {
        return Err("it has a port; a host name has none".to_owned());
    }
    if text.len() > SUBDOMAIN_MAX {
        return Err(format!("it has {} characters, the limit is {SUBDOMAIN_MAX}", text.len()));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    for label in text.split('.') {
        let why = match label {
            "" => "it has an empty part".to_owned(),
            _ if label.len() > LABEL_MAX => format!("'{label}' has more than {LABEL_MAX} characters"),
            _ if label.chars().any(|c| c.is_ascii_uppercase()) => {
                "host names are written in lower case".to_owned()
            }
            _ if !label.chars().all(|c| plain(c) || c == '-') => {
                format!("'{label}' has something else than letters, digits and '-'")
            }
            _ if !label.starts_with(plain) || !label.ends_with(plain) => {
                format!("'{label}' does not begin and end with a letter or a digit")
            }
            _ => continue,
        };
        return Err(why);
    }
    Ok(())
}

/// Whether a host name falls under another, which may be a wildcard (`*.example.org`) for one label or more.
pub fn covers(wanted: &str, host: &str) -> bool {
    match wanted.strip_prefix("*.") {
        Some(rest) => host.strip_suffix(rest).is_some_and(|head| head.len() > 1 && head.ends_with('.')),
        None => wanted == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_and_contain() {
        let contains =
            |block: &str, address: &str| Block::read(block).unwrap().contains(address.parse().unwrap());
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.0.0.1", "9.0.0.1"),
            ("192.0.2.7/32", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::/0", "::1", "127.0.0.1"),
            ("::1/128", "::1", "::2"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:126.0.0.1"),
        ] {
            assert!(contains(block, inside), "{block} {inside}");
            assert!(!contains(block, outside), "{block} {outside}");
        }
        for wrong in
            ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "x/8", "::1"]
        {
            assert!(Block::read(wrong).is_err(), "{wrong}");
        }
        assert!(Block::read("10.0.0.1").unwrap_err().contains("10.0.0.1/32"));
    }

    #[test]
    fn host_names_are_checked() {
        for right in ["a", "notes.example.org", "x-1.y", "1.example", "xn--bcher-kva.example"] {
            assert_eq!(check_host(right), Ok(()), "{right}");
        }
        for (wrong, why) in [
            ("", "empty"),
            ("*.example.org", "wildcard"),
            ("http://a", "scheme"),
            ("a:80", "port"),
            ("10.0.0.1", "address"),
            ("A.example", "lower case"),
            ("a..b", "empty part"),
            ("a.", "empty part"),
            ("-a.b", "begin and end"),
            ("a_b.c", "something else"),
            ("a/b", "something else"),
        ] {
            let told = check_host(wrong).unwrap_err();
            assert!(told.contains(why), "{wrong}: {told}");
        }
        assert!(check_host(&format!("{}.a", "x".repeat(64))).is_err());
    }

    #[test]
    fn wildcards_cover_labels() {
        assert!(covers("*.example.org", "a.example.org") && covers("*.example.org", "a.b.example.org"));
        assert!(!covers("*.example.org", "example.org") && !covers("*.example.org", ".example.org"));
        assert!(covers("a.b", "a.b") && !covers("a.b", "c.a.b"));
    }
}
