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
        Class::Destructive => Some(format!("destructive: what is on {objects} is lost for good")),
    }
}

/// Whether everything that is lost is so because it cannot be changed in place.
fn is_replaced(plan: &Plan) -> bool {
    let mut lost = plan.steps.iter().filter(|step| step.class == Class::Destructive);
    lost.all(|step| step.verb == Verb::Replace)
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
