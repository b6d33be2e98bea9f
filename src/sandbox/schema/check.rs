//! Checks of a body against its type: what decoding into Go structs does (unknown fields, wrong types), and what server-side
//! apply demands of a configuration.

use serde_json::{Map, Value};

use super::{ListKind, ListOf, Object, Scalar, Schema, quantity};
use crate::sandbox::status::Status;

/// A field that the type does not have, by its path (`spec.ports[0].nam`). A real server drops it, and warns or refuses when asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

/// Decodes a body as a real server decodes it into its typed code: drops unknown fields, nulls and empty lists and maps, writes
/// quantities in their canonical form.
///
/// # Errors
/// 400 when a value has another type than its field.
pub fn decode(schema: &Schema, object: &mut Value) -> Result<Vec<Unknown>, Status> {
    let mut walk = Decoding { path: Vec::new(), parent: String::new(), unknown: Vec::new() };
    match walk.value(schema, object) {
        Ok(()) => Ok(walk.unknown),
        Err(problem) => {
            let kind = object["kind"].as_str().unwrap_or_default();
            let api_version = object["apiVersion"].as_str().unwrap_or_default();
            let version = api_version.rsplit('/').next().unwrap_or(api_version);
            Err(Status::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: {problem}"
            )))
        }
    }
}

enum Step {
    Field(String),
    Item(usize),
}

struct Decoding {
    path: Vec<Step>,
    /// The name of the struct that the current field belongs to.
    parent: String,
    unknown: Vec<Unknown>,
}

impl Decoding {
    fn value(&mut self, schema: &Schema, value: &mut Value) -> Result<(), String> {
        match (schema, value) {
            (Schema::Any, _) => Ok(()),
            (Schema::Scalar(scalar), value) => self.scalar(*scalar, value),
            (Schema::Object(object), Value::Object(fields)) => self.object(object, fields),
            (Schema::Map(map), Value::Object(entries)) => {
                for entry in entries.values_mut() {
                    self.value(&map.values, entry)?;
                }
                Ok(())
            }
            (Schema::List(list), Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.push(Step::Item(index));
                    self.value(&list.items, item)?;
                    self.path.pop();
                }
                Ok(())
            }
            (schema, value) => Err(self.mismatch(value, &go_type(schema))),
        }
    }

    fn object(&mut self, object: &Object, fields: &mut Map<String, Value>) -> Result<(), String> {
        let outer = std::mem::replace(&mut self.parent, object.name.clone());
        let names: Vec<String> = fields.keys().cloned().collect();
        for name in names {
            self.path.push(Step::Field(name.clone()));
            match object.fields.get(&name) {
                Some(field) => {
                    let empty = match fields.get_mut(&name) {
                        None | Some(Value::Null) => true,
                        Some(value) => {
                            self.value(&field.schema, value)?;
                            self.parent.clone_from(&object.name);
                            is_empty(&field.schema, value)
                        }
                    };
                    if empty && !(field.always && fields.get(&name).is_some_and(|value| !value.is_null())) {
                        fields.remove(&name);
                    }
                }
                None if object.open => {}
                None => {
                    self.unknown.push(Unknown(self.full_path()));
                    fields.remove(&name);
                }
            }
            self.path.pop();
        }
        self.parent = outer;
        Ok(())
    }

    fn scalar(&self, scalar: Scalar, value: &mut Value) -> Result<(), String> {
        let fits = match scalar {
            Scalar::String => value.is_string(),
            Scalar::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Scalar::Int64 => value.as_i64().is_some(),
            Scalar::Number => value.is_number(),
            Scalar::Bool => value.is_boolean(),
            Scalar::IntOrString => value.is_string() || value.as_i64().is_some(),
            Scalar::Untyped => !value.is_object() && !value.is_array(),
            Scalar::Time | Scalar::MicroTime => return self.time(value),
            Scalar::Bytes => return self.bytes(value),
            Scalar::Quantity => return self.quantity(value),
        };
        if fits { Ok(()) } else { Err(self.mismatch(value, &go_type(&Schema::Scalar(scalar)))) }
    }

    fn time(&self, value: &Value) -> Result<(), String> {
        let Some(text) = value.as_str() else { return Err(self.mismatch(value, "string")) };
        text.parse::<jiff::Timestamp>().map(|_| ()).map_err(|_| {
            format!("parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{text}\"")
        })
    }

    fn bytes(&self, value: &Value) -> Result<(), String> {
        use base64::Engine;
        let Some(text) = value.as_str() else { return Err(self.mismatch(value, "[]uint8")) };
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(_) => Ok(()),
            Err(base64::DecodeError::InvalidByte(at, _)) => {
                Err(format!("illegal base64 data at input byte {at}"))
            }
            Err(_) => Err(format!("illegal base64 data at input byte {}", text.len())),
        }
    }

    fn quantity(&self, value: &mut Value) -> Result<(), String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return Err(self.mismatch(other, "string")),
        };
        let quantity = quantity::Quantity::parse(&text).ok_or(quantity::SYNTAX)?;
        *value = Value::String(quantity.to_string());
        Ok(())
    }

    /// The path with the places in lists.
    fn full_path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// The path as Go's decoder names it: without the places in lists.
    fn plain_path(&self) -> String {
        let names = self.path.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Item(_) => None,
        });
        names.collect::<Vec<_>>().join(".")
    }

    fn mismatch(&self, value: &Value, go_type: &str) -> String {
        let found = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(number) if go_type.starts_with("int") => format!("number {number}"),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        let (parent, path) = (&self.parent, self.plain_path());
        format!("json: cannot unmarshal {found} into Go struct field {parent}.{path} of type {go_type}")
    }
}

/// What Go's `omitempty` leaves out, of a list or a map; a struct is kept.
fn is_empty(schema: &Schema, value: &Value) -> bool {
    match (schema, value) {
        (Schema::List(_), Value::Array(items)) => items.is_empty(),
        (Schema::Map(_), Value::Object(entries)) => entries.is_empty(),
        _ => false,
    }
}

fn go_type(schema: &Schema) -> String {
    match schema {
        Schema::Any => "interface {}".to_owned(),
        Schema::Object(object) => format!("v1.{}", object.name),
        Schema::Map(map) => format!("map[string]{}", go_type(&map.values)),
        Schema::List(list) => format!("[]{}", go_type(&list.items)),
        Schema::Scalar(scalar) => match scalar {
            Scalar::String | Scalar::Untyped => "string",
            Scalar::Int32 => "int32",
            Scalar::Int64 => "int64",
            Scalar::Number => "float64",
            Scalar::Bool => "bool",
            Scalar::Quantity => "resource.Quantity",
            Scalar::IntOrString => "intstr.IntOrString",
            Scalar::Time => "v1.Time",
            Scalar::MicroTime => "v1.MicroTime",
            Scalar::Bytes => "[]uint8",
        }
        .to_owned(),
    }
}

/// Why a configuration cannot be applied: undeclared fields, wrong types, list items without their keys or with the same ones.
pub fn typed_errors(schema: &Schema, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    typed(schema, value, "", &mut errors);
    errors
}

fn typed(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<String>) {
    match (schema, value) {
        (Schema::Any, _) | (_, Value::Null) => {}
        (Schema::Scalar(scalar), value) => {
            if let Some(expected) = expected(*scalar, value) {
                errors.push(format!("{}: expected {expected}, got {value}", or_root(path)));
            }
        }
        (Schema::Object(_) | Schema::Map(_), Value::Object(entries)) => {
            for (name, entry) in entries {
                let path = format!("{path}.{name}");
                match schema.field(name) {
                    Some(schema) => typed(&schema, entry, &path, errors),
                    None => errors.push(format!("{path}: field not declared in schema")),
                }
            }
        }
        (Schema::List(list), Value::Array(items)) => typed_list(list, items, path, errors),
        (Schema::List(_), value) => errors.push(format!("{}: expected list, got {value}", or_root(path))),
        (_, value) => errors.push(format!("{}: expected map, got {value}", or_root(path))),
    }
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

fn typed_list(list: &ListOf, items: &[Value], path: &str, errors: &mut Vec<String>) {
    let mut seen = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let element = match list.key_of(item) {
            Ok(None) => format!("[{index}]"),
            Ok(Some(element)) => {
                let text = element.to_string();
                if seen.contains(&text) {
                    errors.push(format!("{path}: duplicate entries for key {text}"));
                }
                seen.push(text.clone());
                text
            }
            Err(problem) => {
                errors.push(format!("{path}: element {index}: {problem}"));
                continue;
            }
        };
        if list.kind != ListKind::Set {
            typed(&list.items, item, &format!("{path}{element}"), errors);
        }
    }
}

/// What a scalar should have been, if `value` is not.
fn expected(scalar: Scalar, value: &Value) -> Option<&'static str> {
    let (fits, name) = match scalar {
        Scalar::Int32 | Scalar::Int64 | Scalar::Number => (value.is_number(), "numeric (int or float)"),
        Scalar::Bool => (value.is_boolean(), "boolean"),
        Scalar::String | Scalar::Time | Scalar::MicroTime | Scalar::Bytes => (value.is_string(), "string"),
        Scalar::Quantity | Scalar::IntOrString | Scalar::Untyped => {
            (!value.is_object() && !value.is_array(), "scalar")
        }
    };
    (!fits).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::builtin;
    use super::*;

    fn deployment(spec: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec})
    }

    fn schema() -> Schema {
        builtin("apps", "v1", "Deployment").unwrap()
    }

    #[test]
    fn decoding_drops_what_the_type_does_not_have() {
        let mut object =
            deployment(json!({"replicas": null, "replica": 3, "template": {"metadata": {"labels": {}},
            "spec": {"containers": [{"name": "c", "args": [], "imag": "x", "securityContext": {},
                "resources": {"limits": {"cpu": "0.5", "memory": 1024}}}]}}}));
        let unknown = decode(&schema(), &mut object).unwrap();
        let paths: Vec<&str> = unknown.iter().map(|unknown| unknown.0.as_str()).collect();
        assert_eq!(paths, ["spec.replica", "spec.template.spec.containers[0].imag"]);
        let expected = deployment(json!({"template": {"metadata": {}, "spec": {"containers": [
            {"name": "c", "securityContext": {}, "resources": {"limits": {"cpu": "500m", "memory": "1024"}}}]}}}));
        assert_eq!(object, expected);
    }

    #[test]
    fn decoding_refuses_wrong_types_with_gos_words() {
        let cases = [
            (
                json!({"replicas": "x"}),
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                json!({"replicas": 1.5}),
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                json!({"replicas": 5_000_000_000_i64}),
                "json: cannot unmarshal number 5000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                json!({"template": {"metadata": {"labels": {"a": 1}}}}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels of type string",
            ),
            (
                json!({"template": {"spec": {"containers": {}}}}),
                "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
            ),
            (
                json!({"template": {"spec": []}}),
                "json: cannot unmarshal array into Go struct field PodTemplateSpec.spec.template.spec of type v1.PodSpec",
            ),
            (
                json!({"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}}}),
                quantity::SYNTAX,
            ),
        ];
        for (spec, text) in cases {
            let status = decode(&schema(), &mut deployment(spec)).unwrap_err();
            assert_eq!(status.code, 400);
            let expected = format!("Deployment in version \"v1\" cannot be handled as a Deployment: {text}");
            assert_eq!(status.message, expected);
        }
    }

    #[test]
    fn decoding_checks_base64_and_times() {
        let secret = builtin("", "v1", "Secret").unwrap();
        let mut object = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "b$=="}});
        assert!(
            decode(&secret, &mut object)
                .unwrap_err()
                .message
                .ends_with("illegal base64 data at input byte 1")
        );
        let mut object = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ=="}, "metadata": {"creationTimestamp": "soon"}});
        assert!(decode(&secret, &mut object).unwrap_err().message.contains("parsing time \"soon\""));
    }

    #[test]
    fn apply_wants_declared_fields_types_and_keys() {
        let container = |value: Value| json!({"template": {"spec": {"containers": value}}});
        let cases = [
            (json!({"foo": 1}), ".spec.foo: field not declared in schema"),
            (json!({"replicas": "x"}), ".spec.replicas: expected numeric (int or float), got \"x\""),
            (
                container(json!([{"name": "c"}, {"name": "c"}])),
                ".spec.template.spec.containers: duplicate entries for key [name=\"c\"]",
            ),
            (
                container(json!([{"name": "c", "stdin": 1}])),
                ".spec.template.spec.containers[name=\"c\"].stdin: expected boolean, got 1",
            ),
        ];
        for (spec, text) in cases {
            assert_eq!(typed_errors(&schema(), &deployment(spec)), [text]);
        }
        assert!(typed_errors(&schema(), &deployment(json!({"replicas": null}))).is_empty());
        assert!(typed_errors(&schema(), &deployment(container(json!([{"image": "x"}])))).is_empty());
        let rows = json!({"type": "object", "properties": {"rows": {"type": "array", "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"], "items": {"type": "object", "properties": {"id": {"type": "string"}}}}}});
        assert_eq!(
            typed_errors(&crate::sandbox::schema::from_crd(&rows), &json!({"rows": [{}]})),
            [
                ".rows: element 0: associative list with keys has an element that omits key field \"id\" (and doesn't have default value)"
            ]
        );
    }
}
