//! Custom resources: the admission of their definitions, and of their objects by the structural schema.
//!
//! ```text
//! definition (names, versions, status) → structural (is the schema one?)     objects: values (prune, default) → validate
//!                                      → rules (do they compile?)                   → rules (do they hold?)
//! ```
//!
//! Conversion webhooks are refused, not ignored.

mod columns;
mod definition;
mod embedded;
mod formats;
mod naming;
mod rules;
mod selectable;
mod structural;
mod unknown;
mod validate;
mod values;

#[cfg(test)]
mod tests;

pub use columns::{PrinterColumn, ScalePaths, at_path, printer_columns, put_at_path, scale_paths, values_at};
pub use definition::{admit_definition, is_established, write_status};
pub use unknown::unknown_fields;

use serde_json::Value;

use super::kinds::ResourceType;
use super::schema::{self, Schema, causes::Causes};
use super::status::Status;

/// A version of a definition.
pub fn version<'a>(crd: &'a Value, name: &str) -> Option<&'a Value> {
    crd["spec"]["versions"].as_array()?.iter().find(|version| version["name"] == name)
}

/// The structural schema of a version; null when it has none.
pub fn openapi<'a>(crd: &'a Value, name: &str) -> &'a Value {
    version(crd, name).map_or(&Value::Null, |version| &version["schema"]["openAPIV3Schema"])
}

/// The type of a version, for server-side apply.
pub fn schema(crd: &Value, version: &str) -> Schema {
    schema::from_crd(openapi(crd, version))
}

/// The resources that a definition serves: one for each served version, the storage version first.
pub fn resource_types(crd: &Value) -> Vec<ResourceType> {
    let spec = &crd["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let mut versions: Vec<&Value> = spec["versions"].as_array().into_iter().flatten().collect();
    versions.retain(|version| version["served"] == true);
    versions.sort_by_key(|version| version["storage"] != true);
    let names = &spec["names"];
    versions
        .into_iter()
        .map(|version| ResourceType {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            plural: text(&names["plural"]),
            singular: names["singular"]
                .as_str()
                .map_or_else(|| text(&names["kind"]).to_lowercase(), str::to_owned),
            kind: text(&names["kind"]),
            namespaced: spec["scope"] == "Namespaced",
            short_names: texts(&names["shortNames"]),
            categories: texts(&names["categories"]),
            status: version["subresources"].get("status").is_some_and(|status| !status.is_null()),
            scale: version["subresources"]["scale"].is_object(),
            generation: true,
            custom: true,
            selectable: version["selectableFields"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|field| text(&field["jsonPath"]))
                .collect(),
        })
        .collect()
}

/// Admits a custom resource that is about to be written in a version of its definition: prunes unknown fields, fills in
/// defaults, validates, and then keeps what the stored version has. What an update (`old`) leaves as it was is not held
/// against it.
///
/// # Errors
/// 400 when its metadata has wrong types, 404 when there is no such version, 422 with causes when it is invalid.
pub fn admit(crd: &Value, version_name: &str, old: Option<&Value>, object: &mut Value) -> Result<(), Status> {
    let Some(version) = version(crd, version_name) else {
        return Err(Status::new(404, "NotFound", "the server could not find the requested resource"));
    };
    values::decode_metadata(object)?;
    let openapi = &version["schema"]["openAPIV3Schema"];
    fit(crd, openapi, object);
    values::fill_defaults(openapi, object);
    let mut causes = Causes::default();
    validate::object(openapi, old, object, &mut causes);
    if rules::has_rules(openapi) {
        if causes.block_rules() {
            rules::not_checked(&mut causes);
        } else {
            rules::validate(openapi, old, object, &mut causes);
        }
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&object["metadata"]["name"]);
    causes.finish(&text(&crd["spec"]["group"]), &text(&crd["spec"]["names"]["kind"]), &name)?;
    if version["storage"] != true {
        to_stored(crd, object);
    }
    Ok(())
}

/// Makes of a stored object what a reader of a version sees: defaults of the stored version that came later, and without
/// the fields that the version does not have.
pub fn read(crd: &Value, version_name: &str, object: &mut Value) {
    to_stored(crd, object);
    if let Some(version) = version(crd, version_name).filter(|version| version["storage"] != true) {
        fit(crd, &version["schema"]["openAPIV3Schema"], object);
    }
}

fn to_stored(crd: &Value, object: &mut Value) {
    let versions = crd["spec"]["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let Some(stored) = versions.iter().find(|version| version["storage"] == true) else { return };
    let openapi = &stored["schema"]["openAPIV3Schema"];
    fit(crd, openapi, object);
    values::fill_defaults(openapi, object);
}

/// Removes what a schema does not have, unless the definition keeps everything.
fn fit(crd: &Value, openapi: &Value, object: &mut Value) {
    if crd["spec"]["preserveUnknownFields"] != true && !openapi.is_null() {
        values::prune(openapi, object);
    }
}
