//! Volumes, claims and storage classes.

use serde_json::Value;

use super::column::{Cell, Column, Row};
use super::text::{self, UNSET};

/// The annotation that once named the storage class.
const CLASS: &str = "/metadata/annotations/volume.beta.kubernetes.io~1storage-class";

const ATTRIBUTES_CLASS: Column = Column::new(
    "VolumeAttributesClass",
    "The volume attributes class.",
    Cell::Text("/spec/volumeAttributesClassName", UNSET),
);
const STORAGE_CLASS: Column = Column::new("StorageClass", "The storage class.", Cell::Made(class));
const VOLUME_MODE: Column =
    Column::new("VolumeMode", "A file system or a block device.", Cell::Text("/spec/volumeMode", UNSET))
        .wide();
const STATUS: Column = Column::new("Status", "Whether it is bound.", Cell::Made(phase));

/// The columns of volumes.
pub const PERSISTENT_VOLUMES: &[Column] = &[
    Column::name(),
    Column::new("Capacity", "How much it holds.", Cell::Made(|row| quantity(row, "/spec/capacity/storage"))),
    Column::new("Access Modes", "How it can be mounted.", Cell::Made(|row| modes(row, "/spec/accessModes"))),
    Column::new(
        "Reclaim Policy",
        "What becomes of it when it is released.",
        Cell::Text("/spec/persistentVolumeReclaimPolicy", ""),
    ),
    STATUS,
    Column::new("Claim", "The claim that it is bound to.", Cell::Made(claim)),
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    Column::new("Reason", "Why it is in this state.", Cell::Text("/status/reason", "")),
    Column::age(),
    VOLUME_MODE,
];

/// The columns of claims.
pub const PERSISTENT_VOLUME_CLAIMS: &[Column] = &[
    Column::name(),
    STATUS,
    Column::new("Volume", "The volume that it is bound to.", Cell::Text("/spec/volumeName", "")),
    Column::new("Capacity", "How much the volume holds.", Cell::Made(claimed)),
    Column::new("Access Modes", "How the volume can be mounted.", Cell::Made(claimed_modes)),
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    Column::age(),
    VOLUME_MODE,
];

/// The columns of storage classes.
pub const STORAGE_CLASSES: &[Column] = &[
    Column::new("Name", "The name of the object.", Cell::Made(class_name)).of_format("name"),
    Column::new("Provisioner", "Who makes its volumes.", Cell::Text("/provisioner", "")),
    Column::new("ReclaimPolicy", "What becomes of released volumes.", Cell::Text("/reclaimPolicy", "Delete")),
    Column::new("VolumeBindingMode", "When a volume is made.", Cell::Text("/volumeBindingMode", "Immediate")),
    Column::new("AllowVolumeExpansion", "Whether its volumes can grow.", Cell::Made(expands)),
    Column::age(),
];

fn phase(row: &Row<'_>) -> Value {
    Value::from(if row.is_deleting() { "Terminating" } else { row.text("/status/phase") })
}

fn class(row: &Row<'_>) -> Value {
    let annotated = row.text(CLASS);
    Value::from(if annotated.is_empty() { row.text("/spec/storageClassName") } else { annotated })
}

fn quantity(row: &Row<'_>, pointer: &str) -> Value {
    Value::from(text::scalar(row.object.pointer(pointer)).unwrap_or_else(|| "0".to_owned()))
}

/// Access modes by their short names, each once, from the narrowest to the widest.
fn modes(row: &Row<'_>, pointer: &str) -> Value {
    let modes = row.texts(pointer);
    let short = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let present: Vec<&str> =
        short.into_iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| short).collect();
    Value::from(present.join(","))
}

fn claim(row: &Row<'_>) -> Value {
    if row.object.pointer("/spec/claimRef").is_none_or(Value::is_null) {
        return Value::from("");
    }
    Value::from(format!("{}/{}", row.text("/spec/claimRef/namespace"), row.text("/spec/claimRef/name")))
}

fn is_bound(row: &Row<'_>) -> bool {
    !row.text("/spec/volumeName").is_empty()
}

fn claimed(row: &Row<'_>) -> Value {
    if is_bound(row) { quantity(row, "/status/capacity/storage") } else { Value::from("") }
}

fn claimed_modes(row: &Row<'_>) -> Value {
    if is_bound(row) { modes(row, "/status/accessModes") } else { Value::from("") }
}

fn class_name(row: &Row<'_>) -> Value {
    let is_default = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"]
        .iter()
        .any(|group| row.text(&format!("/metadata/annotations/{group}~1is-default-class")) == "true");
    let name = row.text("/metadata/name");
    Value::from(if is_default { format!("{name} (default)") } else { name.to_owned() })
}

fn expands(row: &Row<'_>) -> Value {
    Value::from(row.flag("/allowVolumeExpansion").unwrap_or(false))
}
