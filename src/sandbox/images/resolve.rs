//! Names → addresses in a pod of the sandbox: the hosts file of the namespace first, the machine's resolver after it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The variable that names the hosts file.
pub(crate) const VARIABLE: &str = "STYRMIN_HOSTS";

/// The address of `host:port`. Read anew each time: services come and go.
pub(super) async fn address(host: &str, port: u16) -> Result<SocketAddr, String> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    if let Some(path) = std::env::var_os(VARIABLE) {
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.to_string_lossy()))?;
        if let Some(ip) = find(&text, host) {
            return Ok(SocketAddr::new(ip.into(), port));
        }
    }
    let mut found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| format!("cannot resolve {host}: {error}"))?;
    found.next().ok_or_else(|| format!("{host} has no address"))
}

/// The first address of `host` in a hosts file.
fn find(text: &str, host: &str) -> Option<Ipv4Addr> {
    text.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let ip = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(ip)
    })
}

/// A port from an environment variable: a number, or what Kubernetes' service variables hold (`tcp://127.1.2.3:5433`).
pub(super) fn port(value: Option<&str>, default: u16) -> Result<u16, String> {
    match value {
        None | Some("") => Ok(default),
        Some(text) => text
            .rsplit_once(':')
            .map_or(text, |(_, port)| port)
            .parse()
            .map_err(|_| format!("{text:?} is not a port")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_a_hosts_file() {
        let text = "# comment\n127.9.128.1 notes-db notes-db.demo\n127.9.128.2 notes-web # notes-x\n";
        assert_eq!(find(text, "notes-db.demo"), Some(Ipv4Addr::new(127, 9, 128, 1)));
        assert_eq!(find(text, "notes-x"), None);
    }

    #[test]
    fn ports_may_be_service_variables() {
        assert_eq!(port(None, 1), Ok(1));
        assert_eq!(port(Some("8080"), 1), Ok(8080));
        assert_eq!(port(Some("tcp://127.3.128.1:5433"), 1), Ok(5433));
        assert!(port(Some("http"), 1).is_err());
    }
}
