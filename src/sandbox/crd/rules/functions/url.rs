//! URLs, as Go's parser of request URIs takes them: absolute, or a path.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault, Key, List};

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// Parses an absolute URL or an absolute path.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.chars().any(|c| c.is_ascii_control()) {
            return None;
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if !text.starts_with('/') => {
                let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
                let plain = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
                (starts && plain).then(|| (scheme.to_ascii_lowercase(), rest))?
            }
            _ => (String::new(), text),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let opaque = !scheme.is_empty() && !rest.starts_with('/');
        if scheme.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let authority = rest.strip_prefix("//").filter(|_| !scheme.is_empty());
        let (host, path) = match authority {
            Some(authority) => {
                let end = authority.find('/').unwrap_or(authority.len());
                let (authority, path) = authority.split_at(end);
                (authority.rsplit_once('@').map_or(authority, |(_, host)| host), path)
            }
            None if opaque => ("", ""),
            None => ("", rest),
        };
        let url = Self { scheme, host: host.to_owned(), path: path.to_owned(), query: query.to_owned() };
        (url.has_good_host() && decoded(path, false).is_some()).then_some(url)
    }

    fn has_good_host(&self) -> bool {
        let good = |c: char| !c.is_whitespace() && !"<>\"{}|\\^`".contains(c);
        let port = self.port_part();
        let bracketed = self.host.starts_with('[') == self.host.contains(']');
        bracketed && self.host.chars().all(good) && port.chars().all(|c| c.is_ascii_digit())
    }

    fn port_part(&self) -> &str {
        let after = self.host.rsplit_once(']').map_or(&*self.host, |(_, after)| after);
        after.split_once(':').map_or("", |(_, port)| port)
    }

    fn hostname(&self) -> &str {
        match self.host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, _)) => inner,
            None => self.host.split_once(':').map_or(&*self.host, |(name, _)| name),
        }
    }

    fn query(&self) -> Cel {
        let mut found: BTreeMap<Key, Vec<Cel>> = BTreeMap::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Some(name), Some(value)) = (decoded(name, true), decoded(value, true)) {
                found.entry(Key::Text(name.into())).or_default().push(Cel::text(&value));
            }
        }
        Cel::Map(Rc::new(found.into_iter().map(|(name, values)| (name, List::plain(values))).collect()))
    }
}

/// Without percent signs; `None` when one is followed by anything but two digits.
fn decoded(text: &str, query: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut found = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|text| !text.starts_with('+'))?;
                found.push(u8::from_str_radix(digits, 16).ok()?);
            }
            b'+' if query => found.push(b' '),
            other => found.push(other),
        }
    }
    Some(String::from_utf8_lossy(&found).into_owned())
}

/// As Go escapes a path.
fn escaped(path: &str) -> String {
    let keeps = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*[]%".contains(byte);
    let bytes = path.bytes();
    bytes
        .map(|byte| if keeps(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    let found = match (name, arguments) {
        ("url", [Cel::Text(text)]) => {
            meter.charge_text(text.len())?;
            let wrong = || Fault::error(format!("URL parse error during conversion from string: {text:?}"));
            Cel::Url(Rc::new(Url::parse(text).ok_or_else(wrong)?))
        }
        ("isURL", [Cel::Text(text)]) => {
            meter.charge_text(text.len())?;
            Cel::Bool(Url::parse(text).is_some())
        }
        (_, [Cel::Url(url)]) => {
            meter.charge_text(url.path.len() + url.query.len())?;
            match name {
                "getScheme" => Cel::text(&url.scheme),
                "getHost" => Cel::text(&url.host),
                "getHostname" => Cel::text(url.hostname()),
                "getPort" => Cel::text(url.port_part()),
                "getEscapedPath" => Cel::text(&escaped(&url.path)),
                "getQuery" => url.query(),
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url = Url::parse("https://user@example.com:8080/a b?x=1&x=2&y=%20").unwrap();
        assert_eq!((url.scheme.as_str(), url.host.as_str()), ("https", "example.com:8080"));
        assert_eq!((url.hostname(), url.port_part()), ("example.com", "8080"));
        assert_eq!(escaped(&url.path), "/a%20b");
        let six = Url::parse("http://[::1]:80/").unwrap();
        assert_eq!((six.hostname(), six.port_part()), ("::1", "80"));
        assert!(Url::parse("/only/a/path").is_some());
        assert!(Url::parse("mailto:a@b").is_some());
        for wrong in [
            "",
            "../relative",
            "example.com",
            "https://a:b/",
            "http://[::1/",
            "http://a b/",
            "/%zz",
            "1x://a",
        ] {
            assert!(Url::parse(wrong).is_none(), "{wrong}");
        }
    }
}
