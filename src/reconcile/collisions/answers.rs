//! What an application is to answer to: the hosts that its context names, and those of the routes that its own chart or manifests
//! bring. Pure.

use serde_json::Value;

use crate::domain::{DeploymentDraft, Problem};

use super::Taken;
use super::claim::{self, Claim, claims, judge};

/// What an application is to answer to, and what it answered to before.
#[derive(Debug, Default)]
pub(in crate::reconcile) struct Answers {
    /// By its context.
    named: Vec<Claim>,
    /// By routes that its chart or its manifests bring, beside those.
    brought: Vec<Claim>,
    /// What its context named before.
    had: Vec<Claim>,
}

impl Answers {
    /// What follows from the context of an instance and the objects that are rendered from it, and the context before.
    pub fn of(draft: &DeploymentDraft, before: Option<&Value>, context: &Value, objects: &[Value]) -> Self {
        let named = claims(context, draft);
        let mut brought: Vec<Claim> = Vec::new();
        let mine = claim::holder(draft);
        for found in objects.iter().flat_map(claim::live) {
            let found = Claim { holder: mine.clone(), ..found }.beside(&named);
            if !named.iter().chain(&brought).any(|known| known.is_same(&found)) {
                brought.push(found);
            }
        }
        let had = before.map(|before| claims(before, draft)).unwrap_or_default();
        Self { named, brought, had }
    }

    /// Whether it may answer to something that it does not answer to now: what routes are there only the cluster knows.
    pub fn may_be_new(&self) -> bool {
        !self.brought.is_empty() || self.has_new_names()
    }

    /// All that it is to answer to.
    pub fn all(&self) -> Vec<Claim> {
        self.named.iter().chain(&self.brought).cloned().collect()
    }

    /// Whether somebody else has one of its hosts, where it has not had all of them before; gives what else there is to know.
    ///
    /// # Errors
    /// Somebody has; see [`judge`].
    pub fn judge(&self, taken: &Taken) -> Result<Vec<String>, Problem> {
        let is_there = |claim: &Claim| taken.own.iter().any(|own| own.is_same(claim));
        if !self.has_new_names() && self.brought.iter().all(is_there) {
            return Ok(Vec::new());
        }
        judge(&self.all(), &taken.claims)
    }

    fn has_new_names(&self) -> bool {
        self.named.iter().any(|claim| !self.had.contains(claim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ingress(host: &str, path: &str) -> Value {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "mine"},
            "spec": {"rules": [{"host": host, "http": {"paths": [{"path": path, "backend": {}}]}}]}})
    }

    fn context(host: &str) -> Value {
        json!({"instance": {"config": {}}, "services": {"web": {"scope": "external", "path": "/",
            "human_readable_fqdn": host, "primary_fqdn": ""}}})
    }

    fn draft(name: &str) -> DeploymentDraft {
        DeploymentDraft { name: name.into(), environment: "demo".into(), ..DeploymentDraft::default() }
    }

    fn answers(name: &str, objects: &[Value]) -> Answers {
        let known = context("web-demo.x.org");
        Answers::of(&draft(name), Some(&known), &known, objects)
    }

    fn taken(by: &str, objects: &[Value]) -> Taken {
        Taken { claims: answers(by, objects).brought, ..Taken::default() }
    }

    #[test]
    fn hosts_that_only_charts_name_collide() {
        let shop = [ingress("Shop.example.org", "/")];
        let two = answers("two", &shop);
        assert!(two.may_be_new());
        let told = two.judge(&taken("one", &shop)).unwrap_err().to_string();
        assert!(told.contains("two in demo cannot have the host shop.example.org"), "{told}");
        assert!(told.contains("one in demo answers to it"), "{told}");
        assert_eq!(two.judge(&taken("one", &[ingress("other.example.org", "/")])).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_there_already_is_no_reason_to_refuse() {
        let shop = [ingress("shop.example.org", "/")];
        let two = answers("two", &shop);
        let taken = Taken { own: two.brought.clone(), ..taken("one", &shop) };
        assert_eq!(two.judge(&taken).unwrap(), [""; 0]);
        let more = answers("two", &[shop[0].clone(), ingress("new.example.org", "/")]);
        assert!(more.judge(&taken).is_err(), "it is looked at when something is new");
    }

    #[test]
    fn a_route_of_a_host_that_is_named_is_the_same_claim() {
        let same = answers("two", &[ingress("web-demo.x.org", "/")]);
        assert!(same.brought.is_empty() && !same.may_be_new());
        let deeper = answers("two", &[ingress("web-demo.x.org", "/api")]);
        assert!(deeper.brought[0].shared, "applications of one driver share this host with all of its paths");
        assert_eq!(deeper.all().len(), 2);
    }
}
