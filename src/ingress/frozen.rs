//! What a frozen context says about routes. What is absent is as it was before anybody asked.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::route::{Routing, TlsSource};

/// What was said about the routes of the environment when the context was frozen. What a later version wrote and this one does
/// not understand counts as not said.
pub fn routing_of(context: &Value) -> Routing {
    context
        .pointer("/instance/config/routing")
        .and_then(|found| Routing::deserialize(found).ok())
        .unwrap_or_default()
}

/// Where the certificate of a service comes from; `service` is its entry in `services` of a frozen context.
pub fn tls_of(service: &Value) -> TlsSource {
    service.get("tls").and_then(|found| TlsSource::deserialize(found).ok()).unwrap_or_default()
}
