//! Proxies of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, and `NO_PROXY` that excepts from them.

use std::net::IpAddr;

use super::super::url::{Login, Url, read_address};

/// An HTTP proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Proxy {
    pub(in super::super) host: String,
    pub(in super::super) port: u16,
    pub(in super::super) login: Option<Login>,
}

/// Which proxy leads where.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Proxies {
    /// A proxy that cannot be used is an error only when it would be: its text.
    https: Option<Result<Proxy, String>>,
    http: Option<Result<Proxy, String>>,
    exceptions: Vec<Exception>,
}

#[derive(Debug, Clone)]
enum Exception {
    Everything,
    /// A host and all below it.
    Domain {
        name: String,
        port: Option<u16>,
    },
    /// Addresses whose first `bits` are these.
    Network {
        address: IpAddr,
        bits: u32,
    },
}

impl Proxies {
    /// What the environment says; `variable` reads one of it. Small letters come first, as curl has it.
    pub(in super::super) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| {
            [name.to_lowercase(), name.to_owned()]
                .iter()
                .find_map(|name| variable(name).filter(|value| !value.trim().is_empty()))
        };
        let all = read("ALL_PROXY");
        let proxy = |name| read(name).or_else(|| all.clone()).map(|text| parse(text.trim()));
        let exceptions = read("NO_PROXY").unwrap_or_default();
        Self {
            https: proxy("HTTPS_PROXY"),
            http: proxy("HTTP_PROXY"),
            exceptions: exceptions.split([',', ' ']).filter_map(exception).collect(),
        }
    }

    /// The proxy on the way to a URL. This machine is always reached without one.
    ///
    /// # Errors
    /// The proxy that is named for it cannot be used, and why.
    pub(in super::super) fn towards(&self, url: &Url) -> Result<Option<&Proxy>, String> {
        let named = if url.tls { &self.https } else { &self.http };
        let Some(named) = named else { return Ok(None) };
        if url.is_loopback() || self.exceptions.iter().any(|exception| exception.holds(url)) {
            return Ok(None);
        }
        named.as_ref().map(Some).map_err(Clone::clone)
    }
}

impl Exception {
    fn holds(&self, url: &Url) -> bool {
        match self {
            Self::Everything => true,
            Self::Domain { name, port } => {
                let below = url.host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
                (url.host == *name || below) && port.is_none_or(|port| port == url.port)
            }
            Self::Network { address, bits } => match (address, url.host.parse()) {
                (IpAddr::V4(network), Ok(IpAddr::V4(found))) => {
                    let shift = 32_u32.saturating_sub(*bits);
                    let cut = |address: u32| address.checked_shr(shift).unwrap_or(0);
                    cut(network.to_bits()) == cut(found.to_bits())
                }
                (IpAddr::V6(network), Ok(IpAddr::V6(found))) => {
                    let shift = 128_u32.saturating_sub(*bits);
                    let cut = |address: u128| address.checked_shr(shift).unwrap_or(0);
                    cut(network.to_bits()) == cut(found.to_bits())
                }
                _ => false,
            },
        }
    }
}

fn parse(text: &str) -> Result<Proxy, String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    if !text.to_ascii_lowercase().starts_with("http://") {
        let scheme = text.split(':').next().unwrap_or("");
        return Err(format!("a proxy that speaks {scheme} cannot be used, only http"));
    }
    let url = Url::parse(&text).map_err(|why| format!("the proxy's URL cannot be read: {why}"))?;
    Ok(Proxy { host: url.host, port: url.port, login: url.login })
}

fn exception(text: &str) -> Option<Exception> {
    let text = text.trim();
    if text == "*" {
        return Some(Exception::Everything);
    }
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    if let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(whole), |bits| bits.parse().ok())?;
        return Some(Exception::Network { address, bits });
    }
    let (name, port) = read_address(text.trim_start_matches("*.").trim_start_matches('.')).ok()?;
    Some(Exception::Domain { name, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn towards(proxies: &Proxies, url: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        proxies.towards(&url).unwrap().map(|proxy| format!("{}:{}", proxy.host, proxy.port))
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let found = proxies(&[("HTTPS_PROXY", "http://a:secret@proxy:3128"), ("http_proxy", "other:81")]);
        assert_eq!(towards(&found, "https://h/").as_deref(), Some("proxy:3128"));
        assert_eq!(towards(&found, "http://h/").as_deref(), Some("other:81"));
        assert_eq!(towards(&found, "https://127.0.0.1:5000/"), None);
        assert!(!format!("{found:?}").contains("secret"));
        let small = proxies(&[("HTTPS_PROXY", "large"), ("https_proxy", "small")]);
        assert_eq!(towards(&small, "https://h/").as_deref(), Some("small:80"));
        assert_eq!(towards(&proxies(&[("ALL_PROXY", "p:1")]), "http://h/").as_deref(), Some("p:1"));
        assert_eq!(towards(&proxies(&[]), "http://h/"), None);
    }

    #[test]
    fn what_is_excepted_needs_none() {
        let exceptions = "example.org, .corp:8443 *.lan,10.0.0.0/8,192.0.2.7,fd00::/8,!!";
        let found = proxies(&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", exceptions)]);
        for (url, direct) in [
            ("https://example.org/", true),
            ("https://a.example.org/", true),
            ("https://badexample.org/", false),
            ("https://x.corp:8443/", true),
            ("https://x.corp/", false),
            ("https://nas.lan/", true),
            ("https://10.2.3.4/", true),
            ("https://11.2.3.4/", false),
            ("https://192.0.2.7/", true),
            ("https://192.0.2.8/", false),
            ("https://[fd12::1]/", true),
            ("https://[fe80::1]/", false),
        ] {
            assert_eq!(towards(&found, url).is_none(), direct, "{url}");
        }
        assert_eq!(towards(&proxies(&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", "*")]), "https://h/"), None);
        assert_eq!(
            towards(&proxies(&[("ALL_PROXY", "p:1"), ("NO_PROXY", "0.0.0.0/0")]), "http://9.9.9.9/"),
            None
        );
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_told_when_it_would_be() {
        let found = proxies(&[("HTTPS_PROXY", "socks5://p:1"), ("NO_PROXY", "h")]);
        assert_eq!(towards(&found, "https://h/"), None);
        let refusal = found.towards(&Url::parse("https://other/").unwrap()).unwrap_err();
        assert!(refusal.contains("socks5"), "{refusal}");
    }
}
