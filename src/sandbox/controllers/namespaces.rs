//! What every namespace has from the start: the ServiceAccount `default`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{deleting, name};
use super::write::{Context, Outcome, Write};

const ACCOUNTS: &str = "serviceaccounts";

/// Makes the default ServiceAccount when it is missing.
pub fn sync(context: &Context<'_>, namespace: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if !deleting(namespace) && context.cache.get(ACCOUNTS, name(namespace), "default").is_none() {
        outcome.push(Write::Create {
            resource: ACCOUNTS,
            object: json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": name(namespace)}}),
            note: None,
        });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::super::bench::Bench;
    use super::*;

    #[test]
    fn a_namespace_gets_its_account_again() {
        let mut bench = Bench::new();
        bench.add("namespaces", json!({"metadata": {"name": "a"}}));
        bench.settle();
        assert_eq!(bench.names(ACCOUNTS), ["default"]);
        bench.remove(ACCOUNTS, "a", "default");
        bench.settle();
        assert_eq!(bench.names(ACCOUNTS), ["default"]);
    }
}
