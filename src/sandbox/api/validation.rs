//! `fieldValidation`: what is done about fields that a type does not have, and about fields that are there twice.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::sandbox::kinds::ResourceType;
use crate::sandbox::status::Status;

/// The most problems that are told of one request, as in Kubernetes' decoder.
const MOST: usize = 100;

/// `fieldValidation`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Directive {
    /// They are dropped.
    #[default]
    Ignore,
    /// They are dropped, and each is told as a warning.
    Warn,
    /// The request is refused.
    Strict,
}

impl Directive {
    /// Reads the parameter of a request; absent is `Warn`.
    ///
    /// # Errors
    /// 422 for any other value.
    pub fn parse(text: &str, options: &str) -> Result<Self, Status> {
        match text {
            "" | "Warn" => Ok(Self::Warn),
            "Ignore" => Ok(Self::Ignore),
            "Strict" => Ok(Self::Strict),
            other => {
                let supported = "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"";
                let message = format!("Unsupported value: {other:?}: {supported}");
                let cause = ("FieldValueNotSupported", "fieldValidation".to_owned(), message);
                Err(Status::invalid(&format!("{options}.meta.k8s.io"), "", &[cause]))
            }
        }
    }
}

/// How the object of a request was sent: it decides how a refusal is worded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// The whole object.
    #[default]
    Object,
    /// A patch of it.
    Patch,
}

/// What a request wants done about such fields, and what was found. Clones share what was found.
#[derive(Debug, Clone, Default)]
pub struct FieldValidation {
    /// What is done.
    pub directive: Directive,
    /// How the object was sent.
    pub form: Form,
    found: Arc<Mutex<Vec<String>>>,
    warnings: Arc<Mutex<Vec<String>>>,
}

fn locked(list: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FieldValidation {
    /// What a request wants; nothing was found yet.
    pub fn new(directive: Directive) -> Self {
        Self { directive, ..Self::default() }
    }

    /// Notes what reading the body showed.
    pub fn note(&self, problems: impl IntoIterator<Item = String>) {
        let mut found = locked(&self.found);
        for problem in problems {
            if found.len() < MOST && !found.contains(&problem) {
                found.push(problem);
            }
        }
    }

    /// Adds a warning for the client.
    pub fn warn(&self, warning: String) {
        locked(&self.warnings).push(warning);
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        locked(&self.warnings).clone()
    }

    /// Does with everything noted what the request wants: forgets it, warns, or refuses.
    ///
    /// # Errors
    /// `Strict`: 400 for an object, 422 for a patch.
    pub fn settle(&self, kind: &ResourceType, value: &Value) -> Result<(), Status> {
        let found = std::mem::take(&mut *locked(&self.found));
        match self.directive {
            _ if found.is_empty() => Ok(()),
            Directive::Ignore => Ok(()),
            Directive::Warn => {
                locked(&self.warnings).extend(found);
                Ok(())
            }
            Directive::Strict => {
                let problem = format!("strict decoding error: {}", found.join(", "));
                Err(self.refusal(kind, value, &problem))
            }
        }
    }

    /// The same for a configuration that is applied, before it is merged.
    ///
    /// # Errors
    /// `Strict`: 400.
    pub fn settle_yaml(&self) -> Result<(), Status> {
        let found = std::mem::take(&mut *locked(&self.found));
        if found.is_empty() || self.directive == Directive::Ignore {
            return Ok(());
        }
        let problem = format!("error converting YAML to JSON: {}", found.join(", "));
        if self.directive == Directive::Strict {
            return Err(Status::bad_request(format!("error strict decoding YAML: {problem}")));
        }
        self.warn(problem);
        Ok(())
    }

    fn refusal(&self, kind: &ResourceType, value: &Value, problem: &str) -> Status {
        match self.form {
            Form::Object => {
                let (kind, version) = (&kind.kind, &kind.version);
                let text =
                    format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {problem}");
                Status::bad_request(text)
            }
            Form::Patch => {
                let mut value = value.clone();
                // It may have been read in the form in which it is stored.
                value["apiVersion"] = Value::from(kind.api_version());
                let shown = Value::String(value.to_string());
                let cause =
                    ("FieldValueInvalid", "patch".to_owned(), format!("Invalid value: {shown}: {problem}"));
                Status::invalid("", "", &[cause])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(directive: Directive, form: Form) -> FieldValidation {
        let validation = FieldValidation { form, ..FieldValidation::new(directive) };
        validation.note(["unknown field \"spec.a\"".to_owned(), "unknown field \"spec.a\"".to_owned()]);
        validation
    }

    #[test]
    fn what_was_found_is_dropped_told_or_refused() {
        let kind = ResourceType {
            group: "a.b".into(),
            version: "v1".into(),
            kind: "Thing".into(),
            ..ResourceType::default()
        };
        let value = json!({"apiVersion": "a.b/v1beta1"});
        let ignored = found(Directive::Ignore, Form::Object);
        assert!(ignored.settle(&kind, &value).is_ok() && ignored.warnings().is_empty());
        let warned = found(Directive::Warn, Form::Object);
        assert!(warned.settle(&kind, &value).is_ok());
        assert_eq!(warned.warnings(), ["unknown field \"spec.a\""]);
        let refused = found(Directive::Strict, Form::Object).settle(&kind, &value).unwrap_err();
        let text = "Thing in version \"v1\" cannot be handled as a Thing: strict decoding error: unknown field \"spec.a\"";
        assert_eq!((refused.code, refused.message.as_str()), (400, text));
        let refused = found(Directive::Strict, Form::Patch).settle(&kind, &value).unwrap_err();
        assert_eq!(refused.code, 422);
        let text = r#" "" is invalid: patch: Invalid value: "{\"apiVersion\":\"a.b/v1\"}": strict decoding error: unknown field "spec.a""#;
        assert_eq!(refused.message, text);
        let nothing = FieldValidation::new(Directive::Strict);
        assert!(nothing.settle(&kind, &value).is_ok());
    }

    #[test]
    fn only_three_values_are_known() {
        assert_eq!(Directive::parse("", "CreateOptions"), Ok(Directive::Warn));
        let refused = Directive::parse("Loose", "CreateOptions").unwrap_err();
        assert_eq!(refused.code, 422);
        assert!(refused.message.starts_with("CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: "));
    }
}
