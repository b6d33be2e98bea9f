//! `urlParse` and `urlJoin`: addresses by the rules of Go's `net/url`, which are not those of browsers.

use super::super::value::{Value, lossy};
use super::Kind::{Dict, Text};
use super::arguments::{Answer, dict, fixed, string, text};
use super::lists::NIL_POINTER;
use super::print::kind;
use super::{Entry, Surroundings, entry};

mod escape;
mod parse;

use escape::{Place, escape};
use parse::{Address, parse};

pub(super) const TABLE: &[Entry] =
    &[entry("urlParse", &[Text], url_parse), entry("urlJoin", &[Dict], url_join)];

fn url_parse(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let address = parse(&text(given)?).map_err(|error| format!("unable to parse url: {error}"))?;
    Ok(Value::dict([
        ("scheme", Value::text(&address.scheme)),
        ("host", Value::text(&address.host)),
        ("hostname", Value::text(hostname(&address.host))),
        ("path", string(&*address.path)?),
        ("query", Value::text(&address.query)),
        ("opaque", Value::text(&address.opaque)),
        ("fragment", string(&*address.fragment)?),
        ("userinfo", Value::text(address.user.unwrap_or_default())),
    ]))
}

/// The host without its port and without brackets.
fn hostname(host: &str) -> &str {
    let name = match host.rfind(':') {
        Some(colon) if parse::is_port(&host[colon..]) => &host[..colon],
        _ => host,
    };
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
}

fn url_join(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let part = |key: &str| match given.get(key).as_ref() {
        None => Ok(String::new()),
        Some(Value::Nil) => Err(NIL_POINTER.to_owned()),
        Some(Value::Text(text) | Value::Number(text)) => Ok(text.as_ref().to_owned()),
        Some(Value::Raw(bytes)) => Ok(lossy(bytes).into_owned()),
        Some(other) => {
            Err(format!("unable to parse {key} key, must be of type string, but {} found", kind(other)))
        }
    };
    if !matches!(given, Value::Nil) {
        dict(given)?;
    }
    let mut address = Address {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?.into_bytes(),
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?.into_bytes(),
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let parsed = parse(&format!("proto://{user}@host"));
        address.user = parsed.map_err(|error| format!("unable to parse userinfo in dict: {error}"))?.user;
    }
    string(written(&address))
}

/// The address as Go's `URL.String` writes it.
fn written(address: &Address) -> String {
    let mut out = String::new();
    if !address.scheme.is_empty() {
        out += &address.scheme;
        out.push(':');
    }
    if address.opaque.is_empty() {
        write_hierarchy(&mut out, address);
    } else {
        out += &address.opaque;
    }
    if !address.query.is_empty() {
        out.push('?');
        out += &address.query;
    }
    if !address.fragment.is_empty() {
        out.push('#');
        out += &escape(&address.fragment, Place::Fragment);
    }
    out
}

/// `//user@host/path`.
fn write_hierarchy(out: &mut String, address: &Address) {
    let has_authority = !address.host.is_empty() || address.user.is_some();
    if has_authority || !address.scheme.is_empty() && !address.path.is_empty() {
        *out += "//";
    }
    if let Some(user) = &address.user {
        *out += user;
        out.push('@');
    }
    *out += &escape(address.host.as_bytes(), Place::Host);
    let path = match &*address.path {
        b"*" => "*".to_owned(),
        path => escape(path, Place::Path),
    };
    if !path.is_empty() && !path.starts_with('/') && !address.host.is_empty() {
        out.push('/');
    }
    // Without this a first segment with a colon would read as a scheme.
    if out.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
        *out += "./";
    }
    *out += &path;
}
