//! What a frozen context says about routes. What is absent is as it was before anybody asked.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::Problem;
use crate::domain::route::{Routing, TlsSource};

/// What was said about the routes of the environment when the context was frozen.
///
/// # Errors
/// It is there, and cannot be read: to go on as if nothing had been said would take away policies and allow-lists.
pub fn routing_of(context: &Value) -> Result<Routing, Problem> {
    let Some(found) = context.pointer("/instance/config/routing") else { return Ok(Routing::default()) };
    Routing::deserialize(found).map_err(|error| {
        Problem::new(
            "What the environment says of routes cannot be read",
            format!("the instance's configuration says it in a way that this version does not know: {error}"),
            "use the version of Styrmin that the instance was made with, or a newer one",
        )
    })
}

/// Where the certificate of a service comes from; `service` is its entry in `services` of a frozen context.
pub fn tls_of(service: &Value) -> TlsSource {
    service.get("tls").and_then(|found| TlsSource::deserialize(found).ok()).unwrap_or_default()
}

/// The host names of a service, each where it has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrozenHosts<'a> {
    /// The one that no other deployment ever has.
    pub primary: Option<&'a str>,
    /// The one for people.
    pub readable: Option<&'a str>,
    /// Those that a person added.
    pub extra: Vec<&'a str>,
}

impl<'a> FrozenHosts<'a> {
    /// Those that people know first.
    pub fn readable_first(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.readable.into_iter().chain(self.extra.iter().copied()).chain(self.primary)
    }

    /// The one that nobody else has first, as routes list them.
    pub fn surest_first(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.primary.into_iter().chain(self.readable).chain(self.extra.iter().copied())
    }
}

/// The host names of a service; `service` is its entry in `services` of a frozen context. An internal one has none.
pub fn hosts_of(service: &Value) -> FrozenHosts<'_> {
    if service["scope"] == "internal" {
        return FrozenHosts::default();
    }
    let said = |host: &&str| !host.is_empty();
    let named = |field: &str| service[field].as_str().filter(said);
    let extra = service["hosts"].as_array().into_iter().flatten();
    FrozenHosts {
        primary: named("primary_fqdn"),
        readable: named("human_readable_fqdn"),
        extra: extra.filter_map(Value::as_str).filter(said).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hosts_of_a_service_are_read_in_both_orders() {
        let mut service = json!({"scope": "external", "primary_fqdn": "web-1.x.org",
            "human_readable_fqdn": "web-demo.x.org", "hosts": ["shop.org", "", "www.shop.org"]});
        let hosts = hosts_of(&service);
        let people: Vec<_> = hosts.readable_first().collect();
        assert_eq!(people, ["web-demo.x.org", "shop.org", "www.shop.org", "web-1.x.org"]);
        let routes: Vec<_> = hosts.surest_first().collect();
        assert_eq!(routes, ["web-1.x.org", "web-demo.x.org", "shop.org", "www.shop.org"]);
        service["scope"] = json!("internal");
        assert_eq!(hosts_of(&service), FrozenHosts::default());
        let none = json!({"scope": "external", "primary_fqdn": "", "human_readable_fqdn": ""});
        assert_eq!(hosts_of(&none), FrozenHosts::default(), "there is no suffix");
        assert_eq!(hosts_of(&Value::Null), FrozenHosts::default());
    }

    #[test]
    fn what_cannot_be_read_is_no_silence() {
        let of = |routing: Value| routing_of(&json!({"instance": {"config": {"routing": routing}}}));
        assert_eq!(routing_of(&json!({})), Ok(Routing::default()));
        assert_eq!(of(json!({})), Ok(Routing::default()));
        for wrong in [json!({"isolation": "Sideways"}), json!({"via": 1}), json!("x")] {
            assert!(of(wrong.clone()).unwrap_err().what.contains("cannot be read"), "{wrong}");
        }
    }
}
