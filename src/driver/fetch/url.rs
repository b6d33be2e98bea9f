//! Addresses of what is fetched: absolute `http` and `https` URLs, whose user names, passwords and tokens are never shown.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// The longest URL that is taken, in bytes.
const LENGTH_LIMIT: usize = 8 << 10;

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// An absolute URL. Shown, it has neither its user info nor its query, which may be a signature.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) tls: bool,
    /// In small letters; an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Begins with `/`.
    pub(super) path: String,
    /// Without `?`.
    pub(super) query: Option<String>,
    /// From the user info.
    pub(super) login: Option<Login>,
}

impl Url {
    /// Reads an `http://` or `https://` URL. A fragment is left out; characters that no URL has are percent-encoded.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme such as https://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            other => return Err(format!("its scheme is {other}, and not https or http")),
        };
        if text.len() > LENGTH_LIMIT {
            return Err(format!("it is longer than {LENGTH_LIMIT} bytes"));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (login, address) = match authority.rsplit_once('@') {
            Some((info, address)) => (Some(read_login(info)?), address),
            None => (None, authority),
        };
        let (host, port) = read_address(address)?;
        let (path, query) = read_path(rest);
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Ok(Self { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }), path, query, login })
    }

    /// The URL that `reference` means on a page of this one: a whole URL, or a path relative to it (RFC 3986, §5.2). The login
    /// goes along only where it belongs: to the same scheme, host and port.
    ///
    /// # Errors
    /// It is no URL of `http` or `https`.
    pub(super) fn join(&self, reference: &str) -> Result<Self, String> {
        if let Some((scheme, _)) = reference.split_once(':').filter(|(before, _)| is_scheme(before)) {
            if !reference[scheme.len()..].starts_with("://") {
                return Err(format!("it begins with {scheme}:, and not with https:// or http://"));
            }
            let mut other = Self::parse(reference)?;
            self.lend_login(&mut other);
            return Ok(other);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            let scheme = if self.tls { "https" } else { "http" };
            let mut other = Self::parse(&format!("{scheme}://{rest}"))?;
            self.lend_login(&mut other);
            return Ok(other);
        }
        let (path, query) = read_path(reference);
        let mut joined = self.clone();
        joined.query = query;
        if path.starts_with('/') {
            joined.path = without_dots(&path);
        } else if path.is_empty() {
            joined.query = joined.query.or_else(|| self.query.clone());
        } else {
            let directory = self.path.rfind('/').map_or("/", |end| &self.path[..=end]);
            joined.path = without_dots(&format!("{directory}{path}"));
        }
        Ok(joined)
    }

    fn lend_login(&self, other: &mut Self) {
        if other.login.is_none() && self.same_origin(other) {
            other.login.clone_from(&self.login);
        }
    }

    /// Whether both have the same scheme, host and port.
    pub(super) fn same_origin(&self, other: &Self) -> bool {
        (self.tls, &self.host, self.port) == (other.tls, &other.host, other.port)
    }

    /// A directory's URL: its path ends with `/`.
    pub(super) fn directory(mut self) -> Self {
        if !self.path.ends_with('/') {
            self.path.push('/');
        }
        self
    }

    /// Whether it leads to this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// `host:port` as a request's `Host` has it: the port only where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        let host = bracketed(&self.host);
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host.into_owned(),
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Path and query, as a request names them.
    pub(super) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path)?;
        if self.query.is_some() { f.write_str("?…") } else { Ok(()) }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A host as it stands before a port: an IPv6 address in brackets.
pub(super) fn bracketed(host: &str) -> Cow<'_, str> {
    if host.contains(':') { format!("[{host}]").into() } else { host.into() }
}

/// Whether a host is this machine: `localhost`, what is below it, and the loopback addresses.
pub(super) fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Reads `host`, `host:port`, `[address]:port`.
pub(super) fn read_address(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("its IPv6 address has no closing bracket")?;
            if !matches!(host.parse(), Ok(IpAddr::V6(_))) {
                return Err("what stands in brackets is no IPv6 address".to_owned());
            }
            (host, after.strip_prefix(':').or((!after.is_empty()).then_some("?")))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if host.is_empty() || host.starts_with('-') || !host.chars().all(allowed) {
        return Err("it names no host".to_owned());
    }
    let port = match port {
        None | Some("") => None,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err("its port is no number from 1 to 65535".to_owned()),
        },
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// Reads `user:password`, percent-encoded.
pub(super) fn read_login(info: &str) -> Result<Login, String> {
    let (user, password) = info.split_once(':').unwrap_or((info, ""));
    let decode = |text: &str| {
        let decoded = percent_decode(text).ok_or("its user info is not UTF-8 once decoded")?;
        // a line break would say more than a login to whoever reads lines
        if decoded.contains(char::is_control) {
            Err("its user info has control characters in it")
        } else {
            Ok(decoded)
        }
    };
    Ok(Login { user: decode(user)?, password: decode(password)? })
}

/// Path and query of what follows the host.
fn read_path(text: &str) -> (String, Option<String>) {
    let text = text.split('#').next().unwrap_or("");
    match text.split_once('?') {
        Some((path, query)) => (escape(path), Some(escape(query))),
        None => (escape(text), None),
    }
}

/// Percent-encodes what may not stand in a URL. What is encoded already stays.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=b' ' | 0x7F.. => {
                escaped.push_str(&format!("%{byte:02X}"));
            }
            _ => escaped.push(char::from(byte)),
        }
    }
    escaped
}

/// Percent-encodes everything but letters, digits and `-._~`, for a value inside a query.
pub(super) fn encode_query(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Takes `.` and `..` out of an absolute path (RFC 3986, §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for segment in &segments {
        match *segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    // a path that ends in a dot segment is a directory's
    let slash = matches!(segments.last(), Some(&("." | ".."))) && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if slash { "/" } else { "" })
}

/// Whether the text is a scheme: a letter, then letters, digits, `+`, `-`, `.`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let found = url("HTTPS://anna:s%40f%3Ae@Charts.Example.org:8443/a b/c.tgz?sig=1#top");
        assert_eq!((found.tls, found.host.as_str(), found.port), (true, "charts.example.org", 8443));
        assert_eq!(found.target(), "/a%20b/c.tgz?sig=1");
        assert_eq!(found.login, Some(Login { user: "anna".to_owned(), password: "s@f:e".to_owned() }));
        let bare = url("http://h");
        assert_eq!((bare.port, bare.path.as_str(), bare.authority().as_str()), (80, "/", "h"));
        assert_eq!(url("https://[::1]:5000/v2/").authority(), "[::1]:5000");
        assert_eq!(url("https://h?x=1").target(), "/?x=1");
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let found = url("https://anna:secret@h/p?token=secret");
        assert_eq!(found.to_string(), "https://h/p?…");
        assert!(!format!("{found:?} {:?}", found.login).contains("secret"));
        for wrong in ["https://secret@", "secret", "secret://x", "https://u:secret@h:99999/"] {
            let refusal = Url::parse(wrong).unwrap_err();
            assert!(wrong == "secret://x" || !refusal.contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for wrong in [
            "",
            "charts",
            "ftp://h/x",
            "https://",
            "https:///x",
            "https://-oProxy/x",
            "https://h:0/",
            "https://h:x/",
            "https://[::1/",
            "https://[h]/",
            "https://[::1]x/",
            "https://h\r\nHost: x/",
            "https://anna%0Aurl=x:pw@h/",
            "https://anna:pw%0D@h/",
            "https://anna:pw%00@h/",
        ] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
        let long = format!("https://h/{}", "x".repeat(LENGTH_LIMIT));
        assert!(Url::parse(&long).is_err());
        assert_eq!(url("https://h/a\r\nb").path, "/a%0D%0Ab", "a line break never reaches a request");
    }

    #[test]
    fn references_are_joined() {
        let base = url("https://u:p@h:444/charts/stable/index.yaml?x=1");
        for (reference, expected) in [
            ("a-1.0.tgz", "https://h:444/charts/stable/a-1.0.tgz"),
            ("./a.tgz", "https://h:444/charts/stable/a.tgz"),
            ("../a.tgz", "https://h:444/charts/a.tgz"),
            ("../../../../a.tgz", "https://h:444/a.tgz"),
            ("/a/./b/../c.tgz", "https://h:444/a/c.tgz"),
            ("..", "https://h:444/charts/"),
            ("//other/x", "https://other/x"),
            ("https://h:444/y", "https://h:444/y"),
            ("http://h:444/y", "http://h:444/y"),
            ("a/b:c.tgz", "https://h:444/charts/stable/a/b:c.tgz"),
        ] {
            let joined = base.join(reference).unwrap();
            assert_eq!(joined.to_string(), expected, "{reference}");
            let same = expected.starts_with("https://h:444/");
            assert_eq!(joined.login.is_some(), same, "{reference}: the login stays at home");
        }
        assert_eq!(base.join("").unwrap().target(), "/charts/stable/index.yaml?x=1");
        assert_eq!(base.join("?y=2").unwrap().target(), "/charts/stable/index.yaml?y=2");
        assert!(base.join("file:///etc/passwd").is_err());
        assert!(base.join("javascript:x").is_err());
        assert_eq!(
            url("https://h/charts").directory().join("index.yaml").unwrap().path,
            "/charts/index.yaml"
        );
    }

    #[test]
    fn loopback_is_known() {
        for (host, loopback) in [
            ("localhost", true),
            ("a.localhost", true),
            ("127.8.0.1", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("localhost.example.org", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
        assert_eq!(encode_query("repository:a/b:pull *"), "repository%3Aa%2Fb%3Apull%20%2A");
    }
}
