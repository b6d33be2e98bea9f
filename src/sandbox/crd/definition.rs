//! The admission of a CustomResourceDefinition: defaults, names and versions, and the status that a real server's controllers write.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{naming, rules, selectable, structural};
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::status::Status;

/// The rule of names that start with a letter.
pub const LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const IMMUTABLE: [&str; 2] = ["/spec/group", "/spec/scope"];

/// Admits a definition that is about to be created (`old` is `None`) or updated: fills in defaults, validates, and writes its status:
/// accepted names, `NamesAccepted`, `Established`, `storedVersions`. `others` are the definitions beside it.
///
/// # Errors
/// 422 with causes, 501 for conversion webhooks.
pub fn admit_definition(
    old: Option<&Value>,
    crd: &mut Value,
    others: &[&Value],
    now: Timestamp,
) -> Result<(), Status> {
    fill(crd);
    let mut causes = Causes::default();
    check(crd, &mut causes);
    if let Some(old) = old {
        check_update(old, crd, &mut causes);
    }
    causes.finish("apiextensions.k8s.io", "CustomResourceDefinition", text(crd, "/metadata/name"))?;
    refuse(crd)?;
    write_status(old, crd, others, now);
    Ok(())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn versions(crd: &Value) -> &[Value] {
    crd["spec"]["versions"].as_array().map_or(&[][..], Vec::as_slice)
}

fn refuse(crd: &Value) -> Result<(), Status> {
    if text(crd, "/spec/conversion/strategy") == "Webhook" {
        return Err(Status::not_implemented("conversion webhooks of custom resources"));
    }
    Ok(())
}

fn fill(crd: &mut Value) {
    if !crd["spec"].is_object() {
        crd["spec"] = json!({});
    }
    let spec = &mut crd["spec"];
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    if !spec["names"].is_object() {
        spec["names"] = json!({});
    }
    let names = &mut spec["names"];
    let missing = |value: &Value| value.as_str().is_none_or(str::is_empty);
    if !kind.is_empty() && missing(&names["singular"]) {
        names["singular"] = json!(kind.to_lowercase());
    }
    if !kind.is_empty() && missing(&names["listKind"]) {
        names["listKind"] = json!(format!("{kind}List"));
    }
    if spec.get("conversion").is_none_or(Value::is_null) {
        spec["conversion"] = json!({"strategy": "None"});
    }
}

fn check(crd: &Value, causes: &mut Causes) {
    let (group, plural) = (text(crd, "/spec/group"), text(crd, "/spec/names/plural"));
    if text(crd, "/metadata/name") != format!("{plural}.{group}") {
        causes.invalid(
            "metadata.name",
            &crd["metadata"]["name"],
            "must be spec.names.plural+\".\"+spec.group",
        );
    }
    if group.is_empty() {
        causes.required("spec.group", "");
    } else if !group.contains('.') {
        causes.invalid("spec.group", &crd["spec"]["group"], "should be a domain with at least one dot");
    } else if !group.split('.').all(is_label) {
        causes.invalid("spec.group", &crd["spec"]["group"], "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character");
    }
    let scope = &crd["spec"]["scope"];
    if scope.as_str().is_none_or(str::is_empty) {
        causes.required("spec.scope", "");
    } else if !["Cluster", "Namespaced"].contains(&text(crd, "/spec/scope")) {
        causes.unsupported("spec.scope", scope, ["Cluster", "Namespaced"]);
    }
    check_names(&crd["spec"]["names"], causes);
    check_versions(versions(crd), causes);
}

fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || c == '-')
}

/// Whether it is a label that starts with a letter.
pub fn is_dns_1035(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn check_names(names: &Value, causes: &mut Causes) {
    for field in ["plural", "singular", "kind", "listKind"] {
        let path = format!("spec.names.{field}");
        let value = &names[field];
        let found = value.as_str().unwrap_or_default();
        let lower = matches!(field, "plural" | "singular");
        let name = if lower { found.to_owned() } else { found.to_lowercase() };
        if found.is_empty() {
            causes.required(&path, "");
        } else if !is_dns_1035(&name) {
            let shown = if lower { "" } else { "may have mixed case, but should otherwise match: " };
            causes.invalid(&path, value, &format!("{shown}{LABEL}"));
        }
    }
    if names["kind"].is_string() && names["kind"] == names["listKind"] {
        causes.invalid("spec.names.listKind", &names["listKind"], "kind and listKind may not be the same");
    }
    for field in ["shortNames", "categories"] {
        for (index, name) in names[field].as_array().into_iter().flatten().enumerate() {
            if !name.as_str().is_some_and(is_dns_1035) {
                causes.invalid(&format!("spec.names.{field}[{index}]"), name, LABEL);
            }
        }
    }
}

fn check_versions(versions: &[Value], causes: &mut Causes) {
    let names: Vec<&str> = versions.iter().filter_map(|version| version["name"].as_str()).collect();
    let shown = json!(names);
    if (1..names.len()).any(|at| names[..at].contains(&names[at])) {
        causes.invalid("spec.versions", &shown, "must contain unique version names");
    }
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        causes.invalid("spec.versions", &shown, "must have exactly one version marked as storage version");
    }
    // a real server keeps a schema that all versions have at one place, and speaks of that
    let shared = versions.windows(2).all(|pair| pair[0]["schema"] == pair[1]["schema"]);
    if let Some(schema) = versions.first().map(|version| &version["schema"]["openAPIV3Schema"])
        && shared
        && schema.is_object()
    {
        check_schema(schema, "spec.validation.openAPIV3Schema", causes);
    }
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        if !version["name"].as_str().is_some_and(is_dns_1035) {
            causes.invalid(&format!("{path}.name"), &version["name"], LABEL);
        }
        let schema = &version["schema"]["openAPIV3Schema"];
        let at = format!("{path}.schema.openAPIV3Schema");
        if schema.is_object() {
            if !shared {
                check_schema(schema, &at, causes);
            }
        } else {
            causes.required(&at, "schemas are required");
        }
        check_columns(version, &path, causes);
        selectable::check(version, &path, causes);
        check_subresources(&version["subresources"], &format!("{path}.subresources"), causes);
    }
}

fn check_schema(schema: &Value, path: &str, causes: &mut Causes) {
    let before = causes.len();
    structural::check(schema, path, causes);
    if causes.len() == before {
        rules::check(schema, path, causes);
    }
}

fn check_columns(version: &Value, path: &str, causes: &mut Causes) {
    for (index, column) in version["additionalPrinterColumns"].as_array().into_iter().flatten().enumerate() {
        let path = format!("{path}.additionalPrinterColumns[{index}]");
        if text(column, "/name").is_empty() {
            causes.required(&format!("{path}.name"), "");
        }
        let kind = text(column, "/type");
        if kind.is_empty() {
            causes.required(&format!("{path}.type"), &format!("must be one of {}", COLUMN_TYPES.join(",")));
        } else if !COLUMN_TYPES.contains(&kind) {
            let message = format!("must be one of {}", COLUMN_TYPES.join(","));
            causes.invalid(&format!("{path}.type"), &column["type"], &message);
        }
        let at = format!("{path}.jsonPath");
        if text(column, "/jsonPath").is_empty() {
            causes.required(&at, "");
        } else if !text(column, "/jsonPath").starts_with('.') {
            causes.invalid(&at, &column["jsonPath"], "must be a simple json path starting with .");
        }
    }
}

fn check_subresources(subresources: &Value, path: &str, causes: &mut Causes) {
    let scale = &subresources["scale"];
    if !scale.is_object() {
        return;
    }
    for (field, below, required) in [
        ("specReplicasPath", ".spec.", true),
        ("statusReplicasPath", ".status.", true),
        ("labelSelectorPath", ".", false),
    ] {
        let at = format!("{path}.scale.{field}");
        let found = text(scale, &format!("/{field}"));
        if found.is_empty() && required {
            causes.required(&at, "");
        } else if !found.is_empty() && !found.starts_with('.') {
            causes.invalid(&at, &scale[field], "must be a simple json path starting with .");
        } else if !found.is_empty() && !found.starts_with(below) {
            causes.invalid(
                &at,
                &scale[field],
                &format!("should be a json path under {}", below.trim_end_matches('.')),
            );
        }
    }
}

fn check_update(old: &Value, crd: &Value, causes: &mut Causes) {
    for pointer in IMMUTABLE.into_iter().chain(["/spec/names/plural", "/spec/names/kind"]) {
        let new = crd.pointer(pointer).unwrap_or(&Value::Null);
        if old.pointer(pointer) != Some(new) {
            causes.immutable(&pointer[1..].replace('/', "."), new);
        }
    }
    let names: Vec<&Value> = versions(crd).iter().map(|version| &version["name"]).collect();
    let stored = old["status"]["storedVersions"].as_array().into_iter().flatten();
    for (index, version) in stored.enumerate() {
        if !names.contains(&version) {
            causes.invalid(
                &format!("status.storedVersions[{index}]"),
                version,
                "must appear in spec.versions",
            );
        }
    }
}

/// Writes the status: what a real server's naming and establishing controllers do a moment later.
pub fn write_status(old: Option<&Value>, crd: &mut Value, others: &[&Value], now: Timestamp) {
    let mut status = match crd["status"].take() {
        Value::Object(status) => status,
        _ => Map::new(),
    };
    let mut stored = status.get("storedVersions").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(before) =
        old.and_then(|old| old["status"]["storedVersions"].as_array()).filter(|_| stored.is_empty())
    {
        stored = before.clone();
    }
    for version in versions(crd).iter().filter(|version| version["storage"] == true) {
        if !stored.contains(&version["name"]) {
            stored.push(version["name"].clone());
        }
    }
    let (accepted_names, conflict) = naming::accept(crd, others);
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut conditions = status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let established = conditions.iter().any(|one| one["type"] == "Established" && one["status"] == "True");
    let (accepted, reason, message) = match &conflict {
        None => ("True", "NoConflicts", "no conflicts found".to_owned()),
        Some((reason, message)) => ("False", *reason, message.clone()),
    };
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time});
    put_condition(&mut conditions, condition("NamesAccepted", accepted, reason, &message));
    if conflict.is_none() || established {
        let message = "the initial names have been accepted";
        put_condition(&mut conditions, condition("Established", "True", "InitialNamesAccepted", message));
    } else {
        let message = "not all names are accepted";
        put_condition(&mut conditions, condition("Established", "False", "NotAccepted", message));
    }
    status.insert("acceptedNames".to_owned(), accepted_names);
    status.insert("conditions".to_owned(), Value::Array(conditions));
    status.insert("storedVersions".to_owned(), Value::Array(stored));
    crd["status"] = Value::Object(status);
}

/// Sets a condition; its time stays when its status does.
fn put_condition(conditions: &mut Vec<Value>, mut condition: Value) {
    match conditions.iter_mut().find(|one| one["type"] == condition["type"]) {
        Some(one) => {
            if one["status"] == condition["status"] {
                condition["lastTransitionTime"] = one["lastTransitionTime"].clone();
            }
            *one = condition;
        }
        None => conditions.push(condition),
    }
}

/// Whether a definition's resources are served.
pub fn is_established(crd: &Value) -> bool {
    let conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|one| one["type"] == "Established" && one["status"] == "True")
}
