//! What a person has to do before a plan is carried out: more, the more it costs.

use super::about::About;
use crate::domain::Plan;
use crate::domain::plan::{Class, Verb};

/// What has to be done before a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate<'a> {
    /// One key.
    Press,
    /// A second look: the first key only goes to the button.
    SecondLook,
    /// The application's name is typed.
    TypeName(&'a str),
    /// The production environment's name is typed; then whatever the plan's class asks for.
    Unlock(&'a str),
}

impl<'a> Gate<'a> {
    /// The gate of a plan; none when there is nothing to do.
    pub fn of(plan: &Plan, locked: bool, about: &'a About) -> Option<Self> {
        if plan.is_empty() {
            return None;
        }
        Some(match plan.class() {
            _ if locked => Self::Unlock(&about.environment),
            Class::Safe => Self::Press,
            Class::Disruptive => Self::SecondLook,
            Class::Destructive => Self::TypeName(&about.name),
        })
    }

    /// The name that has to be typed.
    pub fn name(self) -> Option<&'a str> {
        match self {
            Self::Press | Self::SecondLook => None,
            Self::TypeName(name) | Self::Unlock(name) => Some(name),
        }
    }
}

/// What carrying out a plan costs, in a sentence that names the objects; none when nobody notices.
pub fn cost(plan: &Plan, name: &str) -> Option<String> {
    let class = plan.class();
    let objects = of_class(plan, class);
    match class {
        Class::Safe => None,
        Class::Disruptive => Some(format!("disruptive: {name} may stop answering for a while ({objects})")),
        Class::Destructive if is_replaced(plan) => Some(format!(
            "destructive: {objects}: deleted and created anew; what was only there is lost for good"
        )),
        Class::Destructive if is_data(plan) => Some(format!("destructive: {objects}: {}", lost(plan))),
        Class::Destructive => Some(format!("destructive: what is on {objects} is lost for good")),
    }
}

/// Whether everything that is lost is so because it cannot be changed in place.
fn is_replaced(plan: &Plan) -> bool {
    let mut lost = plan.steps.iter().filter(|step| step.class == Class::Destructive);
    lost.all(|step| step.verb == Verb::Replace)
}

/// Whether what is lost is data of applications or backups, and no object.
fn is_data(plan: &Plan) -> bool {
    let mut lost = plan.steps.iter().filter(|step| step.class == Class::Destructive);
    lost.all(|step| step.object.is_none())
}

/// What is lost where it is data.
fn lost(plan: &Plan) -> &'static str {
    let all = |verb| {
        let mut lost = plan.steps.iter().filter(|step| step.class == Class::Destructive);
        lost.all(|step| step.verb == verb)
    };
    if all(Verb::Delete) {
        "gone for good"
    } else if all(Verb::Record) {
        // an environment's record goes with its namespace
        "gone for good, with what is in it"
    } else {
        "what is there now is overwritten"
    }
}

/// The first objects whose steps are of a class, and how many more there are.
fn of_class(plan: &Plan, class: Class) -> String {
    let names: Vec<String> = (plan.steps.iter())
        .filter(|step| step.class == class)
        .map(|step| step.object.as_ref().map_or_else(|| step.name.clone(), ToString::to_string))
        .collect();
    match &names[..] {
        [first, second, rest @ ..] if rest.len() > 1 => format!("{first}, {second} and {} more", rest.len()),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ObjectKey;
    use crate::domain::plan::Step;

    fn told(steps: Vec<Step>) -> Option<String> {
        let steps = steps.into_iter().map(|step| Step { class: Class::Destructive, ..step }).collect();
        cost(&Plan { steps, ..Plan::default() }, "notes")
    }

    #[test]
    fn what_is_lost_is_said_in_the_words_of_what_it_is() {
        let claim = ObjectKey {
            api_version: "v1".into(),
            kind: "PersistentVolumeClaim".into(),
            namespace: "demo".into(),
            name: "data".into(),
        };
        let cases = [
            (
                vec![Step::on(Verb::Delete, claim.clone())],
                "what is on PersistentVolumeClaim/data is lost for good",
            ),
            (vec![Step::on(Verb::Replace, claim)], "deleted and created anew"),
            (vec![Step::named(Verb::Run, "restore db")], "restore db: what is there now is overwritten"),
            (vec![Step::named(Verb::Delete, "delete notes-1")], "delete notes-1: gone for good"),
            (vec![Step::named(Verb::Record, "remove lab")], "remove lab: gone for good, with what is in it"),
        ];
        for (steps, said) in cases {
            let cost = told(steps);
            assert!(cost.as_ref().is_some_and(|cost| cost.contains(said)), "{cost:?}");
        }
    }
}
