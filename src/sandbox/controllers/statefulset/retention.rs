//! What becomes of the claims of a StatefulSet's pods (`spec.persistentVolumeClaimRetentionPolicy`): the garbage collector
//! deletes them after their owner, which is the set where they go with it, and the pod where they go when it is scaled away.

use serde_json::{Value, json};

use super::super::object::{list, name, namespace, owner_reference, text, uid};
use super::super::volumes::CLAIMS;
use super::super::write::{Target, Write};
use super::Scene;
use super::identity;

/// Whether the claims are deleted with the set.
pub(super) fn goes_with_set(set: &Value) -> bool {
    policy(set, "whenDeleted")
}

fn policy(set: &Value, when: &str) -> bool {
    text(set, &format!("/spec/persistentVolumeClaimRetentionPolicy/{when}")) == "Delete"
}

/// A reference to an owner that does not control.
pub(super) fn plain_owner(owner: &Value) -> Value {
    let mut reference = owner_reference(owner);
    if let Some(fields) = reference.as_object_mut() {
        fields.remove("controller");
        fields.remove("blockOwnerDeletion");
    }
    reference
}

impl Scene<'_> {
    /// Gives the claims of all pods the owners that the policy asks for.
    pub(super) fn own_claims(&mut self) {
        let set = self.set;
        if !set["spec"]["persistentVolumeClaimRetentionPolicy"].is_object() {
            return;
        }
        let wanted = self.ordinals();
        for (ordinal, pod) in self.pods.clone() {
            let surplus = !wanted.contains(&ordinal);
            let mut owners = Vec::new();
            if surplus && policy(set, "whenScaled") {
                let mut owner = plain_owner(&pod);
                owner["apiVersion"] = json!("v1");
                owner["kind"] = json!("Pod");
                owners.push(owner);
            } else if goes_with_set(set) {
                owners.push(plain_owner(set));
            }
            for template in list(set, "/spec/volumeClaimTemplates") {
                let claim_name = identity::claim_name(set, template, ordinal);
                self.own_claim(&claim_name, &pod, &owners);
            }
        }
    }

    fn own_claim(&mut self, claim_name: &str, pod: &Value, wanted: &[Value]) {
        let Some(claim) = self.context.cache.get(CLAIMS, namespace(self.set), claim_name) else { return };
        let ours = [uid(self.set), uid(pod)];
        let present = list(claim, "/metadata/ownerReferences");
        // a pod of this name that is gone may own the claim still
        let stale = |owner: &Value| text(owner, "/kind") == "Pod" && text(owner, "/name") == name(pod);
        let mut owners: Vec<Value> = present
            .iter()
            .filter(|owner| !ours.contains(&text(owner, "/uid")) && !stale(owner))
            .cloned()
            .collect();
        owners.extend(wanted.iter().cloned());
        let same = owners.len() == present.len()
            && owners.iter().all(|owner| present.iter().any(|known| known["uid"] == owner["uid"]));
        if !same {
            let patch = json!({"metadata": {"ownerReferences": owners}});
            self.outcome.push(Write::Merge { target: Target::of(CLAIMS, claim), patch });
        }
    }
}
