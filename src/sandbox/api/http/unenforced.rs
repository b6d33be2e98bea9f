//! Kinds that the sandbox keeps without doing what they ask for: whoever writes one is told.

use http::Method;

use crate::sandbox::kinds::ResourceType;

/// What a client that writes this kind is told; `None` for reads, deletions, and kinds that are honoured.
pub fn warning(kind: &ResourceType, method: &Method) -> Option<&'static str> {
    if ![Method::POST, Method::PUT, Method::PATCH].contains(method) {
        return None;
    }
    match kind.qualified().as_str() {
        "resourcequotas" => Some("the sandbox keeps resource quotas and does not enforce them"),
        "limitranges" => Some("the sandbox keeps limit ranges and does not apply them"),
        "networkpolicies.networking.k8s.io" => Some(
            "the sandbox enforces network policies at its ingress only: nothing separates pods from each other",
        ),
        "horizontalpodautoscalers.autoscaling" => {
            Some("the sandbox keeps horizontal pod autoscalers and scales nothing by metrics")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kinds::Kinds;

    #[test]
    fn only_writes_of_what_is_not_enforced_are_warned_about() {
        let kinds = Kinds::new();
        let quota = kinds.named("resourcequotas").unwrap();
        assert!(warning(quota, &Method::POST).is_some_and(|text| text.contains("does not enforce")));
        assert_eq!(warning(quota, &Method::GET), None);
        assert_eq!(warning(quota, &Method::DELETE), None);
        assert_eq!(warning(kinds.named("pods").unwrap(), &Method::POST), None);
    }
}
