//! How schemas and paths are written in OpenAPI v3 and in v2.

use serde_json::{Map, Value, json};

use super::built_in::{INT_OR_STRING, QUANTITY};
use super::types::REFERENCE;

/// Where a reference points to in v2.
const REFERENCE_2: &str = "#/definitions/";
/// What v2 knows of a schema; the extensions are kept as well.
const KEYWORDS_2: [&str; 24] = [
    "$ref",
    "additionalProperties",
    "default",
    "description",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
];

/// A type in v3. A reference has no siblings there: it moves into `allOf`.
pub fn schema_3(name: &str, mut schema: Value) -> Value {
    match name {
        QUANTITY => several_forms(&mut schema, &["string", "number"]),
        INT_OR_STRING => {
            several_forms(&mut schema, &["integer", "string"]);
            schema["format"] = json!("int-or-string");
        }
        _ => wrap_references(&mut schema),
    }
    schema
}

fn several_forms(schema: &mut Value, forms: &[&str]) {
    let forms: Vec<Value> = forms.iter().map(|form| json!({"type": form})).collect();
    *schema = json!({"description": schema["description"], "oneOf": forms});
}

fn wrap_references(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.len() > 1
                && let Some(reference) = object.remove("$ref")
            {
                object.insert("allOf".to_owned(), json!([{"$ref": reference}]));
                return;
            }
            object.values_mut().for_each(wrap_references);
        }
        Value::Array(items) => items.iter_mut().for_each(wrap_references),
        _ => {}
    }
}

/// A type in v2: what v2 cannot say is left out, so that clients which validate by it refuse nothing that is right.
pub fn schema_2(name: &str, schema: &Value) -> Value {
    match name {
        QUANTITY => json!({"description": schema["description"], "type": "string"}),
        INT_OR_STRING => {
            json!({"description": schema["description"], "type": "string", "format": "int-or-string"})
        }
        _ => below_2(schema),
    }
}

fn below_2(schema: &Value) -> Value {
    let Some(object) = schema.as_object() else { return schema.clone() };
    let mut kept: Map<String, Value> = Map::new();
    // Where several types fit, v2 can name none.
    let any = object.get("nullable") == Some(&Value::Bool(true))
        || object.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
        || object.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
    for (keyword, value) in object {
        let typed =
            matches!(keyword.as_str(), "type" | "properties" | "items" | "required" | "additionalProperties");
        let extension = keyword.starts_with("x-kubernetes-") && keyword != "x-kubernetes-validations";
        if (any && typed) || !(extension || KEYWORDS_2.contains(&keyword.as_str())) {
            continue;
        }
        let value = match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, of)| (name.clone(), below_2(of))).collect::<Map<_, _>>().into()
            }
            ("items" | "additionalProperties", of) => below_2(of),
            ("$ref", Value::String(reference)) => json!(reference.replacen(REFERENCE, REFERENCE_2, 1)),
            (_, value) => value.clone(),
        };
        kept.insert(keyword.clone(), value);
    }
    Value::Object(kept)
}

/// A path with its operations, from v3 to v2.
pub fn path_2(item: &Value) -> Value {
    let members = item.as_object().into_iter().flatten().map(|(key, value)| {
        let value = if key == "parameters" { parameters_2(value) } else { operation_2(value) };
        (key.clone(), value)
    });
    Value::Object(members.collect())
}

fn parameters_2(parameters: &Value) -> Value {
    let flat = |parameter: &Value| {
        let mut parameter = parameter.as_object().cloned().unwrap_or_default();
        if let Some(Value::Object(schema)) = parameter.remove("schema") {
            parameter.extend(schema);
        }
        Value::Object(parameter)
    };
    parameters.as_array().into_iter().flatten().map(flat).collect()
}

fn operation_2(operation: &Value) -> Value {
    let mut result = operation.as_object().cloned().unwrap_or_default();
    let mut parameters = match parameters_2(&operation["parameters"]) {
        Value::Array(parameters) => parameters,
        _ => Vec::new(),
    };
    let mut consumes = vec!["*/*".to_owned()];
    if let Some(body) = result.remove("requestBody") {
        let (media, schema) = content(&body);
        consumes = media;
        let mut parameter = json!({"name": "body", "in": "body", "schema": schema});
        if body["required"] == true {
            parameter["required"] = json!(true);
        }
        parameters.insert(0, parameter);
    }
    if !parameters.is_empty() {
        result.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let mut produces = Vec::new();
    let mut responses = Map::new();
    for (code, response) in operation["responses"].as_object().into_iter().flatten() {
        let mut answer = json!({"description": response["description"]});
        if response["content"].is_object() {
            let (media, schema) = content(response);
            produces = media;
            answer["schema"] = schema;
        }
        responses.insert(code.clone(), answer);
    }
    result.insert("consumes".to_owned(), json!(consumes));
    result.insert("produces".to_owned(), json!(produces));
    result.insert("schemes".to_owned(), json!(["https"]));
    result.insert("responses".to_owned(), Value::Object(responses));
    Value::Object(result)
}

/// The media types of a body, and its schema.
fn content(body: &Value) -> (Vec<String>, Value) {
    let content = body["content"].as_object();
    let media = content.into_iter().flatten().map(|(media, _)| media.clone()).collect();
    let schema = content.into_iter().flatten().map(|(_, of)| below_2(&of["schema"])).next();
    (media, schema.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_with_a_description_is_wrapped_in_v3() {
        let reference = json!({"$ref": "#/components/schemas/a"});
        let schema = json!({"properties": {"one": reference, "two": {"$ref": "#/components/schemas/a", "description": "x"}}});
        assert_eq!(
            schema_3("t", schema),
            json!({"properties": {"one": reference, "two": {"allOf": [reference], "description": "x"}}})
        );
    }

    #[test]
    fn v2_names_no_type_where_several_fit() {
        let schema = json!({"type": "object", "properties": {
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}},
            "null": {"type": "string", "nullable": true, "maxLength": 3},
            "metadata": {"$ref": "#/components/schemas/m", "description": "x"},
        }});
        assert_eq!(
            schema_2("t", &schema),
            json!({"type": "object", "properties": {
                "port": {"x-kubernetes-int-or-string": true},
                "free": {"x-kubernetes-preserve-unknown-fields": true},
                "null": {"maxLength": 3},
                "metadata": {"$ref": "#/definitions/m", "description": "x"},
            }})
        );
    }

    #[test]
    fn a_body_is_a_parameter_in_v2() {
        let reference = json!({"$ref": "#/components/schemas/a"});
        let item = json!({"parameters": [{"name": "name", "in": "path", "schema": {"type": "string"}}],
            "put": {"requestBody": {"required": true, "content": {"*/*": {"schema": reference}}},
                "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": reference}}}}}});
        let target = json!({"$ref": "#/definitions/a"});
        assert_eq!(
            path_2(&item),
            json!({"parameters": [{"name": "name", "in": "path", "type": "string"}],
                "put": {"consumes": ["*/*"], "produces": ["application/json"], "schemes": ["https"],
                    "parameters": [{"name": "body", "in": "body", "required": true, "schema": target}],
                    "responses": {"200": {"description": "OK", "schema": target}}}})
        );
    }
}
