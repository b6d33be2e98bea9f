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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
