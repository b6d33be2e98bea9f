//! What those who are to answer for an HTTPRoute, or for a Gateway, say of it, by the rules of the Gateway API.

use std::fmt;

use serde_json::Value;

use crate::domain::conditions::{Condition, Conditions};

/// The group of the Gateway API.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// What is said of an object as it is now; what decides most first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Word<'a> {
    /// It is taken, and all of it is in force.
    Taken,
    /// It is taken, and not all of it is in force: what it refers to is not there, or a part of it is not understood.
    Faulty(Condition<'a>),
    /// Nothing is decided: it is waited for, or nothing was said of the object as it is now.
    Open(Option<Condition<'a>>),
    /// It is not taken.
    Refused(Condition<'a>),
}

impl Word<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Taken => 0,
            Self::Faulty(_) => 1,
            Self::Open(_) => 2,
            Self::Refused(_) => 3,
        }
    }
}

/// One that an HTTPRoute is to attach to: a Gateway, as a rule; a Service in a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    /// Of a Gateway: its listener; empty: every one.
    section: String,
    port: Option<u64>,
}

impl Parent {
    /// What a reference of an object of this namespace names.
    fn of(reference: &Value, namespace: &str) -> Option<Self> {
        let text = |field: &str, otherwise: &str| reference[field].as_str().unwrap_or(otherwise).to_owned();
        Some(Self {
            group: text("group", GATEWAY_GROUP),
            kind: text("kind", "Gateway"),
            namespace: text("namespace", namespace),
            name: reference["name"].as_str()?.to_owned(),
            section: text("sectionName", ""),
            port: reference["port"].as_u64(),
        })
    }

    /// `namespace/name`, where it is a Gateway.
    pub fn gateway(&self) -> Option<String> {
        let is_gateway = self.group == GATEWAY_GROUP && self.kind == "Gateway";
        is_gateway.then(|| format!("{}/{}", self.namespace, self.name))
    }
}

impl fmt::Display for Parent {
    /// `Gateway infra/shared`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// What comes of an HTTPRoute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment<'a> {
    /// Of those that it names: the one whose word decides, else the first; none: it names none.
    pub parent: Option<Parent>,
    /// The word that decides: it is enough that one takes it. None: nobody has said anything.
    pub word: Option<Word<'a>>,
}

impl<'a> Attachment<'a> {
    /// What comes of this HTTPRoute. Those that it names no more are left out: their words may stand in its status for ever.
    pub fn of(route: &'a Value) -> Self {
        let namespace = route["metadata"]["namespace"].as_str().unwrap_or("");
        let read = |reference: &Value| Parent::of(reference, namespace);
        let items = |value: &'a Value| value.as_array().into_iter().flatten();
        let wanted: Vec<Parent> = items(&route["spec"]["parentRefs"]).filter_map(read).collect();
        let words = items(&route["status"]["parents"]).filter_map(|told| {
            let parent = read(&told["parentRef"]).filter(|parent| wanted.contains(parent))?;
            Some((parent, attached(&Conditions::within(told, route))))
        });
        match words.min_by_key(|(_, word)| word.rank()) {
            Some((parent, word)) => Self { parent: Some(parent), word: Some(word) },
            None => Self { parent: wanted.into_iter().next(), word: None },
        }
    }
}

/// What a parent says. One that fell back to an older state of a route says `PartiallyInvalid` of it as it is now, and `Accepted` of
/// how it was.
fn attached<'a>(conditions: &Conditions<'a>) -> Word<'a> {
    let accepted = conditions.find("Accepted");
    if let Some(refused) = accepted.filter(|accepted| accepted.is("False")) {
        return Word::Refused(refused);
    }
    if let Some(partly) = conditions.holds("PartiallyInvalid") {
        return Word::Faulty(partly);
    }
    match accepted {
        Some(accepted) if accepted.is("True") => {
            conditions.denies("ResolvedRefs").map_or(Word::Taken, Word::Faulty)
        }
        undecided => Word::Open(undecided),
    }
}

/// What the controller of its class says of a Gateway. One is made with conditions that say that nobody has looked at it.
pub fn programmed(gateway: &Value) -> Word<'_> {
    let conditions = Conditions::of(gateway);
    if let Some(refused) = conditions.denies("Accepted") {
        return Word::Refused(refused);
    }
    if let Some(faulty) = conditions.denies("Programmed") {
        return Word::Faulty(faulty);
    }
    match ["Accepted", "Programmed"].into_iter().find(|kind| conditions.holds(kind).is_none()) {
        None => Word::Taken,
        Some(undecided) => Word::Open(conditions.find(undecided)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(parents: &Value) -> Value {
        json!({"metadata": {"namespace": "demo", "generation": 3},
            "spec": {"parentRefs": [{"name": "inner"}, {"name": "outer", "namespace": "infra", "sectionName": "https"}]},
            "status": {"parents": parents}})
    }

    fn condition(kind: &str, status: &str, generation: i64) -> Value {
        json!({"type": kind, "status": status, "observedGeneration": generation, "reason": format!("{kind}Is{status}")})
    }

    fn inner(conditions: &[Value]) -> Value {
        json!({"parentRef": {"group": GATEWAY_GROUP, "kind": "Gateway", "name": "inner", "namespace": "demo"},
            "conditions": conditions})
    }

    fn outer(conditions: &[Value]) -> Value {
        json!({"parentRef": {"name": "outer", "namespace": "infra", "sectionName": "https"}, "conditions": conditions})
    }

    /// The parent that decides, and its word with the reason.
    fn told(parents: &[Value]) -> String {
        let route = route(&json!(parents));
        let found = Attachment::of(&route);
        let parent = found.parent.map(|parent| parent.to_string()).unwrap_or_default();
        let word = match found.word {
            None => "nothing".to_owned(),
            Some(Word::Taken) => "taken".to_owned(),
            Some(Word::Faulty(condition)) => format!("faulty {}", condition.reason()),
            Some(Word::Open(None)) => "open".to_owned(),
            Some(Word::Open(Some(condition))) => format!("open {}", condition.reason()),
            Some(Word::Refused(condition)) => format!("refused {}", condition.reason()),
        };
        format!("{parent}: {word}")
    }

    #[test]
    fn one_that_takes_it_is_enough() {
        let (yes, no) = (|| condition("Accepted", "True", 3), || condition("Accepted", "False", 3));
        let unresolved = || condition("ResolvedRefs", "False", 3);
        assert_eq!(told(&[]), "Gateway demo/inner: nothing");
        assert_eq!(told(&[inner(&[no()]), outer(&[yes()])]), "Gateway infra/outer: taken");
        let both = [inner(&[no()]), outer(&[yes(), unresolved()])];
        assert_eq!(told(&both), "Gateway infra/outer: faulty ResolvedRefsIsFalse");
        assert_eq!(told(&[inner(&[no()])]), "Gateway demo/inner: refused AcceptedIsFalse");
        assert_eq!(told(&[inner(&[unresolved()])]), "Gateway demo/inner: open", "accepted is said first");
    }

    #[test]
    fn who_has_not_looked_yet_may_still_take_it() {
        let refused = inner(&[condition("Accepted", "False", 3)]);
        let before = outer(&[condition("Accepted", "True", 2)]);
        assert_eq!(told(&[refused.clone(), before]), "Gateway infra/outer: open");
        let waits = outer(&[condition("Accepted", "Unknown", 3)]);
        assert_eq!(told(&[refused, waits]), "Gateway infra/outer: open AcceptedIsUnknown");
    }

    #[test]
    fn a_part_that_is_not_understood_is_told_also_where_the_rest_fell_back() {
        let partly = || condition("PartiallyInvalid", "True", 3);
        for generation in [2, 3] {
            let told = told(&[inner(&[condition("Accepted", "True", generation), partly()])]);
            assert_eq!(told, "Gateway demo/inner: faulty PartiallyInvalidIsTrue", "{generation}");
        }
    }

    #[test]
    fn only_those_that_are_named_now_count() {
        let yes = || vec![condition("Accepted", "True", 3)];
        let other = |reference: Value| json!({"parentRef": reference, "conditions": yes()});
        for reference in [
            json!({"name": "former"}),
            json!({"name": "inner", "namespace": "infra"}),
            json!({"name": "inner", "sectionName": "https"}),
            json!({"name": "inner", "port": 80}),
            json!({"name": "inner", "kind": "Service", "group": ""}),
            json!({"namespace": "demo"}),
        ] {
            assert_eq!(told(&[other(reference.clone())]), "Gateway demo/inner: nothing", "{reference}");
        }
    }

    #[test]
    fn a_service_of_a_mesh_is_a_parent_and_no_gateway() {
        let reference = json!({"group": "", "kind": "Service", "name": "web"});
        let object = json!({"metadata": {"namespace": "demo"}, "spec": {"parentRefs": [reference]},
            "status": {"parents": [{"parentRef": reference, "conditions": [{"type": "Accepted", "status": "True"}]}]}});
        let found = Attachment::of(&object);
        let parent = found.parent.unwrap();
        assert_eq!(
            (found.word, parent.gateway(), parent.to_string().as_str()),
            (Some(Word::Taken), None, "Service demo/web")
        );
    }

    #[test]
    fn a_gateway_is_taken_once_it_is_programmed() {
        let said = |conditions: &[Value]| {
            let gateway = json!({"metadata": {"generation": 3}, "status": {"conditions": conditions}});
            programmed(&gateway).rank()
        };
        let (taken, faulty, open, refused) = (0, 1, 2, 3);
        let accepted = |status: &str| condition("Accepted", status, 3);
        let on = |status: &str, generation| condition("Programmed", status, generation);
        for (conditions, wanted) in [
            (vec![accepted("True"), on("True", 3)], taken),
            (vec![accepted("True"), on("False", 3)], faulty),
            (vec![accepted("True"), on("True", 2)], open),
            (vec![accepted("True"), on("Unknown", 3)], open),
            (vec![accepted("False"), on("False", 3)], refused),
            (vec![], open),
        ] {
            assert_eq!(said(&conditions), wanted, "{conditions:?}");
        }
    }
}
