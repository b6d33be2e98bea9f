//! Claims, volumes, classes.

use serde_json::{Value, json};

use super::super::names;
use super::{is_blank, items, one_of, required, text, well_formed};
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::schema::quantity::Quantity;

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// The spec of a PersistentVolumeClaim.
pub fn claim(spec: &Value, path: &str, causes: &mut Causes) {
    access_modes(spec, path, causes);
    let size = &spec["resources"]["requests"]["storage"];
    let at = format!("{path}.resources[storage]");
    match Quantity::parse(text(size)) {
        None => causes.required(&at, ""),
        Some(quantity) if quantity.nanos() <= 0 => causes.invalid(&at, size, "must be greater than zero"),
        Some(_) => {}
    }
    one_of(&spec["volumeMode"], &format!("{path}.volumeMode"), &["Block", "Filesystem"], causes);
    let class = &spec["storageClassName"];
    if !is_blank(class) {
        well_formed(class, &format!("{path}.storageClassName"), names::subdomain(text(class)), causes);
    }
}

fn access_modes(spec: &Value, path: &str, causes: &mut Causes) {
    let at = format!("{path}.accessModes");
    let modes = items(&spec["accessModes"]);
    if modes.is_empty() {
        causes.required(&at, "at least 1 access mode is required");
    }
    for mode in modes {
        one_of(mode, &at, &MODES, causes);
    }
    if modes.len() > 1 && modes.contains(&json!("ReadWriteOncePod")) {
        causes.forbidden(&at, "may not use ReadWriteOncePod with other access modes");
    }
}

/// The spec of a PersistentVolume.
pub fn volume(spec: &Value, causes: &mut Causes) {
    let modes = items(&spec["accessModes"]);
    if modes.is_empty() {
        causes.required("spec.accessModes", "");
    }
    modes.iter().for_each(|mode| one_of(mode, "spec.accessModes", &MODES, causes));
    if spec["capacity"]["storage"].is_null() {
        causes.required("spec.capacity", "");
    }
    let policies = ["Delete", "Recycle", "Retain"];
    one_of(&spec["persistentVolumeReclaimPolicy"], "spec.persistentVolumeReclaimPolicy", &policies, causes);
    one_of(&spec["volumeMode"], "spec.volumeMode", &["Block", "Filesystem"], causes);
}

/// A StorageClass.
pub fn class(object: &Value, causes: &mut Causes) {
    required(&object["provisioner"], "provisioner", causes);
    one_of(&object["reclaimPolicy"], "reclaimPolicy", &["Delete", "Retain"], causes);
    one_of(&object["volumeBindingMode"], "volumeBindingMode", &["Immediate", "WaitForFirstConsumer"], causes);
}
