//! A plan: a frozen graph of steps, complete and printable. What is previewed is what runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ObjectKey;
use super::names::digest;

/// What a person confirms and the runner carries out. No choice is left for its execution; the hash says whether a plan that is
/// made again is the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// "Deploy notes 1.0.0 to demo", "Install Styrmin on kind-local".
    pub title: String,
    /// The cluster that is written to.
    pub cluster: String,
    /// The namespace or environment that is written to.
    pub target: String,
    /// A directed graph without circles: a step needs earlier ones only.
    pub steps: Vec<Step>,
    /// What it rests on, said plainly: who answers for the routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// Things worth knowing before saying yes (a simulated image, a host name that nobody resolves).
    pub warnings: Vec<String>,
    /// How long all of it may take, in seconds; 0: the sum of its steps.
    pub timeout: u32,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in its plan and the same whenever the plan is made again: "apply Deployment/web".
    pub name: String,
    /// What happens.
    pub verb: Verb,
    /// To what, when it is one object.
    pub object: Option<ObjectKey>,
    /// The positions of the steps that must have succeeded before; each smaller than this step's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<usize>,
    /// The positions of the steps that must have ended before, however they ended; each smaller than this step's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<usize>,
    /// What it may cost.
    pub class: Class,
    /// What is done when a crash leaves open whether it was done.
    pub policy: Policy,
    /// Runs when everything before it has ended, however it ended: after success, failure, cancel and crash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finally: bool,
    /// Of those that always run: only when one that does not always run was not done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_failure: bool,
    /// It only prepares what others do: when those fail, nothing was reached by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepares: bool,
    /// How long it may take with all its tries, in seconds. Always finite.
    pub timeout: u32,
    /// A few words: the image, the host, the size.
    pub note: String,
    /// The SHA-256 of what is written; empty where nothing is.
    pub digest: String,
    /// What must still be so when it runs.
    #[serde(default)]
    pub expects: Expectation,
}

/// What happens in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verb {
    /// It does not exist and will.
    Create,
    /// It exists and changes.
    Update,
    /// It exists and is as it should be: nothing is sent.
    Unchanged,
    /// It exists, belongs to nobody we know, and becomes part of the deployment.
    Adopt,
    /// It exists, cannot be changed in place, and is deleted and created anew.
    Replace,
    /// It exists and will not.
    Delete,
    /// Nothing is written: something has to become so.
    Wait,
    /// The records, or the engine's own fields of the custom resource, are written.
    Record,
    /// Something is done that is no object: a restart, an action, a command.
    Run,
    /// Data is read, and kept elsewhere or compared: what is read stays as it is, and it may end at any point.
    Read,
}

/// What a step may cost. Ordered from harmless to final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Nobody notices.
    #[default]
    Safe,
    /// Something that answers stops answering for a while.
    Disruptive,
    /// Something is lost that cannot be made again.
    Destructive,
}

/// What is done with a step of which a crash left open whether it was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Policy {
    /// Doing it again does no harm.
    #[default]
    Idempotent,
    /// It can be seen whether it was done.
    Probe,
    /// Neither: a person is asked.
    Once,
}

/// What must still be so when a step runs. What has no value is not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// `metadata.uid` of the object; its successor under the same name is another object. Empty: it must not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// `metadata.resourceVersion`, where any change at all matters. Not part of the plan's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

impl Verb {
    /// One character for narrow screens, so that meaning never hangs on colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Unchanged => "=",
            Self::Adopt => "&",
            Self::Replace => "!",
            Self::Delete => "-",
            Self::Wait => "…",
            Self::Record => "*",
            Self::Run => ">",
            Self::Read => "<",
        }
    }

    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Unchanged => "unchanged",
            Self::Adopt => "adopt",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Wait => "wait",
            Self::Record => "record",
            Self::Run => "run",
            Self::Read => "read",
        }
    }
}

impl Class {
    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }
}

impl Step {
    /// A step about an object, named after both: safe, idempotent, within five minutes.
    pub fn on(verb: Verb, object: ObjectKey) -> Self {
        Self {
            name: format!("{} {object}", verb.as_str()),
            verb,
            object: Some(object),
            after: Vec::new(),
            behind: Vec::new(),
            class: Class::Safe,
            policy: Policy::Idempotent,
            finally: false,
            on_failure: false,
            prepares: false,
            timeout: 300,
            note: String::new(),
            digest: String::new(),
            expects: Expectation::default(),
        }
    }

    /// A step about no single object.
    pub fn named(verb: Verb, name: impl Into<String>) -> Self {
        let object = ObjectKey {
            api_version: String::new(),
            kind: String::new(),
            namespace: String::new(),
            name: String::new(),
        };
        Self { name: name.into(), object: None, ..Self::on(verb, object) }
    }
}

impl fmt::Display for Step {
    /// `+ create Deployment/web  web:1.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.sign(), self.name)?;
        if !self.note.is_empty() {
            write!(f, "  {}", self.note)?;
        }
        match self.class {
            Class::Safe => Ok(()),
            class => write!(f, "  [{}]", class.as_str()),
        }
    }
}

impl fmt::Display for Plan {
    /// The title, a line per step in the order of execution, the facts, the warnings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (cluster {})", self.title, self.cluster)?;
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        self.facts.iter().try_for_each(|fact| writeln!(f, "  · {fact}"))?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "  ▲ {warning}"))
    }
}

impl Plan {
    /// The hash that a confirmation carries: over everything that would be done, in order. Resource versions are left out: a
    /// status that moves makes no other plan.
    pub fn hash(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.title, self.cluster, self.target);
        for step in &self.steps {
            let after: Vec<String> = step.after.iter().map(usize::to_string).collect();
            let uid = step.expects.uid.as_deref().unwrap_or("*");
            text += &format!(
                "{} {} {} {uid} {} {}\n",
                step.verb.sign(),
                step.name,
                step.digest,
                step.class.as_str(),
                after.join(",")
            );
            if !step.behind.is_empty() {
                text += &format!("behind {:?}\n", step.behind);
            }
        }
        digest(text.as_bytes())
    }

    /// Whether anything would be done at all.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.verb, Verb::Unchanged | Verb::Wait))
    }

    /// The worst that any of its steps may cost.
    pub fn class(&self) -> Class {
        self.steps.iter().map(|step| step.class).max().unwrap_or_default()
    }

    /// How long all of it may take, in seconds. Always finite.
    pub fn time_limit(&self) -> u32 {
        match self.timeout {
            0 => self.steps.iter().fold(0_u32, |sum, step| sum.saturating_add(step.timeout)),
            seconds => seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: "demo".into(),
            name: name.into(),
        }
    }

    fn plan() -> Plan {
        let mut second = Step::on(Verb::Delete, key("b"));
        (second.after, second.class) = (vec![0], Class::Destructive);
        Plan { title: "t".into(), steps: vec![Step::on(Verb::Create, key("a")), second], ..Plan::default() }
    }

    #[test]
    fn the_hash_covers_what_is_done_and_not_what_moves_by_itself() {
        let hash = plan().hash();
        assert_eq!(plan().hash(), hash);
        let mut other = plan();
        other.steps[0].expects.resource_version = Some("7".into());
        other.warnings.push("w".into());
        other.facts.push("f".into());
        assert_eq!(other.hash(), hash);
        for change in [
            |plan: &mut Plan| plan.steps[0].digest = "d".into(),
            |plan: &mut Plan| plan.steps[1].after.clear(),
            |plan: &mut Plan| plan.steps[0].expects.uid = Some(String::new()),
            |plan: &mut Plan| plan.steps[1].class = Class::Safe,
        ] {
            let mut other = plan();
            change(&mut other);
            assert_ne!(other.hash(), hash);
        }
    }

    #[test]
    fn a_plan_costs_what_its_worst_step_costs_and_prints_line_by_line() {
        assert_eq!(plan().class(), Class::Destructive);
        assert_eq!(plan().time_limit(), 600);
        assert_eq!(
            plan().to_string(),
            "t (cluster )\n  + create ConfigMap/a\n  - delete ConfigMap/b  [destructive]\n"
        );
    }
}
