//! Label and field selectors.

mod fields;
mod labels;

use serde_json::Value;

use crate::sandbox::kinds::ResourceType;
use crate::sandbox::status::Status;

use fields::FieldRequirement;
use labels::Requirement;

/// Which objects of a resource are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector` of a request for a resource.
    ///
    /// # Errors
    /// 400 when one is malformed, or selects by a field that the resource cannot be selected by.
    pub fn parse(kind: &ResourceType, labels: &str, fields: &str) -> Result<Self, Status> {
        Ok(Self { labels: labels::parse(labels)?, fields: fields::parse(kind, fields)? })
    }

    /// Wants, besides, one name only: how the old `/watch/…/{name}` paths choose.
    pub fn and_name(&mut self, name: &str) {
        self.fields.push(FieldRequirement::name(name));
    }

    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object, in its stored form, is wanted.
    pub fn matches(&self, value: &Value) -> bool {
        let labels = value.pointer("/metadata/labels");
        self.labels.iter().all(|requirement| requirement.holds(labels))
            && self.fields.iter().all(|requirement| requirement.holds(value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::kinds::Kinds;

    fn selects(labels: &str, fields: &str) -> bool {
        let kinds = Kinds::new();
        let pod = json!({
            "metadata": {"name": "a", "namespace": "n", "labels": {"app": "web", "tier": "front", "size": "7"}},
            "spec": {"nodeName": "sandbox"},
            "status": {"phase": "Running"},
        });
        Selector::parse(kinds.named("pods").unwrap(), labels, fields).unwrap().matches(&pod)
    }

    fn refused(resource: &str, labels: &str, fields: &str) -> String {
        let kinds = Kinds::new();
        let status = Selector::parse(kinds.named(resource).unwrap(), labels, fields).unwrap_err();
        assert_eq!(status.code, 400, "{labels} {fields}");
        status.message
    }

    #[test]
    fn labels_select() {
        for yes in [
            "",
            "app=web",
            "app==web,tier!=back",
            "app in (db, web)",
            "app",
            "!other",
            "other notin (a,b)",
            "size>6",
            "size<8,size>1",
            "app in (,web)",
            "other!=",
        ] {
            assert!(selects(yes, ""), "{yes}");
        }
        for no in [
            "app=db",
            "app!=web",
            "app notin (web)",
            "other",
            "!app",
            "app in (db),tier=front",
            "app>1",
            "size>7",
            "app=",
        ] {
            assert!(!selects(no, ""), "{no}");
        }
    }

    #[test]
    fn fields_select() {
        assert!(selects("", "metadata.name=a,status.phase!=Failed,spec.nodeName=sandbox"));
        assert!(!selects("", "status.phase=Failed"));
        assert!(selects("", "status.podIP=,spec.hostNetwork=false,"));
        assert!(!selects("", "metadata.name=a\\,b"));
    }

    #[test]
    fn a_number_that_is_absent_is_nought() {
        let kinds = Kinds::new();
        let selector =
            Selector::parse(kinds.named("nodes").unwrap(), "", "spec.unschedulable=false").unwrap();
        assert!(selector.matches(&json!({"metadata": {"name": "a"}})));
        let selector =
            Selector::parse(kinds.named("jobs.batch").unwrap(), "", "status.successful=0").unwrap();
        assert!(selector.matches(&json!({"status": {}})));
        assert!(!selector.matches(&json!({"status": {"succeeded": 1}})));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for (labels, part) in [
            ("a in b", "found 'b' expected: '('"),
            ("a~b", "invalid label key \"a~b\""),
            ("a===b", "found '=', expected: identifier"),
            ("a,", "expected: identifier after ','"),
            (",", "found ',', expected: !, identifier, or 'end of string'"),
            ("a b", "found 'b', expected:"),
            ("a in (b,c", "expected: ',' or ')'"),
            ("!a=b", "found '=', expected: ',' or 'end of string'"),
            ("_a=b", "invalid label key \"_a\""),
            ("a=_b", "invalid label value: \"_b\""),
            ("a/b/c", "invalid label key \"a/b/c\""),
            ("a>x", "the value must be an integer"),
        ] {
            let message = refused("pods", labels, "");
            assert!(message.contains(part), "{labels}: {message}");
        }
        assert_eq!(refused("pods", "", "spec.image=x"), "field label not supported: spec.image");
        assert_eq!(
            refused("configmaps", "", "data.a=x"),
            "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(
            refused("pods", "", "metadata.name"),
            "invalid selector: 'metadata.name'; can't understand 'metadata.name'"
        );
        assert!(refused("pods", "", "metadata.name=a=b").contains("unescaped character in value: 61"));
    }
}
