//! URLs as people open them.

/// The URL of a host: scheme, the port when it is not the scheme's own, and the path.
pub fn url(host: &str, tls: bool, port: Option<u16>, path: &str) -> String {
    let (scheme, own) = if tls { ("https", 443) } else { ("http", 80) };
    let port = match port {
        Some(port) if port != own => format!(":{port}"),
        _ => String::new(),
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    format!("{scheme}://{host}{port}{path}")
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn the_port_is_left_out_where_it_is_the_schemes_own() {
        assert_eq!(url("notes-demo.localhost", false, Some(8480), "/"), "http://notes-demo.localhost:8480/");
        assert_eq!(url("a.org", false, Some(80), ""), "http://a.org/");
        assert_eq!(url("a.org", true, Some(443), "app"), "https://a.org/app");
        assert_eq!(url("a.org", true, None, "/app"), "https://a.org/app");
    }
}
