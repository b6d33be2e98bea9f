//! Takes an address apart.

use super::super::super::format::quote_bytes as quoted;
use super::super::super::value::lossy;
use super::escape::{Place, escape, unescape};

/// The parts of an address.
#[derive(Default)]
pub struct Address {
    pub scheme: String,
    /// What follows a scheme without a slash.
    pub opaque: String,
    /// Name and password, escaped as they are written.
    pub user: Option<String>,
    /// With its port.
    pub host: String,
    pub path: Vec<u8>,
    pub query: String,
    pub fragment: Vec<u8>,
}

/// The parts. An error has Go's words.
pub fn parse(text: &str) -> Result<Address, String> {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    let failed = |address: &str, error: String| format!("parse {}: {error}", quoted(address.as_bytes()));
    let mut address = parse_rest(before).map_err(|error| failed(before, error))?;
    address.fragment = unescape(fragment, Place::Fragment).map_err(|error| failed(text, error))?;
    Ok(address)
}

fn parse_rest(text: &str) -> Result<Address, String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let mut address = Address::default();
    if text == "*" {
        address.path = b"*".to_vec();
        return Ok(address);
    }
    let (scheme, rest) = scheme(text)?;
    address.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    query.clone_into(&mut address.query);
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            rest.clone_into(&mut address.opaque);
            return Ok(address);
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let authority = rest.strip_prefix("//").filter(|_| !scheme.is_empty() || !rest.starts_with("///"));
    let path = match authority {
        Some(authority) => {
            let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
            (address.user, address.host) = parse_authority(authority)?;
            path
        }
        None => rest,
    };
    address.path = unescape(path, Place::Path)?;
    Ok(address)
}

/// The scheme before a colon, and what stands behind it; empty when there is none.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, letter) in text.char_indices() {
        match letter {
            letter if letter.is_ascii_alphabetic() => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

/// `user:password@host:port`.
fn parse_authority(text: &str) -> Result<(Option<String>, String), String> {
    let Some((user, host)) = text.rsplit_once('@') else { return Ok((None, parse_host(text)?)) };
    let host = parse_host(host)?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(is_valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let again = |part: &str| Ok::<_, String>(escape(&unescape(part, Place::User)?, Place::User));
    let user = match user.split_once(':') {
        Some((name, password)) => format!("{}:{}", again(name)?, again(password)?),
        None => again(user)?,
    };
    Ok((Some(user), host))
}

/// Whether it is empty, or a colon with digits or none.
pub fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn parse_host(host: &str) -> Result<String, String> {
    let port = if host.starts_with('[') {
        let end = host.rfind(']').ok_or("missing ']' in host")?;
        &host[end + 1..]
    } else {
        host.rfind(':').map_or("", |colon| &host[colon..])
    };
    if !is_port(port) {
        return Err(format!("invalid port {} after host", quoted(port.as_bytes())));
    }
    let zone = host.rfind(']').filter(|_| host.starts_with('['));
    let zone = zone.and_then(|end| host[..end].find("%25").map(|start| (start, end)));
    let plain = match zone {
        Some((start, end)) => [
            unescape(&host[..start], Place::Host)?,
            unescape(&host[start..end], Place::HostZone)?,
            unescape(&host[end..], Place::Host)?,
        ]
        .concat(),
        None => unescape(host, Place::Host)?,
    };
    Ok(lossy(&plain).into_owned())
}
