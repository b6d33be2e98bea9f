//! Conditions of an object's status, as far as they speak about the object as it is now.

use serde_json::Value;

/// A condition as it stands on the object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition<'a>(&'a Value);

impl<'a> Condition<'a> {
    /// Its type, such as `Ready`.
    pub fn kind(self) -> &'a str {
        self.text("type")
    }

    /// Whether its status is this one: `True`, `False` or `Unknown`.
    pub fn is(self, status: &str) -> bool {
        self.text("status") == status
    }

    /// Its reason; empty where it has none.
    pub fn reason(self) -> &'a str {
        self.text("reason")
    }

    /// Its reason, or what stands for one where it has none.
    pub fn reason_or(self, fallback: &'a str) -> &'a str {
        Some(self.reason()).filter(|reason| !reason.is_empty()).unwrap_or(fallback)
    }

    /// Its message; empty where it has none.
    pub fn message(self) -> &'a str {
        self.text("message")
    }

    /// In words: its reason and what it says.
    pub fn said(self) -> String {
        match (self.reason(), self.message().trim()) {
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }

    fn text(self, field: &str) -> &'a str {
        self.0[field].as_str().unwrap_or("")
    }
}

/// The conditions of an object that speak about its present generation: those that say that they were made for an older one
/// are left out.
#[derive(Debug, Clone)]
pub struct Conditions<'a>(Vec<Condition<'a>>);

impl<'a> Conditions<'a> {
    /// Those of an object.
    pub fn of(object: &'a Value) -> Self {
        Self::within(&object["status"], object)
    }

    /// Those of a part of the status of an object, which has a list of its own.
    pub fn within(part: &'a Value, object: &Value) -> Self {
        let generation = object["metadata"]["generation"].as_i64();
        let is_current = |condition: &&Value| match (generation, condition["observedGeneration"].as_i64()) {
            (Some(generation), Some(observed)) => observed >= generation,
            _ => true,
        };
        let all = part["conditions"].as_array().into_iter().flatten();
        Self(all.filter(is_current).map(Condition).collect())
    }

    /// All of them, in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = Condition<'a>> {
        self.0.iter().copied()
    }

    /// The one of that type.
    pub fn find(&self, kind: &str) -> Option<Condition<'a>> {
        self.iter().find(|condition| condition.kind() == kind)
    }

    /// The one of that type when its status is `True`.
    pub fn holds(&self, kind: &str) -> Option<Condition<'a>> {
        self.find(kind).filter(|condition| condition.is("True"))
    }

    /// The one of that type when its status is `False`.
    pub fn denies(&self, kind: &str) -> Option<Condition<'a>> {
        self.find(kind).filter(|condition| condition.is("False"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_said_of_an_older_generation_does_not_count() {
        let object = json!({"metadata": {"generation": 2}, "status": {"conditions": [
            {"type": "Old", "status": "True", "observedGeneration": 1},
            {"type": "Now", "status": "False", "observedGeneration": 2, "reason": "Why", "message": " it does not \n"},
            {"type": "Undated", "status": "Unknown", "message": "wait"}]}});
        let found = Conditions::of(&object);
        let kinds: Vec<&str> = found.iter().map(Condition::kind).collect();
        assert_eq!(kinds, ["Now", "Undated"]);
        assert_eq!(found.denies("Now").unwrap().said(), "Why: it does not");
        assert!(found.holds("Now").is_none() && found.holds("Undated").is_none());
        let undated = found.find("Undated").unwrap();
        assert_eq!((undated.said().as_str(), undated.reason_or("Wait")), ("wait", "Wait"));
        assert_eq!(Conditions::of(&json!({"status": {"conditions": "no"}})).iter().count(), 0);
    }
}
