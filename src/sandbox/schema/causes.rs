//! Causes of a 422 `Invalid`, in a real server's words.

use serde_json::{Value, json};

use crate::sandbox::status::Status;

/// Collects what is wrong with an object.
#[derive(Debug, Default)]
pub struct Causes(Vec<(&'static str, String, String)>);

impl Causes {
    /// Nothing wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the object is so wrong that the rules of its schema cannot be evaluated.
    pub fn block_rules(&self) -> bool {
        let blocking = [
            "FieldValueNotSupported",
            "FieldValueRequired",
            "FieldValueTooLong",
            "FieldValueTooMany",
            "FieldValueTypeInvalid",
        ];
        self.0.iter().any(|(reason, _, _)| blocking.contains(reason))
    }

    fn push(&mut self, reason: &'static str, path: &str, message: String) {
        self.0.push((reason, path.to_owned(), message));
    }

    /// `Required value`, with a detail unless it is empty.
    pub fn required(&mut self, path: &str, detail: &str) {
        let separator = if detail.is_empty() { "" } else { ": " };
        self.push("FieldValueRequired", path, format!("Required value{separator}{detail}"));
    }

    /// `Invalid value: "x": detail`.
    pub fn invalid(&mut self, path: &str, value: &Value, detail: &str) {
        self.push("FieldValueInvalid", path, format!("Invalid value: {value}: {detail}"));
    }

    /// `Invalid value: "string": … must be of type integer: "string"`.
    pub fn wrong_type(&mut self, path: &str, found: &str, expected: &str) {
        let shown = if path.is_empty() { "" } else { path };
        let text =
            format!("Invalid value: \"{found}\": {shown} in body must be of type {expected}: \"{found}\"");
        self.push("FieldValueTypeInvalid", path, text);
    }

    /// `Unsupported value: "x": supported values: "a", "b"`.
    pub fn unsupported<'a>(
        &mut self,
        path: &str,
        value: &Value,
        supported: impl IntoIterator<Item = &'a str>,
    ) {
        let supported: Vec<String> = supported.into_iter().map(|text| format!("\"{text}\"")).collect();
        let text = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
        self.push("FieldValueNotSupported", path, text);
    }

    /// `Duplicate value: "x"`.
    pub fn duplicate(&mut self, path: &str, value: &Value) {
        self.push("FieldValueDuplicate", path, format!("Duplicate value: {value}"));
    }

    /// `Forbidden: detail`.
    pub fn forbidden(&mut self, path: &str, detail: &str) {
        self.push("FieldValueForbidden", path, format!("Forbidden: {detail}"));
    }

    /// `Not found: "x"`.
    pub fn not_found(&mut self, path: &str, value: &Value) {
        self.push("FieldValueNotFound", path, format!("Not found: {value}"));
    }

    /// `Too long: may not be more than 63 bytes`.
    pub fn too_long(&mut self, path: &str, most: u64) {
        self.push("FieldValueTooLong", path, format!("Too long: may not be more than {most} bytes"));
    }

    /// `Too many: 4: must have at most 3 items`.
    pub fn too_many(&mut self, path: &str, count: usize, most: u64) {
        self.push("FieldValueTooMany", path, format!("Too many: {count}: must have at most {most} items"));
    }

    /// `field is immutable`.
    pub fn immutable(&mut self, path: &str, value: &Value) {
        self.invalid(path, value, "field is immutable");
    }

    /// The fields and messages, as `field: message`.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|(_, field, message)| format!("{field}: {message}")).collect()
    }

    /// Takes over all of another's, below a path.
    pub fn extend_below(&mut self, path: &str, other: Self) {
        for (reason, field, message) in other.0 {
            self.0.push((reason, format!("{path}{field}"), message));
        }
    }

    /// 422 if anything is wrong.
    ///
    /// # Errors
    /// 422 `Invalid` with all causes.
    pub fn finish(self, group: &str, kind: &str, name: &str) -> Result<(), Status> {
        if self.is_empty() {
            return Ok(());
        }
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut status = Status::invalid(&qualified, name, &self.0);
        status.details["kind"] = json!(kind);
        if !group.is_empty() {
            status.details["group"] = json!(group);
        }
        Err(status)
    }
}
