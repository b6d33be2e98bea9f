//! Volumes: a claim of a sandbox class gets a PersistentVolume made for it; one that names a volume is bound to that one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{annotation, deleting, list, name, namespace, text, uid};
use super::pods;
use super::write::{Context, Note, Outcome, Target, Write};

/// PersistentVolumeClaims.
pub const CLAIMS: &str = "persistentvolumeclaims";
/// PersistentVolumes.
pub const VOLUMES: &str = "persistentvolumes";
/// StorageClasses.
pub const CLASSES: &str = "storageclasses.storage.k8s.io";
/// The provisioner of the sandbox's classes: the kubelet keeps their volumes as directories.
pub const PROVISIONER: &str = "sandbox.styrmin.io/directory";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const NO_CLASS: &str = "no persistent volumes available for this claim and no storage class is set";
/// The annotation of a claim with the node of the pod that it waited for.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const PROTECTION: &str = "kubernetes.io/pvc-protection";

/// The names of the claims that a pod uses.
pub fn claims_of(pod: &Value) -> impl Iterator<Item = &str> {
    list(pod, "/spec/volumes")
        .iter()
        .map(|volume| text(volume, "/persistentVolumeClaim/claimName"))
        .filter(|claim| !claim.is_empty())
}

/// The object of the sandbox's default class.
pub fn default_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": true,
    })
}

/// Binds a claim, follows its growth, and protects it while a pod uses it.
pub fn sync_claim(context: &Context<'_>, claim: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if deleting(claim) {
        release(context, claim, &mut outcome);
        return outcome;
    }
    if !finalizers(claim).contains(&PROTECTION) {
        let mut all = finalizers(claim);
        all.push(PROTECTION);
        outcome.push(merge(CLAIMS, claim, json!({"metadata": {"finalizers": all}})));
        return outcome;
    }
    if text(claim, "/spec/volumeName").is_empty() {
        find_volume(context, claim, &mut outcome);
    } else {
        follow(context, claim, &mut outcome);
    }
    outcome
}

fn merge(resource: &'static str, object: &Value, patch: Value) -> Write {
    Write::Merge { target: Target::of(resource, object), patch }
}

fn finalizers(object: &Value) -> Vec<&str> {
    list(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect()
}

fn release(context: &Context<'_>, claim: &Arc<Value>, outcome: &mut Outcome) {
    let mut all = finalizers(claim);
    let protected = all.contains(&PROTECTION);
    let used = context
        .cache
        .in_namespace(pods::PODS, namespace(claim))
        .any(|pod| !pods::is_finished(pod) && claims_of(pod).any(|used| used == name(claim)));
    if protected && !used {
        all.retain(|finalizer| *finalizer != PROTECTION);
        outcome.push(merge(CLAIMS, claim, json!({"metadata": {"finalizers": all}})));
    }
}

/// A claim without a volume: takes a free one that fits, or has one made by its class.
fn find_volume(context: &Context<'_>, claim: &Arc<Value>, outcome: &mut Outcome) {
    let named = claim.pointer("/spec/storageClassName").and_then(Value::as_str);
    let Some(class_name) = named else {
        if let Some(class) = default_of(context) {
            // as the real controller does for claims that came before the default class
            outcome.push(merge(CLAIMS, claim, json!({"spec": {"storageClassName": name(class)}})));
        } else {
            wait(claim, "FailedBinding", NO_CLASS, outcome);
        }
        return;
    };
    let class = context.cache.get(CLASSES, "", class_name);
    let waits = class.is_some_and(|class| is_lazy(class)) && annotation(claim, SELECTED_NODE).is_none();
    if let Some(volume) = free_volume(context, claim, class_name).filter(|_| !waits) {
        outcome.push(merge(CLAIMS, claim, json!({"spec": {"volumeName": name(volume)}})));
        return;
    }
    match class {
        _ if class_name.is_empty() => wait(claim, "FailedBinding", NO_CLASS, outcome),
        None => {
            let message = format!("storageclass.storage.k8s.io \"{class_name}\" not found");
            wait(claim, "ProvisioningFailed", &message, outcome);
        }
        Some(class) if text(class, "/provisioner") != PROVISIONER => {
            let message = format!("the sandbox has no provisioner {}", text(class, "/provisioner"));
            wait(claim, "ProvisioningFailed", &message, outcome);
        }
        Some(_) if waits => {
            let message = "waiting for first consumer to be created before binding";
            outcome.push(Write::Event(Note::normal(claim, "WaitForFirstConsumer", message)));
        }
        Some(class) => provision(context, claim, class, outcome),
    }
}

fn is_lazy(class: &Value) -> bool {
    text(class, "/volumeBindingMode") == "WaitForFirstConsumer"
}

/// Whether a claim is bound only when a pod that uses it has a node.
pub fn waits_for_pod(context: &Context<'_>, claim: &Value) -> bool {
    let class = context.cache.get(CLASSES, "", text(claim, "/spec/storageClassName"));
    text(claim, "/spec/volumeName").is_empty() && class.is_some_and(|class| is_lazy(class))
}

fn default_of<'a>(context: &Context<'a>) -> Option<&'a Arc<Value>> {
    context.cache.all(CLASSES).find(|class| annotation(class, DEFAULT_CLASS) == Some("true"))
}

/// Says why a claim stays Pending.
fn wait(claim: &Arc<Value>, reason: &'static str, message: &str, outcome: &mut Outcome) {
    outcome.push(Write::Event(Note::warning(claim, reason, message)));
}

/// An available volume of the class that a person made, big enough, with the access modes.
fn free_volume<'a>(context: &Context<'a>, claim: &Value, class: &str) -> Option<&'a Arc<Value>> {
    let wanted = bytes(text(claim, "/spec/resources/requests/storage"));
    let selector = claim.pointer("/spec/selector");
    context.cache.all(VOLUMES).find(|volume| {
        let bound = uid_of_claim(volume);
        let free = bound.is_empty() && volume.pointer("/spec/claimRef").is_none() && !deleting(volume);
        let modes = list(claim, "/spec/accessModes");
        bound == uid(claim)
            || free
                && text(volume, "/spec/storageClassName") == class
                && bytes(text(volume, "/spec/capacity/storage")) >= wanted
                && modes.iter().all(|mode| list(volume, "/spec/accessModes").contains(mode))
                && selector.is_none_or(|selector| {
                    super::selector::matches(Some(selector), super::object::labels(volume))
                })
    })
}

fn uid_of_claim(volume: &Value) -> &str {
    text(volume, "/spec/claimRef/uid")
}

/// A quantity of bytes (`1Gi`, `500M`); 0 when it is none.
fn bytes(quantity: &str) -> u64 {
    let digits = quantity.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &quantity[digits.len()..] {
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => 1,
    };
    digits.parse::<f64>().map_or(0, |number| (number * unit as f64) as u64)
}

/// Makes the volume of a claim and binds the claim to it.
fn provision(context: &Context<'_>, claim: &Arc<Value>, class: &Value, outcome: &mut Outcome) {
    let volume_name = format!("pvc-{}", uid(claim));
    if context.cache.get(VOLUMES, "", &volume_name).is_none() {
        let policy = match text(class, "/reclaimPolicy") {
            "" => "Delete",
            policy => policy,
        };
        outcome.push(Write::Create {
            resource: VOLUMES,
            object: json!({
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {
                    "name": volume_name,
                    "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
                },
                "spec": {
                    "capacity": {"storage": text(claim, "/spec/resources/requests/storage")},
                    "accessModes": list(claim, "/spec/accessModes"),
                    "claimRef": claim_reference(claim),
                    "csi": {"driver": PROVISIONER, "volumeHandle": uid(claim)},
                    "persistentVolumeReclaimPolicy": policy,
                    "storageClassName": name(class),
                    "volumeMode": "Filesystem",
                },
            }),
            note: None,
        });
        let message = format!("Successfully provisioned volume {volume_name}");
        outcome.push(Write::Event(Note::normal(claim, "ProvisioningSucceeded", message)));
    }
    outcome.push(merge(
        CLAIMS,
        claim,
        json!({"metadata": {"annotations": {
                "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
                "volume.kubernetes.io/storage-provisioner": PROVISIONER}},
            "spec": {"volumeName": volume_name}}),
    ));
}

fn claim_reference(claim: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace(claim),
        "name": name(claim), "uid": uid(claim),
    })
}

/// A claim with a volume: both say that they are bound; a larger request grows the volume; a lost volume is said.
fn follow(context: &Context<'_>, claim: &Arc<Value>, outcome: &mut Outcome) {
    let Some(volume) = context.cache.get(VOLUMES, "", text(claim, "/spec/volumeName")) else {
        if text(claim, "/status/phase") == "Bound" {
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            wait(claim, "ClaimLost", message, outcome);
            outcome.status(CLAIMS, claim, json!({"phase": "Lost"}));
        }
        return;
    };
    let taken = uid_of_claim(volume);
    if !taken.is_empty() && taken != uid(claim) {
        let message = format!("volume \"{}\" already bound to a different claim.", name(volume));
        wait(claim, "FailedBinding", &message, outcome);
        return;
    }
    if taken.is_empty() {
        outcome.push(merge(VOLUMES, volume, json!({"spec": {"claimRef": claim_reference(claim)}})));
    }
    let wanted = text(claim, "/spec/resources/requests/storage");
    let has = text(volume, "/spec/capacity/storage");
    let ours = annotation(volume, "pv.kubernetes.io/provisioned-by") == Some(PROVISIONER);
    let grows = ours && bytes(wanted) > bytes(has);
    if grows {
        outcome.push(merge(VOLUMES, volume, json!({"spec": {"capacity": {"storage": wanted}}})));
    }
    let size = if grows { wanted } else { has };
    let status = json!({
        "phase": "Bound", "accessModes": list(volume, "/spec/accessModes"), "capacity": {"storage": size}});
    outcome.status(CLAIMS, claim, status);
}

/// Says what a volume is: Available, Bound, Released; deletes a released one whose policy is so.
pub fn sync_volume(context: &Context<'_>, volume: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let reference = &volume["spec"]["claimRef"];
    let claim = context.cache.get(CLAIMS, text(reference, "/namespace"), text(reference, "/name"));
    let claim = claim.filter(|claim| uid(claim) == text(reference, "/uid"));
    let phase = match (text(reference, "/uid"), claim) {
        ("", _) => "Available",
        (_, Some(claim)) if text(claim, "/spec/volumeName") == name(volume) => "Bound",
        (_, Some(_)) => "Pending",
        (_, None) => "Released",
    };
    if phase == "Released"
        && text(volume, "/spec/persistentVolumeReclaimPolicy") == "Delete"
        && annotation(volume, "pv.kubernetes.io/provisioned-by") == Some(PROVISIONER)
    {
        outcome.push(Write::Delete { target: Target::of(VOLUMES, volume), note: None });
    } else {
        outcome.status(VOLUMES, volume, json!({"phase": phase}));
    }
    outcome
}

#[cfg(test)]
mod tests;
