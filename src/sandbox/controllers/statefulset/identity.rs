//! Who a pod of a StatefulSet is: its name, its host name, its volumes.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::object::{deleting, list, map, name, namespace, text};
use super::super::pods;
use super::super::revision::HASH;
use super::super::volumes::CLAIMS;
use super::super::write::{Note, Write};
use super::Scene;

/// The ordinal in a pod's name; `None` when the name is not of this set.
pub(super) fn ordinal(set: &Value, pod: &str) -> Option<i64> {
    let digits = pod.strip_prefix(name(set))?.strip_prefix('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|ordinal: &i64| plain && ordinal.to_string() == digits)
}

pub(super) fn claim_name(set: &Value, template: &Value, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", name(template), name(set))
}

/// The pod of an ordinal at a revision.
pub(super) fn pod(set: &Value, template: &Value, ordinal: i64, revision: &str) -> Value {
    let mut pod = pods::from_template(set, template);
    let pod_name = format!("{}-{ordinal}", name(set));
    let metadata = &mut pod["metadata"];
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("generateName");
        metadata.insert("name".to_owned(), json!(pod_name));
    }
    let labels = &mut pod["metadata"]["labels"];
    labels["statefulset.kubernetes.io/pod-name"] = json!(pod_name);
    labels["apps.kubernetes.io/pod-index"] = json!(ordinal.to_string());
    labels[HASH] = json!(revision);
    pod["spec"]["hostname"] = json!(pod_name);
    let service = text(set, "/spec/serviceName");
    if !service.is_empty() {
        pod["spec"]["subdomain"] = json!(service);
    }
    let templates = list(set, "/spec/volumeClaimTemplates");
    if !templates.is_empty() {
        pod["spec"]["volumes"] = volumes(set, templates, &pod, ordinal);
    }
    pod
}

/// The template's volumes, those with a claim template's name replaced by the pod's own claim.
fn volumes(set: &Value, templates: &[Value], pod: &Value, ordinal: i64) -> Value {
    let is_claimed =
        |volume: &&Value| !templates.iter().any(|template| name(template) == text(volume, "/name"));
    let mut volumes: Vec<Value> = templates
        .iter()
        .map(|template| {
            let claim = claim_name(set, template, ordinal);
            json!({"name": name(template), "persistentVolumeClaim": {"claimName": claim}})
        })
        .collect();
    volumes.extend(list(pod, "/spec/volumes").iter().filter(is_claimed).cloned());
    json!(volumes)
}

impl Scene<'_> {
    /// Makes the claims of an ordinal that are missing. False when one of them is being deleted: its pod must wait.
    pub(super) fn make_claims(&mut self, ordinal: i64) -> bool {
        let set = self.set;
        for template in list(set, "/spec/volumeClaimTemplates") {
            let claim_name = claim_name(set, template, ordinal);
            match self.context.cache.get(CLAIMS, namespace(set), &claim_name) {
                Some(claim) if deleting(claim) => return false,
                Some(_) => {}
                None => self.make_claim(template, &claim_name, ordinal),
            }
        }
        true
    }

    fn make_claim(&mut self, template: &Value, claim_name: &str, ordinal: i64) {
        let set: &Arc<Value> = self.set;
        let mut labels: Map<String, Value> = map(template, "/metadata/labels").cloned().unwrap_or_default();
        labels.extend(map(set, "/spec/selector/matchLabels").cloned().unwrap_or_default());
        let mut metadata = json!({"name": claim_name, "namespace": namespace(set), "labels": labels});
        if let Some(annotations) = map(template, "/metadata/annotations") {
            metadata["annotations"] = json!(annotations);
        }
        if super::retention::goes_with_set(set) {
            metadata["ownerReferences"] = json!([super::retention::plain_owner(set)]);
        }
        let message = format!(
            "create Claim {claim_name} Pod {}-{ordinal} in StatefulSet {} success: ",
            name(set),
            name(set)
        );
        self.outcome.push(Write::Create {
            resource: CLAIMS,
            object: json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]}),
            note: Some(Note::normal(set, "SuccessfulCreate", message)),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_read_from_names() {
        let set = json!({"metadata": {"name": "db"}});
        assert_eq!(ordinal(&set, "db-0"), Some(0));
        assert_eq!(ordinal(&set, "db-12"), Some(12));
        for stranger in ["db-01", "db-x", "db-", "db", "db-a-1", "dbx-1"] {
            assert_eq!(ordinal(&set, stranger), None, "{stranger}");
        }
    }
}
