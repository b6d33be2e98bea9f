//! The OpenAPI v2 document as the protocol buffer message `openapi.v2.Document` (of google/gnostic), which kubectl up to 1.26 reads.
//!
//! The numbers are those of the fields in `OpenAPIv2.proto`. Only what [`super::document`] writes is here.

use serde_json::{Map, Value};

use super::wire::Message;

/// The document as bytes.
pub fn document(document: &Value) -> Vec<u8> {
    let mut message = Message::default();
    message.text(1, text(document, "swagger"));
    let mut info = Message::default();
    info.text(1, text(&document["info"], "title"));
    info.text(2, text(&document["info"], "version"));
    message.message(2, &info);
    let mut paths = Message::default();
    each(&document["paths"], |name, item| paths.message(2, &named(name, &path(item))));
    message.message(8, &paths);
    let mut definitions = Message::default();
    each(&document["definitions"], |name, of| definitions.message(1, &named(name, &schema(of))));
    message.message(9, &definitions);
    for requirement in items(&document["security"]) {
        message.message(12, &security_requirement(requirement));
    }
    let mut security = Message::default();
    each(&document["securityDefinitions"], |name, of| {
        let mut item = Message::default();
        item.message(2, &api_key(of));
        security.message(1, &named(name, &item));
    });
    message.message(13, &security);
    message.into_bytes()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[][..], Vec::as_slice)
}

fn each(value: &Value, mut act: impl FnMut(&str, &Value)) {
    value.as_object().into_iter().flatten().for_each(|(name, value)| act(name, value));
}

/// An entry of a map: name and value.
fn named(name: &str, value: &Message) -> Message {
    let mut entry = Message::default();
    entry.text(1, name);
    entry.message(2, value);
    entry
}

/// Any value: its text. JSON is YAML.
fn any(value: &Value) -> Message {
    let mut message = Message::default();
    message.text(2, &format!("{value}\n"));
    message
}

/// Everything that starts with `x-`.
fn extensions(message: &mut Message, field: u64, object: &Value) {
    each(object, |name, value| {
        if name.starts_with("x-") {
            message.message(field, &named(name, &any(value)));
        }
    });
}

fn security_requirement(requirement: &Value) -> Message {
    let mut message = Message::default();
    each(requirement, |name, scopes| {
        let mut list = Message::default();
        items(scopes).iter().filter_map(Value::as_str).for_each(|scope| list.item(1, scope));
        message.message(1, &named(name, &list));
    });
    message
}

fn api_key(security: &Value) -> Message {
    let mut message = Message::default();
    for (field, name) in [(1, "type"), (2, "name"), (3, "in"), (4, "description")] {
        message.text(field, text(security, name));
    }
    message
}

fn path(item: &Value) -> Message {
    let mut message = Message::default();
    for (field, method) in
        [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (6, "options"), (7, "head"), (8, "patch")]
    {
        if item[method].is_object() {
            message.message(field, &operation(&item[method]));
        }
    }
    items(&item["parameters"]).iter().for_each(|one| message.message(9, &parameter(one)));
    extensions(&mut message, 10, item);
    message
}

fn operation(operation: &Value) -> Message {
    let mut message = Message::default();
    let texts = |message: &mut Message, field: u64, name: &str| {
        items(&operation[name]).iter().filter_map(Value::as_str).for_each(|text| message.item(field, text));
    };
    texts(&mut message, 1, "tags");
    message.text(3, text(operation, "description"));
    message.text(5, text(operation, "operationId"));
    texts(&mut message, 6, "produces");
    texts(&mut message, 7, "consumes");
    items(&operation["parameters"]).iter().for_each(|one| message.message(8, &parameter(one)));
    let mut responses = Message::default();
    each(&operation["responses"], |code, of| {
        let mut value = Message::default();
        value.message(1, &response(of));
        responses.message(1, &named(code, &value));
    });
    message.message(9, &responses);
    texts(&mut message, 10, "schemes");
    extensions(&mut message, 13, operation);
    message
}

fn response(response: &Value) -> Message {
    let mut message = Message::default();
    message.text(1, text(response, "description"));
    if response["schema"].is_object() {
        let mut item = Message::default();
        item.message(1, &schema(&response["schema"]));
        message.message(2, &item);
    }
    message
}

fn parameter(parameter: &Value) -> Message {
    let mut message = Message::default();
    if parameter["in"] == "body" {
        let mut body = Message::default();
        for (field, name) in [(1, "description"), (2, "name"), (3, "in")] {
            body.text(field, text(parameter, name));
        }
        body.flag(4, parameter["required"] == true);
        body.message(5, &schema(&parameter["schema"]));
        message.message(1, &body);
    } else {
        message.message(2, &other_parameter(parameter));
    }
    let mut item = Message::default();
    item.message(1, &message);
    item
}

/// A parameter in the query or in the path.
fn other_parameter(parameter: &Value) -> Message {
    let in_path = parameter["in"] == "path";
    let (kind, type_field, unique_field) = if in_path { (4, 5, 19) } else { (3, 6, 20) };
    let mut inner = Message::default();
    inner.flag(1, parameter["required"] == true);
    for (field, name) in [(2, "in"), (3, "description"), (4, "name"), (type_field, "type")] {
        inner.text(field, text(parameter, name));
    }
    inner.flag(unique_field, parameter["uniqueItems"] == true);
    let mut message = Message::default();
    message.message(kind, &inner);
    message
}

fn schema(schema: &Value) -> Message {
    let mut message = Message::default();
    let Some(object) = schema.as_object() else { return message };
    for (field, name) in [(1, "$ref"), (2, "format"), (3, "title"), (4, "description"), (13, "pattern")] {
        message.text(field, text(schema, name));
    }
    for (field, name) in [(5, "default"), (30, "example")] {
        if let Some(value) = object.get(name) {
            message.message(field, &any(value));
        }
    }
    numbers(&mut message, object);
    for required in items(&schema["required"]).iter().filter_map(Value::as_str) {
        message.item(19, required);
    }
    items(&schema["enum"]).iter().for_each(|value| message.message(20, &any(value)));
    if let Some(additional) = object.get("additionalProperties") {
        let mut item = Message::default();
        match additional {
            Value::Bool(flag) => item.flag(2, *flag),
            of => item.message(1, &self::schema(of)),
        }
        message.message(21, &item);
    }
    if let Some(kind) = object.get("type").and_then(Value::as_str) {
        let mut item = Message::default();
        item.item(1, kind);
        message.message(22, &item);
    }
    if let Some(of) = object.get("items") {
        let mut item = Message::default();
        item.message(1, &self::schema(of));
        message.message(23, &item);
    }
    if object.contains_key("properties") {
        let mut properties = Message::default();
        each(&schema["properties"], |name, of| properties.message(1, &named(name, &self::schema(of))));
        message.message(25, &properties);
    }
    extensions(&mut message, 31, schema);
    message
}

fn numbers(message: &mut Message, schema: &Map<String, Value>) {
    for (field, name) in [(6, "multipleOf"), (7, "maximum"), (9, "minimum")] {
        message.float(field, schema.get(name).and_then(Value::as_f64).unwrap_or_default());
    }
    for (field, name) in [(8, "exclusiveMaximum"), (10, "exclusiveMinimum")] {
        message.flag(field, schema.get(name) == Some(&Value::Bool(true)));
    }
    for (field, name) in [
        (11, "maxLength"),
        (12, "minLength"),
        (14, "maxItems"),
        (15, "minItems"),
        (17, "maxProperties"),
        (18, "minProperties"),
    ] {
        message.integer(field, schema.get(name).and_then(Value::as_i64).unwrap_or_default());
    }
}
