//! What the API server checks of claims with other objects in view.

use serde_json::Value;

use super::object;
use super::objects::Objects;
use crate::sandbox::schema::quantity::Quantity;
use crate::sandbox::status::Status;

const CLASSES: &str = "storageclasses.storage.k8s.io";
const FIXED: &str = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";

/// Refuses a larger request of a bound claim whose class does not allow volumes to grow.
///
/// # Errors
/// 403.
pub fn check_growth(objects: &Objects, old: &Value, new: &Value) -> Result<(), Status> {
    let size = |claim: &Value| {
        Quantity::parse(object::text(claim, "/spec/resources/requests/storage"))
            .map_or(0, |size| size.nanos())
    };
    if size(new) <= size(old) || object::text(old, "/status/phase") != "Bound" {
        return Ok(());
    }
    let class = objects.get(CLASSES, "", object::text(old, "/spec/storageClassName"));
    let grows = class.is_some_and(|class| class["allowVolumeExpansion"] == true);
    if grows { Ok(()) } else { Err(Status::forbidden("persistentvolumeclaims", object::name(old), FIXED)) }
}
